"""Conversations that came as one text: turns with true offsets, sides, passages, and what the tagger makes of them."""

import pytest

from expansion_assets.tagging.quotes import Span
from expansion_assets.tagging.schema import Text
from expansion_assets.tagging.turns import LONGEST_PASSAGE, passages, pieces_of, side_at, speaker_turns

CALL = (
    "Call of 4 May, 30 minutes\n"
    "[00:01:02] Dana (CSM): You could keep the shifts in a spreadsheet for now.\n"
    "[00:01:20] Ravi: We do. The shifts are planned in an Excel file that only Ines understands.\n"
    "It breaks every month.\n"
    "[00:02:11] Dana (CSM): I see. Note: ask product.\n"
    "[00:02:30] Ravi: Please do."
)
SHEET = "The shifts are planned in an Excel file that only Ines understands."


def note(body, vendor_names=()):
    return Text("t1", "hash", "note", "vendor", body, vendor_names=vendor_names)


def test_turns_are_true_slices_without_their_heads():
    turns = speaker_turns(CALL)
    assert [turn.side for turn in turns] == ["unknown", "vendor", "customer", "vendor", "customer"]
    assert all(CALL[turn.span.start : turn.span.end] == turn.span.text for turn in turns)
    assert turns[2].span.text == f"We do. {SHEET}\nIt breaks every month."
    assert turns[3].span.text == "I see. Note: ask product."


@pytest.mark.parametrize(
    ("body", "sides"),
    [
        ("Agent: hi\nCustomer: the export fails\nAgent: which one?", ["vendor", "customer", "vendor"]),
        ("**Mia:** hi\n**Bob:** hello\n**Mia:** so", ["vendor", "customer", "vendor"]),
        ("Mia Berg  0:12\nHello.\n\nBob Ray  0:20\nHi.\n\nMia Berg  1:40\nSo.", ["vendor", "customer", "vendor"]),
        ("Speaker 1: hi\nSpeaker 2: hello\nSpeaker 1: so", ["unknown", "unknown", "unknown"]),
        ("Mia: hi\nBob: yes\nNote: odd\nBob: no\nMia: so", ["vendor", "customer", "unknown", "customer", "vendor"]),
    ],
)  # fmt: skip
def test_sides_come_from_roles_and_from_the_vendors_names(body, sides):
    assert [turn.side for turn in speaker_turns(body, ["Mia Berg"])] == sides


@pytest.mark.parametrize(
    "body",
    [
        "", "One line: with a colon",
        "Steps to reproduce: open it\nExpected: a page\nActual: an error\nVersion: 4.2",
        "Pros: quick\nCons: no API\nOverall: fine",
        "From: a\nTo: b\nSubject: c\nhttp://x: y",
    ],
)  # fmt: skip
def test_headed_paragraphs_are_no_conversation(body):
    assert speaker_turns(body) == []


def test_a_turn_is_on_the_side_of_the_text_where_nobody_is_known():
    body = "Speaker 1: hi\nSpeaker 2: hello\nSpeaker 1: so"
    assert {piece.speaker_side for piece, _ in pieces_of(note(body))} == {"vendor"}
    assert side_at(note(body), Span("hello", 25, 30)) == "vendor"
    assert side_at(note(CALL), Span(SHEET, CALL.index(SHEET), CALL.index(SHEET) + len(SHEET))) == "customer"
    assert side_at(note(CALL), None) == "vendor"


def test_passages_cut_at_sentences_and_lose_nothing():
    body = "x" + "Some words stand here. " * 200 + "y" * 3_000 + ". End."
    span = Span(body[1:], 1, len(body))
    cut = passages(span, 400)
    assert all(body[piece.start : piece.end] == piece.text for piece in cut)
    assert all(len(piece.text) <= 400 or "y" * 3_000 in piece.text for piece in cut)
    assert "".join("".join(piece.text for piece in cut).split()) == "".join(body[1:].split())
    assert passages(span, 10_000) == [span]


def test_only_the_customers_turn_counts(tagger):
    tags = [tag for tag in tagger.tag([note(CALL)]) if tag.label == "adjacent_use"]
    assert [(tag.polarity, tag.quote, tag.tool) for tag in tags] == [("affirmed", SHEET, "Excel")]
    assert CALL[tags[0].quote_start : tags[0].quote_end] == SHEET


def test_a_remark_does_not_drown_in_a_long_text(tagger, holdout):
    filler = " ".join(row.text for row in holdout if not row.labels)
    assert len(filler) > 3 * LONGEST_PASSAGE
    body = f"{filler} {SHEET} {filler}"
    tags = tagger.tag([Text("t1", "hash", "transcript", "customer", body)])
    found = [tag for tag in tags if tag.label == "adjacent_use" and tag.quote == SHEET]
    assert [(body[tag.quote_start : tag.quote_end], tag.is_unsure) for tag in found] == [(SHEET, False)]
    assert len({tag.tag_id for tag in tags}) == len(tags)
