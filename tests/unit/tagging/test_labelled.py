"""The labelled files: format, balance, and hold-out lines that training never saw."""

import json
import re

import pytest

from expansion_assets.tagging.labelled import LabelledTextError, read_labelled
from expansion_assets.tagging.problems import load_problems
from expansion_assets.tagging.schema import LABELS

ROW = {"id": "a", "kind": "nps", "text": "We ran out of seats.", **dict.fromkeys(LABELS, False)}


def word_runs(text, size=8):
    words = re.findall(r"[a-z0-9']+", text.lower())
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def test_sets_are_large_and_balanced(training, holdout):
    assert len(training) >= 8_000
    assert len(holdout) >= 370
    assert min(sum(row.has(label) for row in training) for label in LABELS) >= 600
    assert len({row.source for row in training}) >= 20
    assert {row.source for row in training} & {row.source for row in holdout} <= {"written: first lines"}
    assert sum(not row.labels for row in training) >= len(training) / 4


def test_ids_and_texts_are_unique(training, holdout):
    rows = [*training, *holdout]
    assert len({row.id for row in rows}) == len(rows)
    assert len({row.text.casefold() for row in rows}) == len(rows)


def test_every_positive_has_evidence_and_no_other(training, holdout):
    for row in [*training, *holdout]:
        assert set(row.evidence) == set(row.labels), row.id
        assert not set(row.hard_negative_for) & set(row.labels), row.id
        assert len(row.text) <= 620, row.id


def test_only_adjacent_use_has_a_problem(training, holdout):
    for row in [*training, *holdout]:
        assert row.problem_key in {*load_problems().keys, None} if row.adjacent_use else row.problem_key is None, row.id


def test_no_eight_word_run_is_shared(training, holdout):
    known = set().union(*(word_runs(row.text) for row in training))
    assert [row.id for row in holdout if word_runs(row.text) & known] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evidence": {"usage_limit": "out of beds"}}, "evidence of usage_limit"),
        ({"usage_limit": "often"}, "usage_limit"),
        ({"evidence": {"mood": "seats"}}, "evidence"),
    ],
)
def test_broken_row_is_named(tmp_path, change, message):
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in (ROW, ROW | change)))
    with pytest.raises(LabelledTextError, match=f"lines.jsonl, line 2: .*{message}"):
        read_labelled(path)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_empty_file_is_an_error(tmp_path, content):
    path = tmp_path / "none.jsonl"
    path.write_text(content)
    with pytest.raises(LabelledTextError, match="no labelled texts"):
        read_labelled(path)


def test_not_json_is_named(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text("{nope")
    with pytest.raises(LabelledTextError, match="line 1"):
        read_labelled(path)
