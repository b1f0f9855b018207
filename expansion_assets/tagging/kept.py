"""The trained linear model as a file, so that it is trained once and not in every process.

Belongs here: its name, which changes with all that it learned from, and its place. Does not belong here: its training
(`linear`). Whoever only deletes models pays for no scikit-learn.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from expansion_assets.tagging.labelled import read_labelled
from expansion_assets.tagging.phrases import PHRASES_PATH

if TYPE_CHECKING:
    from expansion_assets.tagging.linear import LinearModel

MODEL_SUFFIX = ".joblib"


def load_linear_model(lines: Sequence[Path], folder: Path) -> LinearModel:
    """Return the model of these labelled lines: kept in `folder` by an earlier training, else trained (ten seconds).

    A kept model is known by its lines, the phrases, scikit-learn and this code, so that none outlives its lessons.
    Where nothing can be written it is trained again each time. Raises LabelledTextError for broken lines.
    """
    import joblib
    import sklearn

    from expansion_assets.tagging.linear import LinearModel

    digest = hashlib.sha256(sklearn.__version__.encode())
    for path in (*lines, PHRASES_PATH, *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(path.read_bytes())
    kept = folder / f"linear-{digest.hexdigest()[:16]}{MODEL_SUFFIX}"
    if kept.is_file():
        return cast(LinearModel, joblib.load(kept))
    model = LinearModel([row for path in lines for row in read_labelled(path)])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(f".{os.getpid()}.tmp")
        joblib.dump(model, half)
        half.replace(kept)
    except OSError:
        return model
    forget_models(folder, but=kept)
    return model


def forget_models(folder: Path, but: Path | None = None) -> None:
    """Delete the models kept in `folder`, `but` one."""
    for kept in folder.glob(f"*{MODEL_SUFFIX}"):
        if kept != but:
            kept.unlink(missing_ok=True)
