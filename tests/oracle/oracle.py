"""The oracle's front door: all events of the five triggers, with the fleet check.

Belongs here: running the trigger modules over one book and marking fleet events.
Does not belong here: any trigger's rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from .book import Book, Row
from .machine import Event
from .people import role_changes
from .rules import Rules
from .speech import Tags, adjacent_use, advanced_tickets
from .teams import cross_team
from .usage import usage_milestones


def firing_events(
    tables: Mapping[str, Iterable[Row]],
    tags: Iterable[Row],
    days: Sequence[date],
    zone: str = "UTC",
    rules: Rules | None = None,
) -> list[Event]:
    """Events that DOMAIN §4 gives for a book, day by day.

    Args:
        tables: Raw table name -> rows, one per version: contract columns, happened_at, known_from, known_to,
            version_no, row_key. A table that is missing is a source without rows.
        tags: Rows of text.tags, each with source_table and row_key of its text.
        days: As-of days, consecutive, oldest first, from the start of history.
        zone: Workspace time zone; timestamps are naive UTC.
        rules: Rule values; the catalogue's when not given.

    Returns:
        Events ordered by day, trigger, account and subject.
    """
    rules = rules or Rules()
    book, proven = Book(tables, zone), Tags(tags)
    ordinals = [day.toordinal() for day in days]
    events = [
        *usage_milestones(book, rules, ordinals),
        *role_changes(book, rules, ordinals),
        *cross_team(book, rules, ordinals),
        *advanced_tickets(book, rules, proven, ordinals),
        *adjacent_use(book, rules, proven, ordinals),
    ]
    marked = _mark_fleet(book, rules, events)
    return sorted(marked, key=lambda event: (event.as_of_date, *event[1:3], event.account_id, *event[3:5]))


def _mark_fleet(book: Book, rules: Rules, events: list[Event]) -> list[Event]:
    """Mark the crossings of a sub-trigger on a day on which much of the book crosses at once."""
    counted: dict[tuple[str, str, date], set[str]] = defaultdict(set)
    for event in events:
        if _is_counted(event):
            counted[event.trigger, event.sub_trigger, event.as_of_date].add(event.account_id)
    marked = []
    for event in events:
        if _is_counted(event):
            accounts = book.accounts_known(event.as_of_date.toordinal()).values()
            customers = sum(account["status"] == "customer" for account in accounts)
            threshold = max(rules.common["fleet_min_accounts"], rules.common["fleet_min_share"] * customers)
            fired = counted[event.trigger, event.sub_trigger, event.as_of_date]
            event = event._replace(is_fleet_event=len(fired) >= threshold)
        marked.append(event)
    return marked


def _is_counted(event: Event) -> bool:
    is_expected = event.is_initial_state or event.is_scheduled or event.reason == "grace_end"
    return event.event_type == "opened" and not is_expected
