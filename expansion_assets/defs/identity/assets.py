"""Identity assets: spellings of addresses, domains and names, resolved between the raw tables and the dbt models."""

from collections.abc import Iterator

import dagster as dg

from expansion_assets.catalogue.identity import load_identity_rules
from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, window_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.settings import DEMO_PSEUDONYM_KEY
from expansion_assets.sources.identity import LIST_VERSION
from expansion_assets.sources.versions import create_raw_tables
from expansion_assets.store.identity import identifiers, write_identity
from expansion_assets.store.warehouse import create_tables
from expansion_assets.workspace import load_workspace

_IDENTIFIERS = identifiers(load_workspace().contracts)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            [item.table.schema, item.table.name], group_name="features", description=item.table.description,
            deps=[["raw", table] for table in sorted({table for table, _, _ in item.columns})],
            kinds={"python", "duckdb"},
            owners=["team:data-engineering"],
        )
        for item in _IDENTIFIERS
    ],
    name="identity", partitions_def=DAYS, backfill_policy=SINGLE_RUN,
)
def identity(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """What became known in the run's days, by the kept packages and the workspace's key."""
    workspace, window = load_workspace(), window_of(context)
    key = workspace.settings.person_key
    with warehouse.connect() as connection:
        create_raw_tables(connection, workspace.contracts)
        create_tables(connection)
        added = write_identity(
            connection, workspace.contracts, key, load_identity_rules(), window.known_from, window.known_before
        )
    metadata: dict[str, str | bool | int] = {"lists": LIST_VERSION, "is_public_key": key == DEMO_PSEUDONYM_KEY}
    for item in _IDENTIFIERS:
        metadata["new_spellings"] = added[item.table.full_name]
        yield dg.MaterializeResult(asset_key=[item.table.schema, item.table.name], metadata=dict(metadata))


@dg.definitions
def identity_tables() -> dg.Definitions:
    """Addresses, domains and names."""
    return dg.Definitions(assets=[identity])
