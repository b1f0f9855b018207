"""Quotes: found through typography, returned as true slices, never invented."""

import pytest

from expansion_assets.tagging.quotes import find_quote, find_quotes, split_sentences


@pytest.mark.parametrize(
    ("body", "quote", "found"),
    [
        ("We can\u2019t add seats today.", "can't add seats", "can\u2019t add seats"),
        ("She said \u201cno more Excel\u201d twice.", '"no more Excel"', "\u201cno more Excel\u201d"),
        ("over\u00a0the\n   limit again", "over the limit", "over\u00a0the\n   limit"),
        ("a work-\naround in Excel", "workaround in Excel", "work-\naround in Excel"),
        ("seats \u2013 all gone", "seats - all gone", "seats \u2013 all gone"),
        ("soft\u00adware limit", "software limit", "soft\u00adware limit"),
        ("we hit it. we hit it.", "  we hit it ", "we hit it"),
        ("rapid, then an api", "api", "api"),
        ("\u6211\u4eec\u7528\u8868\u683c", "\u7528\u8868\u683c", "\u7528\u8868\u683c"),
    ],
)
def test_find_quote_returns_the_true_slice(body, quote, found):
    span = find_quote(body, quote)
    assert span is not None
    assert span.text == found == body[span.start : span.end]


@pytest.mark.parametrize(
    "quote", ["", "  ", "we love Excel", "add SEATS", "seats today. And", "e", "eats today", "add seat"]
)
def test_find_quote_refuses_what_does_not_stand_there(quote):
    assert find_quote("We can\u2019t add seats today.", quote) is None


def test_all_places_are_found():
    body = "we hit it. we hit it, we hit items"
    assert [(span.start, span.end) for span in find_quotes(body, "we hit it")] == [(0, 9), (11, 20)]


@pytest.mark.parametrize(
    ("body", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Subject line \u2014 The body.", ["Subject line", "The body."]),
        ("Ann: hi there\n\nBob: hello. Bye", ["Ann: hi there", "Bob: hello.", "Bye"]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("v2.3 costs 1.50 a seat", ["v2.3 costs 1.50 a seat"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_split_sentences(body, sentences):
    spans = split_sentences(body)
    assert [span.text.rstrip('"') for span in spans] == [text.rstrip('"') for text in sentences]
    assert all(body[span.start : span.end] == span.text for span in spans)
