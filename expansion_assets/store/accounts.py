"""What the pages of accounts are made of: the whole book of a day, read once.

Belongs here: the queries and their split by account. Does not belong here: what a page says (``scan/account``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import duckdb

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.scan.account import build_account
from expansion_assets.scan.consent import hide_in_timeline, person_names
from expansion_assets.store import cards
from expansion_assets.store.explain import book_explanations
from expansion_assets.store.pages import digest_data, owners_known
from expansion_assets.store.people import people_known
from expansion_assets.store.warehouse import fetch_rows
from expansion_assets.tables import COVERAGE, SCORE_PARTS, SCORES

Row = dict[str, Any]
TIMELINE_DAYS = 400
"""How far back a page's timeline reaches: a year and the month before."""


def account_pages(connection: duckdb.DuckDBPyConnection, day: date, zone: str = "UTC") -> Iterator[Row]:
    """Data of the page of every account known on a day, by id."""
    end = day + timedelta(days=1)
    accounts = cards.account_days(connection, day, end)
    digest = digest_data(connection, day, zone)
    digest_rows = {row["account_id"]: row for csm in digest["csms"] for row in csm["rows"]}
    scores = _by_account(cards.table_rows(connection, SCORES, day, end))
    parts = _by_account(cards.table_rows(connection, SCORE_PARTS, day, end))
    blind = _by_account(row for row in cards.table_rows(connection, COVERAGE, day, end) if not row["is_watchable"])
    people = people_known(connection, day, zone)
    timeline = _by_account(hide_in_timeline(_timeline(connection, day), people))
    links = _by_account(_links(connection, day))
    owners = owners_known(connection, day)
    persons = person_names(people)
    explanations = book_explanations(connection, [row["account_id"] for row in accounts], day)
    for account in accounts:
        key = account["account_id"]
        yield build_account(
            day, account, owners.get(account["owner_id"], {}).get("name"), digest_rows.get(key),
            next(iter(scores[key]), None), parts[key], explanations[key],
            {row["trigger"]: row["reason"] or "a source is missing" for row in blind[key]},
            timeline[key], links[key], persons, load_catalogue().signals,
        )


def _by_account(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["account_id"]].append(row)
    return found


def _timeline(connection: duckdb.DuckDBPyConnection, day: date) -> list[Row]:
    return fetch_rows(
        connection,
        """
        select timeline.*, events.sub_trigger, events.subject_key, events.reason
        from outcomes.account_timeline as timeline
        left join triggers.firing_events as events on timeline.event_key = events.event_id
        where timeline.known_on <= $1 and timeline.known_on > $2
        """,
        [day, day - timedelta(days=TIMELINE_DAYS)],
    )


def _links(connection: duckdb.DuckDBPyConnection, day: date) -> list[Row]:
    return fetch_rows(
        connection,
        """
        select distinct events.account_id, links.firing_id, links.event_key, links.link
        from outcomes.timeline_links as links
        inner join triggers.firing_events as events on links.firing_id = events.firing_id
        where links.known_on <= $1
        """,
        [day],
    )
