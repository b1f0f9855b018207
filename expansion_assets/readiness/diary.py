"""Owners' working days: whose holidays count and when an owner is away, as known on a day.

Belongs here: due dates by owner. Does not belong here: the calendar itself (``clock.py``), which card has which clock
(``cards.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from expansion_assets import clock


@dataclass(frozen=True)
class People:
    """Owners and their absences, with the day on which each row became known.

    Attributes:
        owners: Rows ``owner_id, country`` and optionally ``known_on`` (versions).
        absences: Rows ``owner_id, from_on, to_on`` (inclusive) and optionally ``known_on``.
    """

    owners: Iterable[Mapping[str, Any]] = ()
    absences: Iterable[Mapping[str, Any]] = ()


class Diary:
    """Country and absences of owners, as known on a day."""

    def __init__(self, people: People) -> None:
        """Index owners and absences by owner."""
        self._countries: dict[str, list[tuple[date, str | None]]] = defaultdict(list)
        for row in people.owners:
            self._countries[row["owner_id"]].append((row.get("known_on") or date.min, row["country"]))
        for versions in self._countries.values():
            versions.sort(key=lambda version: version[0])
        self._absences: dict[str, list[tuple[date, clock.Interval]]] = defaultdict(list)
        for row in people.absences:
            interval = (row["from_on"], row["to_on"] + clock.ONE_DAY)
            self._absences[row["owner_id"]].append((row.get("known_on") or date.min, interval))
        self._known: dict[tuple[str | None, date], tuple[str | None, tuple[clock.Interval, ...]]] = {}
        self._due: dict[tuple[Any, ...], date] = {}

    def country(self, owner_id: str | None, as_of: date) -> str | None:
        """Return the country whose holidays apply to an owner; None when it is not known."""
        known = [country for known_on, country in self._countries.get(owner_id or "", []) if known_on <= as_of]
        return known[-1] if known else None

    def due(self, start: date, n: int, owner_id: str | None, as_of: date, pauses: list[clock.Interval]) -> date:
        """Return the due date of a clock started on a day, as known on ``as_of``."""
        known = self._known.get((owner_id, as_of))
        if known is None:
            absences = tuple(i for known_on, i in self._absences.get(owner_id or "", []) if known_on <= as_of)
            known = self._known[owner_id, as_of] = (self.country(owner_id, as_of), absences)
        key = (start, n, *known, tuple(pauses))
        if key not in self._due:
            self._due[key] = clock.add_business_days(*key)
        return self._due[key]
