"""Bad input has a name, nothing is lost, good rows go on; a window is replaced, nothing else."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from expansion_assets.sources.report import Window

HEADER = "assignment_id,account_id,user_id,assigned_on,released_on,updated_at,loaded_at\n"
GOOD = "S1,A1,U1,2025-07-02,,2025-07-02T09:00:00Z,2025-07-02T23:00:00Z\n"
FILE = "seat_assignments_2025-07.csv"


def rules(connection) -> list[tuple]:
    query = 'select file, row_number, rule from raw.quarantine where resolved_at is null order by all'
    return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (",A1,U1,2025-07-02,,2025-07-02T09:00:00Z,2025-07-02T23:00:00Z\n", "required:assignment_id"),
        ("S2,A1,U1,02.07.2025,,2025-07-02T09:00:00Z,2025-07-02T23:00:00Z\n", "not_a_date:assigned_on"),
        ("S2,A1,U1,2025-07-02,,2025-09-02T09:00:00Z,2025-07-02T23:00:00Z\n", "future_date"),
        ("S2,A1,U1,2025-07-02,,2025-07-02T09:00:00Z,2150-07-02T23:00:00Z\n", "future_load_time"),
        ("S2,A1\n", "malformed_row"),
        ("S1,A1,U1,2025-07-02,,2025-07-02T09:00:00Z,2025-07-02T23:00:00Z\n", "duplicate_key"),
        ("S2,A1,U1,2025-07-02,,2025-07-02T09:00:00Z,yesterday\n", "not_a_timestamp:loaded_at"),
    ],
)
def test_a_bad_row_is_quarantined_by_name_and_the_good_one_loads(land, connection, row, rule):
    report = land("product_seat_assignments", {FILE: HEADER + GOOD + row})
    assert (report.rows_loaded, report.rows_quarantined) == (1, 1)
    assert rules(connection) == [(FILE, 2, rule)]
    loaded = connection.execute("select assignment_id, row_key from raw.product_seat_assignments").fetchall()
    assert loaded == [("S1", "S1")]


@pytest.mark.parametrize(
    ("table", "name", "content", "rule"),
    [
        ("billing_subscription_lines", "subscription_lines_2025-07.csv",
         "line_id,account_id,product,unit,quantity,starts_on,signed_at,loaded_at\n"
         "L1,A1,Core,seat,-5,2025-07-01,2025-07-01T08:00:00Z,2025-07-01T08:00:00Z\n", "below_minimum:quantity"),
        ("feedback_nps", "nps_2025-07.csv",
         "response_id,score,responded_at,loaded_at\nR1,11,2025-07-01T08:00:00Z,2025-07-01T08:00:00Z\n",
         "above_maximum:score"),
        ("feedback_nps", "nps_2025-07.csv",
         "response_id,score,responded_at,loaded_at\nR1,7.5,2025-07-01T08:00:00Z,2025-07-01T08:00:00Z\n",
         "not_a_integer:score"),
        ("support_tickets", "tickets_2025-07.jsonl",
         '{"ticket_id": "T1", "priority": "asap", "is_escalated": false, "created_at": "2025-07-01T08:00:00Z"}\n',
         "not_allowed:priority"),
        ("support_tickets", "tickets_2025-07.jsonl", '{"ticket_id": "T1", \n', "malformed_row"),
        ("support_tickets", "tickets_2025-07.jsonl", "[1, 2]\n", "malformed_row"),
    ],
)
def test_each_kind_of_broken_value_has_a_rule(land, connection, table, name, content, rule):
    report = land(table, {name: content})
    assert report.rows_loaded == 0
    assert rules(connection) == [(name, 1, rule)]


def test_a_byte_that_is_not_utf8_costs_one_row(land, connection):
    text = (HEADER + GOOD).encode() + b"S2,A\xff1,U1,2025-07-02,,2025-07-02T09:00:00Z,2025-07-02T23:00:00Z\n"
    report = land("product_seat_assignments", {FILE: text})
    assert report.rows_loaded == 1
    assert rules(connection) == [(FILE, 2, "not_utf8")]


def test_an_empty_file_and_a_missing_file_are_told_apart(land, connection):
    empty = land("product_seat_assignments", {FILE: b""})
    missing = land("crm_goals", {})
    assert (empty.status, missing.status) == ("failed", "missing")
    assert rules(connection) == [(FILE, 0, "empty_file")]
    assert "no file matches crm/goals_*.csv" in missing.messages


def test_a_vanished_column_quarantines_the_rows_of_its_file_only(land, connection):
    broken = "assignment_id,account_id,assigned_on,updated_at,loaded_at\nS9,A1,2025-07-02,2025-07-02,2025-07-02\n"
    report = land("product_seat_assignments", {FILE: HEADER + GOOD, "seat_assignments_2025-07-03.csv": broken})
    assert report.rows_loaded == 1
    assert rules(connection) == [("seat_assignments_2025-07-03.csv", 1, "missing_column:user_id")]
    assert any("required column user_id is missing" in message for message in report.messages)


def test_a_broken_parquet_file_is_an_entry_not_a_trace(land, connection):
    report = land("product_usage", {"usage_2025-07.parquet": b"PAR1 not really"})
    assert report.status == "failed"
    assert rules(connection) == [("usage_2025-07.parquet", 0, "unreadable_file")]


def test_row_numbers_count_rejected_rows(land, connection):
    land("product_seat_assignments", {FILE: HEADER + "S0\n" + GOOD})
    assert connection.execute("select source_row from raw.product_seat_assignments").fetchall() == [(2,)]


def test_a_later_version_closes_the_earlier_one(land, connection):
    released = "S1,A1,U1,2025-07-02,2025-07-10,2025-07-10T09:00:00Z,2025-07-10T23:00:00Z\n"
    land("product_seat_assignments", {FILE: HEADER + GOOD + released})
    found = connection.execute(
        "select version_no, known_from, known_to, released_on from raw.product_seat_assignments order by version_no"
    ).fetchall()
    first, second = datetime(2025, 7, 2, 23), datetime(2025, 7, 10, 23)
    assert found == [(1, first, second, None), (2, second, None, date(2025, 7, 10))]


def test_days_one_by_one_equal_the_month_in_one(land, connection):
    rows = "".join(
        f"S{n % 5},A1,U{n},2025-07-02,,2025-07-{n + 2:02d}T09:00:00Z,2025-07-{n + 2:02d}T23:00:00Z\n" for n in range(20)
    )
    land("product_seat_assignments", {FILE: HEADER + rows})
    query = "select * from raw.product_seat_assignments order by row_key, known_from"
    at_once = connection.execute(query).fetchall()
    connection.execute("delete from raw.product_seat_assignments")
    for day in range(1, 32):
        end = datetime(2025, 7, day + 1) if day < 31 else datetime(2025, 8, 1)
        land("product_seat_assignments", {}, Window(date(2025, 7, day), end.date(), datetime(2025, 7, day), end))
    assert len(at_once) == 20
    assert connection.execute(query).fetchall() == at_once


def test_a_second_load_changes_nothing_but_when_rows_were_last_seen(land, connection):
    files = {FILE: HEADER + GOOD + "S2,A1\n"}
    land("product_seat_assignments", files)
    before = connection.execute("select * from raw.product_seat_assignments").fetchall()
    report = land("product_seat_assignments", files, now=datetime(2025, 8, 2))
    assert connection.execute("select * from raw.product_seat_assignments").fetchall() == before
    assert (report.rows_loaded, report.rows_quarantined) == (1, 1)
    seen = connection.execute("select first_seen_at, last_seen_at from raw.quarantine").fetchall()
    assert seen == [(datetime(2025, 8, 1), datetime(2025, 8, 2))]


def test_a_mended_row_is_loaded_and_its_quarantine_entry_resolved(land, connection):
    land("product_seat_assignments", {FILE: HEADER + GOOD.replace("A1", "")})
    land("product_seat_assignments", {FILE: HEADER + GOOD}, now=datetime(2025, 8, 2))
    assert connection.execute("select resolved_at from raw.quarantine").fetchall() == [(datetime(2025, 8, 2),)]
    assert connection.execute("select count(*) from raw.product_seat_assignments").fetchone() == (1,)


def test_an_offset_is_kept(land, connection):
    land("product_seat_assignments", {FILE: HEADER + GOOD.replace("23:00:00Z", "23:00:00+02:00")})
    found = connection.execute("select known_from from raw.product_seat_assignments").fetchone()
    assert found == (datetime(2025, 7, 2, 21),)


def test_without_a_load_time_the_lag_is_assumed_and_marked(land, connection):
    content = (HEADER + GOOD).replace(",loaded_at", "").replace(",2025-07-02T23:00:00Z", "")
    land("product_seat_assignments", {FILE: content})
    found = connection.execute("select known_from, is_known_at_assumed from raw.product_seat_assignments").fetchone()
    assert found == (datetime(2025, 7, 3, 9), True)
