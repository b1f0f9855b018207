"""The engine's counts equal Great Expectations' own on the whole frame, for any table."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expansion_assets.expectations.counting import Slice
from expansion_assets.expectations.suites import Expectation
from expansion_assets.expectations.validation import Naming, validate

SUITE = [
    Expectation("expect_column_values_to_not_be_null", {"column": "name"}),
    Expectation("expect_column_values_to_not_be_null", {"column": "amount"}),
    Expectation("expect_column_values_to_not_be_null", {"column": "at"}),
    Expectation("expect_column_values_to_be_in_set", {"column": "name", "value_set": ["a", "B", "it's"]}),
    Expectation("expect_column_values_to_be_between", {"column": "amount", "min_value": 0, "max_value": 10.5}),
    Expectation("expect_column_values_to_be_between", {"column": "amount", "min_value": None, "max_value": 3}),
    Expectation("expect_column_values_to_be_between", {"column": "number", "min_value": -2, "max_value": None}),
    Expectation("expect_column_values_to_be_unique", {"column": "name"}),
    Expectation("expect_column_values_to_be_unique", {"column": "number"}),
    Expectation("expect_compound_columns_to_be_unique", {"column_list": ["name", "at"]}),
    Expectation("expect_compound_columns_to_be_unique", {"column_list": ["name", "number"]}),
]
ROW = st.fixed_dictionaries({
    "name": st.sampled_from([None, "a", "b", "B", "it's", "", " a", "NaN"]),
    "amount": st.one_of(st.none(), st.floats(-20, 20), st.sampled_from([float("nan"), float("inf"), 0.0, 10.5])),
    "number": st.one_of(st.none(), st.integers(-5, 5)),
    "at": st.sampled_from([None, datetime(2026, 1, 1), datetime(2026, 1, 1, 12)]),
})
SCHEMA = pa.schema({"row_id": pa.int64(), "name": pa.string(), "amount": pa.float64(), "number": pa.int64(),
                    "at": pa.timestamp("us"), "day": pa.date32()})


@pytest.fixture(scope="module")
def judged_by_frames():
    """Great Expectations' public route: a pandas frame, its validator, its pandas engine."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.registry import get_expectation_impl

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    whole = context.data_sources.add_pandas("frames").add_dataframe_asset("rows").add_batch_definition_whole_dataframe(
        "all"
    )
    suite = gx.ExpectationSuite(name="suite", expectations=[
        get_expectation_impl(item.type)(**item.arguments, meta={"place": place}) for place, item in enumerate(SUITE)
    ])

    def judge(frame: pd.DataFrame) -> list[tuple[bool, int]]:
        outcome = whole.get_batch({"dataframe": frame}).validate(suite, result_format="BASIC")
        results = sorted(outcome.results, key=lambda result: result.expectation_config.meta["place"])
        return [(bool(result.success), int(result.result["unexpected_count"])) for result in results]

    return judge


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(ROW, min_size=1, max_size=12))
def test_counts_and_verdicts_equal_great_expectations_on_the_whole_frame(judged_by_frames, rows: list[dict[str, Any]]):
    table = pa.Table.from_pylist(
        [{**row, "row_id": number, "day": date(2026, 1, 1)} for number, row in enumerate(rows)], schema=SCHEMA
    )
    with duckdb.connect() as connection:
        connection.register("arrow_rows", table)
        connection.execute("create table things as select * from arrow_rows")
        frame = connection.execute("select * from things").df()
        found = validate(
            connection, Slice("things", "day", date(2026, 1, 1), date(2026, 1, 2)), SUITE, Naming("row_id", ("row_id",))
        )
    assert [(item.is_success, item.unexpected_count) for item in found.results] == judged_by_frames(frame)
    assert all(len(item.examples) == min(5, item.unexpected_count) for item in found.results)


def test_each_row_of_a_repeated_value_is_counted():
    with duckdb.connect() as connection:
        connection.execute(
            "create table things as select 'k' || (n // 2) as name, date '2026-01-01' as day from range(2000) as t (n)"
        )
        unique = Expectation("expect_column_values_to_be_unique", {"column": "name"})
        rows = Slice("things", "day", date(2026, 1, 1), date(2026, 1, 2))
        (failure,) = validate(connection, rows, [unique], Naming("name", ("name",))).failures
    assert failure.unexpected_count == 2000
    assert [example.row_key for example in failure.examples] == ["k0", "k0", "k1", "k1", "k10"]
