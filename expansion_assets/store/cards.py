"""What readiness and scan read from the warehouse, as rows.

Belongs here: the queries. Does not belong here: what the rows mean (``readiness``, ``scan``).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from expansion_assets.readiness.cards import People
from expansion_assets.store.warehouse import fetch_rows
from expansion_assets.tables import CARDS, EVIDENCE, FIRING_EVENTS, Table

Row = dict[str, Any]


def account_days(connection: duckdb.DuckDBPyConnection, start: date, end: date) -> list[Row]:
    """Frozen account features of days [start, end)."""
    return fetch_rows(
        connection,
        "select * from features.account_day where as_of_date >= $1 and as_of_date < $2 order by as_of_date, account_id",
        [start, end],
    )


def table_rows(connection: duckdb.DuckDBPyConnection, table: Table, start: date, end: date) -> list[Row]:
    """Rows of a table of ``tables.py`` whose window column lies in [start, end)."""
    column = table.window_column
    order = ", ".join(f'"{name}"' for name in table.key)
    query = f"select * from {table.full_name} where {column} >= $1 and {column} < $2 order by {order}"
    return fetch_rows(connection, query, [start, end])


def firing_events(connection: duckdb.DuckDBPyConnection, end: date) -> list[Row]:
    """All firing events before a day."""
    return table_rows(connection, FIRING_EVENTS, date.min, end)


def evidence(connection: duckdb.DuckDBPyConnection, end: date) -> list[Row]:
    """All evidence before a day."""
    return table_rows(connection, EVIDENCE, date.min, end)


def review_events(connection: duckdb.DuckDBPyConnection, end: date) -> list[Row]:
    """All play-log events known before a day."""
    return fetch_rows(
        connection, "select * from features.review_events where known_on < $1 order by known_at, event_id", [end]
    )


def held_meetings(connection: duckdb.DuckDBPyConnection, end: date) -> list[Row]:
    """Held external meetings known before a day."""
    return fetch_rows(
        connection,
        """
        select event_key, account_id, happened_at as held_at, known_at, known_on
        from features.timeline_events where kind = 'meeting_held' and known_on < $1 order by known_at, event_key
        """,
        [end],
    )


def people(connection: duckdb.DuckDBPyConnection, end: date) -> People:
    """Owners and absences with the day on which each version became known."""
    owners = fetch_rows(
        connection,
        "select owner_id, country, cast(known_from as date) as known_on from raw.crm_owners"
        " where cast(known_from as date) < $1 order by known_from, owner_id",
        [end],
    )
    absences = fetch_rows(
        connection,
        "select owner_id, from_on, to_on, cast(known_from as date) as known_on from raw.crm_owner_absences"
        " where known_to is null and cast(known_from as date) < $1 order by known_from, absence_id",
        [end],
    )
    return People(owners, absences)


def paused_cards(connection: duckdb.DuckDBPyConnection, start: date) -> list[Row]:
    """Days on which cards were held or snoozed before a window."""
    return fetch_rows(
        connection,
        f"select card_id, as_of_date, status from {CARDS.full_name}"
        " where status in ('held', 'snoozed') and as_of_date < $1 order by as_of_date, card_id",
        [start],
    )


def landing_status(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """What each load of each raw table found."""
    return fetch_rows(connection, "select * from raw.landing_status order by source_table, window_start")
