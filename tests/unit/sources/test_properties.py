"""Whatever stands in a file, loading it never raises, and each of its records is loaded or quarantined."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.report import LandingReport, Window

EVERYTHING = Window(date(1900, 1, 1), date.max, datetime(1900, 1, 1), datetime.max)
NOW = datetime(2025, 8, 1)
CONTRACT = load_contracts()["product_seat_assignments"]
COLUMNS = (*CONTRACT.columns, "loaded_at")
GOOD = {
    "assignment_id": "S1", "account_id": "A1", "user_id": "U1", "assigned_on": "2025-07-02", "released_on": "",
    "updated_at": "2025-07-02T09:00:00Z", "is_deleted": "", "loaded_at": "2025-07-02T23:00:00Z",
}
INSTANTS = ("", " ", "2025-07-02", "2025-07-03T23:00:00+02:00", "02.07.2025", "yesterday", "infinity", "-infinity",
            "0001-01-01", "294247-01-10T03:00:00Z", "9999-12-31")
# Quotes, commas and line feeds, which the writer quotes; a bare carriage return it leaves open (Python 3.11).
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=6)
# Few ids, so that keys repeat.
FIELDS = {name: st.sampled_from(INSTANTS) if name.endswith(("_on", "_at")) else TEXT for name in COLUMNS}
FIELDS["assignment_id"] = st.sampled_from(("S1", "S2", "S3", "", " ", 'S"4', "S,5"))
FIELDS["is_deleted"] = st.sampled_from(("", "true", "0", "maybe"))
RECORD = st.one_of(st.just(GOOD), st.fixed_dictionaries(FIELDS))
EXTRA = ("colour", "Account_ID", "row_number", "file", "record", "happened_at", "ünïcode name", 'quo"te')
ONE_ROW_EACH = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def headers(draw: st.DrawFn) -> tuple[str, ...]:
    """Columns in any order, some missing, some unknown; at least two, else an empty line would be a record."""
    if draw(st.booleans()):
        return COLUMNS
    kept = draw(st.lists(st.sampled_from(COLUMNS + EXTRA), min_size=2, max_size=len(COLUMNS) + 3, unique_by=str.lower))
    return tuple(kept)


@st.composite
def csv_files(draw: st.DrawFn) -> tuple[bytes, int]:
    """A file and the number of its records."""
    header = draw(headers())
    rows = [[record.get(name, "x") for name in header] for record in draw(st.lists(RECORD, max_size=8))]
    for ragged in draw(st.lists(st.lists(TEXT, min_size=1, max_size=12).filter(lambda row: row != [""]), max_size=2)):
        rows.insert(draw(st.integers(0, len(rows))), ragged)
    newline = draw(st.sampled_from(("\n", "\r\n")))
    content = io.StringIO(newline="")
    csv.writer(content, lineterminator=newline).writerows([header, *rows])
    bom = draw(st.sampled_from((b"", b"\xef\xbb\xbf")))
    return bom + content.getvalue().encode(), len(rows)


@st.composite
def broken_csv_files(draw: st.DrawFn) -> tuple[bytes, int, int]:
    """Good rows with mixed line ends and, among them, rows that break a file; number of records and of good ones."""
    lines: list[bytes] = []
    good = 0
    for number in range(draw(st.integers(1, 12))):
        values = list((GOOD | {"assignment_id": f"S{number}"}).values())
        kind = draw(st.sampled_from(("good", "good", "open_quote", "not_utf8", "short", "long", "nul", "huge")))
        if kind == "open_quote":
            values[2] = '"U1'
        elif kind == "short":
            values = values[:3]
        elif kind == "long":
            values.append("more")
        elif kind == "huge":
            values[2] = "u" * 3_000_000 if number == 0 else "u" * 3_000
        line = ",".join(values).encode()
        if kind == "not_utf8":
            line = line.replace(b"A1", b"A\xff1")
        elif kind == "nul":
            line = line.replace(b"U1", b"U\x001")
        good += kind in ("good", "nul", "huge")
        lines.append(line)
        event(kind)
    ends = draw(st.lists(st.sampled_from((b"\n", b"\r\n", b"\r")), min_size=len(lines), max_size=len(lines)))
    body = b"".join(line + end for line, end in zip(lines, ends, strict=True))
    return ",".join(COLUMNS).encode() + b"\r\n" + body, len(lines), good


JSON_VALUES: Any = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.sampled_from(INSTANTS), st.lists(TEXT, max_size=2)
)


@st.composite
def json_files(draw: st.DrawFn) -> tuple[bytes, int]:
    """Objects with any keys, and lines that are none; the number of lines."""
    lines = []
    for number in range(draw(st.integers(1, 8))):
        good = json.dumps(GOOD | {"assignment_id": f"S{number}"})
        anything = st.dictionaries(st.one_of(st.sampled_from(COLUMNS + EXTRA), TEXT), JSON_VALUES, max_size=8)
        line = draw(
            st.one_of(
                st.just(good),
                anything.map(json.dumps),
                st.sampled_from(
                    ("[1, 2]", '"text"', "7", "null", "{", good[:-1], good + good, '{"a": 1, "a": 2}', "x")
                ),
            )
        )
        lines.append(line.encode())
    if lines and draw(st.booleans()):
        lines[0] = lines[0] + b"\xff"
    return b"".join(line + draw(st.sampled_from((b"\n", b"\r\n"))) for line in lines), len(lines)


def load(connection: duckdb.DuckDBPyConnection, content: bytes, suffix: str = "csv") -> LandingReport:
    for table in (CONTRACT.name, "quarantine", "landing_status", "deletions"):
        connection.execute(f"delete from raw.{table}")
    file_format = suffix.removesuffix(".gz")
    contract = CONTRACT.model_copy(update={"format": file_format, "files": f"product/seats.{file_format}"})
    mapping = own_mapping({CONTRACT.name: contract}, date(2025, 7, 1), None).tables[CONTRACT.name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "product" / f"seats.{suffix}"
        path.parent.mkdir()
        path.write_bytes(content)
        report = load_table(connection, contract, mapping, Path(folder), EVERYTHING, NOW)
    assert stored(connection, CONTRACT.name) + stored(connection, "deletions") == report.rows_loaded
    assert stored(connection, "quarantine") == report.rows_quarantined
    return report


def stored(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    [(count,)] = connection.execute(f"select count(*) from raw.{table}").fetchall()
    return int(count)


@ONE_ROW_EACH
@given(csv_files())
def test_rows_of_a_file_are_loaded_or_quarantined(connection, file):
    content, records = file
    report = load(connection, content)
    assert report.rows_in == records, report.messages


@ONE_ROW_EACH
@given(csv_files())
def test_a_gzipped_file_is_read_as_the_file(connection, file):
    content, _ = file
    plain = load(connection, content)
    rows = connection.execute(f"select * exclude (source_file) from raw.{CONTRACT.name} order by all").fetchall()
    zipped = load(connection, gzip.compress(content), "csv.gz")
    assert (zipped.rows_in, zipped.rules) == (plain.rows_in, plain.rules)
    query = f"select * exclude (source_file) from raw.{CONTRACT.name} order by all"
    assert connection.execute(query).fetchall() == rows


@ONE_ROW_EACH
@given(broken_csv_files())
def test_rows_that_break_a_file_cost_themselves_only(connection, file):
    content, records, good = file
    report = load(connection, content)
    assert (report.rows_in, report.rows_loaded) == (records, good), (report.rules, report.messages)


@ONE_ROW_EACH
@given(json_files())
def test_lines_of_a_json_file_are_loaded_or_quarantined(connection, file):
    content, lines = file
    report = load(connection, content, "jsonl")
    assert report.rows_in == lines, (report.rules, report.messages)


@ONE_ROW_EACH
@given(csv_files(), st.integers(0, 400))
def test_a_gzip_file_cut_short_keeps_what_can_be_read(connection, file, cut):
    content, records = file
    zipped = gzip.compress(content)
    report = load(connection, zipped[: max(1, len(zipped) - 1 - cut)], "csv.gz")
    assert report.rows_loaded <= records
    assert report.rows_quarantined > 0


@ONE_ROW_EACH
@given(st.one_of(
    st.binary(max_size=200),
    st.text(st.sampled_from('a1,"\n\r\\ \x00é\ufeff'), max_size=60).map(
        lambda text: (",".join(COLUMNS) + "\n" + text).encode()
    ),
), st.sampled_from(("csv", "csv.gz", "jsonl", "jsonl.gz", "parquet")))
@example(b'"' + b"a" * 200_000, "csv")
@example(b"a,b,\n1,2,\n", "csv")
@example(b'{"a": "' + b"a" * 20_000_000 + b'"}\n', "jsonl")
def test_no_bytes_make_the_loader_raise(connection, content, suffix):
    report = load(connection, content, suffix)
    assert report.rows_loaded == 0
    assert report.rows_quarantined > 0 or not content.strip() or report.status == "empty"


@ONE_ROW_EACH
@given(st.lists(RECORD, max_size=8), st.booleans())
def test_rows_of_a_parquet_file_are_loaded_or_quarantined(connection, records, is_typed):
    columns = {name: [record[name] for record in records] for name in COLUMNS}
    types = {name: pa.string() for name in COLUMNS}
    if is_typed:
        columns["assigned_on"] = [date(2025, 7, 2)] * len(records)
        types["assigned_on"] = pa.date32()
    out = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(values, type=types[name]) for name, values in columns.items()}), out)
    report = load(connection, out.getvalue(), "parquet")
    assert report.rows_in == len(records)


@pytest.mark.parametrize("column", ["assigned_on", "released_on", "updated_at", "loaded_at"])
@pytest.mark.parametrize("value", ["infinity", "-infinity", "294247-01-10 03:00:00", "5881580-07-10", "0001-01-01"])
def test_a_date_outside_the_calendar_is_named_not_lost(connection, column, value):
    fields = GOOD | {column: value}
    report = load(connection, (",".join(COLUMNS) + "\n" + ",".join(fields.values()) + "\n").encode())
    kind = "date" if column.endswith("_on") else "timestamp"
    assert report.rules == {f"not_a_{kind}:{column}": 1}
