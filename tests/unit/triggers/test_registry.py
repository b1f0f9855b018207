"""What runs, and how far back it reads."""

from __future__ import annotations

import pytest

from expansion_assets.triggers.base import Detection, Window
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
