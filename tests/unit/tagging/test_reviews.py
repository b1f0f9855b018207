"""From verdicts on cards to labelled lines, and what learning from them changes."""

from datetime import datetime, timedelta

import pytest

from expansion_assets.tagging.evaluation import Counts
from expansion_assets.tagging.labelled import read_labelled, write_labelled
from expansion_assets.tagging.reviews import SOURCE, Learned, Verdict, compare, lines_of, says_misread
from expansion_assets.tagging.schema import Text

BODY = "All good so far. The rota lives in a Google Sheet. Thanks!"
SHEET = "The rota lives in a Google Sheet."
AT = datetime(2026, 3, 2)


def verdict(decision, reason=None, body=BODY, quote=SHEET, label="adjacent_use", text_id="nps:1", days=0):
    start = body.index(quote)
    text = Text(text_id, "hash", "nps", "customer", body)
    return Verdict(text, label, start, start + len(quote), decision, reason, AT + timedelta(days=days))


def test_an_accepted_card_bears_its_quotes_out_and_leaves_other_labels_open():
    (line,) = lines_of([verdict("accepted")])
    assert (line.labels, line.evidence) == (("adjacent_use",), {"adjacent_use": SHEET})
    assert (line.source, line.text, line.hard_negative_for) == (SOURCE, BODY, ())
    assert set(line.ambiguous) == {"advanced_intent", "basic_intent", "role_change", "cross_team", "usage_limit"}


def test_a_card_rejected_as_misread_is_a_hard_negative():
    (line,) = lines_of([verdict("rejected", "They did not say that")])
    assert (line.labels, line.hard_negative_for, line.evidence) == ((), ("adjacent_use",), {})


@pytest.mark.parametrize("reason", [None, "", "already in hand", "wrong person", "customer asked us to wait"])
def test_a_rejection_for_another_reason_teaches_nothing(reason):
    assert lines_of([verdict("rejected", reason)]) == []
    assert not says_misread(reason)


@pytest.mark.parametrize("reason", ["MISREAD", "false alarm!", "Sarcasm, I fear", "that\u2019s not what they meant"])
def test_reasons_that_say_misread(reason):
    assert says_misread(reason)


def test_the_latest_verdict_on_a_passage_counts():
    first, second = verdict("accepted"), verdict("rejected", "false alarm", days=1)
    assert lines_of([second, first])[0].labels == ()
    assert lines_of([verdict("accepted", days=2), second, first])[0].labels == ("adjacent_use",)


def test_two_labels_of_a_passage_are_one_line_and_passages_of_a_call_are_lines_of_their_own():
    call = "Agent: hello\nCustomer: we keep it in a sheet.\nAgent: oh\nCustomer: an API would help."
    sheet, api = "we keep it in a sheet.", "an API would help."
    lines = lines_of([verdict("accepted", body=call, quote=sheet),
                      verdict("accepted", body=call, quote=api, label="advanced_intent")])
    assert [(line.text, line.labels) for line in lines] == [(sheet, ("adjacent_use",)), (api, ("advanced_intent",))]
    both = lines_of([verdict("accepted"), verdict("rejected", "misread", label="cross_team")])
    assert [(line.labels, line.hard_negative_for) for line in both] == [(("adjacent_use",), ("cross_team",))]


def test_lines_survive_their_file(tmp_path):
    greeted = verdict("accepted", body=f"{SHEET} Gr\u00fc\u00dfe")
    lines = lines_of([greeted, verdict("rejected", "misread", text_id="b")])
    write_labelled(tmp_path / "r.jsonl", lines)
    assert read_labelled(tmp_path / "r.jsonl") == lines
    assert "Gr\u00fc\u00dfe" in (tmp_path / "r.jsonl").read_text(encoding="utf-8")


def test_what_the_others_teach_is_used_on_each_fifth(training, holdout):
    """Ten wishes in a team's own jargon: unknown to our lines, learned from four fifths of the verdicts."""
    teams = ["tax", "audit", "field", "fleet", "plant", "store", "night", "harbour", "lab", "pool"]
    bodies = [f"Zorpling the {team} book from outside is what we are after." for team in teams]
    told = [verdict("accepted", text_id=body, body=body, quote=body, label="advanced_intent") for body in bodies]
    learned = compare(training[:400], lines_of(told), holdout[:40], network=None)
    assert (learned.borne_out, learned.misread) == (10, 0)
    assert learned.after.tp > learned.before.tp
    assert "borne out, tagged" in learned.as_table()


def test_harm_is_a_clear_loss_on_the_holdout():
    good, worse, bad = Counts(80, 10, 20), Counts(79, 11, 21), Counts(70, 20, 30)
    assert Learned(1, 1, good, good, good, worse).is_harmless
    assert not Learned(1, 1, good, good, good, bad).is_harmless
