"""A table of a PostgreSQL database into landing files: incremental by cursor, resumable, in bounded batches.

Belongs here: the connection, the query, types, which rows are new, the files. Does not belong here: what a column
means (``mapping``), whether a value is good (``judging``): the files are then loaded like any others.

The landing files are the only state. A batch is written under a temporary name and renamed, so a file is there whole
or not at all; the next read starts at the newest cursor of the files less the overlap, and rows that stand there
unchanged are left out. A kill at any moment therefore neither loses nor doubles a row. Deletes leave no trace in a
cursor column: a table whose rows vanish needs a flag column, or ``deletes``, which compares the keys.
Driver: https://arrow.apache.org/adbc/current/driver/postgresql.html
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.mapping import EXTRACTED_AT, IS_DELETED, PostgresSource, TableMapping
from expansion_assets.sources.sql import literal, quoted

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 10
_MEMORY_LIMIT = "1GB"
_READING_BYTES = 4_000_000
# Transactions that hold their changes back for longer than this, or for more ids, are missed until the next change.
_OVERLAP, _OVERLAP_ROWS = timedelta(hours=2), 1000
_FIRST_LOAD = "first_load"
_TEMPORARY = ".part"
# What Arrow carries as the contract judges it; any other type is read as PostgreSQL's own text of the value.
_AS_IS = {"int2", "int4", "int8", "float4", "float8", "bool", "text", "varchar", "bpchar", "name", "date", "timestamp",
          "timestamptz"}
_CURSORS = {"int2": "bigint", "int4": "bigint", "int8": "bigint", "date": "date", "timestamp": "timestamp",
            "timestamptz": "timestamptz"}


class ExtractionError(RuntimeError):
    """A database table could not be read; the message names table and server, never a password."""


@dataclass
class Extraction:
    """What one read brought."""

    rows_read: int = 0
    rows_new: int = 0
    files: int = 0
    rows_gone: int = 0


def refresh(
    contract: TableContract, mapping: TableMapping | None, landing: Path, now: datetime | None = None,
    time_zone: str = "UTC",
) -> list[str]:
    """Read what is new of a table's databases into its landing files; nothing to do where it has none.

    Args:
        contract: The table.
        mapping: Its inputs.
        landing: Root of the landing files.
        now: Instant of extraction, UTC; None is the clock's.
        time_zone: Workspace time zone, whose day stands in the file names.

    Returns:
        Problems, one line each; what could not be read is missing, and the run goes on.
    """
    problems = []
    for part in mapping.inputs if mapping else ():
        if part.postgres is None:
            continue
        try:
            extract(contract, part, landing, now or datetime.now(tz=UTC), time_zone)
        except ExtractionError as error:
            problems.append(str(error))
            logger.error("%s: %s", contract.name, error)
    return problems


def extract(
    contract: TableContract, mapping: TableMapping, landing: Path, now: datetime, time_zone: str = "UTC"
) -> Extraction:
    """Read the rows of one database table that are new or changed since the last read into landing files.

    Raises:
        ExtractionError: no connection string, no server, no such table or column.
    """
    source = mapping.postgres
    if source is None:
        raise ValueError(f"{contract.name} is not mapped to a database")
    folder = landing / Path(mapping.files).parent
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"*{_TEMPORARY}"):
        leftover.unlink()
    now = now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)
    with _connect(source) as connection:
        shape = _shape(connection, source, contract, mapping)
        return _Reader(connection, source, mapping, shape, folder, now, time_zone).read()


@dataclass(frozen=True)
class _Shape:
    """What is read: source column -> expression, the cursor's SQL type and the columns that name a row."""

    columns: dict[str, str]
    cursor_type: str
    key: tuple[str, ...]
    server_now: datetime


class _Reader:
    """One read of one table."""

    def __init__(
        self, connection: Any, source: PostgresSource, mapping: TableMapping, shape: _Shape, folder: Path,
        now: datetime, time_zone: str,
    ) -> None:
        self.connection, self.source, self.shape, self.folder, self.now = connection, source, shape, folder, now
        pattern = Path(mapping.files).name
        self.prefix = pattern.split("*")[0]
        self.files = sorted(folder.glob(pattern))
        self.marker = folder / f".{self.prefix}{_FIRST_LOAD}"
        self.is_first = not self.files or self.marker.exists()
        has_own_time = mapping.loaded_at is None or mapping.loaded_at.column != EXTRACTED_AT
        self.is_assumed = has_own_time or (self.is_first and source.assume_history)
        # The loader passes over files whose name carries another day; rows with load times of their own have any day.
        self.suffix = "" if self.is_assumed else f"_{now.astimezone(ZoneInfo(time_zone)):%Y-%m-%d}"

    def read(self) -> Extraction:
        done = Extraction()
        with duckdb.connect(config={"memory_limit": _MEMORY_LIMIT, "threads": 1}) as engine:
            engine.execute("set timezone = 'UTC'")
            engine.execute(f"set temp_directory = {literal(self.folder / '.spill')}")
            low = self._low(engine)
            self._remember(engine, low)
            if self.is_first:
                self.marker.touch()
            schema: pa.Schema | None = None
            for chunk in _chunks(self.connection, self._query(low), self.source.batch_rows):
                schema = chunk.schema
                done.rows_read += chunk.num_rows
                new = self._new_rows(engine, chunk)
                if new.num_rows:
                    self._write(self._stamped(new))
                    done.rows_new += new.num_rows
                    done.files += 1
            if self.source.deletes and self.files:
                done.rows_gone = self._report_gone(engine)
            if not self.files and schema is not None:
                self._write(self._stamped(schema.empty_table()))
            self.marker.unlink(missing_ok=True)
        return done

    def _low(self, engine: duckdb.DuckDBPyConnection) -> str | None:
        """SQL of the cursor from which to read; None at first.

        A cursor ahead of the server's clock (a typing error: year 2099) must not hide what comes after it.
        """
        if not self.files or not self._has(engine, self.source.cursor):
            return None
        cursor, kind = quoted(self.source.cursor), self.shape.cursor_type
        is_past = "true" if kind == "bigint" else f"{cursor}::timestamp <= {literal(self.shape.server_now)}::timestamp"
        plain = kind.removesuffix("tz")  # sessions are in UTC on both sides
        query = f"select max({cursor})::{plain} from {self._landed()} where {is_past}"
        [(newest,)] = engine.execute(query).fetchall()
        if newest is None:
            return None
        return f"{literal(newest - self._overlap(kind))}::{kind}"

    def _overlap(self, kind: str) -> Any:
        overlap = self.source.overlap
        if overlap is None:
            overlap = _OVERLAP_ROWS if kind == "bigint" else _OVERLAP
        if (kind == "bigint") != isinstance(overlap, int):
            wanted = "a number, as the cursor is an integer" if kind == "bigint" else "a duration such as 2h"
            raise ExtractionError(f"overlap must be {wanted}")
        if kind == "date" and isinstance(overlap, timedelta):
            return timedelta(days=-(-overlap // timedelta(days=1)))  # a part of a day is a day
        return overlap

    def _query(self, low: str | None) -> str:
        selected = ", ".join(f"{expression} as {quoted(name)}" for name, expression in self.shape.columns.items())
        cursor = quoted(self.source.cursor)
        since = f" where {cursor} >= {low} or {cursor} is null" if low else ""
        order = ", ".join(f"{quoted(name)} nulls first" for name in (self.source.cursor, *self.shape.key))
        return f"select {selected} from {_relation(self.source)}{since} order by {order}"

    def _landed(self) -> str:
        files = ", ".join(literal(path) for path in self.files)
        return f"read_parquet([{files}], union_by_name = true, filename = true)"

    def _has(self, engine: duckdb.DuckDBPyConnection, column: str) -> bool:
        described = engine.execute(f"describe select * from {self._landed()}").fetchall()
        return column in {row[0] for row in described}

    def _remember(self, engine: duckdb.DuckDBPyConnection, low: str | None) -> None:
        """Hashes of the newest landed state of each key in the stretch that is read again."""
        engine.execute("create temp table landed (key_hash uhugeint, row_hash uhugeint)")
        if not self.files:
            return
        described = {row[0] for row in engine.execute(f"describe select * from {self._landed()}").fetchall()}
        cursor = quoted(self.source.cursor)
        again = f"where {cursor} >= {low} or {cursor} is null" if low else ""
        engine.execute(
            f"""
            insert into landed
            select {_hash(self.shape.key, described)} as key_hash,
                -- A row that comes back as it was is new: no hash stands for a deletion.
                arg_max(
                    case when {_is_alive(described)} then {_hash(sorted(self.shape.columns), described)} else 0 end,
                    filename
                )
            from {self._landed()} {again} group by key_hash
            """
        )

    def _new_rows(self, engine: duckdb.DuckDBPyConnection, chunk: pa.Table) -> pa.Table:
        names = set(chunk.column_names)
        engine.register("chunk", chunk)
        try:
            return engine.sql(
                f"""
                select chunk.* from chunk
                where not exists (
                    select 1 from landed
                    where key_hash = {_hash(self.shape.key, names)}
                        and row_hash = {_hash(sorted(self.shape.columns), names)}
                )
                """
            ).to_arrow_table()
        finally:
            engine.unregister("chunk")

    def _report_gone(self, engine: duckdb.DuckDBPyConnection) -> int:
        """Land the last state of each key that the table no longer has, marked as deleted."""
        engine.execute("create temp table present (key_hash uhugeint)")
        names = ", ".join(f"{self.shape.columns[name]} as {quoted(name)}" for name in self.shape.key)
        for keys in _chunks(self.connection, f"select {names} from {_relation(self.source)}", self.source.batch_rows):
            engine.register("keys", keys)
            engine.execute(f"insert into present select {_hash(self.shape.key, set(keys.column_names))} from keys")
            engine.unregister("keys")
        described = {row[0] for row in engine.execute(f"describe select * from {self._landed()}").fetchall()}
        columns = ", ".join(quoted(name) for name in self.shape.columns if name in described)
        engine.execute(
            f"""
            create temp table gone as
            select {columns}
            from (
                select *, {_hash(self.shape.key, described)} as key_hash, {_is_alive(described)} as is_alive,
                    row_number() over (partition by key_hash order by filename desc) as turn
                from {self._landed()}
            )
            where turn = 1 and is_alive and key_hash not in (select key_hash from present)
            """
        )
        [(gone, present)] = engine.execute(
            "select (select count(*) from gone), (select count(*) from present)"
        ).fetchall()
        if gone and not present:
            # A table that is being rebuilt, or a right that was taken away, looks just like this.
            raise ExtractionError(f"the table is empty; that all {gone} landed rows were deleted is not believed")
        if gone:
            for rows in engine.sql("from gone").to_arrow_reader(self.source.batch_rows):
                self._write(self._stamped(pa.Table.from_batches([rows]), is_deleted=True))
        return int(gone)

    def _stamped(self, rows: pa.Table, *, is_deleted: bool = False) -> pa.Table:
        kind = pa.timestamp("us", tz="UTC")
        is_assumed = self.is_assumed and not is_deleted
        stamp = pa.nulls(rows.num_rows, kind) if is_assumed else pa.array([self.now] * rows.num_rows, kind)
        rows = rows.append_column(EXTRACTED_AT, stamp)
        return rows.append_column(IS_DELETED, pa.array([is_deleted] * rows.num_rows)) if self.source.deletes else rows

    def _write(self, rows: pa.Table) -> None:
        """Write one landing file: whole on the disk before it has its name."""
        numbers = [int(path.stem.split("_")[1]) for path in self.files]
        path = self.folder / f"{self.prefix}{max(numbers, default=0) + 1:06d}{self.suffix}.parquet"
        temporary = path.with_suffix(_TEMPORARY)
        with temporary.open("wb") as handle:
            pq.write_table(rows, handle, compression="zstd")
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
        directory = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        self.files.append(path)


def _hash(names: Sequence[str], present: set[str]) -> str:
    """SQL of a 128-bit hash of columns as text; an absent column counts as null, so that a new one is a change."""
    values = ", ".join(f"{quoted(name)}::varchar" if name in present else "null::varchar" for name in names)
    return f"md5_number(to_json([{values}])::varchar)"


def _is_alive(present: set[str]) -> str:
    """SQL that is true for a landed row, false for one that reports a deletion."""
    return f"not coalesce({quoted(IS_DELETED)}, false)" if IS_DELETED in present else "true"


def _chunks(connection: Any, query: str, rows: int) -> Iterator[pa.Table]:
    """The answer of a query as tables of at most ``rows`` rows; at least one, for its columns."""
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_READING_BYTES)})
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        held: list[pa.RecordBatch] = []
        held_rows = 0
        for batch in reader:
            while batch.num_rows:
                taken = batch.slice(0, rows - held_rows)
                batch = batch.slice(taken.num_rows)
                held.append(taken)
                held_rows += taken.num_rows
                if held_rows == rows:
                    yield pa.Table.from_batches(held)
                    held, held_rows = [], 0
        yield pa.Table.from_batches(held, reader.schema)


def _relation(source: PostgresSource) -> str:
    if source.table is not None:
        return ".".join(quoted(part) for part in source.table.split("."))
    # On lines of its own: a query may end in a comment.
    return f"(\n{(source.query or '').strip().rstrip(';')}\n) as source"


def _shape(connection: Any, source: PostgresSource, contract: TableContract, mapping: TableMapping) -> _Shape:
    """Look at the table: only columns that the mapping names leave the database."""
    with connection.cursor() as cursor:
        cursor.execute("select localtimestamp as server_now")
        [(server_now,)] = cursor.fetchall()
        cursor.execute(f"select * from {_relation(source)} limit 0")
        types = {
            field.name: (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
            for field in cursor.fetch_record_batch().schema
        }
    key = source.key or tuple(str(mapping.columns[name].column) for name in contract.key)
    for name in (source.cursor, *key):
        if name not in types:
            raise ExtractionError(f"column {name} of its cursor and key is missing")
    if types[source.cursor] not in _CURSORS:
        raise ExtractionError(
            f"cursor {source.cursor} is of type {types[source.cursor]}; a timestamp, date or integer can be followed"
        )
    wanted = (mapping.sources() | {source.cursor, *key}) - {EXTRACTED_AT}
    columns = {name: _expression(name, types[name]) for name in types if name in wanted}
    if types[source.cursor] in ("date", "timestamp", "timestamptz"):
        # Arrow knows no infinity; null is read again each time, as infinity would be.
        columns[source.cursor] = f"case when isfinite({quoted(source.cursor)}) then {quoted(source.cursor)} end"
    return _Shape(columns, _CURSORS[types[source.cursor]], key, server_now)


def _expression(name: str, kind: str) -> str:
    if kind in _AS_IS:
        return quoted(name)
    if kind.startswith("_"):
        return f"to_json({quoted(name)})::text"
    return f"{quoted(name)}::text"


@contextlib.contextmanager
def _connect(source: PostgresSource) -> Iterator[Any]:
    """A connection in one read-only transaction; whatever fails in it is one line that names table and server."""
    dsn = os.environ.get(source.dsn_env, "").strip()
    if not dsn:
        raise ExtractionError(f"{source.relation}: the environment variable {source.dsn_env} has no connection string")
    server, secrets = _server(dsn, source)
    import adbc_driver_postgresql.dbapi as driver  # 60 ms that file mappings need not pay

    try:
        connection = driver.connect(_with_timeout(dsn))
    except driver.Error as error:
        reason = _reason(error, secrets)
        if not re.search(r"FATAL:|connection to server|could not |timeout|server ", str(error)):
            # libpq could not read the string, and repeats parts of it: the password may be among them.
            reason = f"the connection string in {source.dsn_env} is not understood"
        raise ExtractionError(f"{source.relation} on {server}: {reason}") from None
    try:
        with connection.cursor() as cursor:
            # One snapshot for the whole read, whatever is committed meanwhile; and nothing can be changed.
            cursor.execute("set transaction isolation level repeatable read, read only")
            cursor.execute("set local timezone = 'UTC'")
            cursor.execute("set local datestyle = 'ISO'")
        yield connection
    except ExtractionError as error:
        raise ExtractionError(f"{source.relation} on {server}: {error}") from None
    except (driver.Error, pa.ArrowException, OSError, duckdb.Error) as error:
        raise ExtractionError(f"{source.relation} on {server}: {_reason(error, secrets)}") from None
    finally:
        with contextlib.suppress(driver.Error):
            connection.close()


def _server(dsn: str, source: PostgresSource) -> tuple[str, list[str]]:
    """Host, port and database of a connection string, and the secrets in it."""
    try:
        if re.match(r"postgres(ql)?://", dsn):
            parts = urlsplit(dsn)
            host, port, name = parts.hostname or "localhost", str(parts.port or 5432), unquote(parts.path.lstrip("/"))
            asked = dict(parse_qsl(parts.query))
            secrets = [parts.password or "", asked.get("password", ""), asked.get("sslpassword", "")]
            if re.search(r"\s", dsn):
                raise ValueError
        else:
            words = dict(word.split("=", 1) for word in shlex.split(dsn))
            host, port, name = words.get("host", "localhost"), words.get("port", "5432"), words.get("dbname", "")
            secrets = [words.get("password", ""), words.get("sslpassword", "")]
    except ValueError:
        # libpq would repeat parts of the string in its message, the password among them.
        raise ExtractionError(f"{source.relation}: {source.dsn_env} is no PostgreSQL connection string") from None
    secrets += [unquote(secret) for secret in secrets]
    return f"{host}:{port}" + (f"/{name}" if name else ""), [secret for secret in secrets if secret]


def _with_timeout(dsn: str) -> str:
    if "connect_timeout" in dsn:
        return dsn
    if "://" in dsn:
        return f"{dsn}{'&' if '?' in dsn else '?'}connect_timeout={CONNECT_TIMEOUT_SECONDS}"
    return f"{dsn} connect_timeout={CONNECT_TIMEOUT_SECONDS}"


def _reason(error: Exception, secrets: Sequence[str]) -> str:
    """The server's own first line, without the driver's words around it and without a secret."""
    line = next((line for line in str(error).splitlines() if re.search(r"(ERROR|FATAL):", line)), None)
    line = line or str(error).splitlines()[0]
    line = re.sub(r"^.*?(?:ERROR|FATAL):\s*", "", line) if re.search(r"(ERROR|FATAL):", line) else line
    line = re.sub(r"^[A-Z_]+: (?:\[libpq\] )?(?:Failed to connect: )?", "", line)
    for secret in secrets:
        line = line.replace(secret, "***")
    return line.strip()
