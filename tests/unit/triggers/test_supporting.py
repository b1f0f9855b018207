"""Supporting signals: rows of account days in, signals at or over their threshold out, on both engines."""

from __future__ import annotations

import pytest

from expansion_assets.triggers.base import Window, rows_of
from expansion_assets.triggers.supporting import supporting_signals


def run(book, on, *rows):
    frame = book.frame("account_day", [{"as_of_date": on(0), **row} for row in rows])
    return rows_of(supporting_signals(frame, Window(on(0), on(1)), book.catalogue))


@pytest.mark.parametrize(
    ("growth", "strengths"), [(19.9, []), (20.0, [0.5]), (40.0, [0.75]), (90.0, [1.0]), (None, [])]
)
def test_strength_rises_from_threshold_to_limit(book, on, growth, strengths):
    assert [row["strength"] for row in run(book, on, {"seat_growth_60d_pct": growth})] == strengths


def test_blind_days_have_no_signal(book, on):
    assert run(book, on, {"seat_growth_60d_pct": 50.0, "watchable_product": False}) == []


def test_days_outside_the_window_have_none(book, on):
    assert run(book, on, {"seat_growth_60d_pct": 50.0, "as_of_date": on(1)}) == []


def test_one_row_per_signal_with_its_state(book, on):
    rows = run(book, on, {"power_users_28d": 3, "intent_topics_30d": 5})
    assert {(row["signal"], row["value"], row["threshold"], row["is_shadow"]) for row in rows} == {
        ("power_users", 3.0, 3.0, False), ("third_party_intent", 5.0, 2.0, True),
    }
    assert set(rows[0]) == {
        "account_id", "as_of_date", "signal", "value", "threshold", "strength", "is_shadow",
    }


def test_every_signal_of_the_catalogue_is_read(book, on):
    row = {signal.feature: signal.limit for signal in book.catalogue.supporting.values()}
    assert {found["signal"] for found in run(book, on, row)} == set(book.catalogue.supporting)
