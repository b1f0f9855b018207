"""State of a card, derived from its append-only review events.

Belongs here: which stage a card has reached, as known on a day. Does not belong here: due dates and statuses, which
also need firings and gates (``readiness/cards.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

# A signature needs a person: these actors only show that a job ran.
_MACHINES = {"system", "job", "scheduler", "dagster", "automation", "bot"}
DECISIONS = ("accepted", "rejected", "too_early")
# Furthest first: a card stands at the first of these that has happened.
_STAGES = (
    ("outcome_logged", "outcome_at"),
    ("opportunity_linked", "opportunity_linked_at"),
    ("conversation_held", "conversation_held_at"),
    ("customer_responded", "customer_responded_at"),
    ("outreach_sent", "outreach_sent_at"),
    ("play_started", "play_started_at"),
)
_IN_PLAY = {"outreach_sent", "customer_responded", "conversation_held", "opportunity_linked", "outcome_logged"}


@dataclass(frozen=True)
class CardState:
    """What is known of a card's way through the funnel; instants are naive UTC, null while not reached."""

    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    decided_at: datetime | None = None
    decided_known_on: date | None = None
    decision: str | None = None
    until: date | None = None
    play_started_at: datetime | None = None
    outreach_sent_at: datetime | None = None
    customer_responded_at: datetime | None = None
    conversation_held_at: datetime | None = None
    is_conversation_inferred: bool = False
    opportunity_linked_at: datetime | None = None
    outcome_at: datetime | None = None
    outcome_known_on: date | None = None
    outcome_until: date | None = None

    @property
    def stage(self) -> str:
        """Furthest stage: detected, delivered, acknowledged, a decision, or a step of the play."""
        if self.decision == "rejected" and self.outcome_at is None:
            return "rejected"
        for stage, attribute in _STAGES:
            if getattr(self, attribute) is not None:
                return stage
        if self.decision:
            return self.decision
        if self.acknowledged_at is not None:
            return "acknowledged"
        return "delivered" if self.delivered_at is not None else "detected"

    @property
    def is_in_play(self) -> bool:
        """True once the customer has been addressed: from then on no gate can hold the ask."""
        return self.stage in _IN_PLAY


def card_state(events: Iterable[Mapping[str, Any]], as_of: date, since: date = date.min) -> CardState:
    """Derive a card's state on a day.

    Args:
        events: The card's rows of ``readiness.card_reviews``.
        as_of: Day; only events known by its end count.
        since: Start of the card's present clock (detection or return for review); earlier knowledge belongs to
            the round before.

    Returns:
        First time of each step; for decision and outcome the latest one. A logged conversation wins over one
        inferred from a meeting, whichever came first.
    """
    known = [event for event in events if since <= event["known_on"] <= as_of]

    def first(event_type: str) -> datetime | None:
        return min((e["at"] for e in known if e["event_type"] == event_type and not e["is_inferred"]), default=None)

    def last(*event_types: str) -> Mapping[str, Any]:
        found = [e for e in known if e["event_type"] in event_types]
        return max(found, key=lambda e: (e["at"], e["known_at"], e["event_id"]), default={})

    decision, outcome = last(*DECISIONS), last("outcome_logged")
    logged = first("conversation_held")
    inferred = min((e["at"] for e in known if e["is_inferred"]), default=None)
    return CardState(
        delivered_at=first("delivered"),
        acknowledged_at=first("acknowledged"),
        decided_at=decision.get("at"),
        decided_known_on=decision.get("known_on"),
        decision=decision.get("event_type"),
        until=decision.get("until"),
        play_started_at=first("play_started"),
        outreach_sent_at=first("outreach_sent"),
        customer_responded_at=first("customer_responded"),
        conversation_held_at=logged or inferred,
        is_conversation_inferred=logged is None and inferred is not None,
        opportunity_linked_at=first("opportunity_linked"),
        outcome_at=outcome.get("at"),
        outcome_known_on=outcome.get("known_on"),
        outcome_until=outcome.get("until"),
    )


def signatures(events: Iterable[Mapping[str, Any]], first: date, last: date, as_of: date) -> list[dict[str, Any]]:
    """Return the monthly reviews that a named person signed between two days, as known on a day.

    Args:
        events: Rows of ``features.review_events``.
        first: First day that counts.
        last: Last day that counts, inclusive.
        as_of: Day of knowledge.
    """
    return [
        dict(event) for event in events
        if event["event_type"] == "review_signed" and _is_person(event.get("actor"))
        and first <= event["at"].date() <= last and event["known_on"] <= as_of
    ]


def _is_person(actor: str | None) -> bool:
    name = (actor or "").strip().casefold()
    return bool(name) and name not in _MACHINES
