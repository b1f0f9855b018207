"""The scan's paragraph on reading texts with a language model."""

import json
from datetime import date

import pytest

from expansion_assets.scan.rendering import render_scan
from expansion_assets.scan.text_reading import money, reading_line

DATA = {
    "taggers": ["llm-m-1"], "decisions": [{"step": "cheaper_model", "texts": 812, "estimate": 1.5},
                                          {"step": "embedded", "texts": 1, "estimate": 0.0}],
    "texts": {"read": 810, "spared": 3, "failed": 2, "queued": 1}, "month": date(2026, 3, 1), "spent": 12.5,
    "unpriced_answers": 0, "ceiling": 20.0, "currency": "USD",
    "unproven": {"llm-m-1": {"tags": 100, "unproven": 4}},
    "per": {"texts": {"count": 1000, "cost": 0.0125}, "firings": {"count": 5, "cost": 2.5},
            "accepted_cards": {"count": 0, "cost": None}},
}


def test_everything_in_one_paragraph():
    assert reading_line(DATA) == (
        "Last run: 812 texts by the cheaper model, to stay under the ceiling; 1 text by the embedded tagger, for the "
        "ceiling is reached. Of this day's texts: 2 got no useful answer, 1 in the queue. "
        "Paid in March 2026: 12.50 USD of 20.00 USD. All in all 0.013 USD per text, 2.50 USD per firing. "
        "4 tags without a proven quote, shown to nobody."
    )


def test_it_stands_on_the_scan_only_when_a_model_was_asked(scan):
    for page in (render_scan(scan).html, render_scan(scan).md):
        assert "language model" not in page
    shown = render_scan(scan | {"text_reading": DATA})
    assert "12.50 USD of 20.00 USD" in shown.html
    assert "12.50 USD of 20.00 USD" in shown.md.replace("\\", "")
    assert json.loads(shown.json)["text_reading"]["spent"] == 12.5


def test_without_a_price_nothing_is_called_cheap():
    quiet = DATA | {"spent": None, "ceiling": None, "texts": {"read": 1}, "unproven": {},
                    "decisions": [{"step": "normal", "texts": 1, "estimate": None}]}
    assert reading_line(quiet) == "Last run: 1 text as set. Paid in March 2026: unpriced."


def test_texts_that_nobody_read_stand_where_we_are_blind(scan):
    for page in (render_scan(scan).html, render_scan(scan).md):
        assert "not read" not in page
    shown = render_scan(scan | {"unread_languages": {"de": 10, "fr": 2}})
    for page in (shown.html, shown.md.replace("\\", "")):
        assert "12 texts of the last 90 days not read, for not in English: de 10, fr 2." in page


@pytest.mark.parametrize(
    ("cost", "shown"),
    [(None, "unpriced"), (0.0, "0.00 USD"), (0.000056, "0.000056 USD"), (0.25, "0.25 USD"), (3, "3.00 USD")],
)
def test_money(cost, shown):
    assert money(cost, "USD") == shown
