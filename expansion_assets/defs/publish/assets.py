"""Pages and Parquet for readers outside a run. A run over a range of days publishes the pages of its last day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.scan.publish import publish
from expansion_assets.scan.rendering import Page, render_digest, render_index, render_scan
from expansion_assets.store import pages
from expansion_assets.store.warehouse import replace_window
from expansion_assets.tables import DELIVERY_LEDGER
from expansion_assets.workspace import load_workspace

_OWNERS = ["team:cs-operations"]
_READINESS = [["readiness", name] for name in ("cards", "card_reviews", "coverage", "churn_risk")]
_DATED: dict[str, Any] = {
    "group_name": "publish", "partitions_def": DAYS, "backfill_policy": SINGLE_RUN, "owners": _OWNERS
}


def _last_day(context: dg.AssetExecutionContext) -> date:
    return days_of(context)[1] - timedelta(days=1)


def _publish(name: str, page: Page, day: date) -> dg.MaterializeResult:
    files = publish({name: page}, load_workspace().settings.published_dir, day)
    html = dg.MetadataValue.path(files[f"{name}.html"])
    return dg.MaterializeResult(
        metadata={"preview": dg.MetadataValue.md(page.md), "html": html, "as_of": str(day)}
    )


def _is_demo() -> bool:
    return load_workspace().settings.environment == "demo" and load_workspace().settings.mapping_file is None


@dg.asset(
    key=["publish", "manager_scan"], deps=[*_READINESS, ["outcomes", "plan_fact_gap"], ["features", "review_events"]],
    kinds={"python", "html"}, **_DATED,
)
def manager_scan(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Plan - fact - gap in six lines for the Head of CS: read in two minutes."""
    day = _last_day(context)
    with warehouse.connect() as connection:
        data = pages.scan_data(connection, day, load_workspace().settings.time_zone)
    return _publish("scan", render_scan(data, _is_demo()), day)


@dg.asset(
    key=["publish", "weekly_digest"], deps=[*_READINESS, ["triggers", "evidence"]], kinds={"python", "html"}, **_DATED
)
def weekly_digest(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """The list a CSM works: one row per account, with evidence, play, due date and gates."""
    day = _last_day(context)
    with warehouse.connect() as connection:
        data = pages.digest_data(connection, day)
        rows = pages.ledger_rows(connection, day, datetime.now(UTC).replace(tzinfo=None))
        replace_window(connection, DELIVERY_LEDGER, rows, day, day + timedelta(days=1), "channel = 'site'")
    return _publish("digest", render_digest(data, _is_demo()), day)


@dg.asset(
    key=["publish", "index"], deps=[["publish", "manager_scan"], ["publish", "weekly_digest"]],
    kinds={"python", "html"}, **_DATED,
)
def index(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """The page that leads to scan and digest, with what cannot be watched."""
    day = _last_day(context)
    with warehouse.connect() as connection:
        scan = pages.scan_data(connection, day, load_workspace().settings.time_zone)
        digest = pages.digest_data(connection, day)
    return _publish("index", render_index(scan, digest, _is_demo()), day)


@dg.asset(
    key=["publish", "tables"], deps=[name.split(".") for name in pages.EXPORTS], kinds={"python", "parquet"}, **_DATED
)
def tables(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Marts as Parquet, one folder per day: nobody outside a run opens the warehouse under write."""
    with warehouse.connect() as connection:
        rows = pages.export_parquet(connection, load_workspace().settings.published_dir / "tables", *days_of(context))
    return dg.MaterializeResult(metadata={"rows": rows})


@dg.asset(key=["publish", "monthly_review"], deps=[["outcomes", "card_funnel"], ["triggers", "firing_events"]],
          kinds={"python", "markdown"}, **_DATED)
def monthly_review(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """The pack for the monthly review of the triggers."""
    day = _last_day(context)
    with warehouse.connect() as connection:
        text = pages.review_pack(connection, day)
    folder = load_workspace().settings.published_dir / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "monthly_review.md").write_text(text, encoding="utf-8")
    return dg.MaterializeResult(metadata={"preview": dg.MetadataValue.md(text)})
