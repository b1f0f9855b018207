"""The linear half of the embedded tagger: TF-IDF features and one logistic regression per label.

Belongs here: its training and its scores. Does not belong here: what it sees (`features`), the other half (`network`).
"""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from expansion_assets.tagging.features import Features, Reading, read
from expansion_assets.tagging.labelled import LabelledText
from expansion_assets.tagging.schema import LABELS, Label

# Chosen on 379 texts of others (2026-11-22). Our own lines cannot choose it: their writers are alike, so learning them
# by heart pays there.
_INVERSE_REGULARISATION = 3.0
# Twenty steps or so; a fifth of liblinear's time at the same scores.
_TOLERANCE, _MOST_STEPS = 3e-5, 300


class LinearModel:
    """Scores texts. Same lines, same scores."""

    def __init__(self, rows: Sequence[LabelledText]) -> None:
        """Train on `rows`."""
        self._features = Features()
        matrix = self._features.learn([read(row.text) for row in rows])
        weights = np.array([row.weight for row in rows])

        def fit(label: Label) -> LogisticRegression:
            used = np.array([label not in row.ambiguous for row in rows])
            carries = np.array([row.has(label) for row in rows])
            model = LogisticRegression(
                C=_INVERSE_REGULARISATION, class_weight="balanced", tol=_TOLERANCE, max_iter=_MOST_STEPS
            )
            return model.fit(matrix[used], carries[used], sample_weight=weights[used])

        models = [fit(label) for label in LABELS]
        self._coefficients = np.column_stack([model.coef_[0] for model in models])
        self._intercepts = np.array([model.intercept_[0] for model in models])

    def log_odds(self, readings: Sequence[Reading]) -> np.ndarray:
        """Return log-odds per text or sentence and label, shape (readings, labels); not calibrated."""
        if not readings:
            return np.zeros((0, len(LABELS)))
        return self._features.matrix(readings) @ self._coefficients + self._intercepts
