"""The fleet check: when much of the book fires at once, the cause is ours, not theirs.

Belongs here: which openings count and when they are set aside. Does not belong here: their release (a
person's decision).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import narwhals as nw

from expansion_assets.catalogue.loader import Common
from expansion_assets.triggers.base import FiringEvent, Window, rows_of


def customers_by_day(account_day: nw.LazyFrame[Any], window: Window) -> dict[date, int]:
    """Accounts with status customer known on each day of the window."""
    counted = (
        account_day.filter(window.holds(), nw.col("account_status") == "customer")
        .group_by("as_of_date")
        .agg(customers=nw.len())
    )
    return {row["as_of_date"]: row["customers"] for row in rows_of(counted)}


def mark_fleet_events(
    events: Iterable[FiringEvent], customers: Mapping[date, int], common: Common
) -> tuple[FiringEvent, ...]:
    """Mark the openings of a sub-trigger on a day on which at least max(5 accounts, 10 %) of the book open.

    Ends of grace, initial states and ends of billing periods neither count nor are marked: the calendar explains them.

    Args:
        events: All events of the window.
        customers: Customers by day (``customers_by_day``).
        common: ``fleet_min_accounts`` and ``fleet_min_share``.

    Returns:
        The events in the same order.
    """
    events = tuple(events)
    accounts: dict[tuple[str, str, date], set[str]] = defaultdict(set)
    for event in events:
        if _counts(event):
            accounts[_crowd(event)].add(event.account_id)

    def is_fleet(event: FiringEvent) -> bool:
        fewest = max(common.fleet_min_accounts, common.fleet_min_share * customers.get(event.as_of_date, 0))
        return _counts(event) and len(accounts[_crowd(event)]) >= fewest

    return tuple(replace(event, is_fleet_event=True) if is_fleet(event) else event for event in events)


def _counts(event: FiringEvent) -> bool:
    return event.event_type == "opened" and not event.is_initial_state and not event.is_scheduled


def _crowd(event: FiringEvent) -> tuple[str, str, date]:
    return (event.trigger, event.sub_trigger, event.as_of_date)
