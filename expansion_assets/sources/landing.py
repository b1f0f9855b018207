"""Landing files as SQL relations: one record a row, all values text (Parquet keeps its types), nothing copied yet.

Belongs here: finding files, formats, shapes, row numbers. Does not belong here: what a value means, or how a file that
DuckDB refuses is read in part (``tolerant``).

Files of one shape make one relation, so that a year of monthly files costs one statement, not twelve.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

import duckdb

from expansion_assets.sources.sql import literal, quoted

_PERIOD = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?=\D*$)")
_NOT_IN_TEXT = "\x01"  # a delimiter that no JSON line holds unescaped
# Longer lines and records are set aside; the largest exports of tickets with their history are below 1 MiB.
MAX_RECORD_BYTES = 1 << 24
# Planning a union grows with its arms: 64 files took 60 ms, one file 3 ms.
_FILES_PER_RELATION = 64
GZIP_SUFFIX = ".gz"


class UnreadableFileError(ValueError):
    """A file that cannot be read even in part; the message says why."""


@dataclass(frozen=True)
class LandingFile:
    """One file and the name by which rows remember it."""

    path: Path
    name: str
    """Path below the fixed folder of the pattern: ``usage_2025-07.csv``; ``2025-07-03/part-0.csv`` of a deeper one."""

    @property
    def period(self) -> tuple[date, date] | None:
        """First and last day that the name carries; None without one (or with one that no calendar has)."""
        found = _PERIOD.search(self.name)
        if not found:
            return None
        year, month = int(found[1]), int(found[2])
        try:
            first = date(year, month, int(found[3] or 1))
            return first, first if found[3] else first.replace(day=monthrange(year, month)[1])
        except ValueError:
            return None


@dataclass(frozen=True)
class Incoming:
    """Files of one shape as a relation.

    The relation has ``landing_file_``, ``landing_row_`` (1 for the first record), ``landing_fault_`` (the rule that a
    record broke so badly that it has no values, else null), ``landing_record_`` (such a record, or a JSON line, as
    JSON), then ``columns``.
    """

    files: tuple[LandingFile, ...]
    columns: tuple[str, ...]
    relation: str
    format: str
    is_tolerant: bool = False
    """True when the tolerant reader made it: DuckDB refused the file as it is."""

    def record_json(self, alias: str) -> str:
        """SQL of a record as JSON, for the quarantine."""
        if self.format == "jsonl":
            return f"{alias}.landing_record_"
        fields = ", ".join(f"{quoted(name)} := {alias}.{quoted(name)}" for name in self.columns)
        return f"coalesce({alias}.landing_record_, to_json(struct_pack({fields}))::varchar)"

    def each(self) -> list[Incoming]:
        """The same files one by one."""
        return [_relation((file,), self.columns, self.format) for file in self.files]


def find_files(
    directory: Path, pattern: str, start: date | None = None, end: date | None = None
) -> list[LandingFile]:
    """Files of a pattern, also gzipped, by name; those whose name carries a period outside [start, end) are left out.

    A name such as ``usage_2025-07.parquet`` or ``usage_2025-07-03.csv.gz`` says in which month or day rows arrived.
    """
    fixed = Path(*_fixed_part(pattern))
    found = {
        path
        for glob in (pattern, pattern + GZIP_SUFFIX)
        for path in directory.glob(glob)
        if path.is_file() and not path.name.startswith(".")
    }
    files = [LandingFile(path, path.relative_to(directory / fixed).as_posix()) for path in sorted(found)]
    if start is None or end is None:
        return files
    return [file for file in files if file.period is None or (file.period[0] < end and file.period[1] >= start)]


def _fixed_part(pattern: str) -> list[str]:
    """Folders of a pattern before its first wildcard."""
    folders = Path(pattern).parts[:-1]
    wild = next((place for place, part in enumerate(folders) if set(part) & set("*?[")), len(folders))
    return list(folders[:wild])


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, through gzip where its name says so."""
    return gzip.open(path, "rb") if path.suffix == GZIP_SUFFIX else path.open("rb")  # type: ignore[return-value]


def relations(
    connection: duckdb.DuckDBPyConnection, files: Iterable[LandingFile], file_format: str
) -> Iterator[Incoming | tuple[LandingFile, str]]:
    """Group files by shape.

    Args:
        connection: Open connection; nothing is written.
        files: Files that are not empty.
        file_format: ``csv``, ``jsonl`` or ``parquet``.

    Yields:
        Relations of at most 64 files each, or a file with the reason why its shape cannot be told.
    """
    shapes: dict[tuple[str, ...], list[LandingFile]] = {}
    for file, columns in _shapes(connection, list(files), file_format):
        if isinstance(columns, str):
            yield file, columns
        else:
            shapes.setdefault(columns, []).append(file)
    for columns, group in shapes.items():
        for first in range(0, len(group), _FILES_PER_RELATION):
            yield _relation(tuple(group[first : first + _FILES_PER_RELATION]), columns, file_format)


def _shapes(
    connection: duckdb.DuckDBPyConnection, files: list[LandingFile], file_format: str
) -> Iterator[tuple[LandingFile, tuple[str, ...] | str]]:
    if file_format == "jsonl":
        yield from _json_shapes(connection, files)
        return
    for file in files:
        try:
            yield file, csv_header(file.path) if file_format == "csv" else _parquet_columns(connection, file.path)
        except (duckdb.Error, UnreadableFileError, OSError, EOFError) as error:
            yield file, str(error).splitlines()[0]


def csv_header(path: Path) -> tuple[str, ...]:
    """Column names of a CSV file, trimmed.

    Raises:
        UnreadableFileError: no header, a header without end, or a column without a name or with one used twice.
    """
    with open_bytes(path) as handle:
        lines = (line.decode("utf-8-sig", errors="replace") for line in _limited_lines(handle))
        try:
            header = tuple(name.strip() for name in next(csv.reader(lines), ()))
        except csv.Error as error:
            raise UnreadableFileError(f"the header row has no end: {error}") from error
    if not header or not all(header) or len({name.lower() for name in header}) < len(header):
        raise UnreadableFileError("the header row is missing, or a column has no name or one used twice")
    return header


def _limited_lines(handle: IO[bytes]) -> Iterator[bytes]:
    while line := handle.readline(MAX_RECORD_BYTES):
        # csv.reader wants one line end a line: a lone carriage return ends one too.
        yield from line.splitlines(keepends=True)


def _parquet_columns(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, ...]:
    described = connection.execute(f"describe {_parquet_source(path)}").fetchall()
    return tuple(row[0] for row in described if row[0] != "file_row_number")


def _parquet_source(path: Path) -> str:
    return f"from read_parquet({literal(path)}, file_row_number = true, hive_partitioning = false)"


def json_columns(connection: duckdb.DuckDBPyConnection, lines: str) -> tuple[str, ...]:
    """Keys of the objects of a relation with ``landing_line_``, sorted; of those that differ in case, the first."""
    keys = connection.execute(
        f"select distinct unnest(json_keys(landing_line_)) as name from ({lines}) where {_IS_OBJECT} order by 1"
    ).fetchall()
    return _distinct_in_any_case(name for (name,) in keys)


def _distinct_in_any_case(names: Iterable[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for name in names:
        if name:
            kept.setdefault(name.lower(), name)
    return tuple(kept.values())


_IS_OBJECT = "case when json_valid(landing_line_) then json_type(landing_line_) = 'OBJECT' else false end"


def _json_shapes(
    connection: duckdb.DuckDBPyConnection, files: list[LandingFile]
) -> Iterator[tuple[LandingFile, tuple[str, ...]]]:
    """Shapes of many files by one statement; a file that breaks it gets the empty shape, for the tolerant reader."""
    for first in range(0, len(files), _FILES_PER_RELATION):
        group = files[first : first + _FILES_PER_RELATION]
        arms = " union all ".join(_json_lines(file.path, place) for place, file in enumerate(group))
        try:
            found = connection.execute(
                f"""
                select landing_file_, list(distinct name order by name)
                from (select landing_file_, unnest(json_keys(landing_line_)) as name from ({arms}) where {_IS_OBJECT})
                group by landing_file_
                """
            ).fetchall()
        except duckdb.Error:
            if len(group) > 1:
                for file in group:
                    yield from _json_shapes(connection, [file])
            else:
                yield group[0], ()
            continue
        columns = {place: _distinct_in_any_case(names) for place, names in found}
        for place, file in enumerate(group):
            yield file, columns.get(place, ())


def _json_lines(path: Path, label: object) -> str:
    name = label if isinstance(label, int) else literal(label)
    return f"""
        select {name} as landing_file_, row_number() over () as landing_row_, line as landing_line_
        from read_csv({literal(path)}, columns = {{'line': 'varchar'}}, header = false, auto_detect = false,
                      delim = '{_NOT_IN_TEXT}', quote = '', escape = '', max_line_size = {MAX_RECORD_BYTES},
                      hive_partitioning = false)
    """


def _relation(files: tuple[LandingFile, ...], columns: tuple[str, ...], file_format: str) -> Incoming:
    arm = {"csv": _csv_arm, "jsonl": _json_arm, "parquet": _parquet_arm}[file_format]
    return Incoming(files, columns, " union all ".join(arm(file, columns) for file in files), file_format)


def _csv_arm(file: LandingFile, columns: tuple[str, ...]) -> str:
    types = ", ".join(f"{literal(name)}: 'varchar'" for name in columns)
    return f"""
        select {literal(file.name)} as landing_file_, row_number() over () as landing_row_,
            null::varchar as landing_fault_, null::varchar as landing_record_, *
        from read_csv({literal(file.path)}, columns = {{{types}}}, header = false, skip = 1, auto_detect = false,
                      delim = ',', quote = '"', escape = '"', hive_partitioning = false)
    """


def _json_arm(file: LandingFile, columns: tuple[str, ...]) -> str:
    return json_records(_json_lines(file.path, file.name), columns)


def json_records(lines: str, columns: tuple[str, ...]) -> str:
    """SQL that turns a relation with ``landing_line_`` into records; lines that are no object carry a fault."""
    shape = literal(json.dumps(dict.fromkeys(columns, "VARCHAR"), ensure_ascii=False))
    fields = f", unnest(from_json(case when is_object then landing_line_ end, {shape}))" if columns else ""
    return f"""
        select landing_file_, landing_row_, case when not is_object then 'malformed_row' end as landing_fault_,
            case when is_object then landing_line_ else to_json(landing_line_)::varchar end as landing_record_{fields}
        from (
            select *, {_IS_OBJECT} as is_object from ({lines})
            where landing_line_ is not null and trim(landing_line_) <> ''
        )
    """


def _parquet_arm(file: LandingFile, columns: tuple[str, ...]) -> str:
    names = ", ".join(quoted(name) for name in columns)
    return f"""
        select {literal(file.name)} as landing_file_, file_row_number + 1 as landing_row_,
            null::varchar as landing_fault_, null::varchar as landing_record_{", " + names if names else ""}
        {_parquet_source(file.path)}
    """
