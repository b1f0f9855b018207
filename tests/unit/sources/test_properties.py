"""Whatever stands in a CSV file, loading it never raises, and each of its records is loaded or quarantined."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.report import LandingReport, Window

EVERYTHING = Window(date(1900, 1, 1), date.max, datetime(1900, 1, 1), datetime.max)
NOW = datetime(2025, 8, 1)
CONTRACT = load_contracts()["product_seat_assignments"]
COLUMNS = (*CONTRACT.columns, "loaded_at")
GOOD = ("S1", "A1", "U1", "2025-07-02", "", "2025-07-02T09:00:00Z", "2025-07-02T23:00:00Z")
INSTANTS = ("", " ", "2025-07-02", "2025-07-03T23:00:00+02:00", "02.07.2025", "yesterday", "infinity", "-infinity",
            "0001-01-01", "294247-01-10T03:00:00Z", "9999-12-31")
# Quotes, commas and line feeds, which the writer quotes; a bare carriage return it leaves open (Python 3.11).
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=6)
# Few ids, so that keys repeat.
FIELDS = {name: st.sampled_from(INSTANTS) if name.endswith(("_on", "_at")) else TEXT for name in COLUMNS}
FIELDS["assignment_id"] = st.sampled_from(("S1", "S2", "S3", "", " ", 'S"4', "S,5"))
ONE_ROW_EACH = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, int]:
    """Text of a file and the number of its records; at least two columns, else an empty line would be a record."""
    kept = draw(st.lists(st.sampled_from(COLUMNS), min_size=2, max_size=len(COLUMNS), unique=True))
    header = draw(st.sampled_from((COLUMNS, tuple(kept))))
    row = st.one_of(st.just(dict(zip(COLUMNS, GOOD, strict=True))), st.fixed_dictionaries(FIELDS))
    rows = [[record[name] for name in header] for record in draw(st.lists(row, max_size=8))]
    for ragged in draw(st.lists(st.lists(TEXT, min_size=1, max_size=10).filter(lambda row: row != [""]), max_size=2)):
        rows.insert(draw(st.integers(0, len(rows))), ragged)
    newline = draw(st.sampled_from(("\n", "\r\n")))
    content = io.StringIO(newline="")
    csv.writer(content, lineterminator=newline).writerows([header, *rows])
    return content.getvalue(), len(rows)


def load(connection: duckdb.DuckDBPyConnection, content: bytes) -> LandingReport:
    for table in (CONTRACT.name, "quarantine", "landing_status"):
        connection.execute(f"delete from raw.{table}")
    mapping = own_mapping({CONTRACT.name: CONTRACT}, date(2025, 7, 1), None).tables[CONTRACT.name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "product" / "seat_assignments_all.csv"
        path.parent.mkdir()
        path.write_bytes(content)
        return load_table(connection, CONTRACT, mapping, Path(folder), EVERYTHING, NOW)


def stored(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    [(count,)] = connection.execute(f"select count(*) from raw.{table}").fetchall()
    return count


@ONE_ROW_EACH
@given(files())
def test_rows_of_a_file_are_loaded_or_quarantined(connection, file):
    content, records = file
    report = load(connection, content.encode())
    assert report.rows_in == records, report.messages
    assert stored(connection, CONTRACT.name) == report.rows_loaded
    assert stored(connection, "quarantine") == report.rows_quarantined


@ONE_ROW_EACH
@given(st.one_of(
    st.binary(max_size=200),
    st.text(st.sampled_from('a1,"\n\r\\ \x00é\ufeff'), max_size=60).map(
        lambda text: (",".join(COLUMNS) + "\n" + text).encode()
    ),
))
@example(b'"' + b"a" * 200_000)
@example(b"a,b,\n1,2,\n")
def test_no_bytes_make_the_loader_raise(connection, content):
    report = load(connection, content)
    assert stored(connection, "quarantine") == report.rows_quarantined
    assert report.rows_loaded == 0


@pytest.mark.parametrize("column", ["assigned_on", "released_on", "updated_at", "loaded_at"])
@pytest.mark.parametrize("value", ["infinity", "-infinity", "294247-01-10 03:00:00", "5881580-07-10", "0001-01-01"])
def test_a_date_outside_the_calendar_is_named_not_lost(connection, column, value):
    fields = dict(zip(COLUMNS, GOOD, strict=True)) | {column: value}
    report = load(connection, (",".join(COLUMNS) + "\n" + ",".join(fields.values()) + "\n").encode())
    kind = "date" if column.endswith("_on") else "timestamp"
    assert report.rules == {f"not_a_{kind}:{column}": 1}
