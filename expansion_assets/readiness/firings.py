"""Firings put together from their events.

Belongs here: one object per firing with its opening, closing and returns. Does not belong here: detection, cards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

# A threshold just reached; detectors that grade nothing leave the strength null.
DEFAULT_STRENGTH = 0.5
_ENDS = ("closed", "superseded")
_ORDER = {"closed": 0, "superseded": 0, "returned": 1, "opened": 2, "suppressed": 3}


@dataclass
class Firing:
    """A firing that counts: opened, neither set aside by the fleet check nor in shadow."""

    firing_id: str
    account_id: str
    trigger: str
    sub_trigger: str
    subject_key: str
    opened_on: date
    happened_at: datetime | None
    known_at: datetime | None
    strength: float
    opened_reason: str | None
    closed_on: date | None = None
    returned_on: list[date] = field(default_factory=list)

    def is_open(self, as_of: date) -> bool:
        """True from the opening day until the day before the closing."""
        return self.opened_on <= as_of and (self.closed_on is None or as_of < self.closed_on)


def ordered(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return events by day; on one day endings come before openings (a new limit ends and starts a firing)."""
    return sorted(events, key=lambda e: (e["as_of_date"], _ORDER[e["event_type"]], e["firing_id"]))


def opened_reason(event: Mapping[str, Any]) -> str | None:
    """Return why a firing opened, where that is not a plain crossing."""
    return "initial_state" if event["is_initial_state"] else event.get("reason")


def collect_firings(events: Iterable[Mapping[str, Any]]) -> dict[str, Firing]:
    """Return the firings that count, by id, from rows of ``triggers.firing_events``.

    Suppressed, fleet and shadow events open nothing. All events are taken; readers compare the dates on a firing
    with their own day.
    """
    firings: dict[str, Firing] = {}
    for event in ordered(events):
        kind, firing_id = event["event_type"], event["firing_id"]
        if kind == "opened" and not event["is_fleet_event"] and not event["is_shadow"]:
            strength = event["strength"]
            firings[firing_id] = Firing(
                firing_id, event["account_id"], event["trigger"], event["sub_trigger"], event["subject_key"],
                event["as_of_date"], event.get("happened_at"), event.get("known_at"),
                DEFAULT_STRENGTH if strength is None else strength, opened_reason(event),
            )
        elif firing_id in firings and kind in _ENDS and firings[firing_id].closed_on is None:
            firings[firing_id].closed_on = event["as_of_date"]
        elif firing_id in firings and kind == "returned":
            firings[firing_id].returned_on.append(event["as_of_date"])
    return firings
