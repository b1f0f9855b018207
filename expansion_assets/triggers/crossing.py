"""Crossings with hysteresis: from daily readings to opened, suppressed and closed.

Belongs here: the state machine behind every trigger that watches a level. Does not belong here: how a day's
reading comes about (the trigger modules).

The machine is ON once its condition is met, OFF once it has been calm for ``rearm_days`` watchable days or once the
records that met it are withdrawn, and otherwise stays as it was. The heavy part, finding the days on which the level
may change, runs in the frame on every row; the event log decides what the first change in the window means, in plain
Python on the few rows that changed. A run over [a, c) therefore equals a run over [a, b) followed by one over [b, c).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue, R, Rules
from expansion_assets.triggers.base import (
    WITHDRAWN,
    Detection,
    EventType,
    FiringEvent,
    Inputs,
    Line,
    PriorFiring,
    Row,
    Window,
    end_of,
    evidence_lines,
    per_segment,
    rows_of,
    start_of,
)

SUBJECT = ("account_id", "subject_key")


@dataclass(frozen=True)
class Level(Generic[R]):
    """One sub-trigger that watches a level."""

    trigger: str
    sub_trigger: str
    rules: Rules[R]
    rearm_days: Callable[[R], int]
    """Calm watchable days in a row after which the machine may fire again."""
    memory_days: int
    """Calendar days before a day that may bear on it; what is further back counts as never seen."""

    @classmethod
    def of(cls, catalogue: Catalogue, trigger: str, sub_trigger: str, rearm_days: Callable[[Any], int]) -> Level[Any]:
        """Build from the catalogue; the re-arm count may span ``max_blind_days`` blind days."""
        rules = catalogue.rules(trigger, sub_trigger)
        memory_days = rules.most(rearm_days) + catalogue.common.max_blind_days
        return cls(trigger, sub_trigger, rules, rearm_days, memory_days)


@dataclass(frozen=True, slots=True)
class Crossing:
    """An event of the machine and the reading that brought it."""

    event: FiringEvent
    row: Row


def crossings(
    readings: nw.LazyFrame[Any],
    level: Level[R],
    window: Window,
    prior: Iterable[PriorFiring],
    catalogue: Catalogue,
    strength: Callable[[Row, R], float],
) -> list[Crossing]:
    """Run the machine over a window.

    Args:
        readings: One row per subject and watchable day, blind days absent: account_id, subject_key, as_of_date,
            segment, epoch (text; a new one closes what is open and starts the count anew), is_grace, is_met,
            is_calm, is_withdrawn (a correction of this day took away what met the condition: the firing is superseded),
            is_scheduled (bool, never null), and any measures. Rows from ``window.start - level.memory_days`` on
            suffice.
        level: The sub-trigger.
        window: Days to compute.
        prior: Earlier firings of this sub-trigger.
        catalogue: Its version and state mark each event.
        strength: Strength of a crossing from its row and its segment's rule.

    Returns:
        Crossings by subject and day.
    """
    open_on = {(firing.account_id, firing.subject_key): firing.opened_on for firing in prior if firing.is_open}
    changes = rows_of(level_changes(readings, level, window, sorted({account for account, _ in open_on})))
    changes.sort(key=itemgetter(*SUBJECT, "as_of_date"))
    return [
        _crossing(step, level, catalogue, strength)
        for subject, rows in groupby(changes, key=itemgetter(*SUBJECT))
        for step in steps(rows, open_on.get(subject))
        if step.row["as_of_date"] in window
    ]


@dataclass(frozen=True)
class Watch(Generic[R]):
    """One level with what a day reads, how strong a crossing is and what its evidence says."""

    level: Level[R]
    readings: nw.LazyFrame[Any]
    """See ``crossings``."""
    strength: Callable[[Row, R], float]
    describe: Callable[[Sequence[Row]], Iterable[Sequence[Line]]]
    """Evidence lines of each of some readings, in their order."""

    def detect(self, window: Window, inputs: Inputs, catalogue: Catalogue) -> Detection:
        """Events of all crossings, evidence of those that opened or were suppressed."""
        prior = inputs.prior_of(self.level.trigger, self.level.sub_trigger)
        found = crossings(self.readings, self.level, window, prior, catalogue, self.strength)
        fired = [crossing for crossing in found if crossing.event.event_type in ("opened", "suppressed")]
        described = self.describe([crossing.row for crossing in fired]) if fired else ()
        return Detection.of(
            (crossing.event for crossing in found),
            (
                line
                for crossing, lines in zip(fired, described, strict=True)
                for line in evidence_lines(
                    crossing.event.firing_id, ((crossing.event.as_of_date, line) for line in lines)
                )
            ),
        )


def level_changes(
    readings: nw.LazyFrame[Any], level: Level[R], window: Window, open_accounts: list[str]
) -> nw.LazyFrame[Any]:
    """Readings on which the level may change.

    Args:
        readings: See ``crossings``.
        level: The sub-trigger.
        window: Days to compute; days of grace before it are kept too, since a crossing in grace leaves no open firing.
        open_accounts: Accounts with an open firing; only theirs can be closed by the window's first calm day.

    Returns:
        The readings with is_first, is_reset, previous_is_grace and level (1 met, 0 calm or reset).
    """
    day = nw.col("as_of_date")
    oldest = day - timedelta(days=level.memory_days)

    def in_order(expression: nw.Expr) -> nw.Expr:
        return expression.over(*SUBJECT, order_by="as_of_date")

    def in_order_by_phase(expression: nw.Expr) -> nw.Expr:
        return expression.over(*SUBJECT, "is_grace", order_by="as_of_date")

    def is_rearmed(rule: R) -> nw.Expr:
        days = level.rearm_days(rule)
        calm_days = nw.col("is_calm").cast(nw.Int64).rolling_sum(days, min_samples=days)
        return (in_order(calm_days) == days) & (in_order(day.shift(days - 1)) > oldest)

    return (
        # A row that comes twice is one day: it must not count twice towards the calm days.
        readings.filter(day < window.end)
        .unique([*SUBJECT, "as_of_date"])
        .with_columns(
            previous_day=in_order(day.shift(1)),
            previous_epoch=in_order(nw.col("epoch").shift(1)),
            previous_is_grace=in_order(nw.col("is_grace").shift(1)),
            is_rearmed=per_segment(level.rules, is_rearmed),
        )
        .with_columns(is_first=nw.col("previous_day").is_null() | (nw.col("previous_day") < oldest))
        .with_columns(is_reset=~nw.col("is_first") & (nw.col("epoch") != nw.col("previous_epoch")))
        .with_columns(
            level=nw.when(nw.col("is_met")).then(nw.lit(1)).otherwise(
                nw.when(nw.col("is_reset") | nw.col("is_rearmed") | nw.col("is_withdrawn")).then(nw.lit(0))
            )
        )
        .filter(window.holds() | nw.col("is_grace"))
        .with_columns(held=in_order_by_phase(nw.col("level").fill_null(strategy="forward")))
        .with_columns(previous_level=in_order_by_phase(nw.col("held").shift(1)))
        .filter(
            nw.col("is_reset") | nw.col("previous_level").is_null() | (nw.col("level") != nw.col("previous_level")),
            (nw.col("level") == 1) | (nw.col("previous_level") == 1) | nw.col("account_id").is_in(open_accounts),
            ~nw.col("level").is_null(),
        )
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the machine."""

    event_type: EventType
    reason: str | None
    row: Row
    opened_on: date


def steps(changes: Iterable[Row], opened_on: date | None) -> Iterator[Step]:
    """Walk the changes of one subject, oldest first.

    Args:
        changes: Rows of ``level_changes`` of one subject.
        opened_on: Opening day of the firing that is open before the first change; None when there is none.
    """
    met_in_grace = False
    for row in changes:
        has_ended = row["is_reset"] or row["level"] == 0
        if row["is_grace"]:
            met_in_grace = met_in_grace and not has_ended
            if row["level"] == 1 and not met_in_grace:
                met_in_grace = True
                yield Step("suppressed", "grace", row, row["as_of_date"])
            continue
        if opened_on and has_ended:
            yield Step(*_ending(row), row, opened_on)
            opened_on = None
        if row["level"] == 1 and not opened_on:
            opened_on = row["as_of_date"]
            is_grace_end = not row["is_first"] and row["previous_is_grace"]
            yield Step("opened", "grace_end" if is_grace_end else None, row, opened_on)


def _ending(row: Row) -> tuple[EventType, str]:
    if row["is_reset"]:
        return "closed", "limit_changed"
    return ("closed", "re_armed") if row["is_rearmed"] else ("superseded", WITHDRAWN)


def _crossing(step: Step, level: Level[R], catalogue: Catalogue, strength: Callable[[Row, R], float]) -> Crossing:
    row, is_opening = step.row, step.event_type == "opened"
    is_ending = step.event_type in ("closed", "superseded")
    event = FiringEvent(
        account_id=row["account_id"],
        trigger=level.trigger,
        sub_trigger=level.sub_trigger,
        subject_key=row["subject_key"],
        event_type=step.event_type,
        as_of_date=row["as_of_date"],
        opened_on=step.opened_on,
        happened_at=start_of(row["as_of_date"]),
        known_at=end_of(row["as_of_date"]),
        catalogue_version=catalogue.version,
        reason=step.reason,
        strength=None if is_ending else strength(row, level.rules.of(row["segment"])),
        is_initial_state=is_opening and row["is_first"],
        is_shadow=catalogue.sub_trigger(level.trigger, level.sub_trigger).state == "shadow",
        is_scheduled=is_opening and (row["is_scheduled"] or step.reason == "grace_end"),
    )
    return Crossing(event, row)
