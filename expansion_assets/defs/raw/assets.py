"""Raw assets: one per contract, versioned in known time."""

from datetime import timedelta

import dagster as dg

from expansion_assets import clock
from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, window_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.privacy.suppression import read_suppression
from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.load import load_table
from expansion_assets.sources.postgres import refresh
from expansion_assets.sources.versions import create_raw_tables
from expansion_assets.workspace import load_workspace

# A daily job that has not run for a day and a half has missed a morning.
_JOB_FRESHNESS = timedelta(hours=36)


def raw_asset(contract: TableContract) -> dg.AssetsDefinition:
    """The asset of one raw table."""

    @dg.asset(
        key=["raw", contract.name],
        group_name="raw",
        partitions_def=DAYS,
        backfill_policy=SINGLE_RUN,
        kinds={"python", "duckdb", contract.format},
        owners=["team:data-engineering"],
        description=f"{contract.description} Grain: {contract.grain}. Source: {contract.source}.",
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=_JOB_FRESHNESS),
        metadata={"contract": f"expansion_assets/sources/contracts/{contract.source}.yml"},
    )
    def table(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
        workspace = load_workspace()
        mapping, landing_dir = workspace.mapping.tables.get(contract.name), workspace.settings.landing_dir
        problems = refresh(contract, mapping, landing_dir, time_zone=workspace.settings.time_zone)
        with warehouse.connect() as connection:
            create_raw_tables(connection, {contract.name: contract})
            report = load_table(
                connection, contract, mapping, landing_dir,
                window_of(context), clock.as_of_end(workspace.today, workspace.settings.time_zone),
                workspace.absent_reason(contract), problems, suppression=read_suppression(workspace.settings),
            )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.rows_loaded,
                "status": report.status,
                "rows_in": report.rows_in,
                "rows_quarantined": report.rows_quarantined,
                "rules": report.rules,
                "rows_gone": report.rows_gone,
                "rows_unchanged": report.rows_unchanged,
                "unmapped_columns": sorted(report.unmapped_columns),
                "messages": report.messages,
            }
        )

    return table


@dg.definitions
def raw_tables() -> dg.Definitions:
    """One asset per contract."""
    return dg.Definitions(assets=[raw_asset(contract) for contract in load_workspace().contracts.values()])
