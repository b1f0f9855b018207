"""What every detector speaks: windows, inputs, firing events, evidence, ids.

Belongs here: frozen values and the few helpers all detectors share. Does not belong here: any rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Literal

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue, R, Rules

EventType = Literal["opened", "suppressed", "closed", "returned", "superseded"]
Row = Mapping[str, Any]
DAY = timedelta(days=1)
MAX_LINES = 3
WITHDRAWN = "evidence_withdrawn"
"""Reason of ``superseded``: a correction or deletion took back what the firing stood on."""


@dataclass(frozen=True, slots=True)
class Window:
    """Days [start, end) that a run computes.

    Raises:
        ValueError: no day in it.
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        """Refuse an empty window."""
        if self.start >= self.end:
            raise ValueError(f"window [{self.start}, {self.end}) holds no day")

    def __contains__(self, day: date) -> bool:
        """Whether a day is computed by this run."""
        return self.start <= day < self.end

    def holds(self, column: str = "as_of_date") -> nw.Expr:
        """The same question of a date column."""
        return (nw.col(column) >= self.start) & (nw.col(column) < self.end)


@dataclass(frozen=True, slots=True)
class FiringEvent:
    """One row of ``triggers.firing_events``, and two facts that only this layer needs.

    ``opened_on`` is the day that names the firing. ``is_scheduled`` says that the calendar brought the crossing (grace
    ended, a billing period ends), so that the fleet check passes over it.
    """

    account_id: str
    trigger: str
    sub_trigger: str
    subject_key: str
    event_type: EventType
    as_of_date: date
    opened_on: date
    happened_at: datetime
    known_at: datetime
    catalogue_version: str
    reason: str | None = None
    strength: float | None = None
    is_initial_state: bool = False
    is_fleet_event: bool = False
    is_shadow: bool = False
    is_scheduled: bool = False
    firing_id: str = field(init=False)
    event_id: str = field(init=False)

    def __post_init__(self) -> None:
        """Derive both ids, so that no event can carry another's."""
        firing = firing_id(self.account_id, self.sub_trigger, self.subject_key, self.opened_on)
        object.__setattr__(self, "firing_id", firing)
        object.__setattr__(self, "event_id", event_id(firing, self.event_type, self.as_of_date))


@dataclass(frozen=True, slots=True)
class Line:
    """What one evidence line says, before it knows its firing."""

    source_table: str
    row_key: str
    measure: str
    value: float | None = None
    threshold: float | None = None
    window_days: int | None = None
    happened_at: datetime | None = None
    tag_id: str | None = None
    quote: str | None = None

    @classmethod
    def of_day(
        cls, row: Row, source_table: str, measure: str, value: float | None, threshold: float | None = None,
        window_days: int | None = None, row_key: str | None = None,
    ) -> Line:
        """A measure of a feature row; its key is account and day unless the grain is finer."""
        key = row_key or f"{row['account_id']}|{row['as_of_date']}"
        return cls(source_table, key, measure, value, threshold, window_days, start_of(row["as_of_date"]))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row of ``triggers.evidence``; ``as_of_date`` is the day on which the line became known."""

    firing_id: str
    as_of_date: date
    line_no: int
    source_table: str
    row_key: str
    happened_at: datetime | None
    measure: str
    value: float | None
    threshold: float | None
    window_days: int | None
    tag_id: str | None
    quote: str | None


@dataclass(frozen=True, slots=True)
class PriorFiring:
    """A firing as the event log knew it before the window: who, what, since when, and its latest event."""

    firing_id: str
    account_id: str
    trigger: str
    sub_trigger: str
    subject_key: str
    opened_on: date
    last_event_type: EventType
    last_event_on: date
    strength: float | None = None
    is_fleet_event: bool = False
    """Set aside by the fleet check, and not released since."""

    @property
    def is_open(self) -> bool:
        """Opened, and neither closed nor superseded since; a suppressed crossing never was open."""
        return self.last_event_type in ("opened", "returned")


def follow_up(
    account_id: str, trigger: str, sub_trigger: str, subject_key: str, opened_on: date, event_type: EventType,
    day: date, reason: str, catalogue: Catalogue,
) -> FiringEvent:
    """What becomes of a firing on a later day: true and known with that day, in the firing's own state."""
    return FiringEvent(
        account_id, trigger, sub_trigger, subject_key, event_type, day, opened_on, start_of(day), end_of(day),
        catalogue.version, reason, is_shadow=catalogue.sub_trigger(trigger, sub_trigger).state == "shadow",
    )


@dataclass(frozen=True, slots=True)
class Inputs:
    """Frozen features, texts and tags of the window and of the detector's look-back before it.

    Frames by day carry ``as_of_date``, moves and texts ``known_on``: rows from ``window.start - lookback_days`` on are
    enough, older ones do no harm, and none of ``window.end`` or later is used. ``tags`` holds one tagger version.
    Moves and tags carry ``withdrawn_on``: the day before the window's end on which a correction or deletion took back
    the record, or the quoted words; null while they stand.
    ``prior`` holds every firing opened before the window: all that are open, and those opened within the look-back.
    """

    account_day: nw.LazyFrame[Any]
    quota_day: nw.LazyFrame[Any]
    group_day: nw.LazyFrame[Any]
    contact_moves: nw.LazyFrame[Any]
    texts: nw.LazyFrame[Any]
    tags: nw.LazyFrame[Any]
    prior: tuple[PriorFiring, ...] = ()

    def prior_of(self, trigger: str, sub_trigger: str) -> list[PriorFiring]:
        """Earlier firings of one sub-trigger, oldest first."""
        ours = (firing for firing in self.prior if (firing.trigger, firing.sub_trigger) == (trigger, sub_trigger))
        return sorted(ours, key=lambda firing: (firing.opened_on, firing.firing_id))


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector found, in a stable order."""

    events: tuple[FiringEvent, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @classmethod
    def of(cls, events: Iterable[FiringEvent], evidence: Iterable[Evidence] = ()) -> Detection:
        """Sort events and evidence."""
        by_day = sorted(events, key=lambda event: (event.as_of_date, event.event_id))
        return cls(tuple(by_day), tuple(sorted(evidence, key=lambda line: (line.firing_id, line.line_no))))

    def __add__(self, other: Detection) -> Detection:
        """Both together."""
        return Detection.of(self.events + other.events, self.evidence + other.evidence)


def firing_id(account_id: str, sub_trigger: str, subject_key: str, opened_on: date) -> str:
    """Stable id of a firing: 16 hexadecimal digits."""
    return short_hash(account_id, sub_trigger, subject_key, opened_on)


def event_id(firing: str, event_type: str, as_of_date: date) -> str:
    """Stable id of an event: 16 hexadecimal digits."""
    return short_hash(firing, event_type, as_of_date)


def card_id(firing: str, play: str) -> str:
    """Stable id of the card that a firing opens: 16 hexadecimal digits."""
    return short_hash(firing, play)


def short_hash(*parts: object) -> str:
    """First 16 hexadecimal digits of the SHA-256 of parts joined with ``|``."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]


def evidence_lines(firing: str, known: Iterable[tuple[date, Line]]) -> list[Evidence]:
    """Number the lines of a firing, each with the day on which it became known; the first three stay."""
    return [
        Evidence(
            firing, known_on, number, line.source_table, line.row_key, line.happened_at, line.measure,
            line.value, line.threshold, line.window_days, line.tag_id, line.quote,
        )
        for number, (known_on, line) in enumerate(islice(known, MAX_LINES), 1)
    ]


def bare_day(spans: Iterable[tuple[date, date | None]], last: date) -> date | None:
    """First day up to ``last`` on which no record known by then stands any more.

    Args:
        spans: Day known and day withdrawn of each record; None while it stands.
        last: Last day that counts.
    """
    known = list(spans)
    for day in sorted({end for _, end in known if end is not None and end <= last}):
        if all(end is not None and end <= day for begin, end in known if begin <= day):
            return day
    return None


def start_of(day: date) -> datetime:
    """First instant of a day, as a level that is measured by the day has no finer time."""
    return datetime.combine(day, time.min)


def end_of(day: date) -> datetime:
    """First instant after a day: what is computed for the day is known then."""
    return start_of(day + DAY)


def per_segment(rules: Rules[R], build: Callable[[R], nw.Expr]) -> nw.Expr:
    """An expression that applies to each row the rule of its ``segment``; one CASE, no join."""
    expression = build(rules.default)
    for segment, rule in rules.by_segment.items():
        expression = nw.when(nw.col("segment") == segment).then(build(rule)).otherwise(expression)
    return expression


def is_true(condition: nw.Expr) -> nw.Expr:
    """Three-valued to two-valued: what is not known to hold does not fire."""
    return condition.fill_null(False)


def rows_of(frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
    """Bring a few rows into Python."""
    return frame.collect(backend="pyarrow").rows(named=True)
