"""Supporting signals: rows of account days in, signals at or over their threshold out, on both engines."""

from __future__ import annotations

import shutil

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.plays_loader import load_gates
from expansion_assets.catalogue.reading import CATALOGUE_DIR
from expansion_assets.readiness.score import build_scores
from expansion_assets.settings import PROJECT_DIR
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


def test_every_signal_that_is_not_retired_is_read(book, on):
    row = {signal.feature: signal.limit for signal in book.catalogue.supporting.values()}
    found = {signal["signal"] for signal in run(book, on, row)}
    assert found == set(book.catalogue.signals.watched_supporting) < set(book.catalogue.supporting)


@pytest.mark.parametrize(
    ("segment", "events", "expected"),
    [("smb", 3, [(3.0, 0.5)]), ("enterprise", 5, []), ("enterprise", 6, [(6.0, 0.5)]),
     ("enterprise", 15, [(6.0, 0.75)]), (None, 12, [(3.0, 1.0)]), ("unheard of", 3, [(3.0, 0.5)])],
)
def test_a_segment_has_its_own_threshold(book, on, segment, events, expected):
    rows = run(book, on, {"limit_events_28d": events, "segment": segment})
    assert [(row["threshold"], row["strength"]) for row in rows] == expected


@pytest.mark.parametrize(("status", "found"), [("customer", 1), (None, 1), ("prospect", 0), ("churned", 0)])
def test_who_is_no_customer_cannot_grow(book, on, status, found):
    assert len(run(book, on, {"power_users_28d": 3, "account_status": status})) == found


def test_a_null_is_no_signal_and_nought_may_be_one(book, on):
    assert [row["signal"] for row in run(book, on, {"renewal_closeness_days": 0})] == ["renewal_ahead"]
    assert run(book, on, {"renewal_closeness_days": None}) == []


def readme_row() -> str:
    """The worked example of the README."""
    section = (PROJECT_DIR / "README.md").read_text(encoding="utf-8").partition("**a signal:**")[2]
    return section.partition("```yaml\n")[2].partition("```")[0]


@pytest.mark.parametrize("state", ["live", "shadow", "retired"])
def test_a_new_signal_takes_one_row_of_yaml(book, on, tmp_path, state):
    """The example of the README, in a catalogue folder of its own: detected and scored, nothing else touched."""
    for name in ("segments.yml", "titles.yml"):
        shutil.copy(CATALOGUE_DIR / name, tmp_path)
    head, tail = (CATALOGUE_DIR / "signals.yml").read_text(encoding="utf-8").split("\nsupporting:\n")
    row = readme_row().replace("state: live", f"state: {state}")
    (tmp_path / "signals.yml").write_text(f"{head}\nsupporting:\n{row}{tail}", encoding="utf-8")
    book.catalogue = load_catalogue(tmp_path)
    assert set(book.catalogue.supporting) - set(load_catalogue().supporting) == {"many_tickets"}

    found = [(row["signal"], row["strength"], row["is_shadow"]) for row in run(book, on, {"tickets_30d": 20})]
    assert found == ([] if state == "retired" else [("many_tickets", 0.75, state == "shadow")])

    day = {"account_id": "a", "as_of_date": on(0), "watchable_support": True, "tickets_30d": 20}
    signals, rules = book.catalogue.signals, load_gates().score
    (score,), parts = build_scores([day], [], signals, rules, (on(0), on(1)))
    expected = [("many_tickets", "intent", 0.75)] if state == "live" else []
    assert [(part["signal"], part["category"], part["points"]) for part in parts] == expected
    assert score["points"] == (0.75 if state == "live" else 0)
