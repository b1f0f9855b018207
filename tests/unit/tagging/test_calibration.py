"""Probabilities and bars: what is fitted, what is chosen, and that the written file is complete."""

import json

import numpy as np
import pytest

from expansion_assets.tagging.calibration import UNSURE_BAR, fit_curve, judge, weights_of, write_calibration
from expansion_assets.tagging.embedded import CALIBRATION_PATH, Calibration, Curve, read_calibration
from expansion_assets.tagging.labelled import LabelledText, split_by_source
from expansion_assets.tagging.network import SHIPPED_NETWORK
from expansion_assets.tagging.schema import LABELS


def row(text):
    return LabelledText(id="a", kind="nps", text=text, **dict.fromkeys(LABELS, False))


def test_probability_is_the_share_that_is_right():
    generator = np.random.default_rng(7)
    odds = generator.normal(0, 2, 20_000)
    truth = generator.random(20_000) < 1 / (1 + np.exp(-(0.5 * odds - 1)))
    curve = fit_curve(odds, truth, np.ones(20_000))
    assert (curve.slope, curve.intercept) == (pytest.approx(0.5, abs=0.05), pytest.approx(-1, abs=0.05))


@pytest.mark.parametrize("truth", [True, False])
def test_one_sided_truth_has_no_curve(truth):
    assert fit_curve(np.array([-1.4, 1.4]), np.array([truth, truth]), np.ones(2)) == Curve()


def test_every_source_weighs_the_same():
    weights = weights_of([row("a")] * 9 + [row("b").model_copy(update={"source": "other"})] * 3)
    assert weights[:9].sum() == pytest.approx(weights[9:].sum())


def test_no_line_is_judged_by_one_who_knows_its_source(training):
    learned, left_out = split_by_source(training)
    assert not {row.source for row in learned} & {row.source for row in left_out}
    assert len(learned) + len(left_out) == len(training)
    assert not any(row.is_imagined for row in left_out)
    for label in LABELS:
        assert sum(row.has(label) for row in left_out) >= 100


def test_the_network_has_said_what_it_thinks_of_every_line_that_is_judged(training):
    with SHIPPED_NETWORK.out_of_fold.open(encoding="utf-8") as lines:
        said = {record["id"]: record for record in map(json.loads, lines)}
    assert said.keys() == {row.id for row in split_by_source(training)[1]}
    bodies = {row.id: row.text for row in training}
    for key, record in said.items():
        assert len(record["log_odds"]) == len(record["strongest_at"]) == len(LABELS)
        assert all(0 <= at < len(bodies[key]) for at in record["strongest_at"])


def test_a_new_source_takes_none_of_the_judged_lines_away(training):
    left_out = split_by_source(training)[1][:30]
    new = [row.model_copy(update={"id": f"new-{row.id}", "source": "modelled: a new one"}) for row in training[:200]]
    judged = judge([*new, *left_out], SHIPPED_NETWORK)
    assert judged.rows == left_out
    assert judged.linear.shape == judged.network.shape == judged.affirmed.shape == (30, len(LABELS))


def test_written_calibration_reads_back(tmp_path):
    joined, linear = (dict.fromkeys(LABELS, curve) for curve in (Curve(1.25, -0.5), Curve(0.9, 0.1)))
    calibration = Calibration(joined, linear, dict.fromkeys(LABELS, 0.7), 0.3)
    write_calibration(calibration, tmp_path / "c.yml")
    assert read_calibration(tmp_path / "c.yml") == calibration


def test_shipped_calibration_is_sound():
    calibration = read_calibration(CALIBRATION_PATH)
    for curves in (calibration.joined, calibration.linear):
        assert list(curves) == list(LABELS)
        assert all(curve.slope > 0 for curve in curves.values())
    assert calibration.bars.keys() == set(LABELS)
    assert UNSURE_BAR == calibration.unsure_bar < min(calibration.bars.values())
