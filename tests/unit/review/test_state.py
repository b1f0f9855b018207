"""A card's state from its events, as known on a day."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from expansion_assets.review.state import card_state, signatures

D = [date(2026, 3, n) for n in range(1, 32)]


def event(event_type: str, day: int, known: int | None = None, **values):
    at = datetime(2026, 3, day, 9)
    row = {"event_id": f"{event_type}{day}", "event_type": event_type, "at": at, "known_at": at, "until": None,
           "known_on": date(2026, 3, known or day), "is_inferred": False}
    return row | values


@pytest.mark.parametrize(
    ("events", "stage"),
    [
        ([], "detected"),
        ([event("delivered", 2)], "delivered"),
        ([event("delivered", 2), event("acknowledged", 3)], "acknowledged"),
        ([event("accepted", 3)], "accepted"),
        ([event("too_early", 3)], "too_early"),
        ([event("rejected", 3)], "rejected"),
        ([event("rejected", 3), event("accepted", 4)], "accepted"),
        ([event("accepted", 3), event("play_started", 4)], "play_started"),
        ([event("outreach_sent", 4), event("customer_responded", 5)], "customer_responded"),
        ([event("conversation_held", 6)], "conversation_held"),
        ([event("conversation_held", 6), event("opportunity_linked", 7)], "opportunity_linked"),
        ([event("outcome_logged", 8)], "outcome_logged"),
        ([event("outcome_logged", 8), event("rejected", 9)], "outcome_logged"),
    ],
)
def test_stage_is_the_furthest_step(events, stage):
    assert card_state(events, D[20]).stage == stage


def test_only_what_is_known_by_the_end_of_the_day_counts():
    events = [event("accepted", 3, known=5)]
    assert card_state(events, date(2026, 3, 4)).decision is None
    assert card_state(events, date(2026, 3, 5)).decision == "accepted"


def test_a_new_round_starts_empty():
    events = [event("accepted", 3), event("delivered", 12)]
    state = card_state(events, D[20], since=date(2026, 3, 10))
    assert (state.decision, state.stage) == (None, "delivered")


def test_a_logged_conversation_wins_over_a_meeting():
    meeting = event("conversation_held", 5, is_inferred=True)
    assert card_state([meeting], D[20]).is_conversation_inferred
    both = card_state([meeting, event("conversation_held", 9)], D[20])
    assert (both.is_conversation_inferred, both.conversation_held_at.day) == (False, 9)


def test_first_steps_and_latest_outcome():
    events = [event("delivered", 2), event("delivered", 9), event("outcome_logged", 10, until=D[25]),
              event("outcome_logged", 12)]
    state = card_state(events, D[20])
    assert (state.delivered_at.day, state.outcome_at.day, state.outcome_until) == (2, 12, None)


@pytest.mark.parametrize(
    ("actor", "day", "known", "counts"),
    [("Ada Berg", 3, 3, True), ("", 3, 3, False), (None, 3, 3, False), ("Scheduler", 3, 3, False),
     ("Ada Berg", 1, 1, False), ("Ada Berg", 3, 25, False)],
)
def test_a_signature_needs_a_named_person_in_the_period(actor, day, known, counts):
    signed = event("review_signed", day, known=known, actor=actor)
    assert bool(signatures([signed], D[1], D[19], D[19])) is counts
