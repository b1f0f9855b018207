"""Match play-log events and meetings to cards.

Belongs here: which card an event speaks of, the same rule for cards and for the firings behind them. Does not belong
here: what the events mean for the card (``state.py``) or for the firing (``triggers/lifecycle.py``).

Rows are dictionaries in the columns of ``features.review_events`` and ``readiness.card_reviews``; instants are
naive UTC, days are dates in the workspace time zone.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Generic, Protocol, TypeVar

from expansion_assets import clock

log = logging.getLogger(__name__)

Row = dict[str, Any]
T = TypeVar("T")
COLUMNS = (
    "event_id", "card_id", "account_id", "event_type", "at", "known_at", "known_on", "actor", "reason", "until",
    "amount", "currency", "is_inferred",
)
_ENDING_TYPES = ("rejected", "outcome_logged")
RELEASED = "fleet_released"
_OF_NO_CARD = ("review_signed", RELEASED)


class LinkableCard(Protocol):
    """What linking needs to know of a card."""

    card_id: str
    account_id: str
    trigger: str
    detected_on: date

    @property
    def started_on(self) -> Sequence[date]:
        """Days on which the card's clock started: detection, then each return for review."""
        ...


class CardIndex(Generic[T]):
    """Cards, or what stands for them, by id and by account and trigger, to link events one at a time."""

    def __init__(self, link_days: int) -> None:
        """Start empty; an event without card id reaches back at most ``link_days`` days."""
        self._reach = timedelta(days=link_days)
        self._by_id: dict[str, tuple[date, T]] = {}
        self._by_trigger: dict[tuple[str | None, str | None], list[tuple[date, str]]] = defaultdict(list)

    def add(self, item: T, card_id: str, account_id: str, trigger: str, opened_on: date) -> None:
        """Add an item under its card's id, account, trigger and day of opening."""
        self._by_id[card_id] = (opened_on, item)
        self._by_trigger[account_id, trigger].append((opened_on, card_id))

    def find(
        self, card_id: str | None, account_id: str | None, trigger: str | None, day: date, known_on: date
    ) -> T | None:
        """Find what an event speaks of: by card id, else the latest of the account and trigger within reach.

        Nothing that opened after the event became known counts, not even by id: else a range of days would find what
        the same days one by one could not.

        Args:
            card_id: Card that the event names.
            account_id: Its account.
            trigger: Its trigger.
            day: Day from which it reaches back.
            known_on: Day on which it became known.

        Returns:
            The item as it was added; None when the event fits none.
        """
        named_on, named = self._by_id.get(card_id or "", (date.max, None))
        if named_on <= known_on:
            return named
        within_reach = [
            (opened_on, other) for opened_on, other in self._by_trigger.get((account_id, trigger), ())
            if opened_on <= min(day, known_on) and day <= opened_on + self._reach
        ]
        return self._by_id[max(within_reach)[1]][1] if within_reach else None


def known_day(row: Mapping[str, Any], timezone: str) -> date:
    """Return the workspace day on which a row became known."""
    return row.get("known_on") or clock.day_of(row["known_at"], timezone)


def card_of(event: Mapping[str, Any], cards: CardIndex[T], timezone: str) -> T | None:
    """Return the card that an event speaks of, reaching back from the day on which it was done."""
    return cards.find(
        event.get("card_id"), event.get("account_id"), event.get("trigger"),
        clock.day_of(event["at"], timezone), known_day(event, timezone),
    )


def link_events(
    events: Iterable[Mapping[str, Any]],
    cards: Iterable[LinkableCard],
    link_days: int,
    timezone: str = "UTC",
) -> list[Row]:
    """Match play-log events to cards (DOMAIN §7).

    Args:
        events: Rows of ``features.review_events``.
        cards: All cards opened so far.
        link_days: How far back an event without card id reaches.
        timezone: Workspace time zone.

    Returns:
        Rows of ``readiness.card_reviews``, one per matched event. Events of no card (review signatures,
        releases, or an account and trigger without one) are left out; the count of the latter is logged.
    """
    index: CardIndex[LinkableCard] = CardIndex(link_days)
    for card in cards:
        index.add(card, card.card_id, card.account_id, card.trigger, card.detected_on)
    linked, unmatched = [], 0
    for event in events:
        if event["event_type"] in _OF_NO_CARD:
            continue
        found = card_of(event, index, timezone)
        if found is not None:
            linked.append(review_row(event, found, timezone))
        else:
            unmatched += 1
    if unmatched:
        log.info("%d play-log events match no card", unmatched)
    return linked


def review_row(event: Mapping[str, Any], card: LinkableCard, timezone: str = "UTC") -> Row:
    """Return an event as a row of ``readiness.card_reviews`` of a card."""
    row = {name: event.get(name) for name in COLUMNS}
    row.update(
        card_id=card.card_id, account_id=card.account_id, known_on=known_day(event, timezone), is_inferred=False
    )
    return row


def conversations_from_meetings(
    meetings: Iterable[Mapping[str, Any]],
    cards: Iterable[LinkableCard],
    linked: Iterable[Mapping[str, Any]],
    link_days: int,
    timezone: str = "UTC",
) -> list[Row]:
    """Infer held conversations from external meetings after detection (DOMAIN §7: *held*).

    A card takes the first meeting after each start of its clock, unless it had ended by then. A meeting that
    becomes known later but was held earlier makes a further row, so that each day sees what it could know.

    Args:
        meetings: Held external meetings: ``account_id, held_at, known_at`` and, when there, ``event_key``.
        cards: All cards opened so far.
        linked: Result of :func:`link_events`.
        link_days: Latest day after the start of the clock.
        timezone: Workspace time zone.

    Returns:
        Rows of ``readiness.card_reviews`` of type ``conversation_held`` with ``is_inferred`` true.
    """
    by_account: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for meeting in meetings:
        by_account[meeting["account_id"]].append(meeting)
    for held in by_account.values():
        held.sort(key=lambda m: (m["known_at"], m["held_at"]))
    endings: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in linked:
        if event["event_type"] in _ENDING_TYPES:
            endings[event["card_id"]].append(event)

    inferred = []
    for card in cards:
        starts = [*card.started_on]
        for start, following in zip(starts, [*starts[1:], date.max], strict=True):
            latest = min(start + timedelta(days=link_days), following)
            earliest_held = None
            for meeting in by_account.get(card.account_id, []):
                held_on = clock.day_of(meeting["held_at"], timezone)
                known_on = known_day(meeting, timezone)
                if not start < held_on <= latest or known_on >= following:
                    continue
                if earliest_held is not None and meeting["held_at"] >= earliest_held:
                    continue
                if any(start <= e["known_on"] <= known_on and e["at"] <= meeting["held_at"]
                       for e in endings[card.card_id]):
                    continue
                earliest_held = meeting["held_at"]
                inferred.append(_inferred_row(card, meeting, known_on))
    return inferred


def _inferred_row(card: LinkableCard, meeting: Mapping[str, Any], known_on: date) -> Row:
    key = f"{card.card_id}|{meeting.get('event_key') or meeting['held_at'].isoformat()}|conversation_held"
    row: Row = dict.fromkeys(COLUMNS)
    row.update(
        event_id=hashlib.sha256(key.encode()).hexdigest()[:16], card_id=card.card_id, account_id=card.account_id,
        event_type="conversation_held", at=meeting["held_at"], known_at=meeting["known_at"], known_on=known_on,
        reason="external meeting after detection", is_inferred=True,
    )
    return row
