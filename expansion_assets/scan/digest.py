"""The weekly digest: one row per account, grouped by the CSM in charge.

Belongs here: what a CSM needs to know of an account's open cards. Does not belong here: counts for the manager
(``plan_fact_gap.py``), markup (``rendering.py``), sending.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from expansion_assets.catalogue.plays_loader import Play
from expansion_assets.scan import words
from expansion_assets.scan.plan_fact_gap import Book

Row = dict[str, Any]
NEW_DAYS = 7
_SHOWN = ("open", "held")


def build_digest(
    as_of: date,
    cards: Iterable[Mapping[str, Any]],
    evidence: Iterable[Mapping[str, Any]],
    coverage: Iterable[Mapping[str, Any]],
    book: Book,
    plays: Mapping[str, Play],
) -> Row:
    """Build the data of the digest page.

    Args:
        as_of: Day of the digest.
        cards: Rows of ``readiness.cards`` of the day; others are ignored.
        evidence: Rows of ``triggers.evidence``.
        coverage: Rows of :func:`~expansion_assets.readiness.coverage.coverage_by_trigger`.
        book: Names.
        plays: Plays by key.

    Returns:
        ``as_of, csms`` (each with ``owner`` and ``rows``, one per account, by due date, then score), ``blind,
        watched, totals``. Cards that are put off are counted, not shown.
    """
    today = [card for card in cards if card["as_of_date"] == as_of]
    by_firing: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in evidence:
        by_firing[line["firing_id"]].append(line)
    by_account: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for card in today:
        if card["status"] in _SHOWN:
            by_account[card["account_id"]].append(card)

    by_owner: dict[str, list[Row]] = defaultdict(list)
    for account_id, account_cards in by_account.items():
        row = _account_row(account_id, account_cards, by_firing, book, plays, as_of)
        by_owner[row["owner"]].append(row)
    csms = [
        {"owner": owner, "rows": sorted(rows, key=_order),
         "overdue": sum(row["is_overdue"] for row in rows), "cards": sum(len(row["cards"]) for row in rows)}
        for owner, rows in sorted(by_owner.items())
    ]
    triggers = [{**row, "name": words.TRIGGERS.get(row["trigger"], row["trigger"])} for row in coverage]
    shown = [row for csm in csms for row in csm["rows"]]
    return {
        "as_of": as_of,
        "csms": csms,
        "blind": [row for row in triggers if row["blind_accounts"]],
        "watched": [row for row in triggers if not row["blind_accounts"]],
        "totals": {
            "accounts": len(shown), "cards": sum(len(row["cards"]) for row in shown),
            "overdue": sum(row["is_overdue"] for row in shown), "hot": sum(row["is_hot"] for row in shown),
            "put_off": sum(card["status"] == "snoozed" for card in today),
        },
    }


def _order(row: Row) -> tuple[date, float, str]:
    """Earliest due date first (paused ones last), then the highest score."""
    return row["due_on"] or date.max, -(row["score"] or 0.0), row["account"]


def _account_row(
    account_id: str, cards: list[Mapping[str, Any]], by_firing: Mapping[str, list[Mapping[str, Any]]], book: Book,
    plays: Mapping[str, Play], as_of: date,
) -> Row:
    cards = sorted(cards, key=lambda card: (_next_due(card) or date.max, card["detected_on"], card["card_id"]))
    first, account = cards[0], book.accounts.get(account_id, {})
    due_on = _next_due(first)
    return {
        "account_id": account_id,
        "account": book.account(account_id),
        "card_group_id": first["card_group_id"],
        "owner_id": first["owner_id"],
        "owner": book.owner(first["owner_id"]),
        "segment": account.get("segment"),
        "arr": words.money(account.get("arr"), account.get("currency")),
        "due_on": due_on,
        "is_overdue": due_on is not None and due_on < as_of,
        "is_new": any((as_of - card["detected_on"]).days < NEW_DAYS for card in cards),
        "is_risk": any(card["is_risk"] for card in cards),
        "is_hot": any(card["is_hot"] for card in cards),
        "score": first["score"],
        "coverage_pct": first["coverage_pct"],
        "cards": [_card(card, by_firing, plays[card["play"]], as_of) for card in cards],
    }


def _next_due(card: Mapping[str, Any]) -> date | None:
    """Day by which the owner has to act next: the conversation, then its outcome."""
    return card["outcome_due_on"] if card["conversation_held_on"] is not None else card["due_on"]


def _card(
    card: Mapping[str, Any], by_firing: Mapping[str, list[Mapping[str, Any]]], play: Play, as_of: date
) -> Row:
    firing_ids = (card.get("firing_ids") or card["firing_id"]).split("|")
    # Evidence of a firing runs to three lines; a card of several firings shows the first lines of each.
    most = 3 if len(firing_ids) == 1 else 2
    lines = [
        words.evidence(line) for firing_id in firing_ids
        for line in sorted(by_firing.get(firing_id, []), key=lambda line: line["line_no"])[:most]
    ]
    is_returned, due_on = card["opened_reason"] == "returned", _next_due(card)
    return {
        "card_id": card["card_id"],
        "trigger": card["trigger"],
        "what": words.trigger(card),
        "detected_on": card["detected_on"],
        "detected_note": words.OPENED.get(card["opened_reason"] or ""),
        "is_new": (as_of - card["detected_on"]) < timedelta(days=NEW_DAYS) and not is_returned,
        "evidence": lines,
        "play": play.title,
        "play_code": play.code,
        "playbook": card["playbook"],
        "sla_business_days": card["sla_business_days"],
        "due_on": due_on,
        "is_overdue": due_on is not None and due_on < as_of,
        "is_outcome_due": card["conversation_held_on"] is not None,
        "status": card["status"],
        "to_do": words.TO_DO.get(card["stage"], words.STAGES.get(card["stage"], card["stage"])),
        "question": play.question,
        "validate": play.validate_,
        "decision": play.decision,
        "gate_outcome": card["gate_outcome"],
        "gate_summary": card["gate_summary"],
        "release_condition": card["release_condition"],
        "verify": card["verify"].split("; ") if card["verify"] else [],
        "value": words.value_range(card["value_low"], card["value_high"], card["currency"]),
        "value_arithmetic": card["value_arithmetic"],
        "value_missing_reason": card["value_missing_reason"],
        "is_risk": card["is_risk"],
    }
