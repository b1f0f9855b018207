"""Groups outside the deployment scope: rows of features in, firing events out, on both engines."""

from __future__ import annotations

import random

import pytest

from expansion_assets.triggers import cross_team


def group_days(on, users, first_day=0, **columns):
    return [
        {"as_of_date": on(first_day + number), "users_2of14": active, "is_watchable": active is not None, **columns}
        for number, active in enumerate(users)
    ]


def run(book, on, rows, days=400):
    return book.detect(cross_team, on(0), on(days), group_day=rows)


@pytest.mark.parametrize(
    ("users", "columns", "fires"),
    [
        pytest.param([2, 3], {}, True, id="three users outside the scope"),
        pytest.param([2, 2], {}, False, id="two users"),
        pytest.param([2, 3], {"is_in_scope": True}, False, id="in scope"),
        pytest.param([2, 4], {"users_from_licensed": 2}, False, id="half of them come from a licensed department"),
        pytest.param([2, 4], {"users_from_licensed": 1}, True, id="a quarter of them does"),
        pytest.param([2, 4], {"users_from_licensed": None}, True, id="nobody is known to"),
        pytest.param([4, 4], {"segment": "enterprise"}, False, id="four are few in a large company"),
        pytest.param([4, 5], {"segment": "enterprise"}, True, id="five are not"),
        pytest.param([2, 3], {"segment": None}, True, id="an unknown segment has the default"),
    ],
)
def test_fires_on_use_outside_the_scope(book, on, story, users, columns, fires):
    assert story(run(book, on, group_days(on, users, **columns)).events) == ([(1, "opened", None)] if fires else [])


def test_groups_are_subjects_of_their_own(book, on):
    rows = group_days(on, [2, 3]) + group_days(on, [2, 3], group_kind="domain", group_key="legal.example")
    events = run(book, on, rows).events
    assert {event.subject_key for event in events} == {"department:Legal", "domain:legal.example"}
    assert len({event.firing_id for event in events}) == 2


@pytest.mark.parametrize(("silent_days", "fires_again"), [(179, False), (180, True)])
def test_a_return_within_180_days_keeps_the_firing(book, on, story, silent_days, fires_again):
    rows = group_days(on, [2, 3, *[0] * silent_days, 3])
    expected = [(1, "opened", None)]
    if fires_again:
        expected += [(181, "closed", "re_armed"), (182, "opened", None)]
    assert story(run(book, on, rows).events) == expected


def test_blind_days_do_not_count_towards_the_180(book, on, story):
    rows = group_days(on, [2, 3, *[0] * 90, *[None] * 60, *[0] * 90])
    assert story(run(book, on, rows).events) == [(1, "opened", None), (241, "closed", "re_armed")]


def test_use_on_the_first_watchable_day_is_initial_state(book, on):
    (event,) = run(book, on, group_days(on, [None, 5])).events
    assert (event.as_of_date, event.is_initial_state) == (on(1), True)


def test_evidence_names_users_and_where_they_come_from(book, on):
    found = run(book, on, group_days(on, [2, 4], users_from_licensed=1))
    assert [(line.measure, line.value, line.threshold, line.window_days) for line in found.evidence] == [
        ("users_2of14", 4, 3, 14), ("users_from_licensed", 1, 2, 14),
    ]
    assert found.evidence[0].row_key == f"a|department:Legal|{on(1)}"
    assert found.events[0].strength == pytest.approx(0.5 + 0.5 * 1 / 7)


def test_run_in_parts_equals_one_run_whatever_the_order_of_rows(book, on):
    dice = random.Random(5)
    rows = [
        row
        for number in range(8)
        for row in group_days(
            on,
            dice.choices([0, 3, None], [0.98, 0.005, 0.015], k=400),
            account_id=f"a{number % 3}",
            group_key=f"team {number}",
        )
    ]
    whole = run(book, on, rows)
    assert {event.event_type for event in whole.events} == {"opened", "closed"}
    assert run(book, on, dice.sample(rows, len(rows))) == whole
    edges = [on(0), on(1), on(90), *[on(number) for number in range(300, 306)], on(400)]
    assert book.detect_in_parts(cross_team, edges, group_day=rows) == whole


@pytest.mark.parametrize(("users", "withdrawn", "ends"), [(2, 1, True), (1, 1, False), (2, 0, False)])
def test_use_that_is_withdrawn_supersedes_the_firing(book, on, story, users, withdrawn, ends):
    rows = group_days(on, [2, 3]) + group_days(on, [users], 2, withdrawn_users_2of14=withdrawn)
    expected = [(1, "opened", None)] + [(2, "superseded", "evidence_withdrawn")] * ends
    assert story(run(book, on, rows).events) == expected
