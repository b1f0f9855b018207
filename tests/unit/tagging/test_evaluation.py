"""Evaluation: counting, ambiguous rows, polarity, the JSON report and the table."""

import json

import pytest

from expansion_assets.tagging.evaluation import Counts, evaluate, evaluate_file
from expansion_assets.tagging.labelled import LabelledText
from expansion_assets.tagging.schema import LABELS, TRIGGER_LABELS, Tag
from expansion_assets.tagging.tagger import TRAINING_LINES


class FixedTagger:
    """Tags by table: text id -> (label, polarity) pairs."""

    version = "fixed"

    def __init__(self, answers):
        self.answers = answers

    def tag(self, texts):
        return [
            Tag("x", text.text_id, "", "fixed", label, None, None, 0.9, polarity, "declared", "", 0, 0, True)
            for text in texts
            for label, polarity in self.answers.get(text.text_id, ())
        ]


def row(row_id, *labels, ambiguous=()):
    return LabelledText(
        id=row_id, kind="nps", text="t", ambiguous=ambiguous, **{label: label in labels for label in LABELS}
    )


ROWS = [
    row("a", "usage_limit"),
    row("b", "usage_limit", "cross_team"),
    row("c"),
    row("d", "usage_limit", ambiguous=("usage_limit",)),
    row("e", "basic_intent"),
    row("f", "cross_team"),
]
ANSWERS = {
    "a": [("usage_limit", "affirmed"), ("usage_limit", "affirmed")],
    "b": [("usage_limit", "negated")],
    "c": [("usage_limit", "affirmed"), ("cross_team", "vendor_side")],
    "f": [("cross_team", "affirmed")],
}


def test_counts_per_label():
    labels = evaluate(FixedTagger(ANSWERS), ROWS).labels
    assert labels["usage_limit"] == Counts(tp=1, fp=1, fn=1)
    assert labels["cross_team"] == Counts(tp=1, fp=0, fn=1)
    assert labels["basic_intent"] == Counts(tp=0, fp=0, fn=1)
    assert labels["role_change"] == Counts()


def test_macro_and_micro_leave_out_basic_intent_and_absent_labels():
    evaluation = evaluate(FixedTagger(ANSWERS), ROWS)
    assert evaluation.micro == Counts(tp=2, fp=1, fn=2)
    assert evaluation.macro == {"precision": pytest.approx(0.75), "recall": pytest.approx(0.5)}


def test_untagged_label_counts_as_precision_zero():
    macro = evaluate(FixedTagger({}), ROWS).macro
    assert macro == {"precision": 0.0, "recall": 0.0}


@pytest.mark.parametrize(
    ("counts", "rates"),
    [(Counts(3, 1, 0), (0.75, 1.0, 6 / 7)), (Counts(0, 0, 2), (None, 0.0, 0.0)), (Counts(), (None, None, None))],
)
def test_rates(counts, rates):
    assert (counts.precision, counts.recall, counts.f1) == rates


def test_report_and_table(tmp_path):
    report_path = tmp_path / "eval" / "tagger.json"
    table = evaluate_file(TRAINING_LINES.with_name("labelled_holdout.jsonl"), "embedded", report_path)
    report = json.loads(report_path.read_text())
    assert set(report["labels"]) == set(LABELS)
    assert {"precision", "recall", "tp", "fp", "fn"} <= set(report["labels"]["usage_limit"])
    assert set(report["macro"]) == {"precision", "recall"}
    assert all(label in table for label in TRIGGER_LABELS)
    assert f"{report['micro']['precision']:.2f}" in table
