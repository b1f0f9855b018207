"""Detectors on random books: the independent oracle agrees event by event, and nothing leaks out of the future."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from expansion_assets.catalogue.rules import RULES
from tests.dbt.in_memory import InMemoryWarehouse
from tests.dbt.project import WINDOW_MODELS, Dbt, day
from tests.dbt.raw_tables import RawTables
from tests.dbt.recorded import Recording
from tests.dbt.story_book import DAYS, StoryBook, days, on
from tests.oracle.oracle import firing_events

SEEDS = (0, 4, 6)


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


Event = tuple[Any, ...]


@pytest.fixture(scope="module")
def worlds(recordings: tuple[Recording, Recording]) -> dict[int, tuple[set[Event], set[Event]]]:
    """By seed: the events of the pipeline and those of the oracle."""
    found = {}
    for seed in SEEDS:
        book = StoryBook(seed)
        warehouse = InMemoryWarehouse(book.raw, book.tags, *recordings)
        warehouse.run(on(0), on(DAYS))
        ours = warehouse.rows("select * from triggers.firing_events where event_type <> 'returned'")
        oracle = firing_events(warehouse.raw_rows(), book.tags, list(days()))
        found[seed] = (set(map(_of_row, ours)), {_of_row(event._asdict()) for event in oracle})
        assert len(found[seed][0]) == len(ours)
        warehouse.connection.close()
    return found


def _of_row(row: dict[str, Any]) -> Event:
    names = ("account_id", "trigger", "sub_trigger", "subject_key", "event_type", "as_of_date", "reason",
             "is_initial_state", "is_fleet_event")
    # The models write labels in lower case.
    return tuple(row[name].lower() if name == "subject_key" else row[name] for name in names)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_oracle_agrees_event_by_event(worlds: dict[int, tuple[set[Event], set[Event]]], seed: int) -> None:
    ours, oracle = worlds[seed]
    assert sorted(ours - oracle, key=str) == []
    assert sorted(oracle - ours, key=str) == []


def test_the_worlds_fire_every_sub_trigger_in_every_way(worlds: dict[int, tuple[set[Event], set[Event]]]) -> None:
    """Else agreement would prove little."""
    events = [event for ours, _ in worlds.values() for event in ours]
    opened = Counter(event[2] for event in events if event[4] == "opened")
    assert {name for _, name in RULES} - {name for name, count in opened.items() if count >= 3} == set()
    assert {(event[4], event[6]) for event in events} == {
        ("opened", None), ("opened", "grace_end"), ("suppressed", "grace"), ("suppressed", "same_episode"),
        ("closed", "re_armed"), ("closed", "limit_changed"),
    }
    assert {event[7] for event in events} == {event[8] for event in events} == {True, False}
