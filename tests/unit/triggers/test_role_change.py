"""Moves of people: observed moves in, firing events out, on both engines."""

from __future__ import annotations

import random

import pytest

from expansion_assets.triggers import role_change


def move(on, number, kind, **columns):
    return {"known_on": on(number), "move": kind, **columns}


def joined(on, number, title="VP Operations", **columns):
    return move(on, number, "joined", to_title=title, **columns)


def left(on, number, **columns):
    leaver = {"from_title": "Director of Operations", "current_deal_role": "champion"}
    return move(on, number, "left", **(leaver | columns))


def retitled(on, number, before, after, **columns):
    return move(on, number, "title_changed", from_title=before, to_title=after, **columns)


def run(book, on, *moves, days=500):
    return book.detect(role_change, on(0), on(days), contact_moves=moves)


@pytest.mark.parametrize(
    ("title", "columns", "fires"),
    [
        pytest.param("VP Operations", {}, True, id="using function"),
        pytest.param("VP Operations", {"using_function": "Marketing"}, False, id="another function"),
        pytest.param("Chief Financial Officer", {"using_function": None}, True, id="finance always matters"),
        pytest.param("Head of IT", {}, True, id="head of counts as vice president"),
        pytest.param("Director of Operations", {}, False, id="not of rank"),
        pytest.param("VP", {"function": "Procurement"}, True, id="function given beside the title"),
        pytest.param("VP", {}, False, id="function unknown"),
        pytest.param(None, {"function": "finance"}, False, id="title unknown"),
    ],
)
def test_new_executive(book, on, title, columns, fires):
    events = run(book, on, joined(on, 3, title, **columns)).events
    assert [(event.sub_trigger, event.subject_key) for event in events] == ([("new_executive", "p1")] if fires else [])


@pytest.mark.parametrize(("days", "fires"), [(None, True), (-5, True), (30, True), (31, False), (400, False)])
def test_a_contact_of_long_standing_does_not_join(book, on, days, fires):
    assert bool(run(book, on, joined(on, 100, contact_days=days)).events) == fires


@pytest.mark.parametrize(
    ("before", "after", "is_known", "fires"),
    [
        pytest.param("Manager, Operations", "Director of Operations", True, True, id="rises"),
        pytest.param("Manager, Operations", "Director of Operations", False, False, id="nobody we know"),
        pytest.param("VP Operations", "Vice President, Operations", True, False, id="cosmetic edit"),
        pytest.param("Director of Operations", "Operations Manager", True, False, id="falls"),
        pytest.param(None, "Director of Operations", True, False, id="null to value is no change"),
        pytest.param("Director of Operations", None, True, False, id="value to null neither"),
    ],
)
def test_promotion(book, on, before, after, is_known, fires):
    found = run(book, on, retitled(on, 3, before, after, is_known_contact=is_known))
    assert [event.sub_trigger for event in found.events] == (["promotion"] if fires else [])
    assert [(line.value, line.threshold) for line in found.evidence] == ([(4, 2)] if fires else [])


@pytest.mark.parametrize(("previous", "fires"), [("p0", True), ("p1", False), (None, False)])
def test_renewal_contact(book, on, previous, fires):
    change = move(
        on, 3, "deal_role_changed", to_deal_role="renewal_contact", previous_renewal_contact_key=previous
    )
    assert [event.sub_trigger for event in run(book, on, change).events] == (["renewal_contact"] if fires else [])


@pytest.mark.parametrize(("deal_role", "fires"), [("champion", True), ("user", False), (None, False)])
def test_champion_left(book, on, deal_role, fires):
    events = run(book, on, left(on, 3, current_deal_role=deal_role)).events
    assert [event.sub_trigger for event in events] == (["champion_left"] if fires else [])


def test_a_person_nobody_can_name_has_no_subject(book, on):
    assert run(book, on, joined(on, 3, person_key=None)).events == ()


@pytest.mark.parametrize(("later", "days"), [(364, [3]), (365, [3, 368])])
def test_once_in_365_days_for_a_person_and_move(book, on, story, later, days):
    found = run(book, on, joined(on, 3), joined(on, 3 + later))
    assert story(found.events) == [(number, "opened", None) for number in days]


def test_sources_that_agree_raise_confidence(book, on):
    found = run(book, on, joined(on, 3), joined(on, 3, source="people", row_key="r2"))
    (event,) = found.events
    assert event.strength == 0.75
    assert [(line.line_no, line.row_key, line.quote) for line in found.evidence] == [
        (1, "r1", "VP Operations"), (2, "r2", "VP Operations"),
    ]


def test_a_source_that_speaks_later_adds_a_line_on_its_day(book, on):
    moves = [joined(on, 3), joined(on, 20, source="people", row_key="r2"), joined(on, 21, row_key="r3")]
    found = run(book, on, *moves)
    assert len(found.events) == 1
    assert [(line.line_no, line.row_key, line.as_of_date) for line in found.evidence] == [
        (1, "r1", on(3)), (2, "r2", on(20)),
    ]


def test_a_firing_keeps_to_its_own_365_days(book, on):
    found = run(book, on, joined(on, 3), joined(on, 400, source="people", row_key="r2"))
    assert sorted((line.line_no, line.row_key) for line in found.evidence) == [(1, "r1"), (1, "r2")]
    assert len({line.firing_id for line in found.evidence}) == 2


class TestEpisode:
    @pytest.mark.parametrize(("gap", "second"), [(30, "suppressed"), (31, "opened")])
    @pytest.mark.parametrize("is_leaver_first", [True, False])
    def test_leaver_and_successor_within_thirty_days_are_one(self, book, on, story, gap, second, is_leaver_first):
        moves = [left, joined] if is_leaver_first else [joined, left]
        found = run(book, on, moves[0](on, 3), moves[1](on, 3 + gap, person_key="p2"))
        reason = "same_episode" if second == "suppressed" else None
        assert story(found.events) == [(3, "opened", None), (3 + gap, second, reason)]

    def test_on_one_day_the_leaver_speaks_first(self, book, on):
        found = run(book, on, joined(on, 3, person_key="p2"), left(on, 3))
        assert {event.sub_trigger: event.event_type for event in found.events} == {
            "champion_left": "opened", "new_executive": "suppressed",
        }

    @pytest.mark.parametrize(
        "successor", [{"title": "VP Finance"}, {"account_id": "b"}], ids=["another function", "another account"]
    )
    def test_others_are_episodes_of_their_own(self, book, on, successor):
        found = run(book, on, left(on, 3), joined(on, 5, person_key="p2", **successor))
        assert [event.event_type for event in found.events] == ["opened", "opened"]

    def test_only_what_opened_takes_others_into_its_episode(self, book, on, story):
        moves = [left(on, 3), joined(on, 28, person_key="p2"), left(on, 40, person_key="p3")]
        expected = [(3, "opened", None), (28, "suppressed", "same_episode"), (40, "opened", None)]
        assert story(run(book, on, *moves).events) == expected

    def test_the_function_is_that_of_the_move_that_opened(self, book, on, story):
        moves = [joined(on, 3), joined(on, 3, "VP Finance", source="people"), left(on, 9, person_key="p2")]
        expected = [(3, "opened", None), (9, "suppressed", "same_episode")]
        assert story(run(book, on, *moves).events) == expected
        parts = book.detect_in_parts(role_change, [on(0), on(5), on(20)], contact_moves=moves)
        assert story(parts.events) == expected

    def test_a_suppressed_successor_is_not_reported_again(self, book, on, story):
        successor = {"person_key": "p2"}
        found = run(book, on, left(on, 3), joined(on, 5, **successor), joined(on, 50, source="people", **successor))
        assert story(found.events) == [(3, "opened", None), (5, "suppressed", "same_episode")]


def test_run_in_parts_equals_one_run_whatever_the_order_of_rows(book, on):
    dice = random.Random(8)
    moves = []
    for number in range(400):
        person = {
            "account_id": dice.choice("abc"), "person_key": f"p{dice.randrange(12)}", "row_key": f"r{number}",
            "source": dice.choice(["crm", "people", "signature"]),
        }
        moves.append(
            dice.choice([
                lambda person, number=number: joined(on, number, **person),
                lambda person, number=number: left(on, number, **person),
                lambda person, number=number: retitled(on, number, "Manager", "Director", **person),
            ])(person)
        )
    whole = run(book, on, *moves)
    assert {event.reason for event in whole.events} == {None, "same_episode"}
    assert run(book, on, *dice.sample(moves, len(moves))) == whole
    edges = [on(number) for number in (0, 1, 50, 51, 52, 200, 390, 500)]
    assert book.detect_in_parts(role_change, edges, contact_moves=moves) == whole


def test_a_move_taken_back_by_its_source_supersedes_the_firing(book, on, story):
    moves = [joined(on, 3, withdrawn_on=on(20)), joined(on, 60)]
    found = run(book, on, *moves)
    assert story(found.events) == [
        (3, "opened", None), (20, "superseded", "evidence_withdrawn"), (60, "opened", None),
    ]
    parts = book.detect_in_parts(role_change, [on(n) for n in (0, 4, 20, 21, 61, 90)], contact_moves=moves)
    assert parts.events == found.events


def test_another_source_keeps_the_firing_until_it_takes_its_word_back_too(book, on, story):
    alert = {"source": "people_job_alerts", "source_table": "people_job_alerts", "row_key": "r2"}
    moves = [joined(on, 3, withdrawn_on=on(20)), joined(on, 10, **alert)]
    assert story(run(book, on, *moves).events) == [(3, "opened", None)]
    moves[1]["withdrawn_on"] = on(30)
    assert story(run(book, on, *moves).events) == [(3, "opened", None), (30, "superseded", "evidence_withdrawn")]


def test_a_move_taken_back_on_the_day_it_came_never_fires(book, on):
    assert run(book, on, joined(on, 3, withdrawn_on=on(3))).events == ()


def test_a_leaver_who_did_not_leave_makes_no_episode(book, on, story):
    """The successor is a new executive in its own right once the loss is taken back."""
    moves = [left(on, 3, withdrawn_on=on(5)), joined(on, 10, person_key="p2")]
    assert story(run(book, on, *moves).events, "new_executive") == [(10, "opened", None)]
