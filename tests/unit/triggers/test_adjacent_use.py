"""Mentions of neighbouring problems: texts and tags in, firing events out, on both engines."""

from __future__ import annotations

import random

import pytest

from expansion_assets.triggers import adjacent_use


class Talk:
    """What customers said, and the account's days."""

    def __init__(self, on):
        self.on = on
        self.texts, self.tags = [], []

    def say(self, number, problem="reporting", *, known=None, account="a", speaker_side="customer", **tag):
        text_id = f"t{len(self.texts)}"
        self.texts.append({
            "text_id": text_id, "account_id": account, "kind": "transcript", "speaker_side": speaker_side,
            "happened_on": self.on(number), "known_on": self.on(number if known is None else known),
        })
        self.tags.append({
            "tag_id": f"g{text_id}", "text_id": text_id, "label": "adjacent_use", "problem_key": problem,
            "quote": f"we do that in a spreadsheet ({number})", **tag,
        })
        return self

    def tables(self, days=200, blind=(), accounts=("a",)):
        account_day = [
            {"account_id": account, "as_of_date": self.on(number), "watchable_text": number not in blind}
            for account in accounts
            for number in range(days)
        ]
        return {"account_day": account_day, "texts": self.texts, "tags": self.tags}

    def run(self, book, days=200, blind=()):
        return book.detect(adjacent_use, self.on(0), self.on(days), **self.tables(days, blind))


@pytest.fixture
def talk(on):
    return Talk(on)


def test_a_proven_mention_fires_on_the_day_it_is_known(book, talk, on):
    found = talk.say(5, known=8).run(book)
    (event,) = found.events
    assert (event.as_of_date, event.subject_key, event.strength) == (on(8), "reporting", 0.5)
    assert event.happened_at.date() == on(5)
    assert event.known_at.date() == on(8)
    (line,) = found.evidence
    assert (line.tag_id, line.quote, line.window_days) == ("gt0", "we do that in a spreadsheet (5)", 90)


@pytest.mark.parametrize(
    "mention",
    [
        {"polarity": "negated"},
        {"polarity": "hypothetical"},
        {"polarity": "quoted"},
        {"is_quote_found": False},
        {"speaker_side": "vendor"},
        {"label": "advanced_intent"},
        {"problem": None},
    ],
)
def test_what_does_not_count(book, talk, mention):
    assert talk.say(5, **mention).run(book).events == ()


@pytest.mark.parametrize(("age", "fires"), [(89, True), (90, False)])
def test_said_in_the_last_ninety_days(book, talk, age, fires):
    assert bool(talk.say(10, known=10 + age).run(book).events) is fires


@pytest.mark.parametrize(("blind_days", "fires"), [(6, True), (7, False)])
def test_waits_for_a_watchable_day_for_seven_days(book, talk, on, blind_days, fires):
    found = talk.say(5).run(book, blind=range(5, 5 + blind_days))
    assert [event.as_of_date for event in found.events] == ([on(5 + blind_days)] if fires else [])


@pytest.mark.parametrize(("later", "days"), [(89, [5]), (90, [5, 95])])
def test_one_problem_fires_once_in_ninety_days(book, talk, story, later, days):
    found = talk.say(5).say(5 + later).run(book)
    assert story(found.events) == [(number, "opened", None) for number in days]


def test_a_repetition_does_not_prolong_the_ninety_days(book, talk, story):
    found = talk.say(5).say(60).say(96).run(book)
    assert story(found.events) == [(5, "opened", None), (96, "opened", None)]


def test_two_problems_are_two_firings(book, talk):
    events = talk.say(5, "reporting").say(5, "scheduling").run(book).events
    assert {event.subject_key for event in events} == {"reporting", "scheduling"}


def test_several_mentions_make_it_stronger(book, talk):
    talk.say(5).say(5).say(5).say(5)
    found = talk.run(book)
    (event,) = found.events
    assert event.strength == 1.0
    assert [line.line_no for line in found.evidence] == [1, 2, 3]


def test_run_in_parts_equals_one_run_whatever_the_order_of_rows(book, talk, on):
    dice = random.Random(3)
    for number in range(180):
        talk.say(
            number, dice.choice(["reporting", "scheduling"]), known=number + dice.choice([0, 0, 3]),
            account=dice.choice("abc"), polarity=dice.choices(["affirmed", "negated"], [0.3, 0.7])[0],
        )
    tables = talk.tables(accounts="abc", blind={10, 11, 12, 100, 101})
    whole = book.detect(adjacent_use, on(0), on(200), **tables)
    assert len(whole.events) > 6
    shuffled = {name: dice.sample(rows, len(rows)) for name, rows in tables.items()}
    assert book.detect(adjacent_use, on(0), on(200), **shuffled) == whole
    edges = [on(0), on(11), on(12), on(13), on(101), on(200)]
    assert book.detect_in_parts(adjacent_use, edges, **tables) == whole


def test_a_mention_that_is_withdrawn_supersedes_its_firing_and_another_may_fire(book, talk, on, story):
    talk.say(5, withdrawn_on=on(9)).say(20)
    found = talk.run(book)
    assert story(found.events) == [
        (5, "opened", None), (9, "superseded", "evidence_withdrawn"), (20, "opened", None),
    ]
    assert found.events[0].firing_id == found.events[1].firing_id


def test_a_second_mention_keeps_the_firing(book, talk, on, story):
    talk.say(5, withdrawn_on=on(9)).say(8)
    assert story(talk.run(book).events) == [(5, "opened", None)]


def test_a_mention_withdrawn_before_it_is_judged_says_nothing(book, talk, on):
    assert talk.say(5, withdrawn_on=on(7)).run(book, blind=(5, 6)).events == ()


def test_a_withdrawal_is_seen_in_whatever_window_it_falls(book, talk, on):
    talk.say(5, withdrawn_on=on(30)).say(40)
    whole = talk.run(book, 60)
    edges = [on(number) for number in (0, 6, 30, 31, 41, 60)]
    assert book.detect_in_parts(adjacent_use, edges, **talk.tables(60)).events == whole.events
