"""Thresholds: what is chosen, and that the written file is complete."""

import numpy as np
import pytest
import yaml

from expansion_assets.tagging.calibration import HIGHEST, LOWEST, choose_threshold
from expansion_assets.tagging.embedded import THRESHOLDS_PATH
from expansion_assets.tagging.labelled import LabelledText
from expansion_assets.tagging.schema import LABELS


def row(has, ambiguous=()):
    return LabelledText(
        id="a", kind="nps", text="t", ambiguous=ambiguous, **dict.fromkeys(LABELS, False) | {"usage_limit": has}
    )


@pytest.mark.parametrize(("true", "false"), [(0.8, 0.5), (0.6, 0.35)])
def test_threshold_parts_right_from_wrong(true, false):
    rows = [row(True)] * 20 + [row(False)] * 20
    threshold = choose_threshold("usage_limit", rows, np.array([true] * 20 + [false] * 20))
    assert false < threshold <= true


def test_ambiguous_rows_choose_nothing():
    rows = [row(True)] * 20 + [row(False, ambiguous=("usage_limit",))] * 50
    threshold = choose_threshold("usage_limit", rows, np.array([0.6] * 20 + [0.85] * 50))
    assert threshold <= 0.6


def test_written_thresholds_cover_every_label():
    thresholds = yaml.safe_load(THRESHOLDS_PATH.read_text())
    assert list(thresholds["all"]) == list(LABELS)
    assert set(thresholds["tickets"]) <= set(LABELS)
    assert all(LOWEST <= value <= HIGHEST for part in thresholds.values() for value in part.values())
