"""Running a suite on a table: the engine counts (``counting.py``), Great Expectations judges.

Belongs here: the verdict and the masked result. Does not belong here: SQL, where results are kept.

An expectation's documented extension point takes metrics and gives the result; here the metrics come from the engine's
own counts, so that no table is loaded into memory. Run through its validator instead, Great Expectations spends 20 ms
on each expectation before it looks at a row: 8 CPU s for the 422 of the raw tables, against 0.3 s (2 cores, 1.24.1).
It is imported inside the run, for the import alone costs 5 CPU s and 256 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from expansion_assets.expectations.counting import Count, Findings, Slice, count, find_examples
from expansion_assets.expectations.masking import mask_row_key, mask_value
from expansion_assets.expectations.suites import Expectation
from expansion_assets.sources.contracts import TableContract
from expansion_assets.tables import Table


@dataclass(frozen=True)
class Naming:
    """How a failing row is named, and what of it may be shown."""

    key: str
    """Column that names a row."""
    key_columns: tuple[str, ...]
    """Columns whose values stand in the key."""
    personal: Mapping[str, str | None] = field(default_factory=dict)
    """Personal-data class by column."""

    def show_key(self, value: object) -> str | None:
        """The key with its personal parts masked."""
        return mask_row_key(value, self.key_columns, self.personal)

    def show(self, column: str, value: object) -> str | None:
        """A value of a column, masked when it is personal."""
        return self.show_key(value) if column == self.key else mask_value(value, self.personal.get(column))


def contract_naming(contract: TableContract) -> Naming:
    """Rows of a raw table are named by ``row_key``; its columns have the contract's personal-data classes."""
    return Naming("row_key", contract.key, {name: column.personal for name, column in contract.columns.items()})


def table_naming(table: Table) -> Naming:
    """Rows of a table that Python writes are named by the first column of its key; no column of it holds a name."""
    return Naming(table.key[0], (table.key[0],))


@dataclass(frozen=True)
class Example:
    """One failing row, masked."""

    row_key: str | None
    values: Mapping[str, str | None]


@dataclass(frozen=True)
class Result:
    """What one expectation found."""

    expectation: Expectation
    rows: int
    unexpected_count: int | None
    """None when the expectation could not be evaluated; ``problem`` says why."""
    is_success: bool
    problem: str | None = None
    first_day: date | None = None
    """First day on which failing rows stand."""
    last_day: date | None = None
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class SuiteResult:
    """What a suite found on the rows of one table."""

    rows: int
    results: tuple[Result, ...]
    """One per expectation, in the suite's order."""

    @property
    def failures(self) -> tuple[Result, ...]:
        """Expectations that do not hold or could not be evaluated."""
        return tuple(result for result in self.results if not result.is_success)

    @property
    def success(self) -> bool:
        """True when every expectation holds."""
        return not self.failures


def validate(
    connection: duckdb.DuckDBPyConnection, rows: Slice, suite: Sequence[Expectation], naming: Naming
) -> SuiteResult:
    """Run a suite on rows of the engine's own table.

    Args:
        connection: Connection to the engine.
        rows: What is looked at.
        suite: Expectations.
        naming: How failing rows are named and masked.

    Returns:
        Results whose examples are masked; an expectation that cannot be evaluated counts as failed.
    """
    counts = count(connection, rows, suite)
    judge = _judge()
    results = []
    for item, found in zip(suite, counts, strict=True):
        is_success = found.problem is None and judge(item, found)
        findings = None if is_success or found.problem else find_examples(connection, rows, item, naming.key)
        results.append(_result(item, found, is_success, findings, naming))
    return SuiteResult(counts[0].rows if counts else 0, tuple(results))


def _judge() -> Callable[[Expectation, Count], bool]:
    """Great Expectations' verdict on counts."""
    from great_expectations.expectations.registry import get_expectation_impl

    def judge(item: Expectation, found: Count) -> bool:
        # Its own class checks the arguments and applies its own rules, such as `mostly`.
        expectation: Any = get_expectation_impl(item.type)(**item.arguments)
        metrics = {
            "table.row_count": found.rows,
            "column_values.nonnull.unexpected_count": found.missing,
            f"{expectation.map_metric}.unexpected_count": found.unexpected,
            f"{expectation.map_metric}.filtered_row_count": found.rows - found.missing,
        }
        outcome = expectation._validate(metrics=metrics, runtime_configuration={"result_format": "BASIC"})
        return bool(outcome["success"])

    return judge


def _result(
    item: Expectation, found: Count, is_success: bool, findings: Findings | None, naming: Naming
) -> Result:
    # The key is named already; it is a value too only where nothing else is looked at.
    names = [name for name in item.columns if name != naming.key] or list(item.columns)
    examples = tuple(
        Example(naming.show_key(example.key), {name: naming.show(name, example.values[name]) for name in names})
        for example in (findings.examples if findings else ())
    )
    return Result(
        item, found.rows, found.unexpected, is_success, found.problem,
        findings.first_day if findings else None, findings.last_day if findings else None, examples,
    )
