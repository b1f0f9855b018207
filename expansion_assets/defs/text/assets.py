"""Text tags: due texts only, each batch stored as it comes, so that a rerun goes on where a run stopped."""

from collections.abc import Iterator

import dagster as dg

from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.store.texts import read_due_texts
from expansion_assets.tables import BATCH_JOBS, READINGS, SPENDING, TAGS, USAGE
from expansion_assets.workspace import load_workspace

_TABLES = (READINGS, TAGS, USAGE, SPENDING, BATCH_JOBS)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["text", table.name], group_name="text", kinds={"python", "duckdb", "scikitlearn"},
            owners=["team:data-science"], description=table.description, deps=[["features", "texts"]],
        )
        for table in _TABLES
    ],
    name="text",
    partitions_def=DAYS,
    backfill_policy=SINGLE_RUN,
)
def text(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """Read the texts that are due in the run's days, with the tagger that the settings name."""
    from expansion_assets.tagging.tagger import choose_reader

    reader = choose_reader(load_workspace().settings)
    with warehouse.connect() as connection:
        report = read_due_texts(connection, reader, *days_of(context))
    for table in _TABLES:
        yield dg.MaterializeResult(asset_key=["text", table.name], metadata=report.as_metadata())
