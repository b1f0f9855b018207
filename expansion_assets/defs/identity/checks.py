"""The match rate of every source, judged by the thresholds of the catalogue."""

from datetime import timedelta

import dagster as dg

from expansion_assets.defs.partitions import DAYS, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.sources.match_rate import render_rates
from expansion_assets.store.identity import match_rates

MATCH_RATE = ["features", "match_rate_day"]


@dg.asset_check(
    asset=MATCH_RATE, partitions_def=DAYS,
    description="On the run's newest day every source reaches its accounts, by rows and by ARR, as identity.yml asks.",
)
def sources_reach_their_accounts(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """Below a threshold is a warning: what is blind is shown as blind, so no wrong row reaches a person."""
    day = days_of(context)[1] - timedelta(days=1)
    with warehouse.connect() as connection:
        rates = match_rates(connection, day)
    low = [rate.source_table for rate in rates if rate.faults]
    return dg.AssetCheckResult(
        passed=bool(rates) and not low, severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "day": str(day), "sources": len(rates), "too_low": ", ".join(low) or "none",
            "match_rates": dg.MetadataValue.md(render_rates(rates)),
            "unmatched_keys": "select * from intermediate.int_unmatched_keys order by row_count desc",
        },
    )


@dg.definitions
def identity_checks() -> dg.Definitions:
    """Match rates."""
    return dg.Definitions(asset_checks=[sources_reach_their_accounts])
