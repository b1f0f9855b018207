"""Firings as they were known then against firings as they stand with today's knowledge.

Belongs here: which openings are the same, moved, or stand on one side only. Does not belong here: how the second log
was computed (``sources/restate``), reading either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Literal

Change = Literal["moved", "only_known_then", "only_restated"]


@dataclass(frozen=True, order=True, slots=True)
class Opening:
    """A firing that opened."""

    account_id: str
    trigger: str
    sub_trigger: str
    subject_key: str
    opened_on: date

    @property
    def subject(self) -> tuple[str, str, str, str]:
        """What fired, whenever it did."""
        return self.account_id, self.trigger, self.sub_trigger, self.subject_key


@dataclass(frozen=True, slots=True)
class Difference:
    """One opening that differs between the two logs; the day of the log without it is None."""

    account_id: str
    trigger: str
    sub_trigger: str
    subject_key: str
    change: Change
    known_then_on: date | None
    restated_on: date | None


def differences(known_then: Iterable[Opening], restated: Iterable[Opening], within_days: int) -> list[Difference]:
    """Compare two logs.

    Args:
        known_then: Openings of the live log.
        restated: Openings of the restated log.
        within_days: Farthest apart that two openings of one subject are the same crossing, moved.

    Returns:
        Differences by account, trigger and day. Nearest openings pair first, each once.
    """
    before, after = set(known_then), set(restated)
    only_then, only_restated = before - after, after - before
    pairs = sorted(
        (abs((new.opened_on - old.opened_on).days), old, new)
        for old in only_then
        for new in only_restated
        if old.subject == new.subject
    )
    found = []
    for days, old, new in pairs:
        if days <= within_days and old in only_then and new in only_restated:
            only_then.remove(old)
            only_restated.remove(new)
            found.append(Difference(*old.subject, "moved", old.opened_on, new.opened_on))
    found += [Difference(*old.subject, "only_known_then", old.opened_on, None) for old in only_then]
    found += [Difference(*new.subject, "only_restated", None, new.opened_on) for new in only_restated]
    return sorted(found, key=_place)


_WORDS = {"moved": "moved", "only_known_then": "gone", "only_restated": "new"}


def render(found: Iterable[Difference], unchanged: int) -> str:
    """Counts by trigger, then one line per difference, for a terminal."""
    found = list(found)
    lines = [f"{unchanged} firings stand as they were, {len(found)} differ"]
    for trigger, of_trigger in groupby(sorted(found, key=lambda item: item.trigger), key=lambda item: item.trigger):
        counts = Counter(_WORDS[item.change] for item in of_trigger)
        lines.append(f"  {trigger}: " + ", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    lines += [
        f"  {item.account_id} {item.sub_trigger} {item.subject_key}: known then {item.known_then_on or 'never'},"
        f" restated {item.restated_on or 'never'}"
        for item in found
    ]
    return "\n".join(lines)


def _place(difference: Difference) -> tuple[str, str, str, str, date]:
    day = difference.known_then_on or difference.restated_on or date.min
    return difference.account_id, difference.trigger, difference.sub_trigger, difference.subject_key, day
