"""The one partitions definition: days of the workspace. All dated assets share it, so a year backfills in one run."""

from datetime import date, datetime, timedelta

import dagster as dg

from expansion_assets.sources.report import Window
from expansion_assets.workspace import load_workspace


def _days() -> dg.DailyPartitionsDefinition:
    workspace = load_workspace()
    last_day = workspace.mapping.last_day
    return dg.DailyPartitionsDefinition(
        start_date=datetime.combine(workspace.first_day, datetime.min.time()),
        end_date=datetime.combine(last_day + timedelta(days=1), datetime.min.time()) if last_day else None,
        timezone=workspace.settings.time_zone,
    )


DAYS = _days()
SINGLE_RUN = dg.BackfillPolicy.single_run()


def days_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> tuple[date, date]:
    """Days [start, end) of a run, from its tags: unpartitioned steps of a run share the days of the others.

    A run without a day (one view, materialised by hand) stands for the workspace's today.
    """
    tags = context.run.tags
    first = tags.get("dagster/asset_partition_range_start") or tags.get("dagster/partition")
    last = tags.get("dagster/asset_partition_range_end") or first
    if not first or not last:
        return load_workspace().today, load_workspace().today + timedelta(days=1)
    return date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)


def window_of(context: dg.AssetExecutionContext) -> Window:
    """Days of a run with the UTC instants between which their knowledge arrived."""
    return load_workspace().window(*days_of(context))
