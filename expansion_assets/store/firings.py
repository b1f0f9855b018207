"""The firing log's warehouse side: frames for the detectors, states before a window, rows of the event log.

Belongs here: SQL that feeds the detectors and the rows that come back. Does not belong here: a rule (``triggers``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import date, timedelta
from typing import Any

import duckdb
import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.store.warehouse import fetch_rows
from expansion_assets.triggers.base import Detection, FiringEvent, Inputs, PriorFiring, Window, rows_of
from expansion_assets.triggers.fleet import customers_by_day, mark_fleet_events
from expansion_assets.triggers.lifecycle import (
    ReviewEvent,
    firing_states,
    lifecycle_events,
    link_reviews,
    releases,
    without_decided,
)
from expansion_assets.triggers.restatement import Opening
from expansion_assets.triggers.supporting import supporting_signals

Row = dict[str, Any]
_EVENT_FIELDS = [item.name for item in fields(FiringEvent) if item.init]


def read_inputs(connection: duckdb.DuckDBPyConnection, window: Window, lookback_days: int) -> Inputs:
    """Lazy frames of the window and its look-back; nothing is read before a detector collects.

    Args:
        connection: Warehouse connection, open for as long as the frames are used.
        window: Days to compute.
        lookback_days: Days before the window that the detector reads.
    """
    first = window.start - timedelta(days=lookback_days)

    def by_day(name: str, column: str) -> nw.LazyFrame[Any]:
        query = f"select * from features.{name} where {column} >= date '{first}' and {column} < date '{window.end}'"
        return nw.from_native(connection.sql(query))

    withdrawals = f"select * from features.withdrawals where withdrawn_on < date '{window.end}'"
    # A contact may be told of several times: only the change of that time is taken back.
    moves = f"""
        select moves.*, withdrawn.withdrawn_on
        from features.contact_moves as moves
        left join lateral (
            select min(withdrawals.withdrawn_on) as withdrawn_on from ({withdrawals}) as withdrawals
            where withdrawals.source_table = moves.source_table and withdrawals.row_key = moves.row_key
                and coalesce(withdrawals.happened_at = moves.happened_at, true)
                and withdrawals.withdrawn_on >= moves.known_on
        ) as withdrawn on true
        where moves.known_on >= date '{first}' and moves.known_on < date '{window.end}'
    """
    # A corrected text takes back only the quotes that it no longer holds.
    # One tagger version: the one that read last, so that a new model replaces the old and never adds to it. What is in
    # its queue or failed was not read by it.
    tags = f"""
        with withdrawn as (
            select withdrawals.source_table || ':' || withdrawals.row_key as text_id, withdrawals.withdrawn_on,
                versions.body
            from ({withdrawals}) as withdrawals
            left join intermediate.int_text_versions as versions
                on withdrawals.reason = 'corrected' and versions.source_table = withdrawals.source_table
                and versions.row_key = withdrawals.row_key and versions.version_no = withdrawals.version_no + 1
        )
        select tags.*,
            (
                select min(withdrawn.withdrawn_on) from withdrawn
                where withdrawn.text_id = tags.text_id and not coalesce(contains(withdrawn.body, tags.quote), false)
            ) as withdrawn_on
        from text.tags
        semi join (
            select text_id, content_hash, max_by(tagger_version, read_at) as tagger_version
            from text.readings where coalesce(status, 'read') in ('read', 'spared') group by text_id, content_hash
        ) as latest using (text_id, content_hash, tagger_version)
        where not coalesce(is_unsure, false) and known_on >= date '{first}' and known_on < date '{window.end}'
    """
    return Inputs(
        account_day=by_day("account_day", "as_of_date"),
        quota_day=by_day("quota_day", "as_of_date"),
        group_day=by_day("group_day", "as_of_date"),
        contact_moves=nw.from_native(connection.sql(moves)),
        texts=by_day("texts", "known_on"),
        tags=nw.from_native(connection.sql(tags)),
        prior=states_before(connection, window),
    )


def states_before(connection: duckdb.DuckDBPyConnection, window: Window) -> tuple[PriorFiring, ...]:
    """State of every firing as the event log knew it before the window."""
    return firing_states(_events(connection, "triggers.firing_events", date.min, window.start))


def detections_of(connection: duckdb.DuckDBPyConnection, window: Window) -> list[FiringEvent]:
    """What the detectors found in the window."""
    return _events(connection, "triggers.detections", window.start, window.end)


def _events(connection: duckdb.DuckDBPyConnection, table: str, start: date, end: date) -> list[FiringEvent]:
    opened_on = "opened_on" if table == "triggers.detections" else (
        "min(as_of_date) filter (where event_type in ('opened', 'suppressed')) over (partition by firing_id)"
        " as opened_on"
    )
    rows = fetch_rows(
        connection,
        f"""
        select * from (select * {'' if opened_on == 'opened_on' else ', ' + opened_on} from {table})
        where as_of_date >= $1 and as_of_date < $2
        order by as_of_date, event_id
        """,
        [start, end],
    )
    return [FiringEvent(**{name: row[name] for name in _EVENT_FIELDS if name in row}) for row in rows]


def account_logs(connection: duckdb.DuckDBPyConnection, window: Window) -> dict[str, list[FiringEvent]]:
    """What the event log holds before the window's end by account, oldest first."""
    logs: dict[str, list[FiringEvent]] = defaultdict(list)
    for event in _events(connection, "triggers.firing_events", date.min, window.end):
        logs[event.account_id].append(event)
    return logs


def openings(connection: duckdb.DuckDBPyConnection, window: Window) -> list[Opening]:
    """Firings that opened in the window."""
    events = _events(connection, "triggers.firing_events", window.start, window.end)
    return [
        Opening(event.account_id, event.trigger, event.sub_trigger, event.subject_key, event.opened_on)
        for event in events
        if event.event_type == "opened"
    ]


def fired_rows(detection: Detection) -> list[Row]:
    """Rows of ``triggers.detections``."""
    return [asdict(event) for event in detection.events]


def read_reviews(connection: duckdb.DuckDBPyConnection, window: Window) -> list[ReviewEvent]:
    """Decisions and outcomes known before the window's end."""
    rows = fetch_rows(
        connection,
        """
        select event_id, card_id, account_id, trigger, event_type, known_at, known_on, until
        from features.review_events
        where known_on < $1 and (account_id is not null or event_type = 'fleet_released')
        order by known_at, event_id
        """,
        [window.end],
    )
    return [ReviewEvent(**row) for row in rows]


def firing_rows(
    detections: Iterable[FiringEvent], prior: tuple[PriorFiring, ...], reviews: list[ReviewEvent],
    account_day: nw.LazyFrame[Any], window: Window, catalogue: Catalogue, *, is_restated: bool = False,
) -> list[Row]:
    """Rows of ``triggers.firing_events`` for a window: detections after the fleet check, then the lifecycle.

    ``is_restated`` marks every row as computed with later knowledge.
    """
    detected = mark_fleet_events(detections, customers_by_day(account_day, window), catalogue.common)
    linked = link_reviews(reviews, firing_states(detected, prior), catalogue)
    events = without_decided(detected, linked)
    states = firing_states(events, prior)
    log = (
        *events,
        *releases(states, reviews, window, catalogue),
        *lifecycle_events(states, linked, window, catalogue),
    )
    return [{**asdict(event), "is_restated": is_restated} for event in log]


def supporting_rows(connection: duckdb.DuckDBPyConnection, window: Window, catalogue: Catalogue) -> list[Row]:
    """Rows of ``triggers.supporting_signals`` for a window."""
    return rows_of(supporting_signals(read_inputs(connection, window, 0).account_day, window, catalogue))
