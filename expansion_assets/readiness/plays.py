"""From firings to plays: which cards exist, which playbook fits, what a play may be worth.

Belongs here: the opening of cards over the whole history, playbooks A to D, expected value. Does not belong here: a
card's daily status (``cards.py``) and gates.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from expansion_assets.catalogue.loader import Signals
from expansion_assets.catalogue.plays_loader import Play
from expansion_assets.readiness.firings import Firing, collect_firings
from expansion_assets.review.linking import CardIndex, card_of, known_day, review_row
from expansion_assets.review.state import card_state
from expansion_assets.triggers.base import card_id

# Sub-triggers make separate firings and one card; two problems are one card (DOMAIN §4). Elsewhere each person and each
# team is a conversation of its own.
_ONE_CARD_PER_ACCOUNT = ("USAGE_MILESTONE", "ADJACENT_USE")


@dataclass
class Card:
    """The trigger-to-play record: the firing that opened it and those that joined it while it was live."""

    card_id: str
    account_id: str
    trigger: str
    play: str
    is_risk: bool
    firings: list[Firing]
    detected_on: date = field(init=False)

    def __post_init__(self) -> None:
        """Take the day of detection from the opening firing."""
        self.detected_on = self.firings[0].opened_on

    @property
    def opening(self) -> Firing:
        """The firing that opened the card."""
        return self.firings[0]

    def joined(self, as_of: date) -> list[Firing]:
        """Return the firings that had joined by a day."""
        return [firing for firing in self.firings if firing.opened_on <= as_of]

    @property
    def started_on(self) -> list[date]:
        """Days on which the clock started: detection, then each return for review."""
        returns = {day for firing in self.firings for day in firing.returned_on if day > self.detected_on}
        return [self.detected_on, *sorted(returns)]

    def clock_start(self, as_of: date) -> date:
        """Return the start of the clock that runs on a day."""
        return max((day for day in self.started_on if day <= as_of), default=self.detected_on)

    def closed_on(self, as_of: date) -> date | None:
        """Return the day on which the last of its firings closed, or None while one is open."""
        if any(firing.is_open(as_of) for firing in self.joined(as_of)):
            return None
        return max((f.closed_on for f in self.joined(as_of) if f.closed_on is not None), default=None)


def open_cards(
    firing_events: Iterable[Mapping[str, Any]],
    review_events: Iterable[Mapping[str, Any]],
    signals: Signals,
    timezone: str = "UTC",
) -> list[Card]:
    """Open cards over the whole history.

    A firing joins the live card of its account, play and subject; without one it opens a card. A card that was
    rejected, closed, put off or brought to an outcome before that day is not live: its decision covers what was known
    then.

    Args:
        firing_events: All rows of ``triggers.firing_events`` up to the day of interest.
        review_events: All rows of ``features.review_events`` up to that day.
        signals: Signal library (``link_days``, play and risk flag of each sub-trigger).
        timezone: Workspace time zone.

    Returns:
        Cards in the order of their detection. Events after a day do not change what the cards were on it.
    """
    reviews: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in review_events:
        reviews[event.get("account_id") or ""].append(event)
    by_account: dict[str, list[Firing]] = defaultdict(list)
    for firing in collect_firings(firing_events).values():
        by_account[firing.account_id].append(firing)
    cards = [
        card for account_id, firings in by_account.items()
        for card in _account_cards(firings, reviews[account_id], signals, timezone)
    ]
    return sorted(cards, key=lambda card: (card.detected_on, card.card_id))


def _account_cards(
    firings: list[Firing], reviews: list[Mapping[str, Any]], signals: Signals, timezone: str
) -> list[Card]:
    cards: list[Card] = []
    index: CardIndex[Card] = CardIndex(signals.common.link_days)
    for firing in sorted(firings, key=lambda f: (f.opened_on, f.sub_trigger, f.firing_id)):
        rule = signals.sub_trigger(firing.trigger, firing.sub_trigger)
        live = next(
            (
                card for card in reversed(cards)
                if _same_conversation(card, firing, rule.play)
                and _is_live(card, firing.opened_on, reviews, index, timezone)
            ),
            None,
        )
        if live is not None:
            live.firings.append(firing)
            continue
        card = Card(card_id(firing.firing_id, rule.play), firing.account_id, firing.trigger, rule.play, rule.is_risk,
                    [firing])
        cards.append(card)
        index.add(card, card.card_id, card.account_id, card.trigger, card.detected_on)
    return cards


def _same_conversation(card: Card, firing: Firing, play: str) -> bool:
    if (card.trigger, card.play) != (firing.trigger, play):
        return False
    return firing.trigger in _ONE_CARD_PER_ACCOUNT or card.opening.subject_key == firing.subject_key


def _is_live(
    card: Card, day: date, reviews: list[Mapping[str, Any]], index: CardIndex[Card], timezone: str
) -> bool:
    """Tell whether a card can take a firing of a day: judged on what was known the evening before."""
    if card.closed_on(day) is not None:
        return False
    eve = day - timedelta(days=1)
    if card.detected_on > eve:
        return True
    events = [
        review_row(event, card, timezone) for event in reviews
        if known_day(event, timezone) <= eve and card_of(event, index, timezone) is card
    ]
    state = card_state(events, eve, card.clock_start(eve))
    return state.decision not in ("rejected", "too_early") and state.outcome_at is None


def match_playbook(
    card: Card, play: Play, day: Mapping[str, Any], active: frozenset[str], as_of: date, signals: Signals
) -> str | None:
    """Return the playbook of [4] that a card's account fits, or None.

    Only plays behind the full set of gates may suggest one (DOMAIN §6). D: company growth beside converging positive
    signs; A: seats at the limit and use growing; B: a limit met or power users; C: use beyond the contract's modules,
    or a further department. Which signals speak for a playbook stands in the catalogue.

    Args:
        card: The card.
        play: Its play.
        day: Row of ``features.account_day``.
        active: Signals that add strength on the day.
        as_of: The day.
        signals: Signal library.
    """
    if play.gates != "full":
        return None
    strategic = active & signals.live_of_playbook("D")
    converging = {name for name in strategic if signals.supporting[name].made_of}
    if converging and strategic - converging:
        return "D"
    rules = {firing.sub_trigger for firing in card.joined(as_of)}
    if rules & {"seats", "seats_full"} and (day.get("seat_growth_60d_pct") or 0) > 0:
        return "A"
    if "quota" in rules or active & signals.live_of_playbook("B"):
        return "B"
    return "C" if play.motion == "departments" or active & signals.live_of_playbook("C") else None


@dataclass(frozen=True)
class Value:
    """Expected annual value of a play: a range with its arithmetic, or the reason why there is none."""

    value_low: float | None = None
    value_high: float | None = None
    currency: str | None = None
    value_arithmetic: str | None = None
    value_missing_reason: str | None = None


def expected_value(
    play: Play, sub_triggers: Sequence[str], day: Mapping[str, Any], group_users: float | None, headroom_share: float
) -> Value:
    """Reckon what a play may be worth a year (DOMAIN §5), in the currency of the seat line.

    Args:
        play: Play of the card.
        sub_triggers: Sub-triggers of the card's firings.
        day: Row of ``features.account_day``.
        group_users: Users of the new group, from the firing's evidence.
        headroom_share: Share of seats in use that counts as comfortable.
    """
    if play.motion == "relationship":
        return Value(value_missing_reason="a relationship play has no value of its own")
    if play.motion in ("tier", "modules", "services"):
        noun = {"tier": "the next tier", "modules": "the module", "services": "the service"}[play.motion]
        return Value(value_missing_reason=f"the price of {noun} is not known before the conversation")
    if play.motion == "seats" and not set(sub_triggers) & {"seats", "seats_full"}:
        return Value(value_missing_reason="only seats are priced; the limit met here is not one of seats")
    price, seats, active = day.get("seat_unit_price"), day.get("contracted_seats"), day.get("active_users_28d")
    if price is None:
        return Value(value_missing_reason="unpriced: the seat line has no unit price")
    if seats is None or active is None:
        return Value(value_missing_reason="seats or active users are not watchable")
    over = max(0.0, active - seats)
    if play.motion == "departments":
        if group_users is None:
            return Value(value_missing_reason="the size of the new group is not in the evidence")
        more, what = max(over, group_users), "users of the new group"
    else:
        more = max(over, math.ceil(active / headroom_share) - seats)
        what = f"seats to be back under {100 * headroom_share:.0f} %"
    if more <= 0:
        return Value(value_missing_reason="at the threshold, no seat over the limit yet")
    currency = day.get("seat_currency") or day.get("currency")
    seat_price = f"{price:,.2f} {currency or ''}".rstrip()
    arithmetic = f"{over:g} seats over the limit to {more:g} {what}, x {seat_price} a year"
    return Value(round(over * price, 2), round(more * price, 2), currency, arithmetic)


def group_users(evidence: Iterable[Mapping[str, Any]]) -> float | None:
    """Return the measured number of users in a firing's evidence, or None."""
    return next((e["value"] for e in evidence if "users" in (e["measure"] or "") and e["value"] is not None), None)


def department_of(card: Card) -> str | None:
    """Return the department that a card is about, or None when it is about none.

    Subjects of new groups read ``group_kind:group_key``.
    """
    kind, _, key = card.opening.subject_key.partition(":")
    return key if kind == "department" and key else None

