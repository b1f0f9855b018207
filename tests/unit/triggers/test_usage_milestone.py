"""Seats, quota and departments: rows of features in, firing events and evidence out, on both engines."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from expansion_assets.triggers import usage_milestone
from expansion_assets.triggers.base import Window
from expansion_assets.triggers.usage_milestone import projected_capacity_days


def seat_days(on, users, seats=100, first_day=0, **columns):
    """One row per day; None leaves the day blind."""
    return [
        {
            "as_of_date": on(first_day + number),
            "contracted_seats": seats,
            "active_users_28d": active,
            "watchable_product": active is not None,
            **columns,
        }
        for number, active in enumerate(users)
    ]


def run(book, on, rows, end=None, table="account_day"):
    last = max(row["as_of_date"] for row in rows)
    return book.detect(usage_milestone, on(0), end or last + timedelta(days=1), **{table: rows})


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        pytest.param([79, 80, 81], [(1, "opened", None)], id="reaches the threshold"),
        pytest.param([79, 79, 79], [], id="stays below"),
        pytest.param([50, 80, 79, 80, 79, 80], [(1, "opened", None)], id="wavers within the margin"),
        pytest.param([50, 80, *[75] * 14], [(1, "opened", None), (15, "closed", "re_armed")], id="calm for 14 days"),
        pytest.param([50, 80, *[75] * 13, 76], [(1, "opened", None)], id="calm for 13 days only"),
        pytest.param(
            [50, 80, *[75] * 14, 80],
            [(1, "opened", None), (15, "closed", "re_armed"), (16, "opened", None)],
            id="fires again once re-armed",
        ),
        pytest.param([50, 80, *[75] * 7, 76, *[75] * 13], [(1, "opened", None)], id="a restless day starts it anew"),
        pytest.param([50, None, None, 80], [(3, "opened", None)], id="blind days do not open"),
        pytest.param(
            [50, 80, *[75] * 7, None, None, *[75] * 7],
            [(1, "opened", None), (17, "closed", "re_armed")],
            id="blind days neither count nor reset",
        ),
    ],
)
def test_seats_fire_on_crossing(book, on, story, users, expected):
    assert story(run(book, on, seat_days(on, users)).events, "seats") == expected


@pytest.mark.parametrize(
    ("seats", "users", "is_calm"),
    [(100, 75, True), (100, 76, False), (20, 14, True), (20, 15, False)],
)
def test_seats_margin_is_five_points_or_two_seats(book, on, story, seats, users, is_calm):
    rows = seat_days(on, [0, seats, *[users] * 14], seats)
    closed = [event for event in story(run(book, on, rows).events, "seats") if event[1] == "closed"]
    assert bool(closed) is is_calm


@pytest.mark.parametrize(
    ("assigned", "active_assigned", "fires"),
    [(95, 57, True), (94, 90, False), (95, 56, False), (None, None, False), (95, None, False)],
)
def test_seats_fire_when_nearly_all_are_assigned_and_in_use(book, on, assigned, active_assigned, fires):
    rows = seat_days(on, [60, 60])
    rows[1] |= {"assigned_seats": assigned, "active_assigned_users_28d": active_assigned}
    found = run(book, on, rows)
    assert [event.as_of_date for event in found.events] == ([on(1)] if fires else [])
    assert [line.measure for line in found.evidence][:1] == (["assigned_seats"] if fires else [])


@pytest.mark.parametrize("seats", [None, 0])
def test_no_seats_no_share(book, on, seats):
    assert run(book, on, seat_days(on, [0, 90, 100], seats)).events == ()


def test_full_seats_are_a_firing_of_their_own(book, on):
    events = run(book, on, seat_days(on, [50, 100])).events
    assert {(event.sub_trigger, event.as_of_date) for event in events} == {("seats", on(1)), ("seats_full", on(1))}
    assert len({event.firing_id for event in events}) == 2


def test_first_watchable_day_is_initial_state(book, on):
    rows = seat_days(on, [None, 85, 86])
    (event,) = run(book, on, rows).events
    assert (event.as_of_date, event.is_initial_state) == (on(1), True)


def test_long_blindness_is_a_new_beginning(book, on, catalogue):
    gap = 14 + catalogue.common.max_blind_days
    rows = seat_days(on, [50]) + seat_days(on, [85], first_day=gap + 1)
    (event,) = run(book, on, rows).events
    assert event.is_initial_state
    rows = seat_days(on, [50]) + seat_days(on, [85], first_day=gap)
    (event,) = run(book, on, rows).events
    assert not event.is_initial_state


@pytest.mark.parametrize(("blind_days", "is_closed"), [(90, True), (91, False)])
def test_a_re_arm_count_spans_ninety_blind_days(book, on, story, blind_days, is_closed):
    users = [50, 80, *[75] * 7, *[None] * blind_days, *[75] * 7]
    closed = [(8 + blind_days + 7, "closed", "re_armed")] if is_closed else []
    rows = seat_days(on, users)
    assert story(run(book, on, rows).events) == [(1, "opened", None), *closed]
    parts = book.detect_in_parts(usage_milestone, [on(0), on(9), on(100), on(len(users))], account_day=rows)
    assert story(parts.events) == [(1, "opened", None), *closed]


@pytest.mark.parametrize(("users", "expected"), [(80, 0.5), (90, 0.75), (100, 1.0), (130, 1.0)])
def test_strength_rises_to_the_limit(book, on, users, expected):
    seats = next(event for event in run(book, on, seat_days(on, [50, users])).events if event.sub_trigger == "seats")
    assert seats.strength == pytest.approx(expected)


class TestGrace:
    paid = date(2026, 1, 10)  # grace ends on 2026-04-10, day 40

    def test_crossing_in_grace_is_suppressed_and_fires_when_grace_ends(self, book, on, story):
        rows = seat_days(on, [70] * 10 + [85] * 40, first_paid_on=self.paid)
        found = run(book, on, rows)
        assert story(found.events) == [(10, "suppressed", "grace"), (40, "opened", "grace_end")]
        assert all(event.is_scheduled is (event.event_type == "opened") for event in found.events)
        assert not any(event.is_initial_state for event in found.events)

    def test_falling_back_before_the_end_opens_nothing(self, book, on, story):
        rows = seat_days(on, [70] * 10 + [85] * 5 + [70] * 35, first_paid_on=self.paid)
        assert story(run(book, on, rows).events) == [(10, "suppressed", "grace")]

    def test_each_crossing_in_grace_is_recorded_once(self, book, on, story):
        rows = seat_days(on, [70, 85, 85, *[70] * 14, 85, 85], first_paid_on=self.paid)
        expected = [(1, "suppressed", "grace"), (17, "suppressed", "grace")]
        assert story(run(book, on, rows).events) == expected
        parts = book.detect_in_parts(usage_milestone, [on(n) for n in (0, 1, 2, 9, 17, 18, 19)], account_day=rows)
        assert story(parts.events) == expected

    def test_blind_at_the_end_of_grace_fires_on_the_next_watchable_day(self, book, on, story):
        rows = seat_days(on, [70] * 10 + [85] * 25 + [None] * 10 + [85] * 5, first_paid_on=self.paid)
        assert story(run(book, on, rows).events) == [(10, "suppressed", "grace"), (45, "opened", "grace_end")]

    def test_without_a_first_paid_day_there_is_no_grace(self, book, on, story):
        rows = seat_days(on, [70, 85], first_paid_on=None)
        assert story(run(book, on, rows).events) == [(1, "opened", None)]


class TestLimitChange:
    def rows(self, on, after, at_change=82):
        """100 seats, crossed on day 1; another number of seats from day 3 on."""
        before = seat_days(on, [50, 81, 82])
        changed = {"seats_changed_on": on(3), "active_users_at_seat_change": at_change}
        return before + seat_days(on, after[1:], after[0], 3, **changed)

    def test_closes_what_is_open(self, book, on, story):
        rows = self.rows(on, (200, 82, 83))
        assert story(run(book, on, rows).events) == [(1, "opened", None), (3, "closed", "limit_changed")]

    def test_a_cut_never_fires_by_itself(self, book, on, story):
        rows = self.rows(on, (90, 82, 83, 85))
        assert story(run(book, on, rows).events, "seats") == [(1, "opened", None), (3, "closed", "limit_changed")]

    @pytest.mark.parametrize(("users", "fires"), [(86, False), (87, True)])
    def test_users_must_have_grown_since(self, book, on, story, users, fires):
        """5 % of 90 seats are 4.5 users, over 82."""
        rows = self.rows(on, (90, 82, users))
        assert ((4, "opened", None) in story(run(book, on, rows).events, "seats")) is fires

    def test_change_on_a_blind_day_counts_from_the_next_watchable_one(self, book, on, story):
        rows = self.rows(on, (200, 82, 83))
        rows[3]["watchable_billing"] = False
        assert story(run(book, on, rows).events) == [(1, "opened", None), (4, "closed", "limit_changed")]


class TestWithdrawnUse:
    """100 seats, threshold 80: users who leave the count because use of theirs was taken back."""

    @pytest.mark.parametrize(
        ("users", "withdrawn", "ends"),
        [
            pytest.param(79, 1, True, id="one too few, one withdrawn"),
            pytest.param(78, 1, False, id="would have fallen below anyway"),
            pytest.param(79, 0, False, id="fell below by itself"),
            pytest.param(80, 5, False, id="enough are left"),
        ],
    )
    def test_supersedes_the_firing(self, book, on, story, users, withdrawn, ends):
        rows = seat_days(on, [79, 80])
        rows += seat_days(on, [users], 100, 2, withdrawn_users_28d=withdrawn)
        found = story(run(book, on, rows).events, "seats")
        assert found == [(1, "opened", None)] + [(2, "superseded", "evidence_withdrawn")] * ends

    def test_the_next_crossing_fires_at_once(self, book, on, story):
        rows = seat_days(on, [79, 80])
        rows += seat_days(on, [79], 100, 2, withdrawn_users_28d=1)
        rows += seat_days(on, [80], 100, 3)
        assert story(run(book, on, rows).events, "seats") == [
            (1, "opened", None), (2, "superseded", "evidence_withdrawn"), (3, "opened", None),
        ]


class TestQuota:
    def rows(self, on, used, first=0, **columns):
        return [{"as_of_date": on(n), "used_quantity": quantity, **columns} for n, quantity in enumerate(used, first)]

    def test_use_that_falls_within_a_period_was_corrected(self, book, on, story):
        rows = self.rows(on, [50, 90, 89.9, 89.9, 91])
        assert story(run(book, on, rows, table="quota_day").events) == [
            (1, "opened", None), (2, "superseded", "evidence_withdrawn"), (4, "opened", None),
        ]

    def test_fires_at_the_threshold_and_stays_through_a_full_next_period(self, book, on, story):
        rows = self.rows(on, [50, 90, 95])
        rows += self.rows(on, [10, 10], 3, previous_period_used_pct=95, period_start=on(3))
        rows += self.rows(on, [10], 5, previous_period_used_pct=84.9, period_start=on(5))
        found = run(book, on, rows, table="quota_day")
        assert story(found.events) == [(1, "opened", None), (5, "closed", "re_armed")]
        (line,) = found.evidence
        assert (line.measure, line.value, line.threshold, line.window_days) == ("used_quantity", 90, 90, 2)
        assert line.row_key == f"a|api_calls|{on(1)}"

    def test_a_new_limit_needs_the_threshold_only(self, book, on, story):
        rows = self.rows(on, [50, 90])
        rows += [{"as_of_date": on(2), "used_quantity": 95, "limit_quantity": 105, "limit_changed_on": on(2)}]
        expected = [(1, "opened", None), (2, "closed", "limit_changed"), (2, "opened", None)]
        assert story(run(book, on, rows, table="quota_day").events) == expected

    @pytest.mark.parametrize(("days_left", "is_scheduled"), [(3, True), (4, False)])
    def test_close_to_the_period_end_the_calendar_explains_it(self, book, on, days_left, is_scheduled):
        rows = self.rows(on, [50, 90], period_end=on(1 + days_left))
        (event,) = run(book, on, rows, table="quota_day").events
        assert event.is_scheduled is is_scheduled

    def test_meters_are_subjects_of_their_own(self, book, on):
        rows = self.rows(on, [50, 90]) + self.rows(on, [50, 90], meter="storage_gb")
        events = run(book, on, rows, table="quota_day").events
        assert {event.subject_key for event in events} == {"api_calls", "storage_gb"}

    @pytest.mark.parametrize("columns", [{"limit_quantity": None}, {"limit_quantity": 0.0}, {"is_watchable": False}])
    def test_blind_without_a_limit(self, book, on, columns):
        assert run(book, on, self.rows(on, [50, 90], **columns), table="quota_day").events == ()


class TestDepartments:
    def rows(self, on, saturated, licensed=2):
        return [
            {
                "as_of_date": on(n),
                "licensed_departments": licensed,
                "saturated_departments": number,
                "saturated_core_users_min": 4,
            }
            for n, number in enumerate(saturated)
        ]

    def test_every_licensed_department_is_saturated(self, book, on, story):
        found = run(book, on, self.rows(on, [1, 2, 2]))
        assert story(found.events) == [(1, "opened", None)]
        assert [(line.measure, line.value, line.threshold) for line in found.evidence] == [
            ("saturated_departments", 2, 2), ("saturated_core_users_min", 4, 3),
        ]

    @pytest.mark.parametrize(("saturated", "licensed"), [([0, 1], 1), ([1, 2], 3), ([0, 2], None)])
    def test_fewer_are_not_enough(self, book, on, saturated, licensed):
        assert run(book, on, self.rows(on, saturated, licensed)).events == ()

    def test_re_arms_after_twenty_false_days(self, book, on, story):
        rows = self.rows(on, [1, 2, *[1] * 20, 2])
        expected = [(1, "opened", None), (21, "closed", "re_armed"), (22, "opened", None)]
        assert story(run(book, on, rows).events) == expected


def test_evidence_projects_the_day_of_capacity(book, on):
    """One user more a day for 60 days: 80 of 100 seats are full in 20 days."""
    rows = seat_days(on, range(21, 81), seat_growth_60d_pct=280.0)
    (event,) = run(book, on, rows).events
    lines = run(book, on, rows).evidence
    assert [line.firing_id for line in lines] == [event.firing_id] * 3
    assert [(line.line_no, line.measure, line.value, line.threshold, line.window_days) for line in lines] == [
        (1, "active_users_28d", 80.0, 80.0, 28),
        (2, "seat_growth_60d_pct", 280.0, None, 60),
        (3, "projected_capacity_days", 20.0, None, 60),
    ]
    assert {(line.source_table, line.row_key) for line in lines} == {("features.account_day", f"a|{on(59)}")}


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ([10, 20, 30], 2.0),
        ([50, 50, 50], None),
        ([30, 20, 10], None),
        ([30], None),
        ([], None),
        ([60, 70, 80], 0.0),
    ],
)
def test_projection_is_null_when_flat_or_falling(on, users, expected):
    history = [(on(number), float(active)) for number, active in enumerate(users)]
    assert projected_capacity_days(history, on(2), 50.0) == expected


def restless(on, seed, days=200, accounts=6):
    """Accounts that waver around their limit, go blind, change seats and leave grace."""
    dice = random.Random(seed)
    rows = []
    for account in range(accounts):
        seats, users, changed = 60, dice.randrange(30, 60), {}
        for number in range(days):
            if dice.random() < 0.01:
                seats = dice.choice([50, 60, 80])
                changed = {"seats_changed_on": on(number), "active_users_at_seat_change": users}
            users = min(seats + 5, max(20, users + dice.choice([-4, -2, -1, 0, 1, 2, 4])))
            rows += seat_days(
                on, [None if dice.random() < 0.1 else users], seats, number, account_id=f"a{account}",
                first_paid_on=on(-60 + 15 * account), licensed_departments=2,
                saturated_departments=dice.choices([1, 2], [0.9, 0.1])[0], **changed,
            )
    return rows


@pytest.mark.parametrize("seed", [1, 2])
def test_run_in_parts_equals_one_run(book, on, seed):
    rows = restless(on, seed)
    whole = book.detect(usage_milestone, on(0), on(200), account_day=rows)
    assert {event.event_type for event in whole.events} == {"opened", "suppressed", "closed"}
    assert {event.reason for event in whole.events} >= {"re_armed", "limit_changed", "grace"}
    edges = [on(n) for n in (0, 1, 31, 100, 101, 102, 103, 200)]
    assert book.detect_in_parts(usage_milestone, edges, account_day=rows) == whole


def test_order_of_rows_does_not_matter(book, on):
    rows = restless(on, 3, days=120)
    shuffled = random.Random(0).sample(rows, len(rows))
    assert run(book, on, shuffled) == run(book, on, rows)


def test_rows_after_the_window_are_not_read(book, on):
    rows = seat_days(on, [50, 60, 90])
    inputs = book.inputs(account_day=rows)
    assert usage_milestone.detect(inputs, Window(on(0), on(2)), book.catalogue).events == ()
