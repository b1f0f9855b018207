"""Detectors on random books: the independent oracle agrees event by event, and nothing leaks out of the future."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from expansion_assets.catalogue.rules import RULES
from tests.dbt.in_memory import InMemoryWarehouse
from tests.dbt.project import WINDOW_MODELS, Dbt, day
from tests.dbt.raw_tables import RawTables
from tests.dbt.recorded import Recording
from tests.dbt.story_book import DAYS, StoryBook, days, on
from tests.oracle.oracle import firing_events

SEEDS = range(4)


@pytest.fixture(scope="module")
def recordings(dbt: Dbt) -> tuple[Recording, Recording]:
    """What dbt executes on a new warehouse and on one that has a past."""
    first, later = Recording(), Recording()
    dbt.start(RawTables())
    for recording, number, select in ((first, 0, None), (later, 1, WINDOW_MODELS)):
        dbt.listeners.append(recording.keep)
        dbt.run(day(number), day(number + 1), *([select] if select else []))
        dbt.listeners.clear()
    return first, later


FOUND: Counter[tuple[str, str, str]] = Counter()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_oracle_agrees_event_by_event(recordings: tuple[Recording, Recording], seed: int) -> None:
    book = StoryBook(seed)
    warehouse = InMemoryWarehouse(book.raw, book.tags, *recordings)
    warehouse.run(on(0), on(DAYS))
    expected = {
        (e.account_id, e.trigger, e.sub_trigger, e.subject_key.lower(), e.event_type, e.as_of_date, e.reason,
         e.is_initial_state, e.is_fleet_event)
        for e in firing_events(warehouse.raw_rows(), book.tags, list(days()))
    }
    found = {
        (r["account_id"], r["trigger"], r["sub_trigger"], r["subject_key"].lower(), r["event_type"], r["as_of_date"],
         r["reason"], r["is_initial_state"], r["is_fleet_event"])
        for r in warehouse.rows("select * from triggers.firing_events where event_type <> 'returned'")
    }
    FOUND.update((row[2], row[4], row[6]) for row in found)
    assert sorted(found - expected, key=str) == []
    assert sorted(expected - found, key=str) == []
