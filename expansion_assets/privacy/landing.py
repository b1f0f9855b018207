"""Landing files without forgotten people: rewritten in place, row by row, everything else byte for byte.

Belongs here: CSV, JSON lines and Parquet, gzipped too; which tables read a file. Does not belong here: what becomes of
a row (``persons``), the warehouse.

A file is replaced whole or not at all. JSON-lines files, to which the webhook listener appends, are rewritten under its
lock, and the listener goes on with the new file. A row that leaves a file moves those behind it up: row numbers of rows
loaded before speak of the file as it was.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expansion_assets.privacy.persons import GONE, PersonColumns, Verdict, file_columns, forget_row, id_kinds
from expansion_assets.privacy.suppression import Suppression, put_in_place, replace_file, temporary
from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.intake.locks import appends_paused
from expansion_assets.sources.landing import GZIP_SUFFIX, find_files
from expansion_assets.sources.mapping import Mapping as SourceMapping
from expansion_assets.sources.mapping import TableMapping

_FIELD = re.compile(r'"(?:[^"]|"")*"|[^,"\r\n][^,\r\n]*|')
_UTF8 = {"encoding": "utf-8", "errors": "surrogateescape"}
_MEMBER_SPACE = re.compile(r"[\s,:]*")
_DECODER = json.JSONDecoder(strict=False)

Judge = Callable[[Mapping[str, Any]], Verdict]


def landing_files(
    directory: Path, mapping: SourceMapping, contracts: Mapping[str, TableContract]
) -> dict[Path, tuple[str, PersonColumns]]:
    """Files that some table reads: format, and what their columns say of people."""
    readers: dict[Path, list[tuple[TableContract, TableMapping]]] = defaultdict(list)
    for name, table in mapping.tables.items():
        for part in table.inputs:
            for file in find_files(directory, part.files):
                readers[file.path].append((contracts[name], part))
            # A looked-up file (user id -> address) is read for its text alone: bars do.
            for spec in part.specs():
                for file in find_files(directory, spec.lookup.files) if spec.lookup else []:
                    readers.setdefault(file.path, [])
    kinds = id_kinds(contracts.values())
    return {path: (_format(path), file_columns(found, kinds)) for path, found in sorted(readers.items())}


def rows_of_file(path: Path, file_format: str, columns: PersonColumns) -> Iterator[Mapping[str, Any]]:
    """Rows of a file, as far as they can be read; for finding a person, not for loading."""
    if file_format == "parquet":
        file = pq.ParquetFile(path)
        wanted = [name for name in (*columns.all, *columns.scopes) if name in file.schema_arrow.names]
        for batch in file.iter_batches(columns=list(dict.fromkeys(wanted))):
            yield from batch.to_pylist()
        return
    text = _content(path).decode(**_UTF8)
    if file_format == "csv":
        names, records = _csv_records(text)
        yield from (dict(zip(names, map(_csv_value, fields), strict=False)) for _, fields in records)
    else:
        for line in text.splitlines():
            if (members := _members(line)) is not None:
                yield {name: value for name, value, _, _ in members}


def rewrite_file(
    path: Path, file_format: str, columns: PersonColumns, suppression: Suppression, landing: Path, *, is_dry: bool
) -> int:
    """Take forgotten people out of one file.

    Args:
        path: The file.
        file_format: ``csv``, ``jsonl``, ``parquet`` or ``text``.
        columns: What its columns mean.
        suppression: Who is forgotten.
        landing: Root of the landing files, for the listener's lock.
        is_dry: Count only.

    Returns:
        Rows (lines of a text) that left or changed; 0 leaves the file alone.

    Raises:
        OSError: the file cannot be read or replaced.
        ValueError: a Parquet file is broken.
    """
    def judge(row: Mapping[str, Any]) -> Verdict:
        return forget_row(row, columns, suppression)

    if file_format == "parquet":
        return _rewrite_parquet(path, columns, judge, suppression, is_dry=is_dry)
    # The listener waits 5 s for this lock; its files are JSON lines of one day.
    is_appended = file_format == "jsonl" and not is_dry and path.suffix != GZIP_SUFFIX
    with appends_paused(landing) if is_appended else nullcontext():
        old = _content(path).decode(**_UTF8)
        treat = {"csv": _csv_text, "jsonl": _jsonl_text, "text": _plain_text}[file_format]
        new, changed = treat(old, judge, suppression)
        if changed and not is_dry:
            content = new.encode(**_UTF8)
            # A fixed time in the gzip head: same input, same bytes.
            replace_file(path, gzip.compress(content, mtime=0) if path.suffix == GZIP_SUFFIX else content)
    return changed


def _format(path: Path) -> str:
    suffixes = [suffix for suffix in path.suffixes if suffix != GZIP_SUFFIX]
    return {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}.get(suffixes[-1] if suffixes else "", "text")


def _content(path: Path) -> bytes:
    if path.suffix != GZIP_SUFFIX:
        return path.read_bytes()
    with gzip.open(path) as handle:
        return handle.read()


def _plain_text(text: str, judge: Judge, suppression: Suppression) -> tuple[str, int]:
    lines = text.splitlines(keepends=True)
    masked = [suppression.masked(line) for line in lines]
    return "".join(masked), sum(old != new for old, new in zip(lines, masked, strict=True))


def _jsonl_text(text: str, judge: Judge, suppression: Suppression) -> tuple[str, int]:
    lines, changed = [], 0
    # Not splitlines: a JSON string may hold U+2028.
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        new = _jsonl_line(line, judge, suppression)
        changed += new != line
        lines.append(new)
    return "".join(lines), changed


def _jsonl_line(line: str, judge: Judge, suppression: Suppression) -> str:
    """One line, with only the values replaced that change; one that is no object is masked as text."""
    members = _members(line)
    if members is None:
        return suppression.masked_names(suppression.masked_addresses(suppression.masked_json(line)))
    verdict = judge({name: value for name, value, _, _ in members})
    if verdict == GONE:
        return ""
    for name, value, start, end in reversed(members):
        if name in verdict:
            line = line[:start] + json.dumps(verdict[name], ensure_ascii=line.isascii()) + line[end:]
        elif isinstance(value, (dict, list)):
            line = line[:start] + suppression.masked_json(line[start:end]) + line[end:]
    absent = {name: value for name, value in verdict.items() if value and name not in {item[0] for item in members}}
    if absent:
        end = line.rindex("}")
        line = line[:end] + f", {json.dumps(absent)[1:-1]}" + line[end:]
    return line


def _members(line: str) -> list[tuple[str, Any, int, int]] | None:
    """Name, value, start and end of each member of an object; None for what is no object."""
    place = _skip(line, 0)
    if not line.startswith("{", place):
        return None
    members = []
    place = _skip(line, place + 1)
    try:
        while not line.startswith("}", place):
            name, place = scanstring(line, place + 1, False)
            start = _skip(line, place)
            value, place = _DECODER.raw_decode(line, start)
            members.append((name, value, start, place))
            place = _skip(line, place)
    except (ValueError, IndexError, RecursionError):
        return None
    return members


def _skip(line: str, place: int) -> int:
    found = _MEMBER_SPACE.match(line, place)
    return found.end() if found else place


def _csv_text(text: str, judge: Judge, suppression: Suppression) -> tuple[str, int]:
    names, records = _csv_records(text)
    out, changed, end = [], 0, 0
    for is_header, (start, stop), fields in _placed(text, records):
        out.append(text[end:start])
        end = stop
        new = text[start:stop]
        if not is_header:
            new = _csv_record(new, names, fields, judge, suppression)
            changed += new != text[start:stop]
        out.append(new)
    return "".join(out) + text[end:], changed


def _placed(text: str, records: list[tuple[int, list[str]]]) -> Iterator[tuple[bool, tuple[int, int], list[str]]]:
    """Records with where they start and end, the header first."""
    starts = [start for start, _ in records] + [len(text)]
    yield True, (0, starts[0]), []
    for (start, fields), stop in zip(records, starts[1:], strict=True):
        yield False, (start, stop), fields


def _csv_record(record: str, names: list[str], fields: list[str], judge: Judge, suppression: Suppression) -> str:
    if len(fields) != len(names):  # a broken record: no column can be told
        return suppression.masked_names(suppression.masked_addresses(record))
    verdict = judge(dict(zip(names, map(_csv_value, fields), strict=True)))
    if verdict == GONE:
        return ""
    if not verdict:
        return record
    ending = record[len(record.rstrip("\r\n")) :]
    new = [_csv_field(verdict[name]) if name in verdict else field for name, field in zip(names, fields, strict=True)]
    return ",".join(new) + ending


def _csv_records(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Names of the header, and for each record where it starts and its fields as they stand there."""
    records: list[tuple[int, list[str]]] = []
    start = 0
    while start < len(text):
        place, fields = start, []
        while True:
            found = _FIELD.match(text, place)
            place = found.end() if found else place
            # Behind a closing quote, or within a bare field, anything up to the comma belongs to a broken field.
            stop = place
            while stop < len(text) and text[stop] not in ",\r\n":
                stop += 1
            fields.append(text[found.start() if found else place : stop])
            place = stop
            if place < len(text) and text[place] == ",":
                place += 1
                continue
            break
        while place < len(text) and text[place] in "\r\n":
            place += 1
        records.append((start, fields))
        start = place
    if not records:
        return [], []
    (_, header), *rest = records
    return [_csv_value(field) or "" for field in header], rest


def _csv_value(field: str) -> str | None:
    field = field.removeprefix("\ufeff")
    value = field[1:-1].replace('""', '"') if field[:1] == '"' and field[-1:] == '"' and len(field) > 1 else field
    return value or None


def _csv_field(value: str | None) -> str:
    if value is None:
        return ""
    return '"' + value.replace('"', '""') + '"' if re.search(r'[",\r\n]', value) else value


def _rewrite_parquet(
    path: Path, columns: PersonColumns, judge: Judge, suppression: Suppression, *, is_dry: bool
) -> int:
    """Row groups one by one, so that a file of any size takes the memory of one; schema and metadata stay."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        compression = file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else "ZSTD"
        texts = [item.name for item in schema if pa.types.is_string(item.type) or pa.types.is_large_string(item.type)]
        if not any(_touched(file, group, texts, columns, suppression) for group in range(file.num_row_groups)):
            return 0
        changed, beside = 0, temporary(path)
        writer = None if is_dry else pq.ParquetWriter(beside, schema, compression=compression.lower().replace(
            "uncompressed", "none"))
        try:
            for group in range(file.num_row_groups):
                table, count = _forget_rows(file.read_row_group(group), texts, judge)
                changed += count
                if writer is not None:
                    writer.write_table(table, row_group_size=max(table.num_rows, 1))
        finally:
            if writer is not None:
                writer.close()
    if writer is not None:
        if changed:
            beside.chmod(path.stat().st_mode & 0o777)
            with beside.open("rb") as handle:
                os.fsync(handle.fileno())
            put_in_place(beside, path)
        else:
            beside.unlink()
    return changed


def _touched(
    file: pq.ParquetFile, group: int, texts: list[str], columns: PersonColumns, suppression: Suppression
) -> bool:
    """Whether a row group may hold somebody, by the distinct values of its columns: usage of a day has few users."""
    kinds = dict(columns.ids)
    for name in texts:
        for value in file.read_row_group(group, columns=[name]).column(0).unique().to_pylist():
            if value is None:
                continue
            if name in kinds and suppression.has_identifier(kinds[name], value):
                return True
            if name in columns.names or suppression.masked(value) != value:
                return True
    return False


def _forget_rows(table: pa.Table, texts: list[str], judge: Judge) -> tuple[pa.Table, int]:
    """A row group after the rule, and how many rows it took or changed."""
    rows = table.select(texts).to_pylist()
    verdicts = [judge(row) for row in rows]
    changed = sum(bool(verdict) for verdict in verdicts)
    if not changed:
        return table, 0
    for name in texts:
        if any(verdict != GONE and name in verdict for verdict in verdicts):
            values = [
                row[name] if verdict == GONE else verdict.get(name, row[name])
                for row, verdict in zip(rows, verdicts, strict=True)
            ]
            field = table.schema.field(name)
            table = table.set_column(table.schema.get_field_index(name), field, pa.array(values, type=field.type))
    return table.filter(pa.array([verdict != GONE for verdict in verdicts])), changed

