"""Prices, estimates and the decision about spending."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion_assets.tagging.labelled import read_labelled
from expansion_assets.tagging.llm.ceiling import Offer, Share, decide
from expansion_assets.tagging.llm.prices import PriceTableError, load_prices, price_of
from expansion_assets.tagging.llm.prompt import told_characters
from expansion_assets.tagging.llm.sparing import nothing_in_it
from expansion_assets.tagging.schema import TRIGGER_LABELS, Text
from expansion_assets.tagging.tagger import HOLDOUT_LINES

NORMAL, BIGGER, CHEAPER = (
    Offer("normal", [4.0] * 10), Offer("bigger_batch", [3.0] * 10), Offer("cheaper_model", [1.0] * 10)
)
OFFERS = [NORMAL, BIGGER, CHEAPER]


@pytest.mark.parametrize(
    ("money", "offers", "unpaid", "shares"),
    [
        (None, OFFERS, "embedded", [Share("normal", 10, 40)]),
        (40, OFFERS, "embedded", [Share("normal", 10, 40)]),
        (39, OFFERS, "embedded", [Share("bigger_batch", 10, 30)]),
        (29, OFFERS, "embedded", [Share("cheaper_model", 10, 10)]),
        (9, OFFERS, "embedded", [Share("cheaper_model", 9, 9), Share("embedded", 1, 0)]),
        (9, OFFERS, "queue", [Share("cheaper_model", 9, 9), Share("queue", 1, 0)]),
        (9, [NORMAL, BIGGER], "queue", [Share("bigger_batch", 3, 9), Share("queue", 7, 0)]),
        (0, OFFERS, "embedded", [Share("embedded", 10, 0)]),
        (0, OFFERS, "queue", [Share("queue", 10, 0)]),
        (5, [Offer("normal", [])], "queue", []),
    ],
)
def test_the_order_of_degradation(money, offers, unpaid, shares):
    assert decide(money, offers, unpaid) == shares


@given(
    st.floats(0, 100), st.lists(st.floats(0.01, 10), min_size=1, max_size=30), st.floats(0.1, 1), st.floats(0.1, 1)
)
def test_no_decision_spends_more_than_there_is_or_loses_a_text(money, costs, bigger, cheaper):
    offers = [
        Offer("normal", costs), Offer("bigger_batch", [cost * bigger for cost in costs]),
        Offer("cheaper_model", [cost * bigger * cheaper for cost in costs]),
    ]
    shares = decide(money, offers, "queue")
    assert sum(share.texts for share in shares) == len(costs)
    assert sum(share.estimate for share in shares) <= money + 1e-9


def test_the_table_holds_together():
    prices = load_prices()
    assert price_of("gpt-4.1-mini-2025-04-14") is prices["gpt-4.1-mini"] is price_of("gpt-4.1-mini")
    assert price_of("gpt-4.1-mini-turbo") is None and price_of("own-model") is None
    mini = prices["gpt-4.1-mini"]
    assert mini.cost(1_000_000, 1_000_000) == pytest.approx(2.0)
    assert mini.cost(1_000_000, 1_000_000, is_batch=True) == pytest.approx(1.0)
    assert mini.cost(None, 5) is None


def test_bigger_batches_save_the_instructions():
    mini = load_prices()["gpt-4.1-mini"]
    small, big = (mini.estimate([300] * 64, size, told_characters()) for size in (8, 32))
    assert big < 0.75 * small


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{model: a, tokens_in: -1, tokens_out: 1, currency: USD, batch_discount: 0, checked_on: 2026-01-01}",
         r"prices\.yml, row 1: tokens_in"),
        ("{model: a, tokens_in: 1, tokens_out: 1, currency: dollars, batch_discount: 0, checked_on: 2026-01-01}",
         r"row 1: currency"),
        ("just words", r"row 1"),
    ],
)
def test_a_broken_table_names_file_row_and_rule(tmp_path, row, message):
    path = tmp_path / "prices.yml"
    path.write_text(f"prices:\n  - {row}\n")
    with pytest.raises(PriceTableError, match=message):
        load_prices(path)


def test_a_model_is_listed_once(tmp_path):
    row = "{model: a, tokens_in: 1, tokens_out: 1, currency: USD, batch_discount: 0, checked_on: 2026-01-01}"
    path = tmp_path / "prices.yml"
    path.write_text(f"prices:\n  - {row}\n  - {row}\n")
    with pytest.raises(PriceTableError, match="row 2: model a is listed twice"):
        load_prices(path)


def test_sparing_loses_few_labels_of_the_hold_out_lines(tagger):
    rows = read_labelled(HOLDOUT_LINES)
    spared = nothing_in_it(tagger, [Text(row.id, "", row.kind, "customer", row.text) for row in rows])
    labels = [sum(row.has(label) for label in TRIGGER_LABELS) for row in rows]
    lost = sum(count for count, is_spared in zip(labels, spared, strict=True) if is_spared)
    # None of 222 when it was set; the room is for a retrained embedded tagger.
    assert lost / sum(labels) <= 0.05
    assert sum(spared) >= 0.05 * len(rows)


@pytest.mark.parametrize("body", ["ok", "10/10", "??", "\U0001f44d", "a 1 b 2"])
def test_a_text_without_two_words_is_spared(tagger, body):
    assert nothing_in_it(tagger, [Text("t", "", "nps", "customer", body)]) == [True]
