"""Great Expectations suites as asset checks: one op for all raw tables, a blocking check each for tags, firings, cards.

Belongs here: the adapter from a suite result to an ``AssetCheckResult``. Does not belong here: an expectation.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import duckdb

from expansion_assets.defs.partitions import DAYS, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.expectations.counting import Slice
from expansion_assets.expectations.suites import contract_suite, table_suite
from expansion_assets.expectations.validation import Result, SuiteResult, contract_naming, table_naming, validate
from expansion_assets.scan.rendering import escape_markdown
from expansion_assets.sources.contracts import TableContract
from expansion_assets.store.quality import keep_results
from expansion_assets.tables import CARDS, FIRING_EVENTS, TAGS, Table
from expansion_assets.workspace import load_workspace

CHECK = "great_expectations"
_BOUNDS = {
    TAGS.full_name: {"probability": (0.0, 1.0)},
    FIRING_EVENTS.full_name: {"strength": (0.5, 1.0)},
    CARDS.full_name: {"score": (0.0, 10.0), "coverage_pct": (0.0, 100.0)},
}


def as_check_result(
    key: list[str], result: SuiteResult, days: tuple[date, date], *, is_blocking: bool = False
) -> dg.AssetCheckResult:
    """A suite's result as Dagster shows it; examples are masked already."""
    metadata: dict[str, str | int | dg.MetadataValue] = {
        "days": f"{days[0]} to {days[1] - timedelta(days=1)}",
        "rows": result.rows,
        "expectations": len(result.results),
    }
    if result.failures:
        lines = ["| expectation | rows | days | first rows |", "|---|---|---|---|"]
        lines += [_line(failure) for failure in result.failures]
        metadata["failures"] = dg.MetadataValue.md("\n".join(lines))
        metadata["unexpected_rows"] = sum(failure.unexpected_count or 0 for failure in result.failures)
    return dg.AssetCheckResult(
        asset_key=key, check_name=CHECK, passed=result.success, metadata=metadata,
        severity=dg.AssetCheckSeverity.ERROR if is_blocking else dg.AssetCheckSeverity.WARN,
    )


def _line(failure: Result) -> str:
    if failure.problem:
        return f"| {failure.expectation.label} | not evaluated | | {escape_markdown(failure.problem)} |"
    examples = "; ".join(
        f"{example.row_key}: " + ", ".join(f"{name} = {value}" for name, value in example.values.items())
        for example in failure.examples
    )
    days = f"{failure.first_day} to {failure.last_day}"
    return f"| {failure.expectation.label} | {failure.unexpected_count} | {days} | {escape_markdown(examples)} |"


def check_raw(connection: duckdb.DuckDBPyConnection, contract: TableContract, days: tuple[date, date]) -> SuiteResult:
    """Hold what a raw table learnt in the days [start, end) against its contract, and keep what was found."""
    window = load_workspace().window(*days)
    rows = Slice(f"raw.{contract.name}", "known_from", window.known_from, window.known_before)
    result = validate(connection, rows, contract_suite(contract), contract_naming(contract))
    keep_results(connection, rows.table, days, result)
    return result


@dg.multi_asset_check(
    name="raw_contracts",
    can_subset=True,  # without it no run of a few raw tables can be planned, as a backfill of the UI asks for
    specs=[
        dg.AssetCheckSpec(
            # Blocking at severity WARN holds nothing up: it only makes the pages wait for the results that they show.
            CHECK, asset=["raw", name], partitions_def=DAYS, blocking=True,
            description="What landed in the days of the run holds its contract; rows were judged before the write.",
        )
        for name in load_workspace().contracts
    ],
)
def raw_contracts(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
    """Every raw table of the run against the suite derived from its contract."""
    contracts = load_workspace().contracts
    days = days_of(context)
    for name in sorted(key.asset_key.path[-1] for key in context.selected_asset_check_keys):
        with warehouse.connect() as connection:
            result = check_raw(connection, contracts[name], days)
        yield as_check_result(["raw", name], result, days)


def table_check(table: Table) -> dg.AssetChecksDefinition:
    """A blocking check of a table that Python writes: a wrong row here would reach a person."""

    @dg.asset_check(
        asset=[table.schema, table.name], name=CHECK, blocking=True, partitions_def=DAYS,
        description=f"{table.full_name} holds its definition: keys, required columns, allowed values, bounds.",
    )
    def check(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
        days = days_of(context)
        rows = Slice(table.full_name, str(table.window_column), *days)
        with warehouse.connect() as connection:
            suite = table_suite(table, _BOUNDS.get(table.full_name))
            result = validate(connection, rows, suite, table_naming(table))
            keep_results(connection, table.full_name, days, result)
        return as_check_result([table.schema, table.name], result, days, is_blocking=True)

    return check


@dg.definitions
def table_checks() -> dg.Definitions:
    """Suites on raw landing, tags, firings and cards."""
    return dg.Definitions(asset_checks=[raw_contracts, *(table_check(table) for table in (TAGS, FIRING_EVENTS, CARDS))])
