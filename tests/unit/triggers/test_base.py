"""Windows, ids, strength, segments: the values all detectors share."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime

import narwhals as nw
import pytest

from expansion_assets.catalogue.loader import Rules
from expansion_assets.catalogue.rules import MoveRule, strength
from expansion_assets.triggers.base import (
    Detection,
    FiringEvent,
    Line,
    PriorFiring,
    Window,
    event_id,
    evidence_lines,
    firing_id,
    is_true,
    per_segment,
    rows_of,
)

DAY = date(2026, 3, 1)


@pytest.fixture
def event():
    noon = datetime(2026, 3, 1, 12)
    return FiringEvent("a", "CROSS_TEAM", "new_department", "department:Legal", "opened", DAY, DAY, noon, noon, "1")


def test_window_is_half_open_and_holds_a_day(book, on):
    window = Window(on(1), on(3))
    assert [on(number) in window for number in range(4)] == [False, True, True, False]
    frame = book.frame("account_day", [{"as_of_date": on(number)} for number in range(4)])
    assert sorted(row["as_of_date"] for row in rows_of(frame.filter(window.holds()))) == [on(1), on(2)]
    with pytest.raises(ValueError, match="holds no day"):
        Window(on(1), on(1))


def test_ids_are_stable_hashes(event):
    text = "a|new_department|department:Legal|2026-03-01"
    assert event.firing_id == firing_id("a", "new_department", "department:Legal", DAY)
    assert event.firing_id == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert event.event_id == event_id(event.firing_id, "opened", DAY)
    assert event.event_id == hashlib.sha256(f"{event.firing_id}|opened|2026-03-01".encode()).hexdigest()[:16]


def test_an_event_of_another_day_has_its_own_id_and_the_same_firing(event):
    closed = replace(event, event_type="closed", as_of_date=date(2026, 4, 1))
    assert closed.firing_id == event.firing_id
    assert closed.event_id != event.event_id


@pytest.mark.parametrize(("value", "expected"), [(0, 0.5), (80, 0.5), (90, 0.75), (100, 1.0), (200, 1.0)])
def test_strength_is_held_between_a_half_and_one(value, expected):
    assert strength(value, 80, 100) == expected


def test_at_most_three_lines(event):
    lines = evidence_lines("f", [(DAY, Line("t", str(number), "m")) for number in range(5)])
    assert [(line.line_no, line.row_key) for line in lines] == [(1, "0"), (2, "1"), (3, "2")]


@pytest.mark.parametrize(
    ("last_event_type", "is_open"),
    [("opened", True), ("returned", True), ("closed", False), ("superseded", False), ("suppressed", False)],
)
def test_which_firings_are_open(last_event_type, is_open):
    assert PriorFiring("f", "a", "t", "s", "k", DAY, last_event_type, DAY).is_open is is_open


def test_each_row_has_the_rule_of_its_segment(book, on):
    rules = Rules(
        MoveRule(dedupe_days=1, limit_sources=2), {"enterprise": MoveRule(dedupe_days=7, limit_sources=2)}
    )
    segments = ["enterprise", "smb", None]
    frame = book.frame(
        "account_day", [{"as_of_date": on(n), "segment": segment} for n, segment in enumerate(segments)]
    ).with_columns(days=per_segment(rules, lambda rule: nw.lit(rule.dedupe_days)))
    assert {row["segment"]: row["days"] for row in rows_of(frame)} == {"enterprise": 7, "smb": 1, None: 1}


def test_what_is_not_known_is_not_true(book, on):
    frame = book.frame("account_day", [{"as_of_date": on(0), "contracted_seats": None}])
    (row,) = rows_of(frame.with_columns(verdict=is_true(nw.col("contracted_seats") > 1)))
    assert row["verdict"] is False


def test_detections_add_up_in_a_stable_order(event):
    other = replace(event, account_id="b")
    assert Detection.of([event]) + Detection.of([other]) == Detection.of([other]) + Detection.of([event])
