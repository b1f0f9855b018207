"""Cards: the trigger-to-play record as it stands on each day.

Belongs here: status, due date, gate outcome and value of every card on every day of a window. Does not belong here:
which cards exist (``plays.py``), the gates' rules (``gates.py``), the pages (``scan``).

A window computed in one call equals the same days computed one call at a time: what a day needs of the days before it
comes in as ``earlier_cards``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from expansion_assets import clock
from expansion_assets.catalogue.loader import Signals
from expansion_assets.catalogue.plays_loader import Gates, Plans, Play
from expansion_assets.readiness import gates as gate_rules
from expansion_assets.readiness.diary import Diary, People
from expansion_assets.readiness.plays import (
    Card,
    department_of,
    expected_value,
    group_users,
    match_playbook,
    open_cards,
)
from expansion_assets.review.linking import conversations_from_meetings, link_events
from expansion_assets.review.state import CardState, card_state
from expansion_assets.triggers.base import short_hash

Row = dict[str, Any]
LIVE = ("open", "held", "snoozed")
PAUSED = ("held", "snoozed")


# A champion who left re-addresses the account's other live cards (DOMAIN §4).
_READDRESS = gate_rules.GateResult(
    "addressee", "unknown", "the champion left", verify="whom to address, because the champion left"
)


@dataclass(frozen=True)
class Catalogue:
    """The catalogue files that cards depend on."""

    plays: Mapping[str, Play]
    gates: Gates
    plans: Plans
    signals: Signals


@dataclass
class _Life:
    """What a card carries from day to day."""

    card: Card
    events: list[Row]
    pauses: dict[date, str] = field(default_factory=dict)
    is_over: bool = False

    def __post_init__(self) -> None:
        """Sort once what every day looks up: when something became known, and when the clock started."""
        self.known_days = sorted(event["known_on"] for event in self.events)
        self.starts = self.card.started_on

    def start(self, as_of: date) -> date:
        """Return the start of the clock that runs on a day."""
        return self.starts[max(bisect_right(self.starts, as_of) - 1, 0)]

    def changes_after(self, as_of: date) -> bool:
        """Tell whether an event, a return or a firing is still to come."""
        return (
            (bool(self.known_days) and self.known_days[-1] > as_of)
            or self.starts[-1] > as_of
            or self.card.firings[-1].opened_on > as_of
        )

    def held_in_a_row(self, as_of: date) -> int:
        """Days in a row, up to and including a day, on which the card was held."""
        count, day = 0, as_of
        while self.pauses.get(day) == "held":
            count, day = count + 1, day - clock.ONE_DAY
        return count


def build_card_reviews(
    firing_events: Iterable[Mapping[str, Any]],
    review_events: Iterable[Mapping[str, Any]],
    meetings: Iterable[Mapping[str, Any]],
    catalogue: Catalogue,
    timezone: str = "UTC",
) -> list[Row]:
    """Match the play log and the held meetings to cards.

    Args:
        firing_events: All rows of ``triggers.firing_events`` up to the day of interest.
        review_events: All rows of ``features.review_events`` up to that day.
        meetings: Held external meetings: ``account_id, held_at, known_at`` (``known_on, event_key`` when there).
        catalogue: Catalogue files.
        timezone: Workspace time zone.

    Returns:
        All rows of ``readiness.card_reviews``; a window of them is a range of ``known_on``.
    """
    events = list(review_events)
    link_days = catalogue.signals.common.link_days
    cards = open_cards(firing_events, events, catalogue.signals, timezone)
    linked = link_events(events, cards, link_days, timezone)
    return [*linked, *conversations_from_meetings(meetings, cards, linked, link_days, timezone)]


def build_cards(
    firing_events: Iterable[Mapping[str, Any]],
    evidence: Iterable[Mapping[str, Any]],
    account_day: Iterable[Mapping[str, Any]],
    review_events: Iterable[Mapping[str, Any]],
    card_reviews: Iterable[Mapping[str, Any]],
    scores: Iterable[Mapping[str, Any]],
    score_parts: Iterable[Mapping[str, Any]],
    people: People,
    earlier_cards: Iterable[Mapping[str, Any]],
    catalogue: Catalogue,
    window: tuple[date, date],
    timezone: str = "UTC",
) -> tuple[list[Row], list[Row]]:
    """Write every card's snapshot for every day of a window.

    Args:
        firing_events: All rows of ``triggers.firing_events`` up to the window's end.
        evidence: Rows of ``triggers.evidence`` (sizes of new groups).
        account_day: Rows of ``features.account_day`` of the window.
        review_events: All rows of ``features.review_events`` up to the window's end.
        card_reviews: Result of :func:`build_card_reviews`.
        scores: Rows of ``readiness.scores`` of the window.
        score_parts: Rows of ``readiness.score_parts`` of the window.
        people: Owners and absences.
        earlier_cards: Rows ``card_id, as_of_date, status`` of ``readiness.cards`` before the window, those held
            or snoozed (others are ignored).
        catalogue: Catalogue files.
        window: Half-open range of days.
        timezone: Workspace time zone.

    Returns:
        Rows of ``readiness.cards`` and, for live cards, of ``readiness.gate_results``.
    """
    by_card: dict[str, list[Row]] = defaultdict(list)
    for event in card_reviews:
        by_card[event["card_id"]].append(dict(event))
    lives = [
        _Life(card, by_card[card.card_id])
        for card in open_cards(firing_events, review_events, catalogue.signals, timezone)
        if card.detected_on < window[1]
    ]
    by_id = {life.card.card_id: life for life in lives}
    for row in earlier_cards:
        if row["status"] in PAUSED and row["as_of_date"] < window[0] and row["card_id"] in by_id:
            by_id[row["card_id"]].pauses[row["as_of_date"]] = row["status"]

    writer = _Writer(catalogue, Diary(people), timezone)
    writer.read(evidence, account_day, scores, score_parts)
    by_account: dict[str, list[_Life]] = defaultdict(list)
    for life in lives:
        by_account[life.card.account_id].append(life)
    for as_of in clock.days_between(*window):
        for account_id, account_lives in by_account.items():
            writer.write_account(account_id, account_lives, as_of)
    return writer.cards, writer.gate_results


class _Writer:
    """Writes the rows of one day and account after the other."""

    def __init__(self, catalogue: Catalogue, diary: Diary, timezone: str) -> None:
        self.catalogue = catalogue
        self.diary = diary
        self.timezone = timezone
        self.cards: list[Row] = []
        self.gate_results: list[Row] = []
        gates = catalogue.gates
        self._after_end = timedelta(days=gates.cards.snapshot_days_after_end)
        # An ended card still counts for the cool-down of others.
        cooldown = max(gates.rules.ask_cooldown_days, gates.rules.rejection_cooldown_days)
        self._forgotten = max(self._after_end, timedelta(days=cooldown))
        self._states: dict[str, tuple[tuple[Any, ...], CardState]] = {}

    def read(
        self, evidence: Iterable[Mapping[str, Any]], account_day: Iterable[Mapping[str, Any]],
        scores: Iterable[Mapping[str, Any]], score_parts: Iterable[Mapping[str, Any]],
    ) -> None:
        """Index the inputs that are looked up by account and day, or by firing."""
        self._days = {(row["account_id"], row["as_of_date"]): row for row in account_day}
        self._scores = {(row["account_id"], row["as_of_date"]): row for row in scores}
        self._active: dict[tuple[str, date], set[str]] = defaultdict(set)
        for row in score_parts:
            self._active[row["account_id"], row["as_of_date"]].add(row["signal"])
        self._group_users: dict[str, float | None] = {}
        by_firing: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in evidence:
            by_firing[row["firing_id"]].append(row)
        for firing_id, lines in by_firing.items():
            self._group_users[firing_id] = group_users(sorted(lines, key=lambda line: line["line_no"]))

    def write_account(self, account_id: str, lives: list[_Life], as_of: date) -> None:
        """Write the snapshots of an account's cards on a day."""
        day = self._days.get((account_id, as_of), {})
        lives[:] = [life for life in lives if not life.is_over]
        states = {
            life.card.card_id: self._state(life, as_of) for life in lives if life.card.detected_on <= as_of
        }
        shown = []
        for life in lives:
            if life.card.card_id not in states:
                continue
            state = states[life.card.card_id]
            status, ended_on = _ended(life.card, state, as_of)
            if ended_on is None or as_of <= ended_on + self._after_end:
                shown.append((life, state, status, ended_on))
            elif as_of > ended_on + self._forgotten and not life.changes_after(as_of):
                life.is_over = True
        oldest = min((life.card.detected_on for life, _, _, ended_on in shown if ended_on is None), default=None)
        lost_champion = any(life.card.is_risk and ended_on is None for life, _, _, ended_on in shown)
        for life, state, status, ended_on in shown:
            results: list[gate_rules.GateResult] = []
            if ended_on is None:
                results = self._judge(life, lives, states, day, as_of)
                if lost_champion and not life.card.is_risk:
                    results.append(_READDRESS)
                status = _live_status(state, gate_rules.outcome(results), as_of)
                if status in PAUSED:
                    life.pauses[as_of] = status
            # An ended card is a conversation of its own again.
            group_on = life.card.detected_on if ended_on or oldest is None else oldest
            self._append(life, state, status, ended_on, short_hash(account_id, group_on), results, day, as_of)

    def _state(self, life: _Life, as_of: date) -> CardState:
        """State of a card on a day, reckoned anew only when something has become known."""
        start = life.start(as_of)
        key = (start, bisect_right(life.known_days, as_of))
        cached = self._states.get(life.card.card_id)
        if cached is None or cached[0] != key:
            cached = (key, card_state(life.events, as_of, start))
            self._states[life.card.card_id] = cached
        return cached[1]

    def _judge(
        self, life: _Life, lives: list[_Life], states: Mapping[str, CardState], day: Mapping[str, Any], as_of: date
    ) -> list[gate_rules.GateResult]:
        contacts = []
        for other in lives:
            if other is life or other.card.card_id not in states:
                continue
            contacts.extend(self._contacts(other.card, states[other.card.card_id]))
        facts = gate_rules.Facts(
            day, as_of, self.catalogue.plays[life.card.play], department_of(life.card), tuple(contacts)
        )
        return gate_rules.judge(facts, self.catalogue.gates)

    def _contacts(self, card: Card, state: CardState) -> list[gate_rules.Contact]:
        play = self.catalogue.plays[card.play]
        found = []
        # Only plays behind the full gates ask for something; an introduction or a question does not.
        if state.outreach_sent_at is not None and play.gates == "full":
            found.append(gate_rules.Contact("ask", clock.day_of(state.outreach_sent_at, self.timezone), play.motion))
        if state.decision == "rejected" and state.decided_at is not None:
            found.append(gate_rules.Contact("rejection", clock.day_of(state.decided_at, self.timezone), play.motion))
        return found

    def _append(
        self, life: _Life, state: CardState, status: str, ended_on: date | None, group_id: str,
        results: list[gate_rules.GateResult], day: Mapping[str, Any], as_of: date,
    ) -> None:
        card, key = life.card, (life.card.account_id, as_of)
        play = self.catalogue.plays[card.play]
        start, joined = life.start(as_of), card.joined(as_of)
        owner_id = day.get("owner_id")
        pauses = clock.intervals_of(d for d in life.pauses if d >= start) if life.pauses else []
        outcome = gate_rules.outcome(results)
        # A clock that stands still has no due date.
        due_on = None if status in PAUSED else self.diary.due(start, play.sla_business_days, owner_id, as_of, pauses)
        held_days = life.held_in_a_row(as_of)
        score = self._scores.get(key, {})
        active = frozenset(self._active.get(key, ()))
        users = next((u for f in joined if (u := self._group_users.get(f.firing_id)) is not None), None)
        value = expected_value(
            play, [f.sub_trigger for f in joined], day, users, self.catalogue.gates.cards.headroom_share
        )
        self.cards.append({
            "card_id": card.card_id, "card_group_id": group_id, "account_id": card.account_id,
            "firing_id": card.opening.firing_id, "firing_ids": "|".join(f.firing_id for f in joined),
            "trigger": card.trigger, "sub_trigger": card.opening.sub_trigger, "subject_key": card.opening.subject_key,
            "play": card.play, "owner_id": owner_id,
            "playbook": match_playbook(card, play, day, active, as_of, self.catalogue.signals),
            "detected_on": card.detected_on, "sla_business_days": play.sla_business_days, "due_on": due_on,
            "clock_started_on": start, "happened_at": card.opening.happened_at, "known_at": card.opening.known_at,
            "status": status, "snoozed_until": state.until if status == "snoozed" else None, "closed_on": ended_on,
            "stage": state.stage, "held_days": held_days,
            "decided_on": self._day_of(state.decided_at),
            "conversation_held_on": self._day_of(state.conversation_held_at),
            "outcome_due_on": self._outcome_due(state, owner_id, as_of),
            "gate_outcome": outcome, "gate_summary": _gate_summary(results, held_days, self.catalogue.gates),
            "verify": "; ".join(r.verify for r in results if r.verify) or None,
            "release_condition": "; ".join(r.release_condition for r in results if r.release_condition) or None,
            "is_risk": card.is_risk, "is_hot": bool(score.get("is_hot", False)), "score": score.get("score"),
            "coverage_pct": score.get("coverage_pct"), **vars(value),
            "opened_reason": card.opening.opened_reason if start == card.detected_on else "returned",
            "as_of_date": as_of,
        })
        self.gate_results.extend(
            {
                "card_id": card.card_id, "as_of_date": as_of, "rule": r.rule, "result": r.result,
                "evidence": r.evidence, "release_condition": r.release_condition, "retest_on": r.retest_on,
            }
            for r in results
        )

    def _day_of(self, instant: datetime | None) -> date | None:
        return None if instant is None else clock.day_of(instant, self.timezone)

    def _outcome_due(self, state: CardState, owner_id: str | None, as_of: date) -> date | None:
        """Last day on which the outcome of a held conversation is to be logged."""
        held_on = self._day_of(state.conversation_held_at)
        if held_on is None:
            return None
        return self.diary.due(held_on, self.catalogue.plans.outcome_sla_business_days, owner_id, as_of, [])


def _ended(card: Card, state: CardState, as_of: date) -> tuple[str, date | None]:
    """Return how and when a card ended; the day is None while it is live."""
    if state.decision == "rejected" and state.outcome_at is None:
        return "rejected", state.decided_known_on
    if state.outcome_at is not None:
        return "done", state.outcome_known_on
    closed_on = card.closed_on(as_of)
    return ("closed", closed_on) if closed_on is not None else ("open", None)


def _live_status(state: CardState, outcome: str, as_of: date) -> str:
    # Without a date it comes back with the firing, 90 days after the opening.
    is_put_off = state.decision == "too_early" and (state.until is None or as_of < state.until)
    if is_put_off and not state.is_in_play:
        return "snoozed"
    return "held" if outcome != "clear" and not state.is_in_play else "open"


def _gate_summary(results: list[gate_rules.GateResult], held_days: int, gates: Gates) -> str | None:
    """Say in words what the gates say; a hold of more than 45 days goes back to the owner."""
    if not results:
        return None
    blocking = [r for r in results if gate_rules.SEVERITY[r.result]]
    if not blocking:
        return "Clear"
    word = "Stop" if any(r.result == "stop" for r in blocking) else "Hold"
    text = f"{word}: {'; '.join(r.evidence for r in blocking)}"
    if held_days > gates.hold_returns_after_days:
        text += f". Held for {held_days} days: the owner decides"
    return text
