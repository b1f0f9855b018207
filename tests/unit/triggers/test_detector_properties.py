"""What holds for every detector whatever the rows: engines agree, and order, repetition and cutting change nothing.

Belongs here: properties on random rows of the feature tables. Does not belong here: what a rule finds (one file a
trigger), whether the tables themselves are right (``tests/dbt``, ``tests/oracle``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import timedelta
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from expansion_assets.triggers import adjacent_use, advanced_tickets, cross_team, role_change, usage_milestone
from expansion_assets.triggers.base import Detection, Evidence, FiringEvent
from tests.unit.triggers.conftest import Book, day
from tests.unit.triggers.random_rows import (
    DAYS,
    Tables,
    account_days,
    contact_moves,
    group_days,
    quick_catalogue,
    quota_days,
    shifted,
    talks,
)

END = DAYS + 12
"""Days behind the last row: what is late becomes known there."""
CASES = [
    pytest.param(usage_milestone, account_days, id="seats and departments"),
    pytest.param(usage_milestone, quota_days, id="quota"),
    pytest.param(role_change, contact_moves, id="role changes"),
    pytest.param(cross_team, group_days, id="cross team"),
    pytest.param(advanced_tickets, talks, id="advanced tickets"),
    pytest.param(adjacent_use, talks, id="adjacent use"),
]
CATALOGUE = quick_catalogue()
POLARS, DUCKDB = Book("polars", CATALOGUE), Book("duckdb", CATALOGUE)
LEVELS = {"seats", "seats_full", "quota", "departments", "new_department", "advanced_shift"}
# The same examples every time, so that a run that was green stays green; no shrinking, which takes minutes.
EXAMPLES = settings(
    max_examples=6, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def whole(book: Book, module: ModuleType, tables: Tables, shift: int = 0) -> Detection:
    return book.detect(module, day(shift), day(END + shift), **tables)


def shuffled(tables: Tables, rng: Random) -> Tables:
    return {name: rng.sample(rows, len(rows)) for name, rows in tables.items()}


def repeated(tables: Tables, rng: Random) -> Tables:
    """Each row once, and half of them once or twice more."""
    return {
        name: [row for row in rows for _ in range(rng.choice((1, 1, 2, 3)))] for name, rows in tables.items()
    }


def told(found: Detection, shift: int = 0) -> list[tuple[Any, ...]]:
    """Events and evidence without what is named after a day."""
    back = timedelta(days=shift)
    events = {event.firing_id: event for event in found.events}

    def event_row(event: FiringEvent) -> tuple[Any, ...]:
        values = asdict(event)
        for name in ("firing_id", "event_id"):
            values.pop(name)
        return tuple(
            value - back if name in ("as_of_date", "opened_on", "happened_at", "known_at") else value
            for name, value in values.items()
        )

    def line_row(line: Evidence) -> tuple[Any, ...]:
        event = events[line.firing_id]
        return (
            event.account_id, event.sub_trigger, event.subject_key, event.opened_on - back, line.as_of_date - back,
            line.line_no, line.measure, line.value, line.threshold, line.window_days, line.quote,
            line.happened_at and line.happened_at - back,
        )

    return sorted(map(repr, [*map(event_row, found.events), *map(line_row, found.evidence)]))


def is_never_opened_twice(events: Iterable[FiringEvent]) -> bool:
    """A level closes before it opens again; what has no level waits for its days."""
    opened: dict[tuple[str, str, str], FiringEvent] = {}
    for event in sorted(events, key=lambda event: (event.as_of_date, event.event_type)):
        subject = (event.account_id, event.sub_trigger, event.subject_key)
        before = opened.get(subject)
        if event.event_type in ("closed", "superseded"):
            if before is None or event.firing_id != before.firing_id:
                return False
            del opened[subject]
        if event.event_type == "opened":
            if before and (event.sub_trigger in LEVELS or (event.as_of_date - before.as_of_date).days < 12):
                return False
            opened[subject] = event
    return True


@pytest.mark.parametrize(("module", "rows"), CASES)
def test_whatever_the_rows(module: ModuleType, rows: Callable[[Random], Tables]) -> None:
    events = 0

    @EXAMPLES
    @given(seed=st.integers(0, 10**6), cuts=st.sets(st.integers(1, END - 1), max_size=3), days=st.integers(1, 800))
    def holds(seed: int, cuts: set[int], days: int) -> None:
        nonlocal events
        rng = Random(seed)
        tables = rows(rng)
        found = whole(POLARS, module, tables)
        events += len(found.events)
        untidy = shuffled(repeated(tables, rng), rng)
        edges = [day(number) for number in (0, *sorted(cuts), END)]
        later = {name: list(shifted(rows, days)) for name, rows in tables.items()}
        assert whole(DUCKDB, module, tables) == found, "engines"
        assert whole(POLARS, module, untidy) == found, "order and repetition"
        assert whole(DUCKDB, module, untidy) == found, "order and repetition, on the other engine"
        assert POLARS.detect_in_parts(module, edges, **tables) == found, "cutting"
        assert is_never_opened_twice(found.events), "opened twice"
        assert told(whole(POLARS, module, later, days), days) == told(found), "shift"

    holds()
    assert events > 10, "rows that fire nothing prove nothing"
