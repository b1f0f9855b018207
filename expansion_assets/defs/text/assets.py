"""Text tags: new texts only, each batch stored as it comes, so that a rerun goes on where a run stopped."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import dagster as dg

from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.store.texts import BATCH_TEXTS, store_batch, unread_texts
from expansion_assets.tables import READINGS, TAGS
from expansion_assets.workspace import load_workspace


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["text", table.name], group_name="text", kinds={"python", "duckdb", "scikitlearn"},
            owners=["team:data-science"], description=table.description, deps=[["features", "texts"]],
        )
        for table in (READINGS, TAGS)
    ],
    name="text",
    partitions_def=DAYS,
    backfill_policy=SINGLE_RUN,
)
def text(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """Read the texts that became known in the run's days and were not read by this tagger yet."""
    from expansion_assets.tagging.tagger import choose_tagger  # scikit-learn: 1-2 s that other steps need not pay

    tagger = choose_tagger(load_workspace().settings.tagger)
    with warehouse.connect() as connection:
        unread = iter(unread_texts(connection, tagger.version, *days_of(context)))
        texts = tags = 0
        while batch := list(islice(unread, BATCH_TEXTS)):
            found = tagger.tag([item.text for item in batch])
            store_batch(connection, batch, found, tagger.version, datetime.now(UTC).replace(tzinfo=None))
            texts, tags = texts + len(batch), tags + len(found)
    metadata: dict[str, str | int] = {"tagger": tagger.version, "texts_read": texts, "tags": tags}
    for table in (READINGS, TAGS):
        yield dg.MaterializeResult(asset_key=["text", table.name], metadata=metadata)
