"""The page on what can be watched."""

import dagster as dg

from expansion_assets.defs.publish.page import DATED, is_demo, last_day, publish_page
from expansion_assets.defs.resources import Warehouse
from expansion_assets.scan.rendering import render_readiness
from expansion_assets.store.readiness import readiness_data


@dg.asset(
    key=["publish", "readiness"], deps=[["readiness", "diagnostic"], ["readiness", "fixes"]], kinds={"python", "html"},
    **DATED,
)
def readiness(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """What each trigger sees through each source, and which fix would cover the most ARR; for RevOps and engineers."""
    day = last_day(context)
    with warehouse.connect() as connection:
        data = readiness_data(connection, day)
    return publish_page("readiness", render_readiness(data, is_demo()), day)
