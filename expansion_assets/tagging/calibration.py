"""From scores to probabilities, fitted on sources that were left out, and the bars that a tag must clear.

Run `python -m expansion_assets.tagging.calibration` after any change to lines, phrases or features.

Belongs here: fitting and writing `calibration.yml`. Does not belong here: hold-out lines, which choose nothing.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from expansion_assets.tagging.embedded import CALIBRATION_PATH, Calibration, Curve
from expansion_assets.tagging.features import read
from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.linear import LinearModel
from expansion_assets.tagging.network import SHIPPED_NETWORK, NetworkFiles
from expansion_assets.tagging.phrases import polarity_of
from expansion_assets.tagging.quotes import split_sentences
from expansion_assets.tagging.schema import LABELS, Label
from expansion_assets.tagging.tagger import TRAINING_LINES

# From this probability on a remark is a tag: a wrong card costs a CSM's trust, a missed remark often comes up again.
# Advanced intent has a higher bar, for what our lines say of it is too sure: 41 of the 56 wrong tags that two sets of
# others' texts (2026-11-23) have from 0.6 on are of this label. Precision / recall on the two sets: with one bar of 0.6
# 0.84 / 0.68 and 0.67 / 0.67, with these 0.86 / 0.66 and 0.75 / 0.64, with 0.85 instead of 0.8 0.86 / 0.65 and 0.75 /
# 0.62. A bar for each label, chosen on some ten remarks, would be luck.
BAR, ADVANCED_BAR = 0.6, 0.8
# Below the bars, but likely enough to be worth a second reader's look.
UNSURE_BAR = 0.30


@dataclass(frozen=True, slots=True)
class Judged:
    """What both models say of lines whose source they do not know; arrays of the shape (lines, labels)."""

    rows: list[LabelledText]
    linear: np.ndarray
    network: np.ndarray
    affirmed: np.ndarray
    """Whether the strongest sentence affirms the label."""


def judge(rows: Sequence[LabelledText], network: NetworkFiles) -> Judged:
    """Join what the network said of lines of sources it was not shown with what a linear model, as ignorant, says."""
    with network.out_of_fold.open(encoding="utf-8") as lines:
        said = {record["id"]: record for record in map(json.loads, lines)}
    judged = [row for row in rows if row.id in said]
    unseen = {row.source for row in judged}
    learned = [row for row in rows if row.source not in unseen]
    return Judged(
        judged,
        LinearModel(learned).log_odds([read(row.text) for row in judged]),
        np.array([said[row.id]["log_odds"] for row in judged]),
        np.array([
            [_is_affirmed(row.text, label, at) for label, at in zip(LABELS, said[row.id]["strongest_at"], strict=True)]
            for row in judged
        ]),
    )


def _is_affirmed(body: str, label: Label, at: int) -> bool:
    sentence = next((span.text for span in split_sentences(body) if span.start <= at < span.end), body)
    return polarity_of(label, sentence, "unknown") == "affirmed"


def weights_of(rows: Sequence[LabelledText]) -> np.ndarray:
    """Return a weight per row: every source weighs the same in all, however many lines it has."""
    lines = Counter(row.source for row in rows)
    return np.array([1 / lines[row.source] for row in rows])


def fit_curve(log_odds: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> Curve:
    """Fit Platt's curve: the log-odds of a true label as a straight line in the log-odds as scored."""
    if truth.all() or not truth.any():
        return Curve(slope=1.0, intercept=0.0)
    model = LogisticRegression(C=10.0).fit(log_odds[:, None], truth, sample_weight=weights)
    return Curve(slope=round(float(model.coef_[0, 0]), 4), intercept=round(float(model.intercept_[0]), 4))


def fit_curves(log_odds: np.ndarray, judged: Judged) -> dict[Label, Curve]:
    """Fit every label's curve."""
    weights = weights_of(judged.rows)
    curves: dict[Label, Curve] = {}
    for column, label in enumerate(LABELS):
        used = np.array([label not in row.ambiguous for row in judged.rows]) & judged.affirmed[:, column]
        truth = np.array([row.has(label) for row in judged.rows])[used]
        curves[label] = fit_curve(log_odds[used, column], truth, weights[used])
    return curves


def calibrate(rows: Sequence[LabelledText], network: NetworkFiles) -> Calibration:
    """Fit the curves of both models together and of the linear one alone."""
    judged = judge(rows, network)
    joined, linear = (fit_curves(odds, judged) for odds in ((judged.linear + judged.network) / 2, judged.linear))
    bars = dict.fromkeys(LABELS, BAR) | {"advanced_intent": ADVANCED_BAR}
    return Calibration(joined, linear, bars, UNSURE_BAR)


def write_calibration(calibration: Calibration, path: Path = CALIBRATION_PATH) -> None:
    """Write `calibration` to `path`."""
    header = "# Written by expansion_assets.tagging.calibration from scores of lines of unseen sources.\n"
    path.write_text(header + yaml.safe_dump(asdict(calibration), sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    write_calibration(calibrate(read_labelled(TRAINING_LINES), SHIPPED_NETWORK))
