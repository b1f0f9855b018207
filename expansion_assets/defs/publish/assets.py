"""Pages and Parquet for readers outside a run. A run over a range of days publishes the pages of its last day."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from expansion_assets.defs.partitions import days_of
from expansion_assets.defs.publish.page import DATED, is_demo, last_day, publish_page
from expansion_assets.defs.resources import Warehouse
from expansion_assets.scan.account import page_name
from expansion_assets.scan.publish import write_page
from expansion_assets.scan.rendering import render_account, render_digest, render_index, render_scan
from expansion_assets.store import accounts, pages
from expansion_assets.store.quality import quality_data, quarantine_data
from expansion_assets.store.readiness import readiness_data
from expansion_assets.store.warehouse import replace_window
from expansion_assets.tables import DELIVERY_LEDGER
from expansion_assets.workspace import load_workspace

_READINESS = [["readiness", name] for name in ("cards", "card_reviews", "coverage", "churn_risk")]


@dg.asset(
    key=["publish", "manager_scan"], deps=[*_READINESS, ["outcomes", "plan_fact_gap"], ["features", "review_events"]],
    kinds={"python", "html"}, **DATED,
)
def manager_scan(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Plan - fact - gap in six lines for the Head of CS: read in two minutes."""
    day = last_day(context)
    with warehouse.connect() as connection:
        data = pages.scan_data(connection, day, load_workspace().settings.time_zone)
    return publish_page("scan", render_scan(data, is_demo()), day)


@dg.asset(
    key=["publish", "weekly_digest"], deps=[*_READINESS, ["triggers", "evidence"]], kinds={"python", "html"}, **DATED
)
def weekly_digest(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """The list a CSM works: one row per account, with evidence, play, due date and gates."""
    day = last_day(context)
    with warehouse.connect() as connection:
        data = pages.digest_data(connection, day, load_workspace().settings.time_zone)
        rows = pages.ledger_rows(connection, day, datetime.now(UTC).replace(tzinfo=None))
        replace_window(connection, DELIVERY_LEDGER, rows, day, day + timedelta(days=1), "channel = 'site'")
    return publish_page("digest", render_digest(data, is_demo()), day)


@dg.asset(
    key=["publish", "index"],
    deps=[
        ["publish", name]
        for name in ("manager_scan", "weekly_digest", "accounts", "readiness", "quality", "quarantine")
    ],
    kinds={"python", "html"}, **DATED,
)
def index(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """The page that leads to the others, with what cannot be watched."""
    day = last_day(context)
    with warehouse.connect() as connection:
        scan = pages.scan_data(connection, day, load_workspace().settings.time_zone)
        digest = pages.digest_data(connection, day, load_workspace().settings.time_zone)
        quality = quality_data(connection, day)["totals"]
        quarantine = quarantine_data(connection, load_workspace(), day)["totals"]
        readiness = readiness_data(connection, day)["totals"]
    return publish_page("index", render_index(scan, digest, is_demo(), quality, quarantine, readiness), day)


@dg.asset(
    key=["publish", "accounts"],
    deps=[*_READINESS, ["triggers", "firing_events"], ["outcomes", "account_timeline"], ["outcomes", "timeline_links"]],
    kinds={"python", "html"}, **DATED,
)
def account_pages(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """One page per account: why each trigger fired or did not, what its score is made of, and its timeline."""
    day, settings = last_day(context), load_workspace().settings
    with warehouse.connect() as connection:
        pages_data = list(accounts.account_pages(connection, day, settings.time_zone))
    for data in pages_data:
        page = render_account(data, is_demo())
        write_page(page_name(data["account_id"]), page, settings.published_dir / day.isoformat())
    return dg.MaterializeResult(metadata={"pages": len(pages_data)})


@dg.asset(
    key=["publish", "tables"], deps=[name.split(".") for name in pages.EXPORTS], kinds={"python", "parquet"}, **DATED
)
def tables(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Marts as Parquet, one folder per day: nobody outside a run opens the warehouse under write."""
    with warehouse.connect() as connection:
        rows = pages.export_parquet(connection, load_workspace().settings.published_dir / "tables", *days_of(context))
    return dg.MaterializeResult(metadata={"rows": rows})


@dg.asset(key=["publish", "monthly_review"], deps=[["outcomes", "card_funnel"], ["triggers", "firing_events"]],
          kinds={"python", "markdown"}, **DATED)
def monthly_review(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """The pack for the monthly review of the triggers."""
    day = last_day(context)
    with warehouse.connect() as connection:
        text = pages.review_pack(connection, day)
    folder = load_workspace().settings.published_dir / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "monthly_review.md").write_text(text, encoding="utf-8")
    return dg.MaterializeResult(metadata={"preview": dg.MetadataValue.md(text)})
