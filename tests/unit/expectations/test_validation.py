"""What a suite finds on a frame: failing rows by key, in the suite's order; what cannot be evaluated has failed."""

from __future__ import annotations

import pandas as pd
import pytest

from expansion_assets.expectations.suites import Expectation
from expansion_assets.expectations.validation import Failure, SuiteResult, validate

UNIQUE = Expectation("expect_column_values_to_be_unique", {"column": "row_key"})
NOT_NULL = Expectation("expect_column_values_to_not_be_null", {"column": "score"})
BETWEEN = Expectation("expect_column_values_to_be_between", {"column": "score", "min_value": 0, "max_value": 10})
MISSING = Expectation("expect_column_values_to_be_in_set", {"column": "colour", "value_set": ["red"]})
COMPOUND = Expectation("expect_compound_columns_to_be_unique", {"column_list": ["row_key", "score"]})


@pytest.fixture(scope="module")
def found() -> SuiteResult:
    frame = pd.DataFrame({"row_key": ["a", "b", "c", "c"], "score": [1.0, 11.0, None, 2.0]})
    return validate(frame, [BETWEEN, MISSING, NOT_NULL, COMPOUND, UNIQUE], "row_key")


def test_failures_name_the_rows_in_the_order_of_the_suite(found):
    assert found.failures == (
        Failure(BETWEEN.label, 1, ("b",)),
        Failure(MISSING.label, 0, ()),
        Failure(NOT_NULL.label, 1, ("c",)),
        Failure(UNIQUE.label, 2, ("c", "c")),
    )


def test_a_result_counts_expectations_and_rows(found):
    assert (found.expectations, found.rows, found.success) == (5, 4, False)


def test_a_frame_that_holds_has_no_failures():
    frame = pd.DataFrame({"row_key": ["a", "b"], "score": [0.0, 10.0]})
    assert validate(frame, [UNIQUE, NOT_NULL, BETWEEN, COMPOUND], "row_key") == SuiteResult(4, 2, ())


def test_at_most_five_rows_are_named_of_many():
    frame = pd.DataFrame({"row_key": [f"r{n}" for n in range(9)], "score": [None] * 9})
    (failure,) = validate(frame, [NOT_NULL], "row_key").failures
    assert (failure.unexpected_count, failure.row_keys) == (9, ("r0", "r1", "r2", "r3", "r4"))
