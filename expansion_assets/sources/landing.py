"""Landing files as DuckDB relations: one record a row, all values text (Parquet keeps its types).

Belongs here: finding files, encodings, malformed records, row numbers. Does not belong here: what a value means.
Every reader leaves the temporary table ``incoming`` with ``row_number`` and the source's columns; records that cannot
be read at all go to ``unreadable`` (``row_number``, ``rule``, ``raw_json``), so that none is lost.
"""

from __future__ import annotations

import codecs
import csv
import re
import shutil
import tempfile
from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from expansion_assets.sources.sql import literal

_PERIOD = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?=\D*$)")
_CHUNK_BYTES = 1 << 22
_RECORD_JSON = """json_merge_patch(to_json(record), '{"file_": null, "row_number": null}')::varchar"""
_NOT_IN_TEXT = "\x01"  # a delimiter that no JSON line holds unescaped


@dataclass(frozen=True)
class Incoming:
    """What stands in ``incoming`` after a read."""

    columns: tuple[str, ...]
    """Column names of the file, in order; empty for an empty file."""
    raw_json: str = "null"
    """SQL of the raw record as JSON, over the alias ``record`` of a row of ``incoming``."""
    is_empty: bool = False


def find_files(directory: Path, pattern: str, start: date | None = None, end: date | None = None) -> list[Path]:
    """Files of a pattern, sorted; those whose name carries a period outside [start, end) are left out.

    A name such as ``usage_2025-07.parquet`` or ``usage_2025-07-03.parquet`` says in which month or day rows arrived.
    """
    files = sorted(path for path in directory.glob(pattern) if path.is_file())
    if start is None or end is None:
        return files
    return [path for path in files if _overlaps(path, start, end)]


def _overlaps(path: Path, start: date, end: date) -> bool:
    found = _PERIOD.search(path.name)
    if not found:
        return True
    year, month = int(found[1]), int(found[2])
    first = date(year, month, int(found[3] or 1))
    last = date(year, month, int(found[3] or monthrange(year, month)[1]))
    return first < end and last >= start


def read_file(connection: duckdb.DuckDBPyConnection, path: Path, file_format: str) -> Incoming:
    """Read one landing file into ``incoming`` and ``unreadable``.

    Args:
        connection: Open connection; both temporary tables are replaced.
        path: The file.
        file_format: ``csv``, ``jsonl`` or ``parquet``.

    Raises:
        duckdb.Error: the file as a whole cannot be read (a broken Parquet footer, for example).
        csv.Error: a header row without end.
    """
    connection.execute("create or replace temp table unreadable (row_number bigint, rule varchar, raw_json varchar)")
    if path.stat().st_size == 0:
        return Incoming((), is_empty=True)
    if file_format == "parquet":
        return _read_parquet(connection, path)
    with _as_utf8(path) as (readable, is_repaired):
        read = _read_csv if file_format == "csv" else _read_jsonl
        incoming = read(connection, readable)
    if is_repaired:
        connection.execute(
            f"""
            insert into unreadable
            select row_number, 'not_utf8', {incoming.raw_json} from incoming as record
            where contains({incoming.raw_json}, '\ufffd')
            """
        )
        connection.execute("delete from incoming where row_number in (select row_number from unreadable)")
    return incoming


@contextmanager
def _as_utf8(path: Path) -> Iterator[tuple[Path, bool]]:
    """The file itself when it is UTF-8, else a copy whose bad bytes are U+FFFD, to be set aside row by row."""
    if _is_utf8(path):
        yield path, False
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        with path.open(encoding="utf-8", errors="replace", newline="") as source, copy.open(
            "w", encoding="utf-8", newline=""
        ) as target:
            shutil.copyfileobj(source, target)
        yield copy, True


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as handle:
            while chunk := handle.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _read_csv(connection: duckdb.DuckDBPyConnection, path: Path) -> Incoming:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        header = tuple(name.strip() for name in next(csv.reader(handle), ()))
    if not header or not all(header) or len(set(header)) < len(header):
        raise duckdb.InvalidInputException("the header row is missing, or a column has no name or one used twice")
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in header)
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    connection.execute(
        f"""
        create or replace temp table incoming as
        select row_number() over () as row_number, *
        from read_csv({literal(path)}, columns = {{{columns}}}, header = false, skip = 1, auto_detect = false,
                      delim = ',', quote = '"', escape = '"', ignore_errors = true, store_rejects = true)
        """
    )
    # A record may break several rules; it is one row, numbered as DuckDB counts lines less the header.
    connection.execute(
        """
        insert into unreadable
        select line - 1, 'malformed_row', to_json(any_value(csv_line))::varchar from reject_errors group by line
        """
    )
    _renumber_around_rejected(connection)
    return Incoming(header, _RECORD_JSON)


def _renumber_around_rejected(connection: duckdb.DuckDBPyConnection) -> None:
    """Good rows were numbered without the rejected ones before them: put them back at their place in the file."""
    if not connection.execute("select 1 from unreadable limit 1").fetchone():
        return
    connection.execute(
        """
        update incoming set row_number = moved.place
        from (
            select incoming.row_number as number, incoming.row_number + count(rejected.slot) as place
            from incoming
            left join (select row_number - row_number() over (order by row_number) as slot from unreadable) as rejected
                on rejected.slot < incoming.row_number
            group by incoming.row_number
        ) as moved
        where moved.number = incoming.row_number and moved.place <> incoming.row_number
        """
    )


def _read_jsonl(connection: duckdb.DuckDBPyConnection, path: Path) -> Incoming:
    connection.execute(
        f"""
        create or replace temp table incoming as
        select row_number() over () as row_number, line as raw_json
        from read_csv({literal(path)}, columns = {{'line': 'varchar'}}, header = false, auto_detect = false,
                      delim = '{_NOT_IN_TEXT}', quote = '', escape = '', max_line_size = 16777216)
        """
    )
    connection.execute("delete from incoming where raw_json is null or trim(raw_json) = ''")
    connection.execute(
        """
        insert into unreadable
        select row_number, 'malformed_row', to_json(raw_json)::varchar from incoming
        where not json_valid(raw_json) or json_type(raw_json) <> 'OBJECT'
        """
    )
    connection.execute("delete from incoming where row_number in (select row_number from unreadable)")
    keys = connection.execute("select distinct unnest(json_keys(raw_json)) as name from incoming order by 1")
    columns = tuple(name for (name,) in keys.fetchall())
    if columns:
        shape = "{" + ", ".join(f'"{name}": "VARCHAR"' for name in columns) + "}"
        connection.execute(
            f"""
            create or replace temp table incoming as
            select row_number, raw_json as _line, unnest(from_json(raw_json, {literal(shape)})) from incoming
            """
        )
    return Incoming(columns, "record._line" if columns else "record.raw_json")


def _read_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> Incoming:
    connection.execute(
        f"""
        create or replace temp table incoming as
        select file_row_number + 1 as row_number, * exclude (file_row_number)
        from read_parquet({literal(path)}, file_row_number = true)
        """
    )
    described = connection.execute("describe incoming").fetchall()
    columns = tuple(row[0] for row in described if row[0] != "row_number")
    return Incoming(columns, _RECORD_JSON)
