"""Probabilities and bars: what is fitted, what is chosen, and that the written file is complete."""

import numpy as np
import pytest

from expansion_assets.tagging.calibration import (
    UNSURE_BAR,
    fit_curve,
    weights_of,
    write_calibration,
)
from expansion_assets.tagging.embedded import CALIBRATION_PATH, Calibration, Curve, read_calibration
from expansion_assets.tagging.labelled import LabelledText
from expansion_assets.tagging.schema import LABELS


def row(text):
    return LabelledText(id="a", kind="nps", text=text, **dict.fromkeys(LABELS, False))


def test_probability_is_the_share_that_is_right():
    generator = np.random.default_rng(7)
    odds = generator.normal(0, 2, 20_000)
    truth = generator.random(20_000) < 1 / (1 + np.exp(-(0.5 * odds - 1)))
    curve = fit_curve(1 / (1 + np.exp(-odds)), truth, np.ones(20_000))
    assert (curve.slope, curve.intercept) == (pytest.approx(0.5, abs=0.05), pytest.approx(-1, abs=0.05))


def test_score_of_nothing_stays_nothing():
    assert Curve(slope=0.1, intercept=3.0).probability(np.array([0.0, 0.5]))[0] == 0.0


@pytest.mark.parametrize("truth", [True, False])
def test_one_sided_truth_has_no_curve(truth):
    assert fit_curve(np.array([0.2, 0.8]), np.array([truth, truth]), np.ones(2)) == Curve()


def test_every_source_weighs_the_same():
    weights = weights_of([row("a")] * 9 + [row("b").model_copy(update={"source": "other"})] * 3)
    assert weights[:9].sum() == pytest.approx(weights[9:].sum())


def test_written_calibration_reads_back(tmp_path):
    calibration = Calibration({label: Curve(1.25, -0.5) for label in LABELS}, 0.7, 0.5, 0.3)
    write_calibration(calibration, tmp_path / "c.yml")
    assert read_calibration(tmp_path / "c.yml") == calibration


def test_shipped_calibration_is_sound():
    calibration = read_calibration(CALIBRATION_PATH)
    assert list(calibration.curves) == list(LABELS)
    assert all(curve.slope > 0 for curve in calibration.curves.values())
    assert UNSURE_BAR == calibration.unsure_bar < calibration.ticket_bar <= calibration.bar
