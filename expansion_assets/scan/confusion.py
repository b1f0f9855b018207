"""Data of the page of a tagger's wrong answers, for the person who labels texts.

Belongs here: order and grouping. Does not belong here: counting (``tagging/evaluation.py``). The page holds texts of
customers: it is written beside the JSON report of `eval`, in the state folder, and nowhere else.
"""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any

from expansion_assets.tagging.evaluation import Evaluation, WrongAnswer
from expansion_assets.tagging.schema import LABELS

# What a labeller looks at first: a wrong tag is a tagger's mistake or a labeller's; then what the bar held back.
_ORDER = ("wrong tag", "unsure", "other polarity", "missed", "ambiguous")


def build_confusion(evaluation: Evaluation, file_name: str, day: date) -> dict[str, Any]:
    """Return wrong answers by label and kind of mistake, the surest first."""

    def rank(answer: WrongAnswer) -> tuple[int, int, float, str]:
        surest = -(answer.probability or 0.0)
        return LABELS.index(answer.label), _ORDER.index(answer.mistake), surest, answer.text_id

    answers = sorted(evaluation.wrong, key=rank)
    return {
        "as_of": day, "file_name": file_name, "tagger": evaluation.tagger_version, "texts": evaluation.texts,
        "table": evaluation.as_table(),
        "labels": [
            {
                "label": label, "counts": evaluation.labels[label],
                "mistakes": [
                    {"mistake": mistake, "answers": [_shown(answer) for answer in some]}
                    for mistake, some in groupby(of_label, key=lambda answer: answer.mistake)
                ],
            }
            for label, of_label in groupby(answers, key=lambda answer: answer.label)
        ],
    }  # fmt: skip


def _shown(answer: WrongAnswer) -> dict[str, Any]:
    """The text cut at its quote, so that the page can mark it."""
    before, quote, after = answer.text.partition(answer.quote) if answer.quote else (answer.text, "", "")
    return {
        "text_id": answer.text_id, "kind": answer.kind, "before": before, "quote": quote, "after": after,
        "probability": answer.probability, "polarity": answer.polarity,
    }
