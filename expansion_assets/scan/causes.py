"""Why a promise was missed: the stage that took longest beyond its budget (DOMAIN §8).

Belongs here: the business days that a missed card spent in each stage, and the cause of a line. Does not belong here:
which cards were promised (``plan_fact_gap.py``), the budgets (``catalogue/plans.yml``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from expansion_assets import clock
from expansion_assets.catalogue.plays_loader import PlanLine, Plans
from expansion_assets.review.state import CardState


def stage_days(
    card: Mapping[str, Any], state: CardState, held_on: Collection[date], country: str | None, as_of: date,
    timezone: str = "UTC",
) -> dict[str, int]:
    """Return the business days that a card spent in each stage up to its conversation, or up to the day.

    A step that nobody logged counts as taken together with the next one that was. Held days count for the gate alone.

    Args:
        card: Row of ``readiness.cards``.
        state: What is known of its way through the funnel.
        held_on: Days on which a gate held it.
        country: Country of the owner.
        as_of: Day of the scan.
        timezone: Workspace time zone.
    """

    def day(instant: datetime | None) -> date | None:
        return None if instant is None else clock.day_of(instant, timezone)

    start = card["clock_started_on"]
    steps: list[tuple[str, date | None]] = [
        ("not_delivered", day(state.delivered_at)),
        ("not_acknowledged", day(state.acknowledged_at)),
        ("waiting_for_review", day(state.decided_at)),
        ("play_late", day(state.conversation_held_at)),
    ]
    spent: dict[str, int] = {}
    if start == card["detected_on"] and card.get("known_at") is not None:
        known_on = min(clock.day_of(card["known_at"], timezone), start)
        happened_on = min(day(card.get("happened_at")) or known_on, known_on)
        spent["source_stale"] = clock.business_days_between(happened_on, known_on, country)
        spent["detected_late"] = clock.business_days_between(known_on, start, country)
    last = start
    for number, (stage, reached) in enumerate(steps):
        end = reached or min((d for _, d in steps[number + 1:] if d is not None), default=None)
        until = max(end or as_of, last)
        held = sum(last < d <= until and clock.is_business_day(d, country) for d in held_on)
        spent[stage] = clock.business_days_between(last, until, country) - held
        if end is None:
            break
        last = until
    spent["held_by_gate"] = sum(clock.is_business_day(d, country) for d in held_on if d >= start)
    return spent


def cause_of_card(
    card: Mapping[str, Any], state: CardState, held_on: Collection[date], country: str | None, as_of: date,
    line: PlanLine, plans: Plans, timezone: str = "UTC",
) -> str:
    """Return the stage that explains why a card missed a line's promise.

    The one with the largest excess over its budget; ties go to the earlier stage.
    """
    if line.counts == "outcomes":
        return "done_not_logged"
    # An opportunity or an outcome shows that the customer was spoken to.
    if state.conversation_held_at is None and (state.opportunity_linked_at or state.outcome_at):
        return "done_not_logged"
    spent = stage_days(card, state, held_on, country, as_of, timezone)
    order = list(plans.stages)
    return max(spent, key=lambda stage: (spent[stage] - plans.budget(line, stage), -order.index(stage)))


def cause_of_line(causes: Iterable[str], plans: Plans) -> tuple[str, int] | None:
    """Return the most frequent cause and its count, or None without causes; ties go to the earlier stage."""
    counts = Counter(causes)
    if not counts:
        return None
    order = list(plans.stages)
    cause = max(counts, key=lambda stage: (counts[stage], -order.index(stage)))
    return cause, counts[cause]
