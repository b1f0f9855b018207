"""The fleet check: events in, the same events out, some of them set aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from expansion_assets.triggers.base import FiringEvent, Window
from expansion_assets.triggers.fleet import customers_by_day, mark_fleet_events

DAY, NOON = date(2026, 3, 1), datetime(2026, 3, 1, 12)


def opened(account, sub_trigger="seats", **columns):
    event = FiringEvent(account, "USAGE_MILESTONE", sub_trigger, "seats", "opened", DAY, DAY, NOON, NOON, "1")
    return replace(event, **columns)


def crowd(size, **columns):
    return [opened(f"a{number}", **columns) for number in range(size)]


@pytest.mark.parametrize(
    ("size", "customers", "is_fleet"),
    [(4, 20, False), (5, 20, True), (5, 50, True), (5, 51, False), (6, 60, True), (5, None, True)],
)
def test_five_accounts_and_a_tenth_of_the_book(catalogue, size, customers, is_fleet):
    known = {} if customers is None else {DAY: customers}
    marked = mark_fleet_events(crowd(size), known, catalogue.common)
    assert [event.is_fleet_event for event in marked] == [is_fleet] * size


@pytest.mark.parametrize(
    "explained",
    [{"is_initial_state": True}, {"is_scheduled": True}, {"event_type": "suppressed"}, {"event_type": "closed"}],
)
def test_what_the_calendar_explains_neither_counts_nor_is_marked(catalogue, explained):
    events = [*crowd(4), opened("b", **explained)]
    assert not any(event.is_fleet_event for event in mark_fleet_events(events, {}, catalogue.common))
    marked = mark_fleet_events([*crowd(5), opened("b", **explained)], {}, catalogue.common)
    assert [event.is_fleet_event for event in marked] == [True] * 5 + [False]


@pytest.mark.parametrize("other", [{"sub_trigger": "quota"}, {"as_of_date": date(2026, 3, 2)}])
def test_each_sub_trigger_and_day_is_a_crowd_of_its_own(catalogue, other):
    events = [*crowd(4), opened("b", **other)]
    assert not any(event.is_fleet_event for event in mark_fleet_events(events, {}, catalogue.common))


def test_an_account_counts_once(catalogue):
    events = [opened("a", subject_key=f"meter {number}") for number in range(9)]
    assert not any(event.is_fleet_event for event in mark_fleet_events(events, {}, catalogue.common))


def test_only_customers_make_the_book(book, on):
    rows = [
        {"account_id": "a", "as_of_date": on(1)},
        {"account_id": "b", "as_of_date": on(1)},
        {"account_id": "c", "as_of_date": on(1), "account_status": "churned"},
        {"account_id": "a", "as_of_date": on(2)},
        {"account_id": "a", "as_of_date": on(3)},
    ]
    found = customers_by_day(book.frame("account_day", rows), Window(on(1), on(3)))
    assert found == {on(1): 2, on(2): 1}
