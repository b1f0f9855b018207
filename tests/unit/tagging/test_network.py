"""The network of the embedded tagger: shapes, offsets, and that a text is read the same in any company."""

import numpy as np
import pytest

from expansion_assets.tagging.network import MOST_TOKENS, SHIPPED_NETWORK, load_network
from expansion_assets.tagging.schema import LABELS

BODY = "Support is quick.\nWe\u2019d love an API to pull the audit log. \U0001f600 Caf\u00e9 caf\u00e9!"


@pytest.fixture(scope="module")
def network():
    return load_network(SHIPPED_NETWORK)


def test_a_reading_has_a_row_per_word_and_a_column_per_label(network):
    (reading,) = network.read([BODY])
    assert reading.log_odds.shape == (len(LABELS),)
    assert reading.words.shape == (len(reading.offsets), len(LABELS))
    words = [BODY[start:end].lower() for start, end in reading.offsets if end]
    assert [word for word in words if word.isalpha()][:3] == ["support", "is", "quick"]
    assert words[-3:] == ["caf\u00e9", "caf\u00e9", "!"]


def test_evidence_stands_in_the_sentence_that_carries_the_label(network):
    (reading,) = network.read([BODY])
    column, wish = LABELS.index("advanced_intent"), BODY.index("We\u2019d love")
    assert reading.log_odds[column] > 0
    assert reading.of_span(wish, BODY.index("log.") + 4)[column] > reading.of_span(0, wish)[column]


def test_a_span_without_words_is_no_evidence(network):
    (reading,) = network.read([BODY])
    end = len(BODY)
    assert (reading.of_span(end + 1, end + 9) < -10).all()


def test_a_text_is_read_the_same_in_any_company(network, holdout):
    bodies = [row.text for row in holdout[:12]]
    together = network.read(bodies)
    alone = [network.read([body])[0] for body in bodies]
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.log_odds, other.log_odds)
        assert np.array_equal(one.words, other.words)


@pytest.mark.parametrize("body", ["", " ", "\u200b", "\U0001f600", "word " * 5 * MOST_TOKENS, "x" * 5_000])
def test_any_text_can_be_read(network, body):
    (reading,) = network.read([body])
    assert np.isfinite(reading.log_odds).all()
    assert len(reading.offsets) <= MOST_TOKENS


def test_no_texts_no_readings(network):
    assert network.read([]) == []
