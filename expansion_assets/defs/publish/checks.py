"""Checks across assets: what SQL of one model cannot say."""

import json
from datetime import timedelta

import dagster as dg

from expansion_assets.defs.partitions import DAYS, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.store.warehouse import fetch_rows
from expansion_assets.workspace import load_workspace


@dg.asset_check(
    asset=["publish", "manager_scan"], blocking=True, partitions_def=DAYS,
    description="Planned, done and gap of each line of the published scan equal outcomes.plan_fact_gap.",
)
def scan_totals_equal_the_marts(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """The page (Python) and the mart (SQL) count the same plays separately; they must agree."""
    day = days_of(context)[1] - timedelta(days=1)
    page = load_workspace().settings.published_dir / day.isoformat() / "scan.json"
    lines = json.loads(page.read_text())["lines"]
    published = {line["key"]: (line["planned"], line["done"], line["gap"]) for line in lines}
    with warehouse.connect() as connection:
        rows = fetch_rows(connection, "select * from outcomes.plan_fact_gap where as_of_date = $1", [day])
    counted = {row["line_key"]: (row["planned"], row["done"], row["gap"]) for row in rows}
    wrong = {
        key: {"page": published.get(key), "mart": values}
        for key, values in counted.items()
        if published.get(key) != values
    }
    return dg.AssetCheckResult(passed=bool(counted) and not wrong, metadata={"lines": len(counted), "different": wrong})


@dg.asset_check(
    asset=["raw", "product_usage"], partitions_def=DAYS,
    description="The newest day of the run has usage rows; a freshness policy does not look at partitions.",
)
def newest_day_has_rows(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """A day without any usage means that the export did not arrive."""
    start, end = days_of(context)
    with warehouse.connect() as connection:
        (row,) = fetch_rows(
            connection, "select count(*) as found from raw.product_usage where known_from >= $1 and known_from < $2",
            [end - timedelta(days=1), end],
        )
    return dg.AssetCheckResult(
        passed=row["found"] > 0, severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": row["found"], "first_day": str(start)},
    )


@dg.asset_check(
    asset=["text", "tags"], blocking=True, partitions_def=DAYS,
    description="Every quote that counts as found stands in its text at its offsets.",
)
def quotes_stand_in_their_texts(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """Proven a second time, by SQL, before a quote reaches a person."""
    start, end = days_of(context)
    with warehouse.connect() as connection:
        (row,) = fetch_rows(
            connection,
            """
            select count(*) as tags, count(*) filter (where is_quote_found) as proven,
                count(*) filter (
                    where is_quote_found
                        and substring(body, quote_start + 1, quote_end - quote_start) is distinct from quote
                ) as wrong
            from text.tags as tags inner join features.texts as texts using (text_id, content_hash)
            where tags.known_on >= $1 and tags.known_on < $2
            """,
            [start, end],
        )
    rate = row["proven"] / row["tags"] if row["tags"] else None
    metadata = {"tags": row["tags"], "wrong": row["wrong"]} | ({} if rate is None else {"quote_proof_rate": rate})
    return dg.AssetCheckResult(passed=row["wrong"] == 0, metadata=metadata)
