"""Detectors as assets: one per trigger, then one event log for all of them."""

from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.store.firings import (
    detections_of,
    fired_rows,
    firing_rows,
    read_inputs,
    read_reviews,
    states_before,
    supporting_rows,
)
from expansion_assets.store.warehouse import replace_window
from expansion_assets.tables import DETECTIONS, EVIDENCE, FIRING_EVENTS, SUPPORTING
from expansion_assets.triggers.base import Window
from expansion_assets.triggers.registry import DETECTORS, Detector
from expansion_assets.workspace import load_workspace

_NEEDS = {
    "USAGE_MILESTONE": [["features", "account_day"], ["features", "quota_day"]],
    "ROLE_CHANGE": [["features", "account_day"], ["features", "contact_moves"]],
    "CROSS_TEAM": [["features", "account_day"], ["features", "group_day"]],
    "ADVANCED_TICKETS": [["features", "account_day"], ["features", "texts"], ["text", "tags"]],
    "ADJACENT_USE": [["features", "account_day"], ["features", "texts"], ["text", "tags"]],
}


def detector_asset(detector: Detector) -> dg.AssetsDefinition:
    """The asset of one trigger."""
    definition = load_catalogue().signals.triggers[detector.trigger].definition

    @dg.asset(
        key=["triggers", detector.trigger.lower()], group_name="triggers", deps=_NEEDS[detector.trigger],
        partitions_def=DAYS, backfill_policy=SINGLE_RUN, kinds={"python", "duckdb"}, owners=["team:cs-operations"],
        description=f"{definition} Writes triggers.detections and triggers.evidence.",
    )
    def detections(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
        catalogue, window = load_catalogue(), Window(*days_of(context))
        with warehouse.connect() as connection:
            inputs = read_inputs(connection, window, detector.lookback_days(catalogue))
            found = detector.detect(inputs, window, catalogue)
            only_ours = f"trigger = '{detector.trigger}'"
            evidence = [{**asdict(line), "trigger": detector.trigger} for line in found.evidence]
            replace_window(connection, DETECTIONS, fired_rows(found), window.start, window.end, only_ours)
            replace_window(connection, EVIDENCE, evidence, window.start, window.end, only_ours)
        counts: dict[str, int] = {}
        for event in found.events:
            key = f"{event.sub_trigger}.{event.event_type}"
            counts[key] = counts.get(key, 0) + 1
        return dg.MaterializeResult(metadata={"dagster/row_count": len(found.events), "events": counts})

    return detections


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["triggers", table.name], group_name="triggers", kinds={"python", "duckdb"}, owners=["team:cs-operations"],
            description=table.description,
            deps=[*(["triggers", detector.trigger.lower()] for detector in DETECTORS), ["features", "review_events"],
                  ["features", "account_day"]],
        )
        for table in (FIRING_EVENTS, EVIDENCE)
    ],
    name="firings", partitions_def=DAYS, backfill_policy=SINGLE_RUN,
)
def firings(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """The event log: fleet check, closings by decision, returns for review."""
    catalogue, window = load_catalogue(), Window(*days_of(context))
    with warehouse.connect() as connection:
        rows = firing_rows(
            detections_of(connection, window), states_before(connection, window), read_reviews(connection, window),
            read_inputs(connection, window, 0).account_day, window, catalogue,
            is_restated=load_workspace().settings.restated,
        )
        replace_window(connection, FIRING_EVENTS, rows, window.start, window.end)
    opened = [row for row in rows if row["event_type"] == "opened"]
    fleet = sum(row["is_fleet_event"] for row in opened)
    metadata = {"dagster/row_count": len(rows), "opened": len(opened), "fleet": fleet}
    yield dg.MaterializeResult(asset_key=["triggers", "firing_events"], metadata=metadata)
    yield dg.MaterializeResult(asset_key=["triggers", "evidence"])


@dg.asset(
    key=["triggers", "supporting_signals"], group_name="triggers", deps=[["features", "account_day"]],
    partitions_def=DAYS, backfill_policy=SINGLE_RUN, kinds={"python", "duckdb"}, owners=["team:cs-operations"],
)
def supporting_signals(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Supporting signals at or over their threshold, by account and day."""
    window = Window(*days_of(context))
    with warehouse.connect() as connection:
        rows = supporting_rows(connection, window, load_catalogue())
        written = replace_window(connection, SUPPORTING, rows, window.start, window.end)
    return dg.MaterializeResult(metadata={"dagster/row_count": written})


@dg.definitions
def detectors() -> dg.Definitions:
    """One asset per trigger, and the event log."""
    return dg.Definitions(assets=[*(detector_asset(detector) for detector in DETECTORS), firings, supporting_signals])
