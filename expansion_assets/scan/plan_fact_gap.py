"""The manager's scan: six lines of plan, fact and gap, after churn risk and beside what cannot be watched (DOMAIN §8).

Belongs here: what was promised, what was kept, who is behind a gap, what to escalate. Does not belong here: why a card
is late (``causes.py``), markup (``rendering.py``). The same counts stand in ``outcomes.plan_fact_gap``, made in SQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from expansion_assets import clock
from expansion_assets.catalogue.plays_loader import PlanLine, Plans
from expansion_assets.review.state import CardState, card_state, signatures
from expansion_assets.scan import words
from expansion_assets.scan.causes import cause_of_card, cause_of_line

Row = dict[str, Any]
_NOUNS = {"conversations": "conversation", "outcomes": "outcome"}


@dataclass(frozen=True)
class Book:
    """Names that the pages show.

    Attributes:
        accounts: Row of ``features.account_day`` of the day, by account.
        owners: Row of the CRM's owners (``name, country``), by owner.
    """

    accounts: Mapping[str, Mapping[str, Any]]
    owners: Mapping[str, Mapping[str, Any]]

    def account(self, account_id: str) -> str:
        """Return an account's name, else its id."""
        return self.accounts.get(account_id, {}).get("account_name") or account_id

    def owner(self, owner_id: str | None) -> str:
        """Return an owner's name."""
        return self.owners.get(owner_id or "", {}).get("name") or owner_id or "No owner"

    def country(self, owner_id: str | None) -> str | None:
        """Return the country whose holidays apply to an owner."""
        return self.owners.get(owner_id or "", {}).get("country")


@dataclass(frozen=True)
class Promise:
    """What one card owes to one line of the scan."""

    promised_on: date | None
    is_owed: bool
    is_kept: bool
    is_done: bool


def promise(card: Mapping[str, Any], state: CardState, line: PlanLine) -> Promise:
    """Return what a card owes to a line.

    A line of conversations is owed by the card's due date, unless the card was rejected or closed in time; a line of
    outcomes by ``outcome_due_on`` once a conversation was held. Without a date (the clock stands still) nothing is
    owed.

    Args:
        card: Row of ``readiness.cards``.
        state: State of the card on the same day.
        line: Line of the scan.
    """
    if line.counts == "outcomes":
        kept = state.outcome_at is not None
        due_on = card["outcome_due_on"]
        return Promise(due_on, due_on is not None, kept, kept)
    due_on, held_on = card["due_on"], card["conversation_held_on"]
    if due_on is None:
        return Promise(None, False, held_on is not None, False)
    if held_on is not None:
        return Promise(due_on, True, True, held_on <= due_on)
    if state.decision == "rejected":
        return Promise(due_on, card["decided_on"] > due_on, False, False)
    if card["status"] == "closed":
        return Promise(due_on, card["closed_on"] > due_on, False, False)
    return Promise(due_on, True, False, False)


def build_scan(
    as_of: date,
    cards: Iterable[Mapping[str, Any]],
    card_reviews: Iterable[Mapping[str, Any]],
    review_events: Iterable[Mapping[str, Any]],
    paused_days: Iterable[Mapping[str, Any]],
    churn_risk: Iterable[Mapping[str, Any]],
    coverage: Iterable[Mapping[str, Any]],
    book: Book,
    plans: Plans,
    timezone: str = "UTC",
) -> Row:
    """Build the data of the scan page.

    Args:
        as_of: Day of the scan.
        cards: Rows of ``readiness.cards`` of the day and of the last three Mondays up to it.
        card_reviews: Rows of ``readiness.card_reviews``.
        review_events: Rows of ``features.review_events`` (signatures of the monthly review).
        paused_days: Rows ``card_id, as_of_date, status`` of ``readiness.cards``, held or snoozed.
        churn_risk: Rows of ``readiness.churn_risk`` of the day.
        coverage: Rows of :func:`~expansion_assets.readiness.coverage.coverage_by_trigger`.
        book: Names.
        plans: Lines and stages.
        timezone: Workspace time zone.

    Returns:
        ``as_of, churn_risk, lines`` (worst gap first), ``blind, escalations, totals``; dates are dates, ready for
        rendering.
    """
    all_cards = list(cards)
    today = [card for card in all_cards if card["as_of_date"] == as_of]
    by_card: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in card_reviews:
        by_card[event["card_id"]].append(event)
    states = {c["card_id"]: card_state(by_card[c["card_id"]], as_of, c["clock_started_on"]) for c in today}
    held: dict[str, set[date]] = defaultdict(set)
    for row in paused_days:
        if row["status"] == "held" and row["as_of_date"] <= as_of:
            held[row["card_id"]].add(row["as_of_date"])

    lines = [
        _signature_line(line, review_events, book, as_of, plans) if line.counts == "signatures"
        else _line(line, today, states, held, book, plans, as_of, timezone)
        for line in plans.lines.values()
    ]
    lines.sort(key=lambda line: -line["gap"])  # stable: equal gaps keep the order of plans.yml
    risks = [
        {"account_id": row["account_id"], "account": book.account(row["account_id"]),
         "owner": book.owner(book.accounts.get(row["account_id"], {}).get("owner_id")),
         "reasons": row["reasons"].split("; ")}
        for row in churn_risk if row["as_of_date"] == as_of
    ]
    risks.sort(key=lambda risk: (-len(risk["reasons"]), risk["account"]))
    triggers = [{**row, "name": words.TRIGGERS.get(row["trigger"], row["trigger"])} for row in coverage]
    return {
        "as_of": as_of,
        "churn_risk": risks,
        "lines": lines,
        "blind": [row for row in triggers if row["blind_accounts"]],
        "watched": [row for row in triggers if not row["blind_accounts"]],
        "escalations": escalations(all_cards, as_of, book),
        "totals": {
            "accounts": len(book.accounts), "live_cards": sum(c["closed_on"] is None for c in today),
            "planned": sum(line["planned"] for line in lines), "done": sum(line["done"] for line in lines),
            "gap": sum(line["gap"] for line in lines),
        },
    }


def _line(
    line: PlanLine, cards: Iterable[Mapping[str, Any]], states: Mapping[str, CardState],
    held: Mapping[str, Collection[date]], book: Book, plans: Plans, as_of: date, timezone: str,
) -> Row:
    first = as_of - timedelta(days=line.period_days - 1)
    planned, done, inferred, open_not_due, paused, live = 0, 0, 0, 0, 0, []
    missed: list[Row] = []
    for card in cards:
        if line.play is not None and (card["trigger"], card["play"]) != (line.trigger, line.play):
            continue
        state = states[card["card_id"]]
        if card["closed_on"] is None:
            live.append(card)
            paused += card["due_on"] is None and line.counts == "conversations"
        owed = promise(card, state, line)
        if not owed.is_owed or owed.promised_on is None:
            continue
        if owed.promised_on > as_of:
            open_not_due += not owed.is_kept
        if not first <= owed.promised_on <= as_of:
            continue
        planned += 1
        done += owed.is_done
        inferred += owed.is_done and line.counts == "conversations" and state.is_conversation_inferred
        if not owed.is_done:
            country = book.country(card["owner_id"])
            why = cause_of_card(card, state, held.get(card["card_id"], ()), country, as_of, line, plans, timezone)
            missed.append({
                "account_id": card["account_id"], "account": book.account(card["account_id"]),
                "owner": book.owner(card["owner_id"]), "due_on": owed.promised_on,
                "held_on": card["conversation_held_on"], "what": words.trigger(card),
                "stage": words.STAGES[state.stage], "cause": plans.stages[why].label, "cause_key": why,
            })
    missed.sort(key=lambda row: (row["due_on"], row["account"]))
    cause = cause_of_line((row["cause_key"] for row in missed), plans)
    notes = []
    if inferred:
        notes.append(f"{inferred} of them inferred from a meeting, not logged")
    if open_not_due:
        notes.append(f"{open_not_due} more not yet due")
    if paused:
        notes.append(f"{paused} paused by a gate or put off")
    if line.trigger == "CROSS_TEAM" and live:
        age = max((as_of - card["detected_on"]).days for card in live)
        notes.append(f"{words.count(len(live), 'silent expansion')} running, the oldest for {words.count(age, 'day')}")
    return {
        "key": line.key, "title": line.title, "plan": line.plan, "period_start": first, "period_end": as_of,
        "planned": planned, "done": done, "gap": planned - done, "open_not_due": open_not_due,
        "fact": _fact(line, planned, done, missed), "notes": notes, "accounts": missed,
        "cause_key": cause[0] if cause else None, "cause": plans.stages[cause[0]].label if cause else None,
        "cause_count": cause[1] if cause else 0,
    }


def _fact(line: PlanLine, planned: int, done: int, missed: list[Row]) -> str:
    noun = _NOUNS[line.counts]
    if not planned:
        return f"No {noun} fell due."
    kept = "logged" if line.counts == "outcomes" else "held in time"
    names = list(dict.fromkeys(row["account"] for row in missed))
    text = f"{done} of {words.count(planned, noun)} {kept}"
    return f"{text}; not: {words.listed(names)}." if names else f"{text}."


def _signature_line(
    line: PlanLine, review_events: Iterable[Mapping[str, Any]], book: Book, as_of: date, plans: Plans
) -> Row:
    first = as_of - timedelta(days=line.period_days - 1)
    everything = list(review_events)
    signed = signatures(everything, first, as_of, as_of)
    earlier = signatures(everything, date.min, as_of, as_of)
    if signed:
        last = max(signed, key=lambda event: event["at"])
        fact = f"Signed by {book.owner(last['actor'])} on {words.day(last['at'])}."
    elif earlier:
        last = max(earlier, key=lambda event: event["at"])
        fact = f"Not signed. Last signed by {book.owner(last['actor'])} on {words.day(last['at'])}."
    else:
        fact = "Never signed."
    cause = None if signed else "review_not_signed"
    return {
        "key": line.key, "title": line.title, "plan": line.plan, "period_start": first, "period_end": as_of,
        "planned": 1, "done": int(bool(signed)), "gap": int(not signed), "open_not_due": 0, "fact": fact, "notes": [],
        "accounts": [], "cause_key": cause, "cause": plans.stages[cause].label if cause else None,
        "cause_count": int(not signed),
    }


def escalations(cards: Iterable[Mapping[str, Any]], as_of: date, book: Book) -> list[Row]:
    """Return the cards to raise with the Head of Customer Success, not with the CSM.

    A card that was live, unheld, overdue and without conversation on two Mondays running; on the third it has been
    raised already, so it appears once.

    Args:
        cards: Rows of ``readiness.cards`` of the last three Mondays up to the day.
        as_of: Day of the scan.
        book: Names.
    """
    monday = clock.last_monday(as_of)
    overdue: dict[date, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for card in cards:
        is_late = card["status"] == "open" and card["due_on"] is not None and card["due_on"] < card["as_of_date"]
        if is_late and card["conversation_held_on"] is None:
            overdue[card["as_of_date"]][card["card_id"]] = card
    week = timedelta(days=7)
    now, before, earlier = overdue[monday], overdue[monday - week], overdue[monday - 2 * week]
    raised = [card for card_id, card in now.items() if card_id in before and card_id not in earlier]
    return sorted(
        (
            {"card_id": card["card_id"], "account_id": card["account_id"], "account": book.account(card["account_id"]),
             "what": words.trigger(card), "owner": book.owner(card["owner_id"]), "due_on": card["due_on"],
             "mondays": [monday - week, monday]}
            for card in raised
        ),
        key=lambda row: (row["due_on"], row["account"]),
    )
