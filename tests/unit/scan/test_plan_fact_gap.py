"""Promises, lines and escalations."""

from __future__ import annotations

from datetime import datetime

import pytest

from expansion_assets.catalogue.plays_loader import load_plans
from expansion_assets.review.state import CardState
from expansion_assets.scan.plan_fact_gap import Book, Promise, build_scan, escalations, promise
from tests.unit.readiness.readiness_rows import DAY, START, review_event

PLANS = load_plans()
CAPACITY, OUTCOMES = PLANS.lines["capacity_conversations"], PLANS.lines["outcomes_logged"]
DUE = START + 7 * DAY
AT = datetime(2026, 3, 2)
NOBODY = Book({}, {})


def card(**values):
    row = {"due_on": DUE, "conversation_held_on": None, "decided_on": None, "status": "open", "closed_on": None,
           "outcome_due_on": None, "detected_on": START}
    return row | values


@pytest.mark.parametrize(
    ("values", "state", "expected"),
    [
        ({}, {}, Promise(DUE, True, False, False)),
        ({"conversation_held_on": DUE}, {"conversation_held_at": AT}, Promise(DUE, True, True, True)),
        ({"conversation_held_on": DUE + DAY}, {"conversation_held_at": AT}, Promise(DUE, True, True, False)),
        ({"due_on": None, "status": "held"}, {}, Promise(None, False, False, False)),
        ({"decided_on": DUE, "status": "rejected"}, {"decision": "rejected"}, Promise(DUE, False, False, False)),
        ({"decided_on": DUE + DAY, "status": "rejected"}, {"decision": "rejected"}, Promise(DUE, True, False, False)),
        ({"closed_on": DUE, "status": "closed"}, {}, Promise(DUE, False, False, False)),
        ({"closed_on": DUE + DAY, "status": "closed"}, {}, Promise(DUE, True, False, False)),
        ({"closed_on": START, "status": "closed", "conversation_held_on": START}, {}, Promise(DUE, True, True, True)),
    ],
)
def test_what_a_card_owes_a_line_of_conversations(values, state, expected):
    assert promise(card(**values), CardState(**state), CAPACITY) == expected


@pytest.mark.parametrize(
    ("values", "state", "expected"),
    [
        ({}, {}, Promise(None, False, False, False)),
        ({"outcome_due_on": DUE}, {}, Promise(DUE, True, False, False)),
        ({"outcome_due_on": DUE}, {"outcome_at": AT}, Promise(DUE, True, True, True)),
    ],
)
def test_what_a_card_owes_the_line_of_outcomes(values, state, expected):
    assert promise(card(**values), CardState(**state), OUTCOMES) == expected


def line(scan, key):
    return next(row for row in scan["lines"] if row["key"] == key)


@pytest.mark.parametrize(
    ("key", "planned", "done", "cause", "accounts"),
    [
        ("capacity_conversations", 3, 1, "not delivered", ["Harbour & Pine", "Sable Insurance"]),
        ("executive_introductions", 2, 2, None, []),
        ("department_conversations", 1, 0, "play late", ["Brightwater Logistics"]),
        ("build_calls", 1, 0, "not acknowledged", ["Osterberg Maschinenbau"]),
        ("outcomes_logged", 3, 1, "done but not logged", ["Northwind Foods", "Vantage Rail"]),
        ("monthly_review", 1, 0, "review not signed", []),
    ],
)
def test_lines_of_the_example(scan, key, planned, done, cause, accounts):
    row = line(scan, key)
    assert (row["planned"], row["done"], row["gap"], row["cause"]) == (planned, done, planned - done, cause)
    assert [missed["account"] for missed in row["accounts"]] == accounts


def test_worst_gap_first(scan):
    gaps = [row["gap"] for row in scan["lines"]]
    assert len(gaps) == 6 and gaps == sorted(gaps, reverse=True)
    assert scan["totals"] == {"accounts": 10, "live_cards": 11, "planned": 11, "done": 4, "gap": 7}


def test_facts_are_counts_with_names_and_notes(scan):
    fact = line(scan, "capacity_conversations")["fact"]
    assert fact == "1 of 3 conversations held in time; not: Harbour & Pine, Sable Insurance."
    assert line(scan, "executive_introductions")["notes"][0] == "1 of them inferred from a meeting, not logged"
    assert "2 silent expansions running, the oldest for 40 days" in line(scan, "department_conversations")["notes"]
    assert line(scan, "monthly_review")["fact"] == "Not signed. Last signed by Marta Lind on 9 Feb 2026."


def test_churn_risk_and_blind_stand_apart(scan):
    assert [row["account"] for row in scan["churn_risk"]] == ["Casa Verde Hotels", "Delphi Health"]
    blind = {row["trigger"]: row["blind_accounts"] for row in scan["blind"]}
    assert blind == {"USAGE_MILESTONE": 1, "CROSS_TEAM": 2, "ADVANCED_TICKETS": 1, "ADJACENT_USE": 1}
    assert [row["trigger"] for row in scan["watched"]] == ["ROLE_CHANGE"]


@pytest.mark.parametrize(
    ("actor", "days_ago", "done"), [("Marta Lind", 30, 1), ("Marta Lind", 31, 0), ("scheduler", 3, 0)]
)
def test_the_monthly_review_needs_a_person(actor, days_ago, done):
    signed = [review_event(START - days_ago * DAY, "review_signed", actor=actor)]
    data = build_scan(START, [], [], signed, [], [], [], NOBODY, PLANS)
    assert line(data, "monthly_review")["done"] == done


def test_nothing_due_says_so():
    data = build_scan(START, [], [], [], [], [], [], NOBODY, PLANS)
    assert line(data, "build_calls")["fact"] == "No conversation fell due."
    assert data["lines"][0]["key"] == "monthly_review"


def monday(weeks_ago, **values):
    day = START - 7 * weeks_ago * DAY
    return card(card_id="c", account_id="a", owner_id="o", trigger="USAGE_MILESTONE", sub_trigger="seats",
                as_of_date=day, **({"due_on": START - 30 * DAY} | values))


@pytest.mark.parametrize(
    ("cards", "raised"),
    [
        ([monday(0)], False),
        ([monday(0), monday(1)], True),
        ([monday(0), monday(1), monday(2)], False),  # raised a week ago already
        ([monday(0), monday(1, status="held", due_on=None)], False),
        ([monday(0), monday(1, due_on=START - 7 * DAY)], False),  # due on that Monday, not yet overdue
        ([monday(0, conversation_held_on=START), monday(1)], False),
    ],
)
@pytest.mark.parametrize("weekday", [0, 3, 6])
def test_escalate_once_after_two_mondays(cards, raised, weekday):
    found = escalations(cards, START + weekday * DAY, NOBODY)
    assert bool(found) is raised
