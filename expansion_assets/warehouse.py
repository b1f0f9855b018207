"""The embedded warehouse: one DuckDB file, short connections, windows replaced in one transaction.

Belongs here: how Python reaches the file and writes a table of ``tables.py``. Does not belong here: SQL of a layer.
One process writes; while it does no other can even read, hence the bounded wait and the short connections.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from expansion_assets.tables import PYTHON_TABLES, Table

WAIT_SECONDS = 60.0
_RETRY_SECONDS = 0.25


class WarehouseBusyError(RuntimeError):
    """Another process has held the warehouse for longer than the bounded wait."""


@contextmanager
def connect(
    path: Path, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse, waiting for another process to let go of it.

    Args:
        path: The DuckDB file; its folder is made.
        read_only: Open without the write lock.
        wait_seconds: Longest wait for another process.

    Raises:
        WarehouseBusyError: the wait is over and the file is still held.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            connection = duckdb.connect(str(path), read_only=read_only)
            break
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(f"{path}: held by another process for {wait_seconds:.0f} s") from error
            time.sleep(_RETRY_SECONDS)
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every table that Python writes."""
    for schema in sorted({table.schema for table in PYTHON_TABLES}):
        connection.execute(f"create schema if not exists {schema}")
    for table in PYTHON_TABLES:
        connection.execute(table.ddl())


def replace_window(
    connection: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[Mapping[str, Any]], start: date, end: date,
    where: str = "true",
) -> int:
    """Replace the rows of days [start, end) by ``rows``, in one transaction.

    Args:
        connection: Open connection.
        table: Definition; its ``window_column`` decides what is replaced.
        rows: New rows by column name; a missing column is null.
        start: First day.
        end: Day after the last.
        where: Further SQL condition on what is replaced, when several writers share a table.

    Returns:
        Number of rows written.
    """
    frame = as_arrow(table, rows)
    connection.execute("begin")
    try:
        connection.execute(
            f"delete from {table.full_name} where {table.window_column} >= $1 and {table.window_column} < $2 and {where}",
            [start, end],
        )
        _insert(connection, table, frame)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return frame.num_rows


def replace_all(connection: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Replace a whole (small) table in one transaction; returns the number of rows."""
    frame = as_arrow(table, rows)
    connection.execute("begin")
    try:
        connection.execute(f"delete from {table.full_name}")
        _insert(connection, table, frame)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return frame.num_rows


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, frame: pa.Table) -> None:
    if not frame.num_rows:
        return
    connection.register("incoming_rows", frame)
    names = ", ".join(f'"{name}"' for name in table.columns)
    connection.execute(f"insert into {table.full_name} ({names}) select {names} from incoming_rows")
    connection.unregister("incoming_rows")


_ARROW_TYPES = {
    "varchar": pa.string(), "double": pa.float64(), "bigint": pa.int64(), "integer": pa.int32(), "boolean": pa.bool_(),
    "date": pa.date32(), "timestamp": pa.timestamp("us"),
}


def as_arrow(table: Table, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table in the definition's columns and types."""
    rows = list(rows)
    columns = {
        name: pa.array([row.get(name) for row in rows], type=_ARROW_TYPES[table.sql_type(name)]) for name in table.columns
    }
    return pa.table(columns)


def fetch_rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries."""
    cursor = connection.execute(query, parameters or [])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
