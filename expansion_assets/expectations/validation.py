"""Running a suite on a frame.

Great Expectations is imported inside the run: the import alone costs 5-6 CPU s and 256 MB (2 cores, 1.24.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from expansion_assets.expectations.suites import Expectation

_EXAMPLES = 5


@dataclass(frozen=True)
class Failure:
    """One expectation that does not hold."""

    expectation: str
    unexpected_count: int
    row_keys: tuple[str, ...]
    """Keys of the first failing rows."""


@dataclass(frozen=True)
class SuiteResult:
    """What a suite found on one frame."""

    expectations: int
    rows: int
    failures: tuple[Failure, ...]

    @property
    def success(self) -> bool:
        """True when every expectation holds."""
        return not self.failures


def validate(frame: pd.DataFrame, suite: Sequence[Expectation], key: str) -> SuiteResult:
    """Run a suite on a pandas frame.

    Args:
        frame: Rows of one table; duckdb-engine fails every expectation with 1.24, so frames are handed over.
        suite: Expectations.
        key: Column whose values name a failing row.

    Returns:
        Failures in the suite's order; an expectation that could not be evaluated counts as failed.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.registry import get_expectation_impl

    # Ephemeral: no project folder, no Data Docs (their index page needs a CDN and stays blank offline).
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    # One suite at a time shares its metrics; the results come back out of order, so each carries its place.
    expectations = [
        get_expectation_impl(item.type)(**item.arguments, meta={"place": place}) for place, item in enumerate(suite)
    ]
    outcome = batch.validate(
        gx.ExpectationSuite(name="suite", expectations=expectations),
        result_format={"result_format": "SUMMARY", "unexpected_index_column_names": [key]},
    )
    by_place = {
        (result.expectation_config.meta or {})["place"]: result
        for result in outcome.results
        if result.expectation_config
    }
    failures = tuple(
        _failure(item, by_place[place].result or {}, key)
        for place, item in enumerate(suite)
        if not by_place[place].success
    )
    return SuiteResult(len(suite), len(frame), failures)


def _failure(item: Expectation, result: dict[str, Any], key: str) -> Failure:
    rows = result.get("partial_unexpected_index_list") or result.get("unexpected_index_list") or []
    keys = tuple(str(row.get(key)) for row in rows[:_EXAMPLES])
    # A column that is not there yields no result at all and no exception.
    return Failure(item.label, int(result.get("unexpected_count") or 0), keys)
