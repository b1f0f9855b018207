"""Phrase list: token matching, polarity and intent cues."""

import pytest

from expansion_assets.tagging.phrases import Lexicon, intent_of, polarity_of, words_of
from expansion_assets.tagging.schema import INTENTS, LABELS


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("ran out of seats", ["limit", "count"]),
        ("they integrated it", ["link"]),
        ("ran out", []),
        ("two seats", ["count"]),
        ("seating plan", []),
        ("seats over seats", ["count", "count"]),
        ("they ran", []),
        ("out of the API limits", ["limit"]),
    ],
)
def test_lexicon_finds_words_and_prefixes(text, concepts):
    lexicon = Lexicon({"limit": "ran out of, api limit*", "count": "seats", "link": "integrat*"})
    assert lexicon.concepts_in(words_of(text)) == concepts


@pytest.mark.parametrize(
    ("label", "quote", "polarity"),
    [
        ("adjacent_use", "We don't use any other tool for this.", "negated"),
        ("adjacent_use", "We don\u2019t need another app.", "negated"),
        ("adjacent_use", "If we ever outgrow it we would build a sheet.", "hypothetical"),
        ("adjacent_use", "In theory one person could track it in Excel.", "hypothetical"),
        ("adjacent_use", "A friend of mine tracks his in Trello.", "quoted"),
        ("adjacent_use", "We track it in Trello.", "affirmed"),
        ("adjacent_use", "We do not get charts, so we use Excel.", "affirmed"),
        ("role_change", "Nobody has left this year.", "negated"),
        ("role_change", "If my boss left we would keep it.", "hypothetical"),
        ("role_change", "At my previous company the VP quit.", "quoted"),
        ("role_change", "Your account manager has changed again.", "vendor_side"),
        ("role_change", "Our director left in May.", "affirmed"),
        ("cross_team", "Your finance team wrote to us.", "vendor_side"),
        ("cross_team", "No other team uses it.", "negated"),
        ("cross_team", "Our finance team uses it too.", "affirmed"),
        ("usage_limit", "We are nowhere near our seats.", "negated"),
        ("usage_limit", "We hit the cap.", "affirmed"),
        ("advanced_intent", "We don't need an API.", "negated"),
        ("advanced_intent", "There is no API, and we need one.", "affirmed"),
        ("advanced_intent", "It would be great if it had webhooks.", "affirmed"),
    ],
)
def test_polarity(label, quote, polarity):
    assert polarity_of(label, quote, "customer") == polarity


@pytest.mark.parametrize("label", LABELS)
def test_vendor_speech_is_vendor_side_whatever_it_says(label):
    assert polarity_of(label, "We don't use any other tool; seats are full.", "vendor") == "vendor_side"


@pytest.mark.parametrize(
    ("label", "quote", "intent"),
    [
        ("advanced_intent", "We cannot export the rows.", "blocked_now"),
        ("advanced_intent", "We are evaluating your API.", "evaluating"),
        ("advanced_intent", "We plan to connect our ERP.", "declared"),
        ("advanced_intent", "Is there a webhook?", "curious"),
        ("cross_team", "Legal asked for logins.", "declared"),
        ("cross_team", "Legal uses it.", "structural"),
        ("role_change", "Our CFO left.", "structural"),
        ("usage_limit", "We ran out of seats.", "blocked_now"),
        ("adjacent_use", "We keep it in Excel.", "structural"),
    ],
)
def test_intent(label, quote, intent):
    assert intent_of(label, quote) == intent


@pytest.mark.parametrize("label", LABELS)
def test_every_label_has_a_default_intent(label):
    assert intent_of(label, "Xyz.") in INTENTS
