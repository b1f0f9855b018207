"""The dbt project, run in this process on one temporary warehouse.

Belongs here: how dbt is called and warehouses are kept apart. Does not belong here: fixtures, expectations.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tests.dbt.random_book import FIRST_DAY
from tests.dbt.raw_tables import ROOT, RawTables, write_control

PROJECT = ROOT / "dbt_project"
HISTORY = timedelta(days=400)
FEATURES = ("staging", "intermediate", "marts.features")
WINDOW_MODELS = ("intermediate", "marts.features")  # views need no rebuild for the next window
MARTS = (
    "account_day",
    "quota_day",
    "group_day",
    "contact_moves",
    "texts",
    "timeline_events",
    "review_events",
    "match_rate_day",
    "excluded_users_day",
    "withdrawals",
)
# Cut where state is carried over: single days, a day with 60 days behind it, the day after a long window.
CUTS = (0, 5, 30, 31, 61, 62, 64)


@dataclass
class Dbt:
    """dbt on one warehouse path, with one parsed project."""

    folder: Path
    parsed: Any = None
    messages: list[Any] = field(default_factory=list)
    listeners: list[Callable[[Any], None]] = field(default_factory=list)
    """Called with every event of dbt."""

    @property
    def warehouse(self) -> Path:
        return self.folder / "expansion.duckdb"

    def start(self, raw: RawTables) -> None:
        """Begin with a new warehouse that holds raw rows only."""
        self.warehouse.unlink(missing_ok=True)
        raw.write(self.warehouse)

    def run(self, start: date, end: date, select: Sequence[str] = FEATURES) -> None:
        """Build models for the days [start, end)."""
        write_control(self.warehouse, start, end, FIRST_DAY - HISTORY)
        result = self.call("run", "--select", *select)
        assert result.success, [node.message for node in result.result or () if node.status != "success"]

    def call(self, command: str, *arguments: str) -> Any:
        """Call dbt in this process; its warnings and errors are kept in ``messages``."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        place = [
            "--project-dir",
            str(PROJECT),
            "--profiles-dir",
            str(PROJECT),
            "--target-path",
            str(self.folder / "target"),
        ]
        try:
            return dbtRunner(self.parsed, callbacks=[self._keep]).invoke(
                ["--quiet", command, *place, "--log-path", str(self.folder), *arguments]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()

    def keep(self, name: str) -> Path:
        """Copy the warehouse aside."""
        return Path(shutil.copy(self.warehouse, self.folder / f"{name}.duckdb"))

    def _keep(self, event: Any) -> None:
        for listener in self.listeners:
            listener(event)
        if event.info.level in ("warn", "error"):
            self.messages.append(event)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def day(number: int) -> date:
    """A day of the book by its number."""
    return FIRST_DAY + timedelta(days=number)
