"""What the published pages share: their day, their files, the settings of their assets. No asset."""

from datetime import date, timedelta
from typing import Any

import dagster as dg

from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, days_of
from expansion_assets.scan.publish import publish
from expansion_assets.scan.rendering import Page
from expansion_assets.workspace import load_workspace

DATED: dict[str, Any] = {
    "group_name": "publish", "partitions_def": DAYS, "backfill_policy": SINGLE_RUN, "owners": ["team:cs-operations"]
}


def last_day(context: dg.AssetExecutionContext) -> date:
    """The day of the pages: the last of the run."""
    return days_of(context)[1] - timedelta(days=1)


def publish_page(name: str, page: Page, day: date) -> dg.MaterializeResult:
    """Write a page in its three forms; the result shows it in the Dagster UI."""
    files = publish({name: page}, load_workspace().settings.published_dir, day)
    html = dg.MetadataValue.path(files[f"{name}.html"])
    return dg.MaterializeResult(
        metadata={"preview": dg.MetadataValue.md(page.md), "html": html, "as_of": str(day)}
    )


def is_demo() -> bool:
    """Whether the pages show the demo world."""
    return load_workspace().settings.environment == "demo" and load_workspace().settings.mapping_file is None
