"""What the pages are made of, and the Parquet that readers outside a run use."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from expansion_assets import clock
from expansion_assets.catalogue.plays_loader import load_plans, load_plays
from expansion_assets.readiness.coverage import coverage_by_trigger
from expansion_assets.scan.consent import hide_people
from expansion_assets.scan.digest import build_digest
from expansion_assets.scan.plan_fact_gap import Book, build_scan
from expansion_assets.store import cards
from expansion_assets.store.people import people_known
from expansion_assets.store.reading_costs import reading_summary
from expansion_assets.store.texts import unread_languages
from expansion_assets.store.warehouse import fetch_rows
from expansion_assets.tables import CARD_REVIEWS, CARDS, CHURN_RISK, COVERAGE

Row = dict[str, Any]
_ONE_DAY = timedelta(days=1)
# Marts that analysts and the pages' readers use outside a run, with their date column.
EXPORTS = {
    "features.account_day": "as_of_date",
    "triggers.firing_events": "as_of_date",
    "triggers.evidence": "as_of_date",
    "readiness.cards": "as_of_date",
    "readiness.coverage": "as_of_date",
    "readiness.diagnostic": "as_of_date",
    "readiness.fixes": "as_of_date",
    "outcomes.account_timeline": "known_on",
    "outcomes.card_funnel": "as_of_date",
    "outcomes.plan_fact_gap": "as_of_date",
}


def scan_data(connection: duckdb.DuckDBPyConnection, day: date, zone: str) -> Row:
    """Data of the manager's scan of a day.

    ``text_reading`` is there when a language model was asked, ``unread_languages`` when texts were left unread.
    """
    monday = clock.last_monday(day)
    first = monday - timedelta(days=14)
    reading = reading_summary(connection, day)
    unread = unread_languages(connection, day)
    told = ({"text_reading": reading} if reading else {}) | ({"unread_languages": unread} if unread else {})
    return told | build_scan(
        day,
        cards.table_rows(connection, CARDS, first, day + _ONE_DAY),
        cards.table_rows(connection, CARD_REVIEWS, date.min, day + _ONE_DAY),
        cards.review_events(connection, day + _ONE_DAY),
        cards.paused_cards(connection, day + _ONE_DAY),
        cards.table_rows(connection, CHURN_RISK, day, day + _ONE_DAY),
        _coverage(connection, day),
        _book(connection, day),
        load_plans(),
        zone,
    )


def digest_data(connection: duckdb.DuckDBPyConnection, day: date, zone: str = "UTC") -> Row:
    """Data of the digest of a day: one row per account."""
    todays = cards.table_rows(connection, CARDS, day, day + _ONE_DAY)
    return build_digest(
        day,
        todays,
        hide_people(cards.evidence(connection, day + _ONE_DAY), todays, people_known(connection, day, zone)),
        _coverage(connection, day),
        _book(connection, day),
        load_plays(),
    )


def _coverage(connection: duckdb.DuckDBPyConnection, day: date) -> list[Row]:
    return coverage_by_trigger(cards.table_rows(connection, COVERAGE, day, day + _ONE_DAY), day)


def _book(connection: duckdb.DuckDBPyConnection, day: date) -> Book:
    accounts = {row["account_id"]: row for row in cards.account_days(connection, day, day + _ONE_DAY)}
    return Book(accounts, owners_known(connection, day))


def owners_known(connection: duckdb.DuckDBPyConnection, day: date) -> dict[str, Row]:
    """Owners by id as known on a day: owner_id, name, country."""
    rows = fetch_rows(
        connection,
        "select owner_id, name, country from raw.crm_owners where cast(known_from as date) <= $1 order by known_from",
        [day],
    )
    return {row["owner_id"]: row for row in rows}


def ledger_rows(connection: duckdb.DuckDBPyConnection, day: date, published_at: datetime) -> list[Row]:
    """Deliveries through the published site: one row per conversation on the day's digest."""
    rows = cards.table_rows(connection, CARDS, day, day + _ONE_DAY)
    groups = sorted({row["card_group_id"] for row in rows if row["closed_on"] is None})
    return [
        {
            "card_group_id": group, "channel": "site", "as_of_date": day, "attempted_at": published_at,
            "delivered_at": published_at, "idempotency_key": f"site|{group}|{day}", "error": None,
        }
        for group in groups
    ]


def export_parquet(connection: duckdb.DuckDBPyConnection, folder: Path, start: date, end: date) -> dict[str, int]:
    """Write the days [start, end) of each exported mart as ``<folder>/<table>/<date column>=<day>/*.parquet``.

    Returns:
        Rows by table.
    """
    rows: dict[str, int] = {}
    for table, column in EXPORTS.items():
        target = folder / table
        target.mkdir(parents=True, exist_ok=True)
        written = connection.execute(
            f"""
            copy (select * from {table} where {column} >= date '{start}' and {column} < date '{end}')
            to '{target}' (format parquet, partition_by ({column}), overwrite_or_ignore true, filename_pattern 'rows')
            """
        ).fetchone()
        rows[table] = int(written[0]) if written else 0
    return rows


def review_pack(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    """The monthly review's pack in Markdown: firings and decisions of the 30 days up to a day, by rule."""
    rows = fetch_rows(
        connection,
        """
        with opened as (
            select firing_id, trigger, sub_trigger, is_fleet_event from triggers.firing_events
            where event_type = 'opened' and reason is distinct from 'fleet_released'
                and as_of_date > $1 - interval 30 day and as_of_date <= $1
        ),
        decided as (
            select cards.firing_id, max(funnel.decision) as decision, count(funnel.outcome_at) as outcomes
            from outcomes.card_funnel as funnel
            inner join readiness.cards as cards
                on funnel.card_id = cards.card_id and funnel.as_of_date = cards.as_of_date
            where funnel.as_of_date = $1
            group by cards.firing_id
        )
        select opened.trigger, opened.sub_trigger, count(*) as firings,
            count(*) filter (where opened.is_fleet_event) as set_aside,
            count(*) filter (where decided.decision = 'accepted') as accepted,
            count(*) filter (where decided.decision = 'rejected') as rejected,
            count(*) filter (where decided.decision = 'too_early') as too_early,
            count(*) filter (where decided.outcomes > 0) as outcomes
        from opened left join decided using (firing_id)
        group by opened.trigger, opened.sub_trigger
        order by opened.trigger, opened.sub_trigger
        """,
        [day],
    )
    names = ["trigger", "sub_trigger", "firings", "set_aside", "accepted", "rejected", "too_early", "outcomes"]
    lines = [f"# Trigger review, 30 days to {day}", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows]
    if not rows:
        lines.append("\nNo trigger fired in these 30 days.")
    return "\n".join(lines) + "\n"
