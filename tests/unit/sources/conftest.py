"""A raw schema in memory and files made of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from expansion_assets.sources.contracts import TableContract, load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.report import LandingReport, Window
from expansion_assets.sources.versions import create_raw_tables

JULY = Window(date(2025, 7, 1), date(2025, 8, 1), datetime(2025, 7, 1), datetime(2025, 8, 1))
NOW = datetime(2025, 8, 1)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set timezone = 'UTC'")
        create_raw_tables(opened, load_contracts())
        yield opened


@pytest.fixture
def contracts() -> dict[str, TableContract]:
    return load_contracts()


@pytest.fixture
def land(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Callable[..., LandingReport]:
    """Write files by name and load one table from them."""

    def load(table: str, files: dict[str, bytes | str], window: Window = JULY, now: datetime = NOW) -> LandingReport:
        contract = load_contracts()[table]
        mapping = own_mapping(load_contracts(), date(2025, 7, 1), None).tables[table]
        for name, content in files.items():
            path = tmp_path / Path(contract.files).parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_table(connection, contract, mapping, tmp_path, window, now)

    return load
