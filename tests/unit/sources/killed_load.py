"""A raw load in a process of its own, which kills itself before a given statement (0: never).

Usage: ``python killed_load.py <landing> <warehouse> <statement>``. Prints ``done`` and which statement was the commit.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.report import Window
from expansion_assets.sources.versions import create_raw_tables

TABLE = "product_seat_assignments"
JULY = Window(date(2025, 7, 1), date(2025, 8, 1), datetime(2025, 7, 1), datetime(2025, 8, 1))


class KilledConnection:
    """A connection that ends the process by SIGKILL before its n-th statement."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, statement: int) -> None:
        self._connection = connection
        self._statement = statement
        self.count = 0
        self.commit = 0

    def execute(self, query: str, *arguments: Any) -> duckdb.DuckDBPyConnection:
        self.count += 1
        if self.count == self._statement:
            os.kill(os.getpid(), signal.SIGKILL)
        if query == "commit":
            self.commit = self.count
        return self._connection.execute(query, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def main(landing: str, warehouse: str, statement: str) -> None:
    """Load the table once."""
    contracts = {TABLE: load_contracts()[TABLE]}
    mapping = own_mapping(contracts, date(2025, 7, 1), None).tables[TABLE]
    with duckdb.connect(warehouse) as opened:
        opened.execute("set timezone = 'UTC'")
        connection = KilledConnection(opened, int(statement))
        create_raw_tables(connection, contracts)  # type: ignore[arg-type]
        print("ready", flush=True)
        load_table(connection, contracts[TABLE], mapping, Path(landing), JULY, datetime(2025, 8, 1))  # type: ignore[arg-type]
    print("done", connection.commit, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
