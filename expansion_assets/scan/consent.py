"""Who may be named on a page: only people with consent or a lawful basis on record (DOMAIN §4, §6).

Belongs here: hiding people in the evidence that pages show. Does not belong here: whether a play may start (the gate
``consent``), people who asked to be forgotten (``privacy``).

The fact of the account stays: the card, its firing, the function that somebody joined. Not knowing hides the person and
blocks nothing. What is hidden on a page still stands in the warehouse, for the day on which a basis is recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from expansion_assets.catalogue.loader import load_catalogue

HIDDEN = "[hidden]"
ROLE_CHANGE = "ROLE_CHANGE"
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_MIN_NAME_WORDS = 2


def hide_people(
    evidence: Iterable[Mapping[str, Any]], cards: Iterable[Mapping[str, Any]], people: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Take people without consent and lawful basis out of evidence lines.

    Args:
        evidence: Rows of ``triggers.evidence``.
        cards: Rows of ``readiness.cards`` of the day: which account and person a firing is about.
        people: People as known on the day: ``account_id, person_key, name, email, has_basis``; ``has_basis`` is null
            when nothing is known, as for everybody who is not here.

    Returns:
        The lines. A job title of a hidden person gives way to ``hidden``, which tells the function alone; names of
        hidden people of the account, and every address without a basis, are ``[hidden]`` in quotes.
    """
    shown = _Shown(people)
    firings = {
        firing: card for card in cards for firing in (card.get("firing_ids") or card["firing_id"]).split("|")
    }
    lines = []
    for line in evidence:
        card = firings.get(line["firing_id"])
        if card is None or not line.get("quote"):
            lines.append(dict(line))
        elif card["trigger"] == ROLE_CHANGE:
            is_shown = shown.is_person(card["account_id"], card["subject_key"])
            lines.append(dict(line) if is_shown else {**line, "quote": None, "hidden": _somebody(line["quote"])})
        else:
            lines.append({**line, "quote": shown.text(card["account_id"], line["quote"])})
    return lines


def hide_in_timeline(
    timeline: Iterable[Mapping[str, Any]], people: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Take people without consent and lawful basis out of events of the timeline; as ``hide_people``."""
    shown = _Shown(people)
    events = []
    for event in timeline:
        summary = event["summary"] or ""
        if event["kind"].startswith("contact_") and not shown.is_person(event["account_id"], event["person_key"]):
            summary = _somebody(summary)
        events.append({**event, "summary": shown.text(event["account_id"], summary)})
    return events


def person_names(people: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What a page writes for a person's key: the name, or that it is hidden."""
    return {
        row["person_key"]: row["name"] if row["has_basis"] and row["name"] else "person hidden"
        for row in sorted(people, key=lambda row: bool(row["has_basis"]))
        if row["person_key"]
    }


class _Shown:
    """Who of the known people may be named."""

    def __init__(self, people: Iterable[Mapping[str, Any]]) -> None:
        known = list(people)
        self._keys = {(row["account_id"], row["person_key"]) for row in known if row["has_basis"] and row["person_key"]}
        self._mail = {row["email"].strip().lower() for row in known if row["has_basis"] and row["email"]}
        self._names: dict[str, list[re.Pattern[str]]] = {}
        for row in known:
            words = (row["name"] or "").split()
            if not row["has_basis"] and len(words) >= _MIN_NAME_WORDS:
                self._names.setdefault(row["account_id"], []).append(_pattern(words))

    def is_person(self, account_id: str, person_key: str | None) -> bool:
        return (account_id, person_key) in self._keys

    def text(self, account_id: str, text: str) -> str:
        """A text without the addresses and the account's names that may not be shown."""
        text = _ADDRESS.sub(lambda found: found[0] if found[0].lower() in self._mail else HIDDEN, text)
        for pattern in self._names.get(account_id, []):
            text = pattern.sub(HIDDEN, text)
        return text


def _somebody(title: str) -> str:
    function = load_catalogue().titles.function(title)
    where = f"Somebody in {function.replace('_', ' ')}" if function else "Somebody"
    return f"{where}; person hidden, no consent or lawful basis on record"


def _pattern(words: list[str]) -> re.Pattern[str]:
    """A full name in a text, also last name first."""
    orders = (words, [words[-1], *words[:-1]])
    spellings = (r"[\s,]+".join(map(re.escape, order)) for order in orders)
    return re.compile("|".join(rf"\b{spelling}\b" for spelling in spellings), re.IGNORECASE)
