"""What runs, and how far back it reads."""

from __future__ import annotations

import shutil

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.reading import CATALOGUE_DIR
from expansion_assets.triggers.base import Detection, Window
from expansion_assets.triggers.lifecycle import firing_states
from expansion_assets.triggers.registry import DETECTORS


def test_every_trigger_of_the_catalogue_has_one_detector(catalogue):
    assert [detector.trigger for detector in DETECTORS] == list(catalogue.signals.triggers)


@pytest.mark.parametrize(
    ("trigger", "days"),
    [
        ("USAGE_MILESTONE", 110), ("ROLE_CHANGE", 365), ("CROSS_TEAM", 270), ("ADVANCED_TICKETS", 240),
        ("ADJACENT_USE", 97),
    ],
)
def test_look_back_is_bounded(catalogue, trigger, days):
    (detector,) = (detector for detector in DETECTORS if detector.trigger == trigger)
    assert detector.lookback_days(catalogue) == days


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.trigger)
def test_an_empty_book_fires_nothing(book, on, detector):
    assert detector.detect(book.inputs(), Window(on(0), on(30)), book.catalogue) == Detection()


def test_a_retired_rule_fires_no_more_and_its_open_firings_are_followed(on, book, tmp_path):
    """Three users from day 2 on, back to one from day 10 on: retired on day 5, the firing of day 2 still closes."""
    (detector,) = (detector for detector in DETECTORS if detector.trigger == "CROSS_TEAM")
    retired = _with_state(tmp_path, "retired")

    def found(catalogue, start, end, prior=()):
        days = [(book_day, "finance", 3 if 2 <= book_day < 10 else 1) for book_day in range(220)]
        days += [(book_day, "legal", 3 if book_day >= 7 else 1) for book_day in range(220)]
        rows = [
            {"as_of_date": on(number), "group_key": group, "users_2of14": users}
            for number, group, users in days if number < end
        ]
        inputs = book.inputs(prior, group_day=rows)
        return detector.detect(inputs, Window(on(start), on(end)), catalogue)

    live = found(book.catalogue, 0, 5)
    assert [event.event_type for event in live.events] == ["opened"]
    prior = firing_states(live.events)
    later = found(book.catalogue, 5, 220, prior), found(retired, 5, 220, prior)
    (full, reduced) = ([(event.subject_key, event.event_type) for event in part.events] for part in later)
    assert ("department:finance", "closed") in reduced
    assert {subject for subject, _ in full} - {subject for subject, _ in reduced} == {"department:legal"}
    assert {line.firing_id for line in later[1].evidence} <= {event.firing_id for event in later[1].events}


def _with_state(folder, state):
    """The catalogue with CROSS_TEAM in another state."""
    for name in ("segments.yml", "titles.yml"):
        shutil.copy(CATALOGUE_DIR / name, folder)
    text = (CATALOGUE_DIR / "signals.yml").read_text(encoding="utf-8")
    (folder / "signals.yml").write_text(
        text.replace("  CROSS_TEAM:\n", f"  CROSS_TEAM:\n    state: {state}\n", 1), encoding="utf-8"
    )
    return load_catalogue(folder)
