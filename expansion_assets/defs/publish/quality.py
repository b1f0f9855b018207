"""Pages on the data itself: what expectations found, and what is in quarantine."""

import dagster as dg

from expansion_assets.defs.publish.page import DATED, is_demo, last_day, publish_page
from expansion_assets.defs.resources import Warehouse
from expansion_assets.scan.rendering import render_quality, render_quarantine
from expansion_assets.store.quality import quality_data, quarantine_data
from expansion_assets.tables import CARDS, FIRING_EVENTS, TAGS
from expansion_assets.workspace import load_workspace

_RAW = [["raw", name] for name in load_workspace().contracts]
# Their checks are blocking, so that the results of this run are there when the page is made.
_CHECKED = [*_RAW, *([table.schema, table.name] for table in (TAGS, FIRING_EVENTS, CARDS))]


@dg.asset(key=["publish", "quality"], deps=_CHECKED, kinds={"python", "html"}, **DATED)
def quality(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """What the contracts ask of the rows of the run, and which rows break it; for data engineers."""
    day = last_day(context)
    with warehouse.connect() as connection:
        data = quality_data(connection, day)
    return publish_page("quality", render_quality(data, is_demo()), day)


@dg.asset(key=["publish", "quarantine"], deps=_RAW, kinds={"python", "html"}, **DATED)
def quarantine(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Rows that were set aside, why, and what to do about them; files that did not arrive. Personal values masked."""
    day = last_day(context)
    with warehouse.connect() as connection:
        data = quarantine_data(connection, load_workspace(), day)
    return publish_page("quarantine", render_quarantine(data, is_demo()), day)
