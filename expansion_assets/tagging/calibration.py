"""From scores to probabilities, fitted by leaving out a source at a time, and the bars that a tag must clear.

Run `python -m expansion_assets.tagging.calibration` after any change to lines, phrases or features.

Belongs here: fitting and writing `calibration.yml`. Does not belong here: hold-out lines, which choose nothing.
"""

from collections import Counter
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

# Folds where all lines come from one source.
_FOLDS = 5
# From this probability on a remark is a tag. One bar for all labels: where probabilities are right, it loses the fewest
# remarks for the mistakes it spares, and a bar per label, chosen on some hundred remarks, is luck. A wrong card costs a
# CSM's trust, a missed remark often comes up again. Measured on two sets of others' texts (2026-11-22, precision /
# recall): 0.70 / 0.63 and 0.58 / 0.70 from 0.5 on, 0.73 / 0.60 and 0.60 / 0.70 from 0.55, 0.75 / 0.57 and 0.63 / 0.70
# from 0.6, 0.79 / 0.48 and 0.64 / 0.63 from 0.7. From 0.6 on cases of the demo world are missed.
BAR = 0.55
# Three advanced tickets, not one, open a card: a ticket may be about as likely wrong as right. At 0.40 diluted tickets
# of the demo world open a card.
TICKET_BAR = 0.45
# Below the bar, but as likely as not to be worth a second reader's look.
UNSURE_BAR = 0.30


def cross_validated_scores(rows: Sequence[LabelledText]) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-fold scores and whether the best sentence affirms the label; both of shape (rows, labels).

    Imagined lines teach and are not judged where there are others: they are easier than what customers write. Their
    scores are 0.
    """
    scores = np.zeros((len(rows), len(LABELS)))
    affirmed = np.zeros((len(rows), len(LABELS)), dtype=bool)
    fold_of = [row.source for row in rows]
    if len(set(fold_of)) < 2:
        fold_of = [str(at % _FOLDS) for at in range(len(rows))]
    judged = {fold for row, fold in zip(rows, fold_of, strict=True) if not row.is_imagined}
    for fold in sorted(judged or set(fold_of)):
        left_out = [at for at, its in enumerate(fold_of) if its == fold]
        tagger = EmbeddedTagger([row for row, its in zip(rows, fold_of, strict=True) if its != fold])
        for at, score in zip(left_out, tagger.score([rows[at].text for at in left_out]), strict=True):
            scores[at] = score.probabilities
            for column, label in enumerate(LABELS):
                quote = score.best_sentence(column)
                affirmed[at, column] = quote is not None and polarity_of(label, quote.text, "unknown") == "affirmed"
    return scores, affirmed


def weights_of(rows: Sequence[LabelledText]) -> np.ndarray:
    """Return a weight per row: every source weighs the same in all, however many lines it has."""
    lines = Counter(row.source for row in rows)
    return np.array([1 / lines[row.source] for row in rows])


def fit_curve(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> Curve:
    """Fit Platt's curve: the log-odds of a true label as a straight line in the log-odds of its score."""
    if truth.all() or not truth.any():
        return Curve(slope=1.0, intercept=0.0)
    model = LogisticRegression(C=10.0).fit(log_odds(scores)[:, None], truth, sample_weight=weights)
    return Curve(slope=round(float(model.coef_[0, 0]), 4), intercept=round(float(model.intercept_[0]), 4))


def calibrate(rows: Sequence[LabelledText]) -> Calibration:
    """Fit every label's curve on out-of-fold scores of `rows`."""
    scores, affirmed = cross_validated_scores(rows)
    weights = weights_of(rows)
    curves: dict[Label, Curve] = {}
    for column, label in enumerate(LABELS):
        # A score of 0 (nothing was read) makes no tag and has no place on the curve.
        used = np.array([label not in row.ambiguous for row in rows]) & affirmed[:, column] & (scores[:, column] > 0)
        truth = np.array([row.has(label) for row in rows])[used]
        curves[label] = fit_curve(scores[used, column], truth, weights[used])
    return Calibration(curves=curves, bar=BAR, ticket_bar=TICKET_BAR, unsure_bar=UNSURE_BAR)


def write_calibration(calibration: Calibration, path: Path = CALIBRATION_PATH) -> None:
    """Write `calibration` to `path`."""
    header = "# Written by expansion_assets.tagging.calibration from cross-validated scores of the training lines.\n"
    path.write_text(header + yaml.safe_dump(asdict(calibration), sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    write_calibration(calibrate(read_labelled(TRAINING_LINES)))
