"""Fixtures: one dbt, one untidy book, built as one window and as short ones."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from expansion_assets.project import read_parsed
from expansion_assets.settings import PROJECT_DIR, Settings
from tests.dbt.project import CUTS, FEATURES, WINDOW_MODELS, Dbt, day
from tests.dbt.random_book import random_book
from tests.dbt.raw_tables import RawTables


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """dbt with its own warehouse path and target folder."""
    folder = tmp_path_factory.mktemp("dbt")
    # First, for it leads dbt to the project's own warehouse.
    parsed = read_parsed(Settings(state_dir=PROJECT_DIR / "data"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPANSION_WAREHOUSE", str(folder / "expansion.duckdb"))
        patch.setenv("DO_NOT_TRACK", "1")
        patch.delenv("EXPANSION_TIME_ZONE", raising=False)
        yield Dbt(folder, parsed)


@pytest.fixture(scope="session")
def book() -> RawTables:
    """A random book that is untidy in every way the models must stand."""
    return random_book(accounts=9, days=CUTS[-1], users=7)


@pytest.fixture(scope="session")
def one_window(dbt: Dbt, book: RawTables) -> Path:
    """The book built as one window; dbt's own tests have passed on it."""
    dbt.start(book)
    dbt.run(day(0), day(CUTS[-1]))
    result = dbt.call(
        "test", "--select", *FEATURES, "--exclude", "path:models/marts/outcomes", "test_type:unit"
    )
    assert result.success, [(node.node.name, node.message) for node in result.result if node.status != "pass"]
    return dbt.keep("one_window")


@pytest.fixture(scope="session")
def short_windows(dbt: Dbt, book: RawTables, one_window: Path) -> Path:
    """The same book built window by window."""
    dbt.start(book)
    for number, (start, end) in enumerate(pairwise(CUTS)):
        dbt.run(day(start), day(end), WINDOW_MODELS if number else FEATURES)
    return dbt.keep("short_windows")
