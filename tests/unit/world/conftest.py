"""Worlds that several tests read: the default size once, a small one twice."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.world import World, generate

_READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "csv": lambda path: pl.read_csv(path, infer_schema=False),
    "jsonl": lambda path: pl.DataFrame(
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()], infer_schema_length=None
    ),
    "parquet": pl.read_parquet,
}


def _read_landing(directory: Path, table: str) -> pl.DataFrame:
    """All rows of a table, dates and times as ISO text, with the file's month."""
    contract = load_contracts()[table]
    frames = []
    for path in sorted(directory.glob(contract.files)):
        frame = _READERS[contract.format](path)
        times = [
            pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
            for name, kind in frame.schema.items()
            if kind == pl.Datetime
        ]
        dates = [
            pl.col(name).dt.strftime("%Y-%m-%d") for name, kind in frame.schema.items() if kind == pl.Date
        ]
        frames.append(frame.with_columns(*times, *dates, pl.lit(path.stem[-7:]).alias("file_month")))
    return pl.concat(frames, how="vertical_relaxed")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("small"), seed=3, accounts=12, months=4)


@pytest.fixture(scope="session")
def read_landing() -> Callable[[Path, str], pl.DataFrame]:
    return _read_landing
