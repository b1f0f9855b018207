"""The churn-risk card and the flag of a seat cut."""

from __future__ import annotations

import pytest

from expansion_assets.catalogue.plays_loader import load_gates
from expansion_assets.readiness.churn_risk import build_churn_risk
from tests.unit.readiness.readiness_rows import DAY, START, account_day, firing_event

LEFT = firing_event(START - 10 * DAY, sub_trigger="champion_left", subject_key="p")


def risk(events=(), history=(), **values):
    days = [*history, account_day(START, **values)]
    rows = build_churn_risk(days, events, load_gates(), (START, START + DAY))
    return rows[0]["reasons"] if rows else None


def usage(level, days=90):
    return [account_day(START - n * DAY, usage_events_28d=level) for n in range(1, days + 1)]


@pytest.mark.parametrize(
    ("values", "is_risk"),
    [
        ({}, False),
        ({"health_band": "red"}, False),
        ({"health_band": "red", "open_escalations": 1}, False),
        ({"health_band": "red", "open_escalations": 2}, True),
        ({"health_band": "red", "invoice_days_late": 31}, True),
        ({"health_band": "red", "invoice_days_late": 30}, False),
        ({"last_nps_score": 3, "last_nps_on": START - 90 * DAY, "open_escalations": 2}, True),
        ({"last_nps_score": 3, "last_nps_on": START - 91 * DAY, "open_escalations": 2}, False),
    ],
)
def test_any_two_facts(values, is_risk):
    assert (risk(**values) is not None) is is_risk


@pytest.mark.parametrize(
    ("now", "days", "is_down"), [(700, 90, True), (701, 90, False), (700, 27, False), (700, 28, True)]
)
def test_usage_against_the_own_baseline(now, days, is_down):
    reasons = risk(history=usage(1000, days), usage_events_28d=now, health_band="red")
    assert (reasons is not None) is is_down


def test_the_baseline_forgets_what_is_older_than_ninety_days():
    old = [account_day(START - n * DAY, usage_events_28d=5000) for n in range(91, 200)]
    assert risk(history=[*old, *usage(1000)], usage_events_28d=800, health_band="red") is None


@pytest.mark.parametrize(
    ("events", "champions", "is_risk"),
    [
        ([LEFT], 0, True),
        ([LEFT], None, True),
        ([LEFT], 1, False),
        ([], 0, False),
        ([LEFT, firing_event(START - 2 * DAY, sub_trigger="new_executive", event_type="suppressed",
                             reason="same_episode")], 0, False),
        ([firing_event(START - 181 * DAY, sub_trigger="champion_left", subject_key="p")], 0, False),
        ([firing_event(START - 5 * DAY, sub_trigger="champion_left", event_type="suppressed",
                       reason="same_episode")], 0, False),
    ],
)
def test_a_champion_who_left_without_successor(events, champions, is_risk):
    assert (risk(events, champions=champions) is not None) is is_risk


@pytest.mark.parametrize(
    ("before", "age", "flagged"), [(120.0, 0, True), (120.0, 90, True), (120.0, 91, False), (90.0, 0, False)]
)
def test_a_seat_cut_raises_a_flag(before, age, flagged):
    reasons = risk(seats_before_change=before, seats_changed_on=START - age * DAY)
    assert (reasons is not None) is flagged
