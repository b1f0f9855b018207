"""Events and the one state machine behind every trigger that watches a level.

Belongs here: OFF to ON at a crossing, back to OFF after calm days, grace, limit epochs.
Does not belong here: how a day's reading comes about (the trigger modules).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Event(NamedTuple):
    """One firing event; the fleet check passes over what the calendar brought (`is_scheduled`)."""

    account_id: str
    trigger: str
    sub_trigger: str
    subject_key: str
    event_type: str
    as_of_date: date
    reason: str | None = None
    is_initial_state: bool = False
    is_fleet_event: bool = False
    is_scheduled: bool = False


class Subject(NamedTuple):
    """What a machine watches."""

    account_id: str
    trigger: str
    sub_trigger: str
    subject_key: str


class Reading(NamedTuple):
    """One watchable day. `day` is an ordinal; blind days have no reading and are thereby skipped."""

    day: int
    is_true: bool
    is_calm: bool
    rearm_days: int
    in_grace: bool = False
    limit: float | None = None
    users: int = 0
    regrowth: float = 0.0
    is_scheduled: bool = False


@dataclass
class Crossing:
    """ON once the condition is true, OFF after enough calm days in a row."""

    is_on: bool = False
    calm_days: int = 0

    def step(self, is_true: bool, is_calm: bool, rearm_days: int) -> str | None:
        """Take one watchable day; returns opened, closed or None."""
        self.calm_days = self.calm_days + 1 if is_calm else 0
        if is_true:
            was_on, self.is_on = self.is_on, True
            return None if was_on else "opened"
        if self.is_on and self.calm_days >= rearm_days:
            self.is_on = False
            return "closed"
        return None


def level_events(subject: Subject, readings: Iterable[Reading]) -> Iterator[Event]:
    """Run the machine of one subject over its watchable days, oldest first.

    Days of grace and live days have a machine each, so that a crossing seen in grace fires when grace ends.
    A new limit starts both anew; from then on the condition also needs `regrowth` users more than that day.
    """
    machines = {True: Crossing(), False: Crossing()}
    previous: Reading | None = None
    users_at_change: int | None = None
    for reading in readings:
        day = date.fromordinal(reading.day)
        if previous is not None and reading.limit != previous.limit:
            if machines[False].is_on:
                yield Event(*subject, "closed", day, "limit_changed")
            machines = {True: Crossing(), False: Crossing()}
            users_at_change = reading.users
        has_grown = users_at_change is None or reading.users >= users_at_change + reading.regrowth - 1e-9
        step = machines[reading.in_grace].step(
            reading.is_true and has_grown, reading.is_calm, reading.rearm_days
        )
        if reading.in_grace:
            if step == "opened":
                yield Event(*subject, "suppressed", day, "grace")
        elif step == "opened":
            reason = "grace_end" if previous is not None and previous.in_grace else None
            yield Event(
                *subject, "opened", day, reason,
                is_initial_state=previous is None, is_scheduled=reading.is_scheduled,
            )
        elif step == "closed":
            yield Event(*subject, "closed", day, "re_armed")
        previous = reading
