"""An explanation in words: for every rule why it fired for an account, or why it did not.

Belongs here: the sentences. Does not belong here: verdicts (``triggers/explain``), reading the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date

from expansion_assets.scan import words
from expansion_assets.triggers.explain import Explanation, Verdict

_VERDICTS: dict[Verdict, str] = {
    "fired": "FIRED today",
    "open": "fired on {since}, and still stands",
    "fleet_event": "set aside on {since}: much of the book fired at once",
    "suppressed": "set aside on {since}",
    "grace": "held back: the contract is in its first days",
    "met": "condition holds, no firing on record",
    "not_met": "not reached",
    "no_reading": "nothing to watch",
    "nothing_known": "nothing known that counts",
}


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
    trigger = None
    for item in explanations:
        if item.trigger != trigger:
            trigger = item.trigger
            lines += ["", f"{words.TRIGGERS.get(trigger, trigger)} [{trigger}]"]
            if trigger in blind:
                lines.append(f"  BLIND: {blind[trigger]}; silence says nothing here")
        if trigger in blind and item.verdict in ("no_reading", "nothing_known"):
            continue
        lines += _of_rule(item)
    return "\n".join(lines)


def _of_rule(item: Explanation) -> list[str]:
    rule = words.SUB_TRIGGERS.get(item.sub_trigger, item.sub_trigger)
    subject = f" ({item.subject_key})" if item.subject_key and item.subject_key != item.sub_trigger else ""
    verdict = _VERDICTS[item.verdict].format(since=words.day(item.since))
    reason = f": {item.reason.replace('_', ' ')}" if item.reason else ""
    lines = [f"  {rule}{subject}: {verdict}{reason}"]
    # Without quotes: here nobody asks whether their speaker may be shown, as the pages do (``scan/consent``).
    lines += [f"    {words.evidence(asdict(line) | {'quote': None})}" for line in item.lines]
    if item.verdict in ("fired", "open") and item.rearm_days:
        state = "calm now" if item.is_calm else "not calm now"
        days = words.count(item.rearm_days, "calm day")
        lines.append(f"    fires again only after {days} in a row; {state}")
    lines += [f"    {words.count(number, 'time')}: {miss}" for miss, number in item.near_misses]
    return lines
