"""Kept results and the quarantine, read back for a page: from rows that the loader itself set aside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import duckdb
import pytest

from expansion_assets.expectations.suites import Expectation
from expansion_assets.expectations.validation import Example, Result, SuiteResult
from expansion_assets.sources.versions import QUARANTINE_DDL, STATUS_DDL
from expansion_assets.store.quality import (
    QUARANTINE_EXAMPLES,
    expectation_rows,
    keep_results,
    landing_rows,
    quarantine_examples,
    quarantine_groups,
    resolved_since,
)

NOT_NULL = Expectation("expect_column_values_to_not_be_null", {"column": "name"})
JUNE = (date(2026, 6, 1), date(2026, 7, 1))
LAST = (date(2026, 6, 30), date(2026, 7, 1))
END = datetime(2026, 7, 1)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create schema raw")
        opened.execute(QUARANTINE_DDL)
        opened.execute(STATUS_DDL)
        yield opened


def suite_result(unexpected: int) -> SuiteResult:
    examples = (Example("k1", {"name": None}),) if unexpected else ()
    day = date(2026, 6, 3) if unexpected else None
    return SuiteResult(10, (Result(NOT_NULL, 10, unexpected, unexpected == 0, None, day, day, examples),))


def test_a_rerun_replaces_what_the_run_before_found_on_that_table_alone(connection):
    keep_results(connection, "raw.a", JUNE, suite_result(2))
    keep_results(connection, "raw.b", JUNE, suite_result(1))
    keep_results(connection, "raw.a", LAST, suite_result(0))
    rows = expectation_rows(connection, date(2026, 6, 30))
    kept = [(row["checked_table"], row["window_start"], row["unexpected_count"], row["is_success"]) for row in rows]
    assert kept == [("raw.a", date(2026, 6, 30), 0, True), ("raw.b", date(2026, 6, 1), 1, False)]
    assert rows[1]["examples_json"] == '[{"row_key": "k1", "values": {"name": null}}]'
    assert expectation_rows(connection, date(2026, 6, 29)) == []


def set_aside(
    connection: duckdb.DuckDBPyConnection, rule: str, known: str | None, resolved: str | None, rows: int
) -> None:
    connection.execute(
        "insert into raw.quarantine select 'crm', 'crm_goals', 'g.csv', n, $1, '{}', $2, timestamp '2026-06-30',"
        " timestamp '2026-06-30', $3 from range(1, $4 + 1) as numbers (n)", [rule, known, resolved, rows],
    )


def test_the_quarantine_of_a_day_is_what_was_known_and_is_not_mended(connection):
    set_aside(connection, "required:goal", "2026-06-30 10:00", None, 5)
    set_aside(connection, "required:goal_id", "2026-07-01 00:00", None, 1)
    set_aside(connection, "future_date", "2030-01-01", None, 1)
    set_aside(connection, "malformed_row", None, None, 2)
    set_aside(connection, "not_allowed:status", "2026-06-01", "2026-06-30 05:00", 3)
    set_aside(connection, "duplicate_key", "2026-06-01", "2026-06-20 05:00", 1)
    groups = quarantine_groups(connection, END)
    assert [(row["rule"], row["row_count"]) for row in groups] == [
        ("required:goal", 5), ("malformed_row", 2), ("future_date", 1)]
    examples = quarantine_examples(connection, END)
    shown = [row["row_number"] for row in examples if row["rule"] == "required:goal"]
    assert shown == list(range(1, QUARANTINE_EXAMPLES + 1))
    assert [(row["rule"], row["row_count"]) for row in resolved_since(connection, datetime(2026, 6, 30))] == [
        ("not_allowed:status", 3)]


def test_the_newest_load_of_a_day_tells_its_status(connection):
    insert = (
        "insert into raw.landing_status select 'crm', $1, $2, $3, $4, 1, 0, 0, 0, null, '', $5::timestamp"
    )
    connection.execute(insert, ["crm_goals", *JUNE, "failed", "2026-06-30 05:00"])
    connection.execute(insert, ["crm_goals", *LAST, "loaded", "2026-06-30 06:00"])
    connection.execute(insert, ["crm_owners", date(2026, 6, 1), date(2026, 6, 30), "missing", "2026-06-30 06:00"])
    assert [(row["source_table"], row["status"]) for row in landing_rows(connection, date(2026, 6, 30))] == [
        ("crm_goals", "loaded")]
