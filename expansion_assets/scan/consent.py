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
    known = list(people)
    shown_keys = {(row["account_id"], row["person_key"]) for row in known if row["has_basis"] and row["person_key"]}
    shown_mail = {row["email"].strip().lower() for row in known if row["has_basis"] and row["email"]}
    names: dict[str, list[re.Pattern[str]]] = {}
    for row in known:
        words = (row["name"] or "").split()
        if not row["has_basis"] and len(words) >= _MIN_NAME_WORDS:
            names.setdefault(row["account_id"], []).append(_pattern(words))
    firings = {
        firing: card for card in cards for firing in (card.get("firing_ids") or card["firing_id"]).split("|")
    }
    lines = []
    for line in evidence:
        card = firings.get(line["firing_id"])
        if card is None or not line.get("quote"):
            lines.append(dict(line))
        elif card["trigger"] == ROLE_CHANGE:
            is_shown = (card["account_id"], card["subject_key"]) in shown_keys
            lines.append(dict(line) if is_shown else {**line, "quote": None, "hidden": _somebody(line["quote"])})
        else:
            quote = _ADDRESS.sub(
                lambda found: found[0] if found[0].lower() in shown_mail else HIDDEN, line["quote"]
            )
            for pattern in names.get(card["account_id"], []):
                quote = pattern.sub(HIDDEN, quote)
            lines.append({**line, "quote": quote})
    return lines


def _somebody(title: str) -> str:
    function = load_catalogue().titles.function(title)
    where = f"Somebody in {function.replace('_', ' ')}" if function else "Somebody"
    return f"{where}; person hidden, no consent or lawful basis on record"


def _pattern(words: list[str]) -> re.Pattern[str]:
    """A full name in a text, also last name first."""
    orders = (words, [words[-1], *words[:-1]])
    spellings = (r"[\s,]+".join(map(re.escape, order)) for order in orders)
    return re.compile("|".join(rf"\b{spelling}\b" for spelling in spellings), re.IGNORECASE)
