"""Thresholds per label, chosen by cross-validation on the training lines.

Run `python -m expansion_assets.tagging.calibration` after any change to lines, phrases or features.

Belongs here: choosing and writing `thresholds.yml`. Does not belong here: hold-out lines, which choose nothing.
"""

from collections.abc import Sequence

import numpy as np
import yaml

from expansion_assets.tagging.embedded import THRESHOLDS_PATH, EmbeddedTagger
from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.schema import LABELS, Label
from expansion_assets.tagging.tagger import TRAINING_LINES

FOLDS = 5
# A wrong card costs a CSM's trust, a missed one often comes up again: recall counts half as much as precision. A
# little more (0.6) for what a single text decides: neighbouring problems, and advanced questions in tickets.
BETA = 0.5
BALANCED_BETA = 0.6
# A quote must name the other tool (`embedded`), which keeps precision up by itself.
ADJACENT_BETA = 1.0
LOWEST, HIGHEST = 0.30, 0.90


def cross_validated_scores(rows: Sequence[LabelledText]) -> np.ndarray:
    """Return out-of-fold probabilities, shape (rows, labels). Folds interleave: lines of a genre stand together."""
    scores = np.zeros((len(rows), len(LABELS)))
    anything = dict.fromkeys(LABELS, 0.0)
    for fold in range(FOLDS):
        kept = [row for at, row in enumerate(rows) if at % FOLDS != fold]
        tagger = EmbeddedTagger(kept, anything, "cross-validation")
        left_out = tagger.score([row.text for row in rows[fold::FOLDS]])
        scores[fold::FOLDS] = [score.probabilities for score in left_out]
    return scores


def choose_threshold(
    label: Label, rows: Sequence[LabelledText], scores: np.ndarray, beta: float = BETA
) -> float:
    """Return the threshold with the best F-beta for `label`, given its out-of-fold `scores` (shape: rows)."""
    used = np.array([label not in row.ambiguous for row in rows])
    truth = np.array([row.has(label) for row in rows])[used]

    def f_beta(threshold: float) -> float:
        tagged = scores[used] >= threshold
        hits = (tagged & truth).sum()
        return (1 + beta**2) * hits / (beta**2 * truth.sum() + tagged.sum())

    grid = np.arange(LOWEST, HIGHEST, 0.01)
    # Neighbouring thresholds are averaged: the best single one is luck with a hundred positives.
    smoothed = np.convolve([f_beta(threshold) for threshold in grid], np.ones(5) / 5, mode="same")
    return round(float(grid[2 + int(np.argmax(smoothed[2:-2]))]), 2)


def write_thresholds(rows: Sequence[LabelledText]) -> dict[str, dict[Label, float]]:
    """Choose every label's threshold on `rows` and write `thresholds.yml`."""
    scores = dict(zip(LABELS, cross_validated_scores(rows).T, strict=True))
    everywhere = {label: choose_threshold(label, rows, scores[label]) for label in LABELS}
    everywhere["adjacent_use"] = choose_threshold("adjacent_use", rows, scores["adjacent_use"], ADJACENT_BETA)
    at = np.array([row.kind == "ticket" for row in rows])
    tickets = [row for row in rows if row.kind == "ticket"]
    others = [row for row in rows if row.kind != "ticket"]
    advanced = scores["advanced_intent"]
    everywhere["advanced_intent"] = choose_threshold("advanced_intent", others, advanced[~at])
    asked = choose_threshold("advanced_intent", tickets, advanced[at], BALANCED_BETA)
    thresholds: dict[str, dict[Label, float]] = {"all": everywhere, "tickets": {"advanced_intent": asked}}
    header = "# Written by expansion_assets.tagging.calibration: best F-beta of five-fold cross-validation.\n"
    THRESHOLDS_PATH.write_text(header + yaml.safe_dump(thresholds, sort_keys=False), encoding="utf-8")
    return thresholds


if __name__ == "__main__":
    write_thresholds(read_labelled(TRAINING_LINES))
