"""The embedded warehouse: one DuckDB file, short connections, windows replaced in one transaction.

Belongs here: how Python reaches the file and writes a table of ``tables.py``. Does not belong here: SQL of a layer.
One process writes; while it does no other can even read, hence the bounded wait and the short connections.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from expansion_assets.sources.sql import literal
from expansion_assets.tables import PYTHON_TABLES, Table

T = TypeVar("T")
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
    connection = _once_free(path, wait_seconds, lambda: duckdb.connect(str(path), read_only=read_only))
    try:
        set_session(connection)
        yield connection
    finally:
        connection.close()


def attach(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, *, wait_seconds: float = WAIT_SECONDS
) -> None:
    """Attach another warehouse for reading, waiting like ``connect``.

    Raises:
        WarehouseBusyError: the wait is over and the file is still held.
    """
    statement = f"attach {literal(path)} as {name} (read_only)"
    _once_free(path, wait_seconds, lambda: connection.execute(statement))


def _once_free(path: Path, wait_seconds: float, opened: Callable[[], T]) -> T:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return opened()
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(f"{path}: held by another process for {wait_seconds:.0f} s") from error
            time.sleep(_RETRY_SECONDS)


def set_session(connection: duckdb.DuckDBPyConnection) -> None:
    """What every session pins: instants are UTC, and no progress bar in a log."""
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every table that Python writes, and the columns that one of an older version lacks."""
    for schema in sorted({table.schema for table in PYTHON_TABLES}):
        connection.execute(f"create schema if not exists {schema}")
    for table in PYTHON_TABLES:
        connection.execute(table.ddl())
    rows = connection.execute("select table_schema, table_name, column_name from information_schema.columns").fetchall()
    present = set(rows)
    for table in PYTHON_TABLES:
        for name in table.columns:
            if (table.schema, table.name, name) not in present:
                connection.execute(f'alter table {table.full_name} add column "{name}" {table.sql_type(name)}')


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
    column = table.window_column
    with transaction(connection):
        connection.execute(
            f"delete from {table.full_name} where {column} >= $1 and {column} < $2 and {where}", [start, end]
        )
        return add_rows(connection, table, rows)


def replace_all(connection: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Replace a whole (small) table in one transaction; returns the number of rows."""
    with transaction(connection):
        connection.execute(f"delete from {table.full_name}")
        return add_rows(connection, table, rows)


def add_rows(connection: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Append rows to a table; returns their number."""
    frame = as_arrow(table, rows)
    if frame.num_rows:
        connection.register("incoming_rows", frame)
        names = ", ".join(f'"{name}"' for name in table.columns)
        connection.execute(f"insert into {table.full_name} ({names}) select {names} from incoming_rows")
        connection.unregister("incoming_rows")
    return frame.num_rows


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


_ARROW_TYPES = {
    "varchar": pa.string(), "double": pa.float64(), "bigint": pa.int64(), "integer": pa.int32(), "boolean": pa.bool_(),
    "date": pa.date32(), "timestamp": pa.timestamp("us"),
}


def as_arrow(table: Table, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table in the definition's columns and types."""
    rows = list(rows)
    columns = {
        name: pa.array([row.get(name) for row in rows], type=_ARROW_TYPES[table.sql_type(name)])
        for name in table.columns
    }
    return pa.table(columns)


def fetch_rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries."""
    cursor = connection.execute(query, parameters or [])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def last_day_of(path: Path) -> date | None:
    """The last day that a run finished, or None when nothing has run yet."""
    if not path.exists():
        return None
    with connect(path, read_only=True) as connection:
        found = connection.execute(
            "select 1 from information_schema.tables where table_schema = 'readiness' and table_name = 'coverage'"
        ).fetchone()
        if not found:
            return None
        row = connection.execute("select max(as_of_date) from readiness.coverage").fetchone()
    return row[0] if row else None
