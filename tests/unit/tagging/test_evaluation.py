"""Evaluation: counting, ambiguous rows, polarity, the JSON report and the table."""

import json
from datetime import date

import pytest

from expansion_assets.scan.confusion import build_confusion
from expansion_assets.scan.rendering import render_confusion
from expansion_assets.settings import Settings
from expansion_assets.tagging.evaluation import Counts, evaluate, evaluate_file, wilson
from expansion_assets.tagging.labelled import LabelledText
from expansion_assets.tagging.schema import LABELS, TRIGGER_LABELS, Tag
from expansion_assets.tagging.tagger import HOLDOUT_LINES


class FixedTagger:
    """Tags by table: text id -> (label, polarity) pairs."""

    version = "fixed"

    def __init__(self, answers, is_unsure=False):
        self.answers, self.is_unsure = answers, is_unsure

    def tag(self, texts):
        return [
            Tag(
                "x", text.text_id, "", "fixed", label, None, None, 0.9, polarity, "declared", "", 0, 0, True,
                self.is_unsure,
            )
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


def test_wilson_interval_of_few_cases():
    assert wilson(9, 10) == (pytest.approx(0.596, abs=1e-3), pytest.approx(0.982, abs=1e-3))
    assert wilson(0, 0) is None
    assert wilson(5, 5)[1] == 1.0


def test_ambiguous_rows_are_counted_apart():
    evaluation = evaluate(FixedTagger(ANSWERS | {"d": [("usage_limit", "affirmed")]}), ROWS)
    assert evaluation.labels["usage_limit"] == Counts(tp=1, fp=1, fn=1)
    assert evaluation.ambiguous["usage_limit"] == Counts(tp=1)


def test_unsure_tags_count_nowhere_but_are_told():
    tagger = FixedTagger({"a": [("usage_limit", "affirmed")], "c": [("usage_limit", "affirmed")]}, is_unsure=True)
    evaluation = evaluate(tagger, ROWS)
    assert evaluation.labels["usage_limit"] == Counts(fn=2)
    assert evaluation.unsure["usage_limit"] == Counts(tp=1, fp=1)
    assert [answer.mistake for answer in evaluation.wrong if answer.text_id == "a"] == ["unsure"]


def test_polarity_is_measured_where_it_is_labelled():
    rows = [*ROWS, row("g").model_copy(update={"polarity": {"cross_team": "vendor_side"}})]
    answers = ANSWERS | {"g": [("cross_team", "vendor_side")]}
    evaluation = evaluate(FixedTagger(answers), rows)
    # a (twice) and f affirmed as labelled, b negated though true, g as labelled; c is not labelled.
    assert evaluation.polarity_in_all == Counts(tp=4, fp=1)
    found = {polarity: counts for polarity, counts in evaluation.polarity.items() if counts != Counts()}
    assert found == {"affirmed": Counts(tp=3, fn=1), "negated": Counts(fp=1), "vendor_side": Counts(tp=1)}
    assert "vendor_side 1 of 1" in evaluation.as_table()


def test_the_interval_of_f1_holds_it():
    counts = Counts(tp=58, fp=12, fn=36)
    low, high = counts.f1_interval
    assert low < counts.f1 < high
    # J = tp / (tp + fp + fn) is a share, F1 = 2 J / (1 + J) grows with it.
    assert (low, high) == pytest.approx(tuple(2 * bound / (1 + bound) for bound in wilson(58, 106)))
    assert Counts().f1_interval is None


def test_counts_by_kind_add_up():
    rows = [one.model_copy(update={"kind": kind}) for one, kind in zip(ROWS, ["nps", "ticket"] * 3, strict=True)]
    evaluation = evaluate(FixedTagger(ANSWERS), rows)
    assert set(evaluation.by_kind) == {"nps", "ticket"}
    assert evaluation.by_kind["nps"]["usage_limit"] == Counts(tp=1, fp=1)
    assert evaluation.micro == Counts(tp=2, fp=1, fn=2)


def test_report_and_table(tmp_path):
    report_path = tmp_path / "eval" / "tagger.json"
    evaluation = evaluate_file(HOLDOUT_LINES, Settings(), report_path)
    report, table = json.loads(report_path.read_text()), evaluation.as_table()
    assert set(report["labels"]) == set(LABELS)
    assert {"precision", "precision_interval", "recall", "recall_interval", "tp", "fp", "fn"} <= set(
        report["labels"]["usage_limit"]
    )
    assert set(report["macro"]) == {"precision", "recall"}
    assert report["quotes_proven"]["share"] == 1.0
    assert report["cost_per_1000"] == 0.0
    assert report["texts_per_second"] > 0
    assert all(label in table for label in TRIGGER_LABELS)
    assert f"{report['micro']['precision']:.2f}" in table


def test_confusion_page_shows_what_was_wrong_and_escapes_it():
    rows = [one.model_copy(update={"text": "We <b>love</b> it. No seats left."}) for one in ROWS]
    evaluation = evaluate(FixedTagger({"c": [("usage_limit", "affirmed")]}), rows)
    html = render_confusion(build_confusion(evaluation, "own.jsonl", date(2026, 1, 5)))
    assert "own.jsonl: 6 texts" in html
    assert "wrong tag (1)" in html
    assert "missed (2)" in html
    assert "&lt;b&gt;love" in html
    assert "<b>love" not in html
