"""Two logs of openings: the same, moved, gone, new."""

from __future__ import annotations

from datetime import date

from expansion_assets.triggers.restatement import Difference, Opening, differences, render

SUBJECT = ("A1", "USAGE_MILESTONE", "seats", "")


def opening(day: int, subject: tuple[str, str, str, str] = SUBJECT) -> Opening:
    return Opening(*subject, date(2026, 3, day))


def compare(then: list[int], restated: list[int], within: int = 5) -> list[tuple[str, int | None, int | None]]:
    found = differences([opening(day) for day in then], [opening(day) for day in restated], within)
    return [
        (item.change, item.known_then_on and item.known_then_on.day, item.restated_on and item.restated_on.day)
        for item in found
    ]


def test_equal_logs_do_not_differ():
    assert compare([3, 9], [9, 3]) == []


def test_an_opening_moves_within_the_days_and_not_beyond():
    assert compare([10], [5]) == [("moved", 10, 5)]
    assert compare([10], [4]) == [("only_restated", None, 4), ("only_known_then", 10, None)]


def test_the_nearest_pair_first_and_each_opening_once():
    assert compare([10, 14], [9, 13, 20], within=10) == [
        ("moved", 10, 9), ("moved", 14, 13), ("only_restated", None, 20),
    ]
    assert compare([10, 12], [11]) == [("moved", 10, 11), ("only_known_then", 12, None)]


def test_another_subject_is_another_firing():
    other = ("A1", "USAGE_MILESTONE", "quota", "api_calls")
    found = differences([opening(10)], [opening(11, other)], 5)
    assert {item.change for item in found} == {"only_known_then", "only_restated"}


def test_the_text_counts_by_trigger_and_names_each():
    found = [Difference(*SUBJECT, "moved", date(2026, 3, 10), date(2026, 3, 5))]
    assert render(found, 7).splitlines() == [
        "7 firings stand as they were, 1 differ",
        "  USAGE_MILESTONE: 1 moved",
        "  A1 seats : known then 2026-03-10, restated 2026-03-05",
    ]
