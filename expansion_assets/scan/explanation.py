"""An explanation in words: for every rule why it fired for an account, or why it did not.

Belongs here: the sentences. Does not belong here: verdicts (``triggers/explain``), reading the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from itertools import groupby
from typing import Any

from expansion_assets.scan import words
from expansion_assets.triggers.explain import Explanation, Verdict

_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "fired": ("FIRED today", "bad"),
    "open": ("fired on {since}, and still stands", "warn"),
    "fleet_event": ("set aside on {since}: much of the book fired at once", "quiet"),
    "closed": ("fired on {since}, and is closed", "quiet"),
    "superseded": ("fired on {since}, and its evidence was withdrawn", "quiet"),
    "suppressed": ("set aside on {since}", "quiet"),
    "grace": ("held back: the contract is in its first days", "quiet"),
    "met": ("condition holds, no firing on record", "warn"),
    "not_met": ("not reached", "quiet"),
    "no_reading": ("nothing to watch", "quiet"),
    "nothing_known": ("nothing known that counts", "quiet"),
}
"""Verdict -> sentence, and the tone in which a page shows it."""


def explained(
    explanations: Iterable[Explanation], blind: Mapping[str, str], subjects: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Verdicts in words, by trigger.

    Args:
        explanations: Verdicts in order.
        blind: Trigger -> why it is blind for the account.
        subjects: What stands for a subject key, where the key itself says nothing to a reader (a person's pseudonym).

    Returns:
        ``trigger, name, blind`` (reason or None) and ``rules``: each ``rule, verdict, said, tone`` and ``details``, one
        line per value beside its threshold, hysteresis, or sight that does not count.
    """
    told: list[dict[str, Any]] = []
    for trigger, items in groupby(explanations, key=lambda item: item.trigger):
        shown = [
            item for item in items if trigger not in blind or item.verdict not in ("no_reading", "nothing_known")
        ]
        told.append({
            "trigger": trigger,
            "name": words.TRIGGERS.get(trigger, trigger),
            "blind": blind.get(trigger),
            "rules": [_rule(item, subjects or {}) for item in shown],
        })
    return told


def explanation_text(
    account_id: str, name: str | None, day: date, explanations: Iterable[Explanation], blind: Mapping[str, str]
) -> str:
    """The whole explanation as lines for a terminal.

    Args:
        account_id: Account.
        name: Its name, when known.
        day: Day of the verdicts.
        explanations: Verdicts in order.
        blind: Trigger -> why it is blind.
    """
    lines = [f"{name or account_id} ({account_id}) as known on {words.day(day)}"]
    for trigger in explained(explanations, blind):
        lines += ["", f"{trigger['name']} [{trigger['trigger']}]"]
        if trigger["blind"]:
            lines.append(f"  BLIND: {trigger['blind']}; silence says nothing here")
        for rule in trigger["rules"]:
            lines += [f"  {rule['rule']}: {rule['said']}", *(f"    {detail}" for detail in rule["details"])]
    return "\n".join(lines)


def _rule(item: Explanation, subjects: Mapping[str, str]) -> dict[str, Any]:
    rule = words.SUB_TRIGGERS.get(item.sub_trigger, item.sub_trigger)
    subject = subjects.get(item.subject_key or "", item.subject_key)
    is_told = subject and subject != item.sub_trigger
    sentence, tone = _VERDICTS[item.verdict]
    reason = f": {item.reason.replace('_', ' ')}" if item.reason else ""
    # Without quotes: here nobody asks whether their speaker may be shown, as the digest does (``scan/consent``).
    details = [words.evidence(asdict(line) | {"quote": None}) for line in item.lines]
    if item.verdict in ("fired", "open") and item.rearm_days:
        state = "calm now" if item.is_calm else "not calm now"
        details.append(f"fires again only after {words.count(item.rearm_days, 'calm day')} in a row; {state}")
    details += [f"{words.count(number, 'time')}: {miss}" for miss, number in item.near_misses]
    return {
        "rule": f"{rule} ({subject})" if is_told else rule,
        "verdict": item.verdict,
        "said": sentence.format(since=words.day(item.since)) + reason,
        "tone": tone,
        "details": details,
    }
