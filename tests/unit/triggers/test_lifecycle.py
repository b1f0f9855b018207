"""Reviews and returns: states and review events in, firing events out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from expansion_assets.triggers.base import FiringEvent, PriorFiring, Window, card_id, firing_id
from expansion_assets.triggers.lifecycle import (
    ReviewEvent,
    firing_states,
    lifecycle_events,
    link_reviews,
    releases,
    return_days,
    without_decided,
)

START = date(2026, 1, 1)


def on(number):
    return START + timedelta(days=number)


def firing(opened=0, last="opened", last_on=None, trigger="ADJACENT_USE", name="f1", account="a"):
    subs = {"ADJACENT_USE": "adjacent_problem", "USAGE_MILESTONE": "seats", "ROLE_CHANGE": "promotion"}
    latest = on(opened if last_on is None else last_on)
    return PriorFiring(name, account, trigger, subs[trigger], "k", on(opened), last, latest)


def review(number, event_type="too_early", until=None, card=None, trigger="ADJACENT_USE", account="a"):
    moment = datetime.combine(on(number), time(10))
    until_on = None if until is None else on(until)
    return ReviewEvent(f"e{number}{event_type}", card, account, trigger, event_type, moment, on(number), until_on)


def run(catalogue, reviews=(), start=0, end=400, **columns):
    events = lifecycle_events([firing(**columns)], {"f1": list(reviews)}, Window(on(start), on(end)), catalogue)
    return [((event.as_of_date - START).days, event.event_type, event.reason) for event in events]


@pytest.mark.parametrize(
    ("reviews", "expected"),
    [
        pytest.param([], {90: "no_outcome"}, id="nobody decides"),
        pytest.param([review(5, until=30)], {30: "revisit", 90: "no_outcome"}, id="too early, and then nothing"),
        pytest.param([review(5, until=120)], {120: "revisit"}, id="the date lies after the 90 days"),
        pytest.param([review(5, until=30), review(20, until=60)], {60: "revisit", 90: "no_outcome"}, id="moved"),
        pytest.param(
            [review(5, until=30), review(40, until=60)],
            {30: "revisit", 60: "revisit", 90: "no_outcome"},
            id="deferred again after the return",
        ),
        pytest.param([review(5, "outcome_logged", until=60)], {60: "revisit"}, id="not yet is an outcome with a date"),
        pytest.param([review(50, until=40)], {50: "revisit", 90: "no_outcome"}, id="logged after its own date"),
        pytest.param([review(5, "accepted", until=30)], {90: "no_outcome"}, id="only deferrals have a date"),
    ],
)
def test_return_days(reviews, expected):
    assert return_days(on(0), reviews, 90) == {on(number): reason for number, reason in expected.items()}


def test_an_open_firing_returns_once(catalogue):
    assert run(catalogue) == [(90, "returned", "no_outcome")]
    assert run(catalogue, end=90) == []
    assert run(catalogue, start=91) == []


@pytest.mark.parametrize(
    "ended",
    [
        {"last": "closed", "last_on": 80},
        {"last": "superseded", "last_on": 80},
        {"last": "suppressed"},
        {"reviews": [review(80, "rejected")]},
        {"reviews": [review(80, "outcome_logged")]},
    ],
)
def test_what_has_ended_does_not_return(catalogue, ended):
    assert not any(event_type == "returned" for _, event_type, _ in run(catalogue, **ended))


@pytest.mark.parametrize(
    ("event_type", "reason"), [("rejected", "rejected"), ("outcome_logged", "outcome")]
)
def test_a_decision_closes_what_has_no_level(catalogue, event_type, reason):
    assert run(catalogue, [review(10, event_type)]) == [(10, "closed", reason)]
    assert run(catalogue, [review(10, event_type)], trigger="USAGE_MILESTONE") == []


def test_a_decision_closes_once(catalogue):
    assert run(catalogue, [review(10, "rejected"), review(12, "outcome_logged")]) == [(10, "closed", "rejected")]
    assert run(catalogue, [review(10, "rejected")], last="closed", last_on=10, start=10) == []


class TestLinks:
    @pytest.fixture
    def links(self, catalogue):
        def names(given, firings):
            return [name for name, events in link_reviews([given], firings, catalogue).items() if given in events]

        return names

    @pytest.mark.parametrize(
        ("values", "name"),
        [
            ({}, "f1"),
            ({"trigger": "ROLE_CHANGE", "account": "b"}, "f1"),
            ({"number": 200}, "f1"),  # the reach is for those without a card
            ({"number": 9}, "f0"),  # nobody could know that card then
            ({"card": "unheard of"}, "f2"),
            ({"card": None}, "f2"),
        ],
    )
    def test_by_card_before_anything_else(self, links, values, name):
        given = review(**({"number": 30, "card": card_id("f1", "adjacent_discovery")} | values))
        assert links(given, [firing(0, name="f0"), firing(10), firing(20, name="f2")]) == [name]

    @pytest.mark.parametrize(
        ("number", "name"), [(9, None), (10, "f1"), (39, "f1"), (40, "f2"), (160, "f2"), (161, None)]
    )
    def test_else_the_latest_firing_within_120_days(self, links, number, name):
        assert links(review(number), [firing(40, name="f2"), firing(10)]) == ([name] if name else [])

    @pytest.mark.parametrize("other", [{"account": "b"}, {"trigger": "ROLE_CHANGE"}, {"trigger": None}])
    def test_of_the_same_account_and_trigger(self, links, other):
        assert links(review(10, **other), [firing()]) == []

    def test_a_suppressed_firing_reached_nobody(self, links):
        assert links(review(10), [firing(5, "suppressed")]) == []


class TestStates:
    def event(self, event_type, number):
        moment = datetime.combine(on(number), time(10))
        return FiringEvent(
            "a", "ADJACENT_USE", "adjacent_problem", "reporting", event_type, on(number), on(0), moment, moment, "1"
        )

    @pytest.mark.parametrize(
        ("told", "last"),
        [
            ([("opened", 0)], "opened"),
            ([("opened", 0), ("returned", 90)], "returned"),
            ([("closed", 95), ("opened", 0), ("returned", 90)], "closed"),
            ([("closed", 0), ("opened", 0)], "closed"),
        ],
    )
    def test_the_latest_event_is_the_state(self, told, last):
        (state,) = firing_states([self.event(*given) for given in told])
        assert (state.last_event_type, state.opened_on) == (last, on(0))

    def test_prior_states_go_on(self):
        prior = firing_states([self.event("opened", 0)])
        (state,) = firing_states([self.event("closed", 10)], prior)
        assert (state.last_event_type, state.last_event_on) == ("closed", on(10))


def test_run_in_parts_equals_one_run(catalogue):
    firings = [
        firing(), firing(10, name="f2", trigger="USAGE_MILESTONE"), firing(20, name="f3"), firing(30, name="f4"),
    ]
    linked = {
        "f1": [review(5, until=30), review(40, until=200)],
        "f2": [review(50, until=80), review(120, "rejected")],
        "f3": [review(25, until=60), review(70, "outcome_logged")],
    }

    def known(end):
        return {name: [event for event in events if event.known_on < end] for name, events in linked.items()}

    whole = lifecycle_events(firings, linked, Window(on(0), on(300)), catalogue)
    parts = []
    for start, end in [(0, 31), (31, 70), (70, 71), (71, 121), (121, 300)]:
        closed = {event.opened_on for event in parts if event.event_type == "closed"}
        states = [state for state in firings if state.opened_on < on(end) and state.opened_on not in closed]
        parts += lifecycle_events(states, known(on(end)), Window(on(start), on(end)), catalogue)
    assert len(whole) == 7
    assert sorted(parts, key=lambda event: (event.as_of_date, event.event_id)) == list(whole)


@pytest.mark.parametrize(("decided", "stays"), [(None, True), (10, False), (20, False), (21, True)])
def test_a_withdrawal_after_the_decision_says_nothing_more(decided, stays):
    """The firing ended with the decision; the withdrawal of day 20 comes too late."""
    opened, withdrawn = TestStates().event("opened", 0), TestStates().event("superseded", 20)
    linked = {} if decided is None else {opened.firing_id: [review(decided, "rejected")]}
    assert without_decided([opened, withdrawn], linked) == ((opened, withdrawn) if stays else (opened,))


class TestRelease:
    def set_aside(self, **columns):
        name = firing_id("a", "adjacent_problem", "k", on(5))
        return replace(firing(5, name=name), is_fleet_event=True, strength=0.7, **columns)

    def run(self, catalogue, firings, *reviews, start=0, end=400):
        found = releases(firings, reviews, Window(on(start), on(end)), catalogue)
        return [((event.as_of_date - START).days, event.event_type, event.reason, event.opened_on) for event in found]

    def released(self, number, account="a", trigger="ADJACENT_USE"):
        return review(number, "fleet_released", account=account, trigger=trigger)

    def test_opens_what_the_fleet_check_had_set_aside(self, catalogue):
        (event,) = releases([self.set_aside()], [self.released(9)], Window(on(0), on(400)), catalogue)
        assert (event.event_type, event.as_of_date, event.opened_on) == ("opened", on(9), on(5))
        assert (event.reason, event.strength, event.is_fleet_event) == ("fleet_released", 0.7, False)

    @pytest.mark.parametrize(
        ("account", "trigger", "opens"),
        [("a", "ADJACENT_USE", True), (None, "ADJACENT_USE", True), (None, None, True), ("b", None, False),
         ("a", "ROLE_CHANGE", False)],
    )
    def test_of_the_account_and_trigger_it_names(self, catalogue, account, trigger, opens):
        assert len(self.run(catalogue, [self.set_aside()], self.released(9, account, trigger))) == opens

    @pytest.mark.parametrize(
        "firing_state",
        [firing(5), replace(firing(5), is_fleet_event=True, last_event_type="closed", last_event_on=on(8))],
    )
    def test_not_what_was_never_set_aside_or_has_ended(self, catalogue, firing_state):
        assert self.run(catalogue, [firing_state], self.released(9)) == []

    def test_not_what_came_later_and_only_once(self, catalogue):
        assert self.run(catalogue, [self.set_aside()], self.released(4)) == []
        assert len(self.run(catalogue, [self.set_aside()], self.released(9), self.released(12))) == 1
        (opened,) = releases([self.set_aside()], [self.released(9)], Window(on(0), on(10)), catalogue)
        (state,) = firing_states([opened], [self.set_aside()])
        assert not state.is_fleet_event and state.is_open
        assert self.run(catalogue, [state], self.released(12), start=10) == []
