"""From scores to probabilities, and the bars that a tag must clear: chosen by grouped cross-validation.

Run `python -m expansion_assets.tagging.calibration` after any change to lines, phrases or features.

Belongs here: fitting and writing `calibration.yml`. Does not belong here: hold-out lines, which choose nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from expansion_assets.tagging.embedded import CALIBRATION_PATH, Calibration, Curve, EmbeddedTagger, log_odds
from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.phrases import polarity_of
from expansion_assets.tagging.schema import LABELS, Label
from expansion_assets.tagging.tagger import TRAINING_LINES

FOLDS = 12
# Lines written in one sitting share a genre and turns of phrase. They stand together in the file and stay together in
# a fold: interleaved lines would be scored by a model that has read their siblings.
SITTING = 40
# A wrong card costs a CSM's trust, a missed remark often comes up again. The precision that is asked for; texts of
# others cost up to ten points against own lines, however these are folded. At 0.90 for all labels together (2026-11)
# an outside set gave 0.85 / 0.44 (precision / recall), and demo cases were missed.
TARGET_PRECISION = 0.85
# Three advanced tickets, not one, open a card: a ticket may be about as likely wrong as right.
TICKET_BAR = 0.40
# Below the bar, but as likely as not to be worth a second reader's look.
UNSURE_BAR = 0.30
# Own lines are shorter (median 100 characters) than what customers write (250 to 550), and long texts have more
# sentences to be wrong about. Long lines count as much in all as short ones.
LONG = 200
_GRID = np.round(np.arange(0.40, 0.81, 0.01), 2)


def cross_validated_scores(rows: Sequence[LabelledText]) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-fold scores and whether the best sentence affirms the label; both of shape (rows, labels)."""
    scores = np.zeros((len(rows), len(LABELS)))
    affirmed = np.zeros((len(rows), len(LABELS)), dtype=bool)
    fold_of = np.arange(len(rows)) // SITTING % FOLDS
    for fold in np.unique(fold_of):
        left_out = [int(at) for at in np.flatnonzero(fold_of == fold)]
        tagger = EmbeddedTagger([row for row, at in zip(rows, fold_of, strict=True) if at != fold])
        for at, score in zip(left_out, tagger.score([rows[at].text for at in left_out]), strict=True):
            scores[at] = score.probabilities
            for column, label in enumerate(LABELS):
                quote = score.best_sentence(column)
                affirmed[at, column] = quote is not None and polarity_of(label, quote.text, "unknown") == "affirmed"
    return scores, affirmed


def weights_of(rows: Sequence[LabelledText]) -> np.ndarray:
    """Return a weight per row: the long ones weigh as much in all as the short ones."""
    is_long = np.array([len(row.text) >= LONG for row in rows])
    if is_long.all() or not is_long.any():
        return np.ones(len(rows))
    return np.where(is_long, (~is_long).sum() / is_long.sum(), 1.0)


def fit_curve(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> Curve:
    """Fit Platt's curve: the log-odds of a true label as a straight line in the log-odds of its score."""
    if truth.all() or not truth.any():
        return Curve(slope=1.0, intercept=0.0)
    model = LogisticRegression(C=10.0).fit(log_odds(scores)[:, None], truth, sample_weight=weights)
    return Curve(slope=round(float(model.coef_[0, 0]), 4), intercept=round(float(model.intercept_[0]), 4))


def choose_bar(
    probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray, target: float = TARGET_PRECISION
) -> float:
    """Return the lowest probability from which on tags are right in `target` cases, the highest on offer if none is.

    Arrays have one entry per text. Neighbouring bars are averaged: a single one is luck with a hundred positives.
    """

    def precision(bar: float) -> float:
        tagged = probabilities >= bar
        return float(np.average(truth[tagged], weights=weights[tagged])) if tagged.any() else 0.0

    at_bar = np.array([precision(bar) for bar in _GRID])
    smoothed = np.convolve(np.pad(at_bar, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    met = np.flatnonzero(smoothed >= target)
    return round(float(_GRID[met[0]] if met.size else _GRID[-1]), 2)


def calibrate(rows: Sequence[LabelledText]) -> Calibration:
    """Fit every label's curve and choose its bar on out-of-fold scores of `rows`."""
    scores, affirmed = cross_validated_scores(rows)
    weights = weights_of(rows)
    curves: dict[Label, Curve] = {}
    bars: dict[Label, float] = {}
    for column, label in enumerate(LABELS):
        # A score of 0 (nothing was read) makes no tag and has no place on the curve.
        used = np.array([label not in row.ambiguous for row in rows]) & affirmed[:, column] & (scores[:, column] > 0)
        truth = np.array([row.has(label) for row in rows])[used]
        curves[label] = fit_curve(scores[used, column], truth, weights[used])
        bars[label] = choose_bar(curves[label].probability(scores[used, column]), truth, weights[used])
    return Calibration(curves=curves, bars=bars, ticket_bar=TICKET_BAR, unsure_bar=UNSURE_BAR)


def write_calibration(calibration: Calibration, path: Path = CALIBRATION_PATH) -> None:
    """Write `calibration` to `path`."""
    header = "# Written by expansion_assets.tagging.calibration from cross-validated scores of the training lines.\n"
    path.write_text(header + yaml.safe_dump(asdict(calibration), sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    write_calibration(calibrate(read_labelled(TRAINING_LINES)))
