"""Why a promise was missed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from expansion_assets.catalogue.plays_loader import load_plans
from expansion_assets.review.state import CardState
from expansion_assets.scan.causes import cause_of_card, cause_of_line, stage_days
from tests.unit.readiness.readiness_rows import DAY, START

PLANS = load_plans()
CAPACITY, OUTCOMES = PLANS.lines["capacity_conversations"], PLANS.lines["outcomes_logged"]
AS_OF = START + 21 * DAY  # three weeks later, a Monday


def at(day: int) -> datetime:
    return datetime.combine(START, datetime.min.time()) + timedelta(days=day)


def card(happened=0, known=0, started=0):
    return {"detected_on": START, "clock_started_on": START + started * DAY, "happened_at": at(happened),
            "known_at": at(known)}


def state(**days):
    names = {"delivered": "delivered_at", "acknowledged": "acknowledged_at", "decided": "decided_at",
             "held": "conversation_held_at", "opportunity": "opportunity_linked_at"}
    return CardState(**{names[key]: at(day) for key, day in days.items()})


@pytest.mark.parametrize(
    ("card_row", "reached", "held_on", "cause"),
    [
        (card(), state(), [], "not_delivered"),
        (card(), state(delivered=1), [], "not_acknowledged"),
        (card(), state(delivered=1, acknowledged=1), [], "waiting_for_review"),
        (card(), state(delivered=1, acknowledged=1, decided=2), [], "play_late"),
        (card(), state(delivered=1, acknowledged=9, decided=9, held=10), [], "not_acknowledged"),
        (card(), state(decided=1), [], "play_late"),  # steps nobody logged took no time of their own
        (card(happened=-20, known=0), state(delivered=1, acknowledged=1, decided=1, held=9), [], "source_stale"),
        (card(happened=-20, known=-20), state(delivered=1, acknowledged=1, decided=1, held=9), [], "detected_late"),
        (card(), state(delivered=0, acknowledged=0, decided=0, held=21), [START + n * DAY for n in range(1, 20)],
         "held_by_gate"),
        (card(), state(opportunity=9), [], "done_not_logged"),
    ],
)
def test_the_stage_with_the_largest_excess(card_row, reached, held_on, cause):
    assert cause_of_card(card_row, reached, held_on, "DE", AS_OF, CAPACITY, PLANS) == cause


def test_stages_are_counted_in_business_days_without_held_ones():
    spent = stage_days(card(), state(delivered=1, acknowledged=7, decided=8), [START + 9 * DAY], "DE", AS_OF)
    # Monday to Tuesday; to next Monday; to Tuesday; then nine working days less the held one
    assert spent == {"source_stale": 0, "detected_late": 0, "not_delivered": 1, "not_acknowledged": 4,
                     "waiting_for_review": 1, "play_late": 8, "held_by_gate": 1}


def test_a_returned_card_starts_at_its_return():
    spent = stage_days(card(happened=-30, known=-20, started=14), state(), [], "DE", AS_OF)
    assert spent == {"not_delivered": 5, "held_by_gate": 0}


def test_a_missing_outcome_was_done_but_not_logged():
    assert cause_of_card(card(), state(held=3), [], "DE", AS_OF, OUTCOMES, PLANS) == "done_not_logged"


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ([], None),
        (["play_late"], ("play_late", 1)),
        (["play_late", "not_delivered", "play_late"], ("play_late", 2)),
        (["play_late", "not_delivered"], ("not_delivered", 1)),  # a tie goes to the earlier stage
    ],
)
def test_cause_of_a_line(causes, expected):
    assert cause_of_line(causes, PLANS) == expected
