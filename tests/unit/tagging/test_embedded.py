"""The embedded tagger: rows, offsets, determinism, version, and the gate on our own hold-out lines."""

import dataclasses

import numpy as np
import pytest

from expansion_assets.tagging import embedded
from expansion_assets.tagging.embedded import Lessons, load_embedded_tagger
from expansion_assets.tagging.evaluation import evaluate
from expansion_assets.tagging.features import read
from expansion_assets.tagging.labelled import write_labelled
from expansion_assets.tagging.linear import LinearModel
from expansion_assets.tagging.network import SHIPPED_NETWORK, NetworkFiles
from expansion_assets.tagging.schema import INTENTS, LABELS, POLARITIES, TRIGGER_LABELS, Text
from expansion_assets.tagging.tagger import TRAINING_LINES

TICKET = (
    "Seats \u2014 Hello, hope you are well. We\u2019ve run out of licences and cannot add the new planner. "
    "Invitations say \u201cno available seats\u201d. Greetings from Oslo"
)


def text(body, speaker_side="customer", text_id="t1"):
    return Text(text_id, "hash", "ticket", speaker_side, body)


def test_limit_ticket_is_tagged_with_a_true_slice(tagger):
    (tag,) = [tag for tag in tagger.tag([text(TICKET)]) if tag.label == "usage_limit"]
    assert tag.is_quote_found
    assert TICKET[tag.quote_start : tag.quote_end] == tag.quote
    assert "Hello" not in tag.quote
    assert (tag.polarity, tag.problem_key, tag.tool) == ("affirmed", None, None)


def test_every_tag_of_the_holdout_is_well_formed(tagger, holdout):
    bodies = {row.id: row.text for row in holdout}
    tags = tagger.tag([text(body, text_id=key) for key, body in bodies.items()])
    assert len({tag.tag_id for tag in tags}) == len(tags) > 0
    for tag in tags:
        assert bodies[tag.text_id][tag.quote_start : tag.quote_end] == tag.quote
        assert tag.quote
        assert tag.label in LABELS
        assert tag.polarity in POLARITIES
        assert tag.intent in INTENTS
        assert tagger._calibration.unsure_bar <= tag.probability <= 1
        assert (tag.problem_key is not None) == (tag.label == "adjacent_use")


def test_vendor_speech_never_counts(tagger):
    tags = tagger.tag([text(TICKET, speaker_side="vendor")])
    assert {tag.polarity for tag in tags} == {"vendor_side"}


def test_two_neighbouring_problems_are_two_tags(tagger):
    body = "We use a separate survey tool, SurveyMonkey, for feedback. We still track the shifts in a spreadsheet."
    tags = [tag for tag in tagger.tag([text(body)]) if tag.label == "adjacent_use"]
    assert {(tag.problem_key, tag.tool) for tag in tags} == {
        ("feedback_surveys", "SurveyMonkey"),
        ("scheduling", "spreadsheet"),
    }


@pytest.mark.parametrize("body", ["", "   ", "\n", "Thanks!", "\u2026", "\U0001f600", "Great colours. " * 200])
def test_texts_that_say_nothing_have_no_tag(tagger, body):
    assert tagger.tag([text(body)]) == []


def test_no_texts_no_tags(tagger):
    assert tagger.tag([]) == []


def test_tags_do_not_depend_on_the_batch(tagger, holdout):
    texts = [text(row.text, text_id=row.id) for row in holdout[:20]]
    assert tagger.tag(texts) == [tag for one in texts for tag in tagger.tag([one])]


def test_the_network_is_asked_where_a_trigger_label_is_in_doubt(tagger, holdout):
    bodies = [row.text for row in holdout]
    triggers = [LABELS.index(label) for label in TRIGGER_LABELS]
    likely = tagger.first_glance(bodies)[:, triggers]
    doubts = (likely >= embedded._WORTH_READING[triggers]) & (likely < embedded._SETTLED)
    asked = np.array([score.is_joined for score in tagger.score(bodies)])
    assert asked.tolist() == doubts.any(axis=1).tolist()
    is_sure = (likely >= embedded._SETTLED).any(axis=1)
    assert (is_sure & ~asked).any()
    assert (is_sure & asked).any()


def test_texts_that_the_network_is_not_asked_about_lose_few_tags(tagger, holdout, monkeypatch):
    def counted():
        tags = tagger.tag([text(row.text, text_id=row.id) for row in holdout])
        return {(tag.text_id, tag.label) for tag in tags if tag.label in TRIGGER_LABELS and not tag.is_unsure}

    asked_in_doubt = counted()
    monkeypatch.setattr(embedded, "_SETTLED", 2.0)
    asked_about_some = counted()
    assert len(asked_about_some ^ asked_in_doubt) <= 0.03 * len(asked_about_some)
    monkeypatch.setattr(embedded, "_WORTH_READING", np.zeros(len(LABELS)))
    asked_about_all = counted()
    assert asked_about_some <= asked_about_all
    assert len(asked_about_all - asked_about_some) <= 0.03 * len(asked_about_all)
    right = {(row.id, label) for row in holdout for label in row.labels} & asked_about_all
    assert len(right - asked_about_some) <= 0.03 * len(right)


def test_training_twice_gives_the_same_scores(training):
    once, again = (LinearModel(training[:200]).log_odds([read(TICKET)]) for _ in range(2))
    assert np.array_equal(once, again)


def test_version_follows_the_files(tagger, tmp_path, monkeypatch):
    def lessons(name, content, network=SHIPPED_NETWORK):
        (tmp_path / name).write_bytes(content)
        return Lessons((tmp_path / name,), tmp_path, network)

    lines = TRAINING_LINES.read_bytes()
    assert lessons("same.jsonl", lines).version == tagger.version
    assert lessons("changed.jsonl", lines.replace(b"Solid product", b"Decent product", 1)).version != tagger.version
    (tmp_path / "network.onnx").write_bytes(b"another network")
    assert lessons("same.jsonl", lines, NetworkFiles(tmp_path)).version != tagger.version
    monkeypatch.setattr(embedded, "_CODE_VERSION", "next")
    assert lessons("same.jsonl", lines).version != tagger.version


def test_a_trained_model_is_kept_until_its_lessons_change(training, tmp_path):
    lines, models = tmp_path / "lines.jsonl", tmp_path / "models"
    write_labelled(lines, training[:150])
    first = load_embedded_tagger(Lessons((lines,), models))
    (kept,) = models.iterdir()
    embedded._load.cache_clear()
    again = load_embedded_tagger(Lessons((lines,), models))
    assert again is not first and again.version == first.version
    assert again.tag([text(TICKET)]) == first.tag([text(TICKET)])
    write_labelled(lines, training[:151])
    assert load_embedded_tagger(Lessons((lines,), models)).version != first.version
    assert len(list(models.iterdir())) == 1 and not kept.exists()


def test_a_folder_that_cannot_be_written_is_no_error(training, tmp_path):
    lines = tmp_path / "lines.jsonl"
    write_labelled(lines, training[:150])
    assert load_embedded_tagger(Lessons((lines,), lines / "below_a_file")).version.startswith("embedded-")


def test_columns_are_those_of_the_tag_table(tagger):
    (first, *_) = tagger.tag([text(TICKET)])
    assert list(dataclasses.asdict(first)) == [
        "tag_id", "text_id", "content_hash", "tagger_version", "label", "problem_key", "tool", "probability",
        "polarity", "intent", "quote", "quote_start", "quote_end", "is_quote_found", "is_unsure",
    ]  # fmt: skip


def test_unsure_tags_are_those_under_the_bar(tagger, holdout):
    calibration = tagger._calibration
    tags = tagger.tag([text(row.text, text_id=row.id) for row in holdout])
    assert all(tag.is_unsure == (tag.probability < calibration.bars[tag.label]) for tag in tags)
    assert {tag.is_unsure for tag in tags} == {True, False}


def test_probability_means_what_it_says(tagger, holdout):
    """Of hold-out tags with a mean probability of p about p are right: within 12 points, n = 100 or so."""
    truth = {(row.id, label): row.has(label) for row in holdout for label in LABELS if label not in row.ambiguous}
    tags = tagger.tag([dataclasses.replace(text(row.text, text_id=row.id), kind=row.kind) for row in holdout])
    judged = [
        (tag.probability, truth[tag.text_id, tag.label])
        for tag in tags if tag.polarity == "affirmed" and (tag.text_id, tag.label) in truth
    ]  # fmt: skip
    predicted, right = np.mean(judged, axis=0)
    assert len(judged) > 60
    assert right == pytest.approx(predicted, abs=0.12)


def test_holdout_gate(tagger, holdout):
    """Hold-out lines never train and choose nothing; 0.95 / 0.86 when the gate was set, n = 222."""
    micro = evaluate(tagger, holdout).micro
    assert micro.precision >= 0.90
    assert micro.recall >= 0.80


def test_the_quick_tagger_does_without_the_network(holdout, tmp_path):
    quick = load_embedded_tagger(Lessons((TRAINING_LINES,), tmp_path, None))
    assert not any(score.is_joined for score in quick.score([row.text for row in holdout]))
    micro = evaluate(quick, holdout).micro  # 0.91 / 0.73 when it was written
    assert micro.precision >= 0.85
    assert micro.recall >= 0.65
