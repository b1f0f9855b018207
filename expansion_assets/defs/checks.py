"""Great Expectations suites as asset checks: one op for all raw tables, a blocking check each for tags, firings, cards.

Belongs here: the adapter from a suite result to an ``AssetCheckResult``. Does not belong here: an expectation.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import duckdb
import pandas as pd

from expansion_assets.defs.partitions import DAYS, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.expectations.suites import Expectation, contract_suite, table_suite
from expansion_assets.expectations.validation import SuiteResult, validate
from expansion_assets.tables import CARDS, FIRING_EVENTS, TAGS, Table
from expansion_assets.workspace import load_workspace

CHECK = "great_expectations"
_BOUNDS = {
    TAGS.full_name: {"probability": (0.0, 1.0)},
    FIRING_EVENTS.full_name: {"strength": (0.5, 1.0)},
    CARDS.full_name: {"score": (0.0, 10.0), "coverage_pct": (0.0, 100.0)},
}


def as_check_result(
    key: list[str], result: SuiteResult | None, days: tuple[date, date], *, is_blocking: bool = False
) -> dg.AssetCheckResult:
    """A suite's result as Dagster shows it; None stands for a table without rows on these days."""
    failures = result.failures if result else ()
    metadata: dict[str, str | int | dg.MetadataValue] = {
        "days": f"{days[0]} to {days[1] - timedelta(days=1)}",
        "rows": result.rows if result else 0,
        "expectations": result.expectations if result else 0,
    }
    if failures:
        lines = ["| expectation | rows | first row keys |", "|---|---|---|"]
        lines += [f"| {f.expectation} | {f.unexpected_count} | {', '.join(f.row_keys)} |" for f in failures]
        metadata["failures"] = dg.MetadataValue.md("\n".join(lines))
    return dg.AssetCheckResult(
        asset_key=key, check_name=CHECK, passed=not failures, metadata=metadata,
        severity=dg.AssetCheckSeverity.ERROR if is_blocking else dg.AssetCheckSeverity.WARN,
    )


def _run(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, suite: list[Expectation], key: str,
    days: tuple[date, date],
) -> SuiteResult | None:
    query = f"select * from {table} where {column} >= $1 and {column} < $2"
    frame: pd.DataFrame = connection.execute(query, list(days)).df()
    return validate(frame, suite, key) if len(frame) else None


@dg.multi_asset_check(
    name="raw_contracts",
    can_subset=True,  # without it no run of a few raw tables can be planned, as a backfill of the UI asks for
    specs=[
        dg.AssetCheckSpec(
            CHECK, asset=["raw", name], partitions_def=DAYS,
            description="What landed holds its contract. The newest day of the run; rows were judged before the write.",
        )
        for name in load_workspace().contracts
    ],
)
def raw_contracts(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
    """Every raw table of the run against the suite derived from its contract."""
    contracts = load_workspace().contracts
    names = sorted(key.asset_key.path[-1] for key in context.selected_asset_check_keys)
    end = days_of(context)[1]
    newest = (end - timedelta(days=1), end)
    with warehouse.connect() as connection:
        results = {
            name: _run(connection, f"raw.{name}", "known_from", contract_suite(contracts[name]), "row_key", newest)
            for name in names
        }
    for name, result in results.items():
        yield as_check_result(["raw", name], result, newest)


def table_check(table: Table) -> dg.AssetChecksDefinition:
    """A blocking check of a table that Python writes: a wrong row here would reach a person."""

    @dg.asset_check(
        asset=[table.schema, table.name], name=CHECK, blocking=True, partitions_def=DAYS,
        description=f"{table.full_name} holds its definition: keys, required columns, allowed values, bounds.",
    )
    def check(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
        days = days_of(context)
        suite = table_suite(table, _BOUNDS.get(table.full_name))
        with warehouse.connect() as connection:
            result = _run(connection, table.full_name, str(table.window_column), suite, table.key[0], days)
        return as_check_result([table.schema, table.name], result, days, is_blocking=True)

    return check


@dg.definitions
def table_checks() -> dg.Definitions:
    """Suites on raw landing, tags, firings and cards."""
    return dg.Definitions(asset_checks=[raw_contracts, *(table_check(table) for table in (TAGS, FIRING_EVENTS, CARDS))])
