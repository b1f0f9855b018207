"""What a suite finds on a table: true counts, failing rows by key, masked; what cannot be evaluated has failed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from expansion_assets.expectations.counting import Slice
from expansion_assets.expectations.suites import Expectation, contract_suite
from expansion_assets.expectations.validation import Naming, SuiteResult, contract_naming, validate
from expansion_assets.sources.contracts import Column, TableContract

UNIQUE = Expectation("expect_column_values_to_be_unique", {"column": "row_key"})
NOT_NULL = Expectation("expect_column_values_to_not_be_null", {"column": "score"})
BETWEEN = Expectation("expect_column_values_to_be_between", {"column": "score", "min_value": 0, "max_value": 10})
MISSING = Expectation("expect_column_values_to_be_in_set", {"column": "colour", "value_set": ["red"]})
COMPOUND = Expectation("expect_compound_columns_to_be_unique", {"column_list": ["row_key", "score"]})
SUITE = [BETWEEN, MISSING, NOT_NULL, COMPOUND, UNIQUE]
ALL = Slice("things", "known_from", date(2026, 1, 1), date(2027, 1, 1))
NAMING = Naming("row_key", ("row_key",))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create table things (row_key varchar, score double, known_from timestamp)")
        yield opened


def put(connection: duckdb.DuckDBPyConnection, *rows: tuple[str, float | None, str]) -> None:
    connection.executemany("insert into things values ($1, $2, $3)", [list(row) for row in rows])


def failures(result: SuiteResult) -> list[tuple[str, int | None, list[str | None]]]:
    return [
        (item.expectation.label, item.unexpected_count, [example.row_key for example in item.examples])
        for item in result.failures
    ]


def test_failures_name_the_rows_in_the_order_of_the_suite(connection):
    put(connection, ("a", 1.0, "2026-01-01"), ("b", 11.0, "2026-02-03"), ("c", None, "2026-02-04"),
        ("c", 2.0, "2026-03-05"))
    result = validate(connection, ALL, SUITE, NAMING)
    assert failures(result) == [
        (BETWEEN.label, 1, ["b"]), (MISSING.label, None, []), (NOT_NULL.label, 1, ["c"]), (UNIQUE.label, 2, ["c", "c"]),
    ]
    assert (len(result.results), result.rows, result.success) == (5, 4, False)
    between, missing, _, unique = result.failures
    assert dict(between.examples[0].values) == {"score": "11.0"}
    assert missing.problem == "the table has no column colour"
    assert (unique.first_day, unique.last_day) == (date(2026, 2, 4), date(2026, 3, 5))


def test_rows_that_hold_have_no_failures(connection):
    put(connection, ("a", 0.0, "2026-01-01"), ("b", 10.0, "2026-01-01"))
    result = validate(connection, ALL, [UNIQUE, NOT_NULL, BETWEEN, COMPOUND], NAMING)
    assert result.success
    assert [item.unexpected_count for item in result.results] == [0, 0, 0, 0]


def test_a_table_without_rows_holds_and_says_so(connection):
    result = validate(connection, ALL, [UNIQUE, NOT_NULL], NAMING)
    assert (result.success, result.rows) == (True, 0)


def test_only_rows_of_the_slice_are_looked_at(connection):
    put(connection, ("a", None, "2025-12-31 23:59:59"), ("a", 1.0, "2026-01-01"), ("a", 99.0, "2027-01-01"))
    result = validate(connection, ALL, [UNIQUE, NOT_NULL, BETWEEN], NAMING)
    assert (result.rows, result.failures) == (1, ())


def test_every_row_is_counted_and_at_most_five_are_named(connection):
    put(connection, *[(f"r{n}", None, "2026-01-01") for n in range(9)])
    found = failures(validate(connection, ALL, [NOT_NULL], NAMING))
    assert found == [(NOT_NULL.label, 9, ["r0", "r1", "r2", "r3", "r4"])]


def test_a_float_that_is_no_number_is_missing_not_large(connection):
    put(connection, ("a", math.nan, "2026-01-01"), ("b", math.inf, "2026-01-01"))
    assert failures(validate(connection, ALL, [NOT_NULL, BETWEEN], NAMING)) == [
        (NOT_NULL.label, 1, ["a"]), (BETWEEN.label, 1, ["b"])]


def test_bounds_on_text_are_not_evaluated_rather_than_wrong(connection):
    put(connection, ("a", 1.0, "2026-01-01"))
    bounds = Expectation("expect_column_values_to_be_between", {"column": "row_key", "min_value": 0, "max_value": 1})
    (failure,) = validate(connection, ALL, [bounds], NAMING).failures
    assert failure.problem == "row_key is a varchar, not a number"


def test_an_expectation_without_a_meaning_in_sql_is_named(connection):
    odd = Expectation("expect_column_values_to_match_regex", {"column": "row_key", "regex": "a"})
    with pytest.raises(ValueError, match="expect_column_values_to_match_regex has no meaning in SQL yet"):
        validate(connection, ALL, [odd], NAMING)


def people() -> TableContract:
    return TableContract(
        name="people", source="people", description="", grain="", key=("email", "at"), happened_at="at", format="csv",
        files="*.csv", arrival_lag=None,
        columns={
            "email": Column(type="string", required=True, personal="direct", description=""),
            "at": Column(type="timestamp", required=True, description=""),
            "title": Column(type="string", allowed=("VP",), personal="indirect", description=""),
            "note": Column(type="string", required=True, personal="free_text", description=""),
            "kind": Column(type="string", allowed=("a",), description=""),
        },
    )


def test_personal_values_and_keys_never_leave_unmasked(connection):
    contract = people()
    connection.execute("create schema raw")
    connection.execute(contract.ddl())
    connection.execute(
        """
        insert into raw.people by name
        select 'jane.doe@acme.example' as email, timestamp '2026-01-02' as at, 'Head of Pain' as title,
            case when n = 1 then 'call me on +44 20 7946 0958' end as note, 'x' as kind,
            timestamp '2026-01-02' as happened_at, timestamp '2026-01-02' as known_from, 'f.csv' as source_file,
            n as source_row, 'jane.doe@acme.example|2026-01-02 00:00:00' as row_key
        from range(1, 3) as numbers (n)
        """
    )
    rows = Slice("raw.people", "known_from", date(2026, 1, 1), date(2027, 1, 1))
    result = validate(connection, rows, contract_suite(contract), contract_naming(contract))
    assert [(item.expectation.label, item.unexpected_count) for item in result.failures] == [
        ("compound_columns_to_be_unique(row_key, known_from)", 2), ("column_values_to_be_in_set(title)", 2),
        ("column_values_to_not_be_null(note)", 1), ("column_values_to_be_in_set(kind)", 2),
    ]
    assert [dict(item.examples[0].values) for item in result.failures] == [
        {"known_from": "2026-01-02 00:00:00"}, {"title": "H***"}, {"note": None}, {"kind": "x"},
    ]
    assert {item.examples[0].row_key for item in result.failures} == {"j***@***|2026-01-02 00:00:00"}
    shown = repr(result)
    assert all(secret not in shown for secret in ("jane", "acme", "Pain", "7946"))
