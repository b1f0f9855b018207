"""The slow reader, for files that DuckDB refuses: every record that can be read goes on, the others are set aside.

Belongs here: mixed line ends, quotes without end, bytes that are not UTF-8, records too long, a gzip file cut short.
Does not belong here: the fast way (``landing``). Parquet has no slow way: its data cannot be found without its footer.

A quote without end costs the line on which it opens, not the rows up to the next quote: when the text after a closing
quote, or the number of fields, shows that a record ran across lines by mistake, reading resumes on its second line.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import duckdb
import pyarrow as pa

from expansion_assets.sources.landing import (
    MAX_RECORD_BYTES,
    Incoming,
    LandingFile,
    csv_header,
    json_columns,
    json_records,
    open_bytes,
)
from expansion_assets.sources.sql import literal, quoted

_BATCH_ROWS = 20_000
# A quoted field may run on for so many bytes; then its quote counts as never closed.
_MAX_QUOTED_BYTES = 1 << 21
_FIELD_END = re.compile("[,\r\n]")
_LINE_END = re.compile(b"\r\n|\n|\r")
_TABLE = "tolerantly_read"
_SURROGATES = re.compile("[\ud800-\udfff]")
Record = tuple[list[str] | None, str | None, str | None]
"""Values, or None with the rule and the raw record."""


def read_tolerantly(connection: duckdb.DuckDBPyConnection, file: LandingFile, file_format: str) -> Incoming:
    """Read a CSV or JSON lines file record by record into a temporary table.

    Args:
        connection: Open connection; the temporary table ``tolerantly_read`` is replaced.
        file: The file.
        file_format: ``csv`` or ``jsonl``.

    Returns:
        The relation over that table; one is valid at a time.

    Raises:
        UnreadableFileError: a CSV file has no usable header.
    """
    incoming = _read_csv(connection, file) if file_format == "csv" else _read_jsonl(connection, file)
    return replace(incoming, is_tolerant=True)


def _read_csv(connection: duckdb.DuckDBPyConnection, file: LandingFile) -> Incoming:
    header = csv_header(file.path)
    _store(connection, _csv_records(file.path, header), header)
    names = ", ".join(quoted(name) for name in header)
    relation = f"select {literal(file.name)} as landing_file_, {_SYSTEM}, {names} from {_TABLE}"
    return Incoming((file,), header, relation, "csv")


def _read_jsonl(connection: duckdb.DuckDBPyConnection, file: LandingFile) -> Incoming:
    _store(connection, _json_records(file.path), ("landing_line_",))
    name = literal(file.name)
    lines = f"select {name} as landing_file_, landing_row_, landing_line_ from {_TABLE} where landing_fault_ is null"
    columns = json_columns(connection, lines)
    nulls = "".join(f", null as {quoted(column)}" for column in columns)
    relation = f"""
        {json_records(lines, columns)}
        union all
        select {name} as landing_file_, {_SYSTEM}{nulls} from {_TABLE} where landing_fault_ is not null
    """
    return Incoming((file,), columns, relation, "jsonl")


_SYSTEM = "landing_row_, landing_fault_, landing_record_"


def _store(connection: duckdb.DuckDBPyConnection, records: Iterator[Record], columns: tuple[str, ...]) -> None:
    schema = pa.schema(
        [("landing_row_", pa.int64()), ("landing_fault_", pa.string()), ("landing_record_", pa.string())]
        + [(name, pa.string()) for name in columns]
    )
    reader = pa.RecordBatchReader.from_batches(schema, _batches(records, schema))
    connection.register("tolerant_reader", reader)
    try:
        connection.execute(f"create or replace temp table {_TABLE} as select * from tolerant_reader")
    finally:
        connection.unregister("tolerant_reader")


def _batches(records: Iterator[Record], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    width = len(schema) - 3
    numbers = count(1)
    while chunk := list(islice(records, _BATCH_ROWS)):
        rows = [
            (next(numbers), rule, raw, *(values if values is not None else (None,) * width))
            for values, rule, raw in chunk
        ]
        columns = zip(*rows, strict=True)
        arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


class _Lines:
    """Physical lines with their ends, as text in which each byte that is not UTF-8 is a lone surrogate."""

    def __init__(self, path: Path) -> None:
        self._pending: deque[str] = deque()
        self._source = _physical_lines(path)
        self.is_cut_short = False

    def take(self) -> str | None:
        if self._pending:
            return self._pending.popleft()
        try:
            return next(self._source, None)
        except (EOFError, OSError, zlib.error):  # gzip: cut short, or not gzip at all
            self.is_cut_short = True
            return None

    def put_back(self, lines: list[str]) -> None:
        self._pending.extendleft(reversed(lines))


def _physical_lines(path: Path) -> Iterator[str]:
    with open_bytes(path) as handle:
        is_first = True
        while line := handle.readline(MAX_RECORD_BYTES):
            text = line.decode("utf-8", errors="surrogateescape")
            if is_first:
                text, is_first = text.removeprefix("\ufeff"), False
            # Old line ends stand inside what `readline` calls a line.
            start = 0
            for found in re.finditer("\r(?!\n)", text):
                yield text[start : found.end()]
                start = found.end()
            if start < len(text):
                yield text[start:]


def _csv_records(path: Path, header: tuple[str, ...]) -> Iterator[Record]:
    lines = _Lines(path)
    is_header = True
    while (first := lines.take()) is not None:
        if not first.strip("\r\n"):
            continue
        values, text = _one_record(first, lines)
        if is_header:
            is_header = False
        elif values is None or len(values) != len(header):
            if values is not None and text != first and _resumes(text[len(first) :], len(header)):
                lines.put_back(text[len(first) :].splitlines(keepends=True))
                text = first
            yield None, "malformed_row", _json_text(text.rstrip("\r\n"))
        elif _SURROGATES.search(text):
            yield None, "not_utf8", _json_text(dict(zip(header, values, strict=True)))
        else:
            yield values, None, None
    if lines.is_cut_short:
        yield None, "file_cut_short", "null"


def _resumes(rest: str, width: int) -> bool:
    """Whether the second line of a record with too few or too many fields is a whole record of its own."""
    line = rest.splitlines(keepends=True)[0]
    values, text = _one_record(line, _NoLines())
    return values is not None and text == line and len(values) == width


class _NoLines(_Lines):
    def __init__(self) -> None:
        self._pending = deque()
        self._source = iter(())
        self.is_cut_short = False


def _one_record(first: str, lines: _Lines) -> tuple[list[str] | None, str]:
    """Values and text of the record that begins with a line; None, and this line alone, when its quotes are broken."""
    if '"' not in first:
        return first.rstrip("\r\n").split(","), first
    text, used = first, [first]
    values: list[str] = []
    place = 0
    while True:
        if text.startswith('"', place):
            seek = place + 1
            while (quote := text.find('"', seek)) < 0 or text.startswith('""', quote):
                if quote >= 0:
                    seek = quote + 2
                    continue
                more = lines.take() if len(text) < _MAX_QUOTED_BYTES else None
                if more is None:
                    lines.put_back(used[1:])
                    return None, first
                used.append(more)
                seek = len(text)
                text += more
            values.append(text[place + 1 : quote].replace('""', '"'))
            place = quote + 1
            if text[place : place + 1] not in ("", ",", "\r", "\n"):
                lines.put_back(used[1:])
                return None, first
        else:
            end = _FIELD_END.search(text, place)
            stop = end.start() if end else len(text)
            values.append(text[place:stop])
            place = stop
        if text[place : place + 1] != ",":
            return values, text
        place += 1


def _json_records(path: Path) -> Iterator[Record]:
    lines = _Lines(path)
    while (line := lines.take()) is not None:
        text = line.strip("\r\n\t ")
        if not text:
            continue
        if len(line) >= MAX_RECORD_BYTES:
            yield None, "record_too_long", _json_text(text[:1000])
        elif _SURROGATES.search(text):
            yield None, "not_utf8", _json_text(text)
        else:
            yield [text], None, None
    if lines.is_cut_short:
        yield None, "file_cut_short", "null"


def _json_text(value: object) -> str:
    """JSON of a raw record; a byte that is not UTF-8 shows as U+FFFD."""
    return _SURROGATES.sub("\ufffd", json.dumps(value, ensure_ascii=False))
