"""A mutation check: each number of the catalogue, moved by a hair, moves a firing of a boundary case.

A number that nobody would miss is dead, or has a second home. New numbers come in by themselves, for the list is read
from the catalogue: they fail here until ``boundary_cases`` has a case for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from expansion_assets.catalogue.loader import Catalogue, load_catalogue
from expansion_assets.catalogue.reading import CatalogueError
from expansion_assets.project import DBT_DIR
from expansion_assets.triggers.base import Window
from tests.unit.triggers.boundary_cases import LAST, books
from tests.unit.triggers.conftest import Book, day
from tests.unit.triggers.random_rows import edited_catalogue

IN_DBT = {
    ("seats", "window_days"): "activity_days",
    ("seats_full", "window_days"): "activity_days",
    ("departments", "min_users"): "saturation_users",
    ("departments", "business_days"): "saturation_business_days",
    ("new_department", "min_days"): "group_min_days",
    ("new_department", "window_days"): "group_days",
    ("new_department", "scope_days"): "scope_days",
}
"""Numbers that the models apply; the catalogue's say so to readers, to the oracle and to evidence."""
ONLY_IN_EVIDENCE = {("seats", "projection_days"), ("seats_full", "projection_days")}
SHARES, COUNTS = (-0.01, 0.01), (-1, 1)


def numbers() -> Iterator[tuple[str, str, float]]:
    """(sub-trigger, name, value) of every number of every rule."""
    for trigger in load_catalogue().signals.triggers.values():
        for name, sub_trigger in trigger.sub_triggers.items():
            for key, value in sub_trigger.rule.items():
                if isinstance(value, (int, float)):
                    yield name, key, value


NUMBERS = list(numbers())


def told(sub_trigger: str, number: str, catalogue: Catalogue) -> list[list[Any]]:
    """What the boundary books of a number fire under a catalogue."""
    module, tables = books(sub_trigger, number)
    book, window = Book("polars", catalogue), Window(day(0), LAST)
    found = []
    for rows in tables:
        inputs = book.inputs(**rows)
        if hasattr(module, "watches"):
            watches = {watch.level.sub_trigger: watch for watch in module.watches(inputs, window, catalogue)}
            detection = watches[sub_trigger].detect(window, inputs, catalogue)
        else:
            detection = module.detect(inputs, window, catalogue)
        found.append([
            (event.account_id, event.sub_trigger, event.event_type, event.as_of_date, event.reason, event.strength,
             event.is_initial_state, event.is_scheduled)
            for event in detection.events
        ])
        if (sub_trigger, number) in ONLY_IN_EVIDENCE:
            found.append([line.value for line in detection.evidence])
    return found


@cache
def baseline(sub_trigger: str, number: str) -> list[list[Any]]:
    return told(sub_trigger, number, load_catalogue())


@pytest.mark.parametrize("nudge", (-1, 1))
@pytest.mark.parametrize(("name", "sub_trigger"), [("max_blind_days", "seats"), ("fleet_period_end_days", "quota")])
def test_a_nudge_of_a_number_that_all_share_is_noticed(name: str, sub_trigger: str, nudge: int) -> None:
    """The fleet's two thresholds, the days of a review and those of a return have their cases in their own files."""
    catalogue = edited_catalogue({}, {name: getattr(load_catalogue().common, name) + nudge})
    assert told(sub_trigger, name, catalogue) != baseline(sub_trigger, name)


@pytest.mark.parametrize(
    ("sub_trigger", "name", "value"),
    [number for number in NUMBERS if number[:2] not in IN_DBT],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_a_nudge_is_noticed(sub_trigger: str, name: str, value: float) -> None:
    noticed = {}
    for nudge in SHARES if isinstance(value, float) else COUNTS:
        try:
            catalogue = edited_catalogue({sub_trigger: {name: round(value + nudge, 6)}})
        except CatalogueError:
            continue  # out of the range of the rule, so nobody can set it
        noticed[nudge] = told(sub_trigger, name, catalogue) != baseline(sub_trigger, name)
    assert noticed and all(noticed.values()), noticed


def test_a_segments_own_number_decides_for_its_accounts() -> None:
    fired = {event[0] for event in baseline("new_department", "min_users")[0]}
    assert {"three", "five of an enterprise"} <= fired
    assert fired.isdisjoint({"two", "four of an enterprise"})


def test_numbers_of_the_models_are_those_of_the_catalogue() -> None:
    variables = yaml.safe_load((DBT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    said = {(sub_trigger, name): value for sub_trigger, name, value in NUMBERS}
    assert {key: said[key] for key in IN_DBT} == {key: variables[variable] for key, variable in IN_DBT.items()}


def test_no_segment_overrides_what_the_models_apply_to_all() -> None:
    rules = {name: trigger for trigger, item in load_catalogue().signals.triggers.items() for name in item.sub_triggers}
    for sub_trigger, name in IN_DBT:
        found = load_catalogue().rules(rules[sub_trigger], sub_trigger)
        if (sub_trigger, name) == ("departments", "min_users"):
            continue
        assert {getattr(rule, name) for rule in found.by_segment.values()} <= {getattr(found.default, name)}
