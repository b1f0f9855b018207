"""What becomes of a firing after it opened: reviews end it, or it returns for review.

Belongs here: the state of firings folded from the event log, reviews by firing, ``closed`` by a decision,
``returned`` at a revisit date, ``opened`` by a release. Does not belong here: closing by re-arm (``crossing.py``), the
rule that links a review (``review/linking.py``), cards and their clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.review.linking import RELEASED, CardIndex
from expansion_assets.triggers.base import EventType, FiringEvent, PriorFiring, Window, card_id, follow_up

EVENT_TRIGGERS = ("ROLE_CHANGE", "ADJACENT_USE")
"""Triggers without a level: only a decision closes them. The others are closed by their level alone; a decision that
closed them would let the same level fire again on the next day."""
CLOSING_REASONS = {"outcome_logged": "outcome", "rejected": "rejected"}


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """One row of ``features.review_events``, as far as firings care."""

    event_id: str
    card_id: str | None
    account_id: str | None
    trigger: str | None
    event_type: str
    known_at: datetime
    known_on: date
    until: date | None = None

    @property
    def is_final(self) -> bool:
        """A rejection, or an outcome without a date on which to look again."""
        return self.event_type == "rejected" or (self.event_type == "outcome_logged" and self.until is None)

    @property
    def deferred_to(self) -> date | None:
        """Date on which to look again: too early, or the outcome "not yet, revisit next quarter"."""
        return self.until if self.event_type in ("too_early", "outcome_logged") else None


def firing_states(events: Iterable[FiringEvent], prior: Iterable[PriorFiring] = ()) -> tuple[PriorFiring, ...]:
    """Fold events into the latest state of each firing, oldest firing first.

    Args:
        events: Events after those that ``prior`` stands for.
        prior: States before.
    """
    states = {firing.firing_id: firing for firing in prior}
    for event in sorted(events, key=_in_order):
        before = states.get(event.firing_id)
        # What an opening says of the firing holds until it opens again.
        opening = event if event.event_type == "opened" or before is None else before
        states[event.firing_id] = PriorFiring(
            event.firing_id, event.account_id, event.trigger, event.sub_trigger, event.subject_key, event.opened_on,
            event.event_type, event.as_of_date, opening.strength, opening.is_fleet_event,
        )
    return tuple(sorted(states.values(), key=lambda firing: (firing.opened_on, firing.firing_id)))


def link_reviews(
    reviews: Iterable[ReviewEvent], firings: Iterable[PriorFiring], catalogue: Catalogue
) -> dict[str, list[ReviewEvent]]:
    """Reviews by firing, oldest first.

    A review that names a card speaks of the firing that opened it; any other reaches back from the day on which it
    became known (``CardIndex``). A review that fits none is left out.

    Args:
        reviews: Decisions and outcomes.
        firings: Every firing that a review may speak of; suppressed ones are passed over.
        catalogue: ``link_days``, and the play of each sub-trigger.
    """
    index: CardIndex[str] = CardIndex(catalogue.common.link_days)
    for firing in firings:
        if firing.last_event_type != "suppressed":
            # Cards come after the firing log, but their ids follow from it. A firing that joined another's card has an
            # id that nobody names.
            card = card_id(firing.firing_id, catalogue.sub_trigger(firing.trigger, firing.sub_trigger).play)
            index.add(firing.firing_id, card, firing.account_id, firing.trigger, firing.opened_on)
    linked: dict[str, list[ReviewEvent]] = defaultdict(list)
    for review in sorted(reviews, key=lambda review: (review.known_at, review.event_id)):
        day = review.known_on
        if review.event_type == RELEASED:
            continue
        firing_id = index.find(review.card_id, review.account_id, review.trigger, day, day)
        if firing_id is not None:
            linked[firing_id].append(review)
    return dict(linked)


def lifecycle_events(
    firings: Iterable[PriorFiring], linked: Mapping[str, list[ReviewEvent]], window: Window, catalogue: Catalogue
) -> tuple[FiringEvent, ...]:
    """Closings by a decision and returns for review that fall into the window.

    Args:
        firings: State at the window's end of every firing (``firing_states``).
        linked: Reviews by firing (``link_reviews``), none known at or after the window's end.
        window: Days to compute.
        catalogue: ``return_after_days``.

    Returns:
        Events by day. A firing returns once for each date.
    """
    events: list[FiringEvent] = []
    for firing in firings:
        if firing.last_event_type == "suppressed":
            continue
        reviews = linked.get(firing.firing_id, [])
        decision = _decision(reviews)
        ended_on = None if firing.is_open else firing.last_event_on
        if decision and ended_on is None and firing.trigger in EVENT_TRIGGERS and decision.known_on in window:
            events.append(_event(firing, "closed", decision.known_on, CLOSING_REASONS[decision.event_type], catalogue))
        last_day = min(ended_on or date.max, decision.known_on if decision else date.max)
        events += (
            _event(firing, "returned", day, reason, catalogue)
            for day, reason in return_days(firing.opened_on, reviews, catalogue.common.return_after_days).items()
            if day in window and day < last_day
        )
    return tuple(sorted(events, key=lambda event: (event.as_of_date, event.event_id)))


def releases(
    firings: Iterable[PriorFiring], reviews: Iterable[ReviewEvent], window: Window, catalogue: Catalogue
) -> tuple[FiringEvent, ...]:
    """Openings of firings that the fleet check had set aside, on the day somebody released them.

    Args:
        firings: State at the window's end of every firing.
        reviews: Those of type ``fleet_released`` release what stood open of their account and trigger; without an
            account or trigger, of all.
        window: Days to compute.
        catalogue: Its version and state mark each event.

    Returns:
        One event per firing, by day: the firing's second opening, no fleet event.
    """
    released = sorted(
        (review for review in reviews if review.event_type == RELEASED and review.known_on in window),
        key=lambda review: (review.known_at, review.event_id),
    )
    events = []
    for firing in firings:
        ended_on = date.max if firing.is_open else firing.last_event_on
        first = next(
            (
                review for review in released
                if review.account_id in (None, firing.account_id)
                and review.trigger in (None, firing.trigger)
                and firing.opened_on <= review.known_on < ended_on
            ),
            None,
        )
        if firing.is_fleet_event and first is not None:
            event = _event(firing, "opened", first.known_on, RELEASED, catalogue)
            events.append(replace(event, strength=firing.strength))
    return tuple(sorted(events, key=lambda event: (event.as_of_date, event.event_id)))


def without_decided(
    events: Iterable[FiringEvent], linked: Mapping[str, list[ReviewEvent]]
) -> tuple[FiringEvent, ...]:
    """Events without the withdrawals of firings that a decision had ended by then: what ended stays as it ended.

    Detectors know no decisions, so they go on to watch the evidence.

    Args:
        events: What the detectors found.
        linked: Reviews by firing (``link_reviews``).
    """
    def is_decided(event: FiringEvent) -> bool:
        decision = _decision(linked.get(event.firing_id, []))
        return decision is not None and decision.known_on <= event.as_of_date and event.trigger in EVENT_TRIGGERS

    return tuple(event for event in events if event.event_type != "superseded" or not is_decided(event))


def return_days(opened_on: date, reviews: Iterable[ReviewEvent], return_after_days: int) -> dict[date, str]:
    """Days on which a firing returns for review if it is still open then, with the reason.

    Each deferral brings it back on its date, unless a later one has moved that date. Without an outcome it comes back
    after ``return_after_days``, unless a deferral to a later date is known by then.
    """
    deferrals = [(review, review.deferred_to) for review in reviews if review.deferred_to]
    days: dict[date, str] = {}
    unanswered = opened_on + timedelta(days=return_after_days)
    if not any(
        review.known_on <= unanswered and (review.event_type == "outcome_logged" or until > unanswered)
        for review, until in deferrals
    ):
        days[unanswered] = "no_outcome"
    for number, (review, until) in enumerate(deferrals):
        day = max(until, review.known_on)
        if not any(later.known_on <= day for later, _ in deferrals[number + 1 :]):
            days[day] = "revisit"
    return days


def _decision(reviews: Iterable[ReviewEvent]) -> ReviewEvent | None:
    return next((review for review in reviews if review.is_final), None)


def _event(
    firing: PriorFiring, event_type: EventType, day: date, reason: str, catalogue: Catalogue
) -> FiringEvent:
    return follow_up(
        firing.account_id, firing.trigger, firing.sub_trigger, firing.subject_key, firing.opened_on, event_type, day,
        reason, catalogue,
    )


def _in_order(event: FiringEvent) -> tuple[date, bool]:
    # A firing may open and end on one day, never the other way round.
    return (event.as_of_date, event.event_type not in ("opened", "suppressed"))
