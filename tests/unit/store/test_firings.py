"""The event log of firings: a review reaches the firing behind the card that it names."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime, time, timedelta

import narwhals as nw
import polars as pl
import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.readiness.plays import open_cards
from expansion_assets.store.firings import firing_rows
from expansion_assets.triggers.base import FiringEvent, Window
from expansion_assets.triggers.lifecycle import ReviewEvent, firing_states

CATALOGUE = load_catalogue()
START = date(2026, 3, 2)
NOBODY = nw.from_native(pl.LazyFrame(schema={"as_of_date": pl.Date, "account_status": pl.String}))
FIELDS = [field.name for field in fields(FiringEvent) if field.init]


def on(number):
    return START + timedelta(days=number)


def promoted(person, number):
    moment = datetime.combine(on(number), time(9))
    return FiringEvent("a", "ROLE_CHANGE", "promotion", person, "opened", on(number), on(number), moment, moment, "1")


# Two people, each with a card of their own; the second fires while the first card is open.
OPENINGS = [promoted("ann", 0), promoted("ben", 20)]


def card_of(person):
    """Id of a person's card, as readiness gives it."""
    rows = run(0, 40, [])
    cards = open_cards(rows, [], CATALOGUE.signals)
    return next(card.card_id for card in cards if card.opening.subject_key == person)


def review(number, event_type, person=None, until=None):
    card = card_of(person) if person else None
    moment = datetime.combine(on(number), time(10))
    return ReviewEvent(
        f"e{number}", card, "a", "ROLE_CHANGE", event_type, moment, on(number), None if until is None else on(until)
    )


def run(start, end, reviews, earlier=()):
    """Rows of a window, from what was known before its end."""
    window = Window(on(start), on(end))
    return firing_rows(
        [event for event in OPENINGS if event.as_of_date in window],
        firing_states(FiringEvent(**{name: row[name] for name in FIELDS}) for row in earlier),
        [review for review in reviews if review.known_on < window.end], NOBODY, window, CATALOGUE,
    )


def story(rows):
    return sorted(
        ((row["as_of_date"] - START).days, row["subject_key"], row["event_type"], row["reason"])
        for row in rows if row["event_type"] != "opened"
    )


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ((30, "rejected", "ann"), [(30, "ann", "closed", "rejected"), (110, "ben", "returned", "no_outcome")]),
        ((30, "outcome_logged", "ann"), [(30, "ann", "closed", "outcome"), (110, "ben", "returned", "no_outcome")]),
        (
            (30, "too_early", "ann", 100),
            [(100, "ann", "returned", "revisit"), (110, "ben", "returned", "no_outcome")],
        ),
        # without a card, the latest
        ((30, "rejected"), [(30, "ben", "closed", "rejected"), (90, "ann", "returned", "no_outcome")]),
        # a card that nobody could know then: what came of it later must not matter
        ((10, "rejected", "ben"), [(10, "ann", "closed", "rejected"), (110, "ben", "returned", "no_outcome")]),
    ],
)
def test_a_review_reaches_the_firing_of_the_card_it_names(event, expected):
    reviews = [review(*event)]
    rows = run(0, 120, reviews)
    assert story(rows) == expected

    by_day = []
    for number in range(120):
        by_day += run(number, number + 1, reviews, by_day)
    assert sorted(by_day, key=lambda row: row["event_id"]) == sorted(rows, key=lambda row: row["event_id"])
