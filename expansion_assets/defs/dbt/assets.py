"""dbt models as assets: features before the texts are read, outcomes after the cards are made."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets

from expansion_assets.defs.dbt.in_process import build
from expansion_assets.defs.identity.checks import MATCH_RATE
from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.project import ensure_manifest
from expansion_assets.sources.match_rate import render_rates
from expansion_assets.sources.versions import create_raw_tables
from expansion_assets.store.control import write_control
from expansion_assets.store.identity import match_rates
from expansion_assets.store.warehouse import create_tables
from expansion_assets.workspace import load_workspace

MANIFEST = json.loads(ensure_manifest(load_workspace().settings).read_text(encoding="utf-8"))


class LayerTranslator(DagsterDbtTranslator):
    """Group = layer of the flow; staging and intermediate models belong to the features they feed."""

    def get_asset_spec(self, manifest: Any, unique_id: str, project: Any) -> dg.AssetSpec:
        """The default spec with group, owner and kinds of this project."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        if node["resource_type"] != "model":
            return spec
        layer = "outcomes" if "outcomes" in node["fqn"] else "features"
        return spec.replace_attributes(group_name=layer, owners=["team:analytics"])


def _run(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    workspace = load_workspace()
    with warehouse.connect() as connection:
        create_raw_tables(connection, workspace.contracts)
        create_tables(connection)
        write_control(connection, workspace, *days_of(context))
    warehouse.release()
    yield from build(context, workspace.settings, MANIFEST)


def _with_match_rates(context: dg.AssetExecutionContext, warehouse: Warehouse, event: Any) -> Any:
    """The output of the match-rate mart with the rates of the newest day as its metadata; anything else as it is."""
    if not isinstance(event, dg.Output) or event.output_name != "__".join(MATCH_RATE):
        return event
    with warehouse.connect() as connection:
        rates = match_rates(connection, days_of(context)[1] - timedelta(days=1))
    return event.with_metadata({**event.metadata, "match_rates": dg.MetadataValue.md(render_rates(rates))})


# Views and window-sized tables hold no days of their own, so they are not partitioned: only marts are. It also spares
# 60 events for each day of a backfill.
@dbt_assets(
    manifest=MANIFEST, select="fqn:expansion.staging fqn:expansion.intermediate", name="preparation",
    dagster_dbt_translator=LayerTranslator(),
)
def preparation(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Staging views and intermediate tables for the days of the run."""
    yield from _run(context, warehouse)


@dbt_assets(
    manifest=MANIFEST, select="fqn:expansion.marts.features", name="features", partitions_def=DAYS,
    backfill_policy=SINGLE_RUN, dagster_dbt_translator=LayerTranslator(),
)
def features(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Feature marts at account x day, timeline and texts."""
    for event in _run(context, warehouse):
        yield _with_match_rates(context, warehouse, event)


@dbt_assets(
    manifest=MANIFEST, select="fqn:expansion.marts.outcomes", name="outcomes", partitions_def=DAYS,
    backfill_policy=SINGLE_RUN, dagster_dbt_translator=LayerTranslator(),
)
def outcomes(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Funnel and plan - fact - gap."""
    yield from _run(context, warehouse)
