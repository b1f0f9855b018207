"""The oracle against cases small enough to compute by hand.

A second account, Noise, uses the product daily so that the book's product data is fresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest

from .book import person_key
from .machine import Reading, Subject, level_events
from .rules import Rules
from .world import World, at, on

OPENED_125 = (125, "opened", None)


def seat_world(length: int, first_paid: int | None = None, seats: float = 10, users: int = 8) -> World:
    world = World()
    world.noise(length)
    world.account("a", first_paid=first_paid)
    world.line("a", "seat", seats)
    for number in range(users):
        world.user("a", f"u{number}")
    return world


def test_seats_open_at_80_percent_and_rearm_after_14_days_two_seats_below() -> None:
    world = seat_world(60)
    for number in range(8):
        world.use("a", f"u{number}", [number])
    # The eighth user is known on day 7. User 0 leaves the window on day 28, u1 on 29: six are left on day 29,
    # and 8 - max(0.5, 2) = 6 is calm, so day 29 + 13 closes.
    assert world.events(60, "seats") == [(7, "opened", None), (42, "closed", "re_armed")]
    assert world.events(60, "seats_full") == []


def test_a_late_row_counts_from_the_day_it_became_known() -> None:
    world = seat_world(30)
    for number in range(8):
        world.use("a", f"u{number}", [number], lag=9 if number == 7 else 0)
    assert world.events(30, "seats") == [(16, "opened", None)]


@pytest.mark.parametrize("kind", ["service", "internal", "contractor", "vendor"])
def test_only_employees_count(kind: str) -> None:
    world = seat_world(20, users=7)
    world.user("a", "bot", kind=kind)
    for name in [*(f"u{number}" for number in range(7)), "bot"]:
        world.use("a", name, [3])
    assert world.events(20, "seats") == []


def test_assigned_seats_fire_when_enough_of_them_are_active() -> None:
    world = seat_world(20, users=10)
    world.use("a", "u9", [0])
    for number in range(10):
        world.add(
            "product_seat_assignments", account_id="a", user_id=f"a/u{number}", assigned_on=on(0),
            released_on=None,
        )
    for number in range(5):
        world.use("a", f"u{number}", [number + 1])
    # u9 and five more are 6 of 10 assigned: day 5.
    assert world.events(20, "seats") == [(5, "opened", None)]


def test_initial_state_is_marked() -> None:
    world = seat_world(5)
    for number in range(8):
        world.use("a", f"u{number}", [0])
    assert [event.is_initial_state for event in world.all(5) if event.sub_trigger == "seats"] == [True]


@pytest.mark.parametrize(
    ("active_days", "expected"),
    [
        (range(0, 120, 7), [(21, "suppressed", "grace"), (90, "opened", "grace_end")]),
        ([5, 21], [(21, "suppressed", "grace")]),
    ],
)
def test_a_crossing_in_grace_fires_at_its_end_if_still_true(
    active_days: Iterable[int], expected: list[Any]
) -> None:
    world = seat_world(110, first_paid=0)
    world.use("a", "u0", [0])
    for number in range(8):
        world.use("a", f"u{number}", [day for day in active_days if day >= 21])
    assert world.events(110, "seats") == expected


def test_a_new_limit_closes_and_needs_regrowth() -> None:
    world = seat_world(60, users=14)
    world.tables["billing_subscription_lines"].clear()
    world.line("a", "seat", 10, until=10)
    world.line("a", "seat", 5, known=10, version=2)
    daily = range(60)
    for number in range(7):
        world.use("a", f"u{number}", daily)
    world.use("a", "u7", range(3, 60))
    # Day 3: 8 of 10. Day 10: cut to 5, 8 users; fires again at 8 + max(2, 0.25) = 10 users, on day 30.
    world.use("a", "u8", range(20, 60))
    world.use("a", "u9", range(30, 60))
    assert world.events(60, "seats") == [
        (3, "opened", None), (10, "closed", "limit_changed"), (30, "opened", None)
    ]


def test_blind_days_do_not_count_towards_rearming() -> None:
    def closing(blind: range) -> list[Any]:
        world = seat_world(0)
        world.use("noise", "nobody", [day for day in range(80) if day not in blind])
        for number in range(8):
            world.use("a", f"u{number}", [number])
        return world.events(80, "seats")

    assert closing(range(0))[-1] == (42, "closed", "re_armed")
    # Rows of day 29 are fresh to day 31; days 32 to 39 are blind, so the 14th calm day comes 8 days later.
    assert closing(range(30, 40))[-1] == (50, "closed", "re_armed")


def test_quota_opens_at_90_percent_and_closes_after_a_full_period_below_85() -> None:
    world = World()
    world.account("a")
    world.line("a", "api_calls", 300, starts_on=date(2026, 1, 1))
    for day in range(100):
        # January runs at 10 a day from day 0 (the 5th): 270 on the 27th day. February on: 5 a day.
        world.add(
            "product_metered_usage", known=day, account_id="a", meter="api_calls", used_on=on(day),
            quantity=10 if on(day).month == 1 else 5,
        )
    # 270 / 300 on day 26 (31 January); February ends at 140 / 300, so 1 March (day 55) re-arms.
    assert world.events(100, "quota") == [(26, "opened", None), (55, "closed", "re_armed")]
    assert [event.is_scheduled for event in world.all(100) if event.event_type == "opened"] == [True]


@pytest.mark.parametrize(("licensed", "expected"), [("Ops|finance ", [(4, "opened", None)]), ("Ops", [])])
def test_departments_need_three_core_users_on_each_of_five_business_days(
    licensed: str, expected: list[Any]
) -> None:
    world = World()
    world.account("a", country="GB")
    world.line("a", "plan", 1, departments=licensed)
    world.add("product_features", feature="inbox", tier="core")
    for department in ("Ops", "Finance"):
        for number in range(3):
            world.user("a", f"{department}{number}", department)
            world.use("a", f"{department}{number}", range(5))
    assert world.events(7, "departments") == expected


def cross_world(segment: str = "smb", licensed: str | None = "Ops") -> World:
    world = World()
    world.account("a", segment=segment)
    world.line("a", "plan", 1, departments=licensed)
    world.user("a", "boss", "Ops")
    world.use("a", "boss", range(40))
    return world


@pytest.mark.parametrize(
    ("segment", "users", "expected"),
    [
        ("smb", 3, [(21, "opened", None)]),
        ("smb", 2, []),
        ("enterprise", 4, []),
        ("enterprise", 5, [(21, "opened", None)]),
    ],
)
def test_cross_team_needs_users_on_two_days(segment: str, users: int, expected: list[Any]) -> None:
    world = cross_world(segment)
    for number in range(users):
        world.user("a", f"f{number}", "Finance")
        world.use("a", f"f{number}", [20, 21])
    assert world.events(40, "new_department") == expected
    assert {event.subject_key for event in world.all(40)} <= {"department:finance"}


@pytest.mark.parametrize(("licensed", "is_open"), [("Ops", True), (None, False)])
def test_without_named_departments_the_first_days_are_the_scope(licensed: str | None, is_open: bool) -> None:
    world = cross_world(licensed=licensed)
    for number in range(3):
        world.user("a", f"f{number}", "Finance")
        world.use("a", f"f{number}", [13, 20, 21])
    assert bool(world.events(40, "new_department")) is is_open


def test_a_renamed_department_does_not_fire() -> None:
    world = cross_world()
    for number in range(3):
        world.user("a", f"f{number}")
        email = f"f{number}@a.com"
        before = {"account_id": "a", "email": email, "department": "Ops", "role": None}
        if number:
            world.add("identity_directory", until=15, **before)
        world.add("identity_directory", known=15, version=2, **before | {"department": "Process"})
        world.use("a", f"f{number}", [20, 21])
    assert world.events(40, "new_department") == []


@pytest.mark.parametrize(("licensed", "is_open"), [("Ops", False), (None, True)])
def test_roles_are_compared_only_where_the_licence_names_no_departments(
    licensed: str | None, is_open: bool
) -> None:
    world = cross_world(licensed=licensed)
    for number in range(3):
        world.user("a", f"m{number}")
        world.use("a", f"m{number}", [20, 21])
    assert bool(world.events(40, "new_department")) is is_open


def advanced_world(days_and_requesters: list[tuple[int, str, str]]) -> World:
    world = World()
    world.account("a")
    for day in range(0, 130, 10):
        world.ticket("a", day, "x@a.com", "login")
    for day, requester, topic in days_and_requesters:
        world.ticket("a", day, requester, topic, is_advanced=True)
    return world


@pytest.mark.parametrize(
    ("tickets", "expected"),
    [
        # Day 125: W holds 100, 110, 120 basic and 3 advanced: exactly half; baseline 0 of 10.
        ([(121, "x@a.com", "api"), (123, "y@a.com", "api"), (125, "x@a.com", "sso")], [OPENED_125]),
        # The same requester, topic and day is one unit.
        ([(121, "x@a.com", "api"), (125, "y@a.com", "api"), (125, "y@a.com", "api")], []),
        # The sole support contact with three topics; with two topics not.
        ([(121, "x@a.com", "api"), (123, "x@a.com", "export"), (125, "x@a.com", "sso")], [OPENED_125]),
        ([(121, "x@a.com", "api"), (123, "x@a.com", "api"), (125, "x@a.com", "sso")], []),
    ],
)
def test_advanced_tickets(tickets: list[tuple[int, str, str]], expected: list[Any]) -> None:
    assert advanced_world(tickets).events(128, "advanced_shift") == expected


def test_an_advanced_baseline_is_no_shift() -> None:
    # Days 5 to 94 hold 6 advanced of 15: (6 + 4 x 0.4) / 19 + 0.25 = 0.65, over the 0.5 of day 125.
    usual = [(day, f"{day}@a.com", "api") for day in range(5, 95, 15)]
    shift = [(121, "x@a.com", "api"), (123, "y@a.com", "api"), (125, "x@a.com", "sso")]
    assert advanced_world(usual + shift).events(128, "advanced_shift") == []


def test_an_outage_is_left_out() -> None:
    world = advanced_world([(121, "x@a.com", "api"), (123, "y@a.com", "api"), (125, "x@a.com", "sso")])
    for number in range(4):
        world.account(f"b{number}")
        world.ticket(f"b{number}", 123, "z@b.com", "api")
    assert world.events(128, "advanced_shift") == []


@pytest.mark.parametrize(
    ("mentions", "expected"),
    [
        ([(5, 5, {})], [5]),
        ([(5, 5, {}), (94, 94, {})], [5]),
        ([(5, 5, {}), (95, 95, {})], [5, 95]),
        ([(-84, 5, {})], [5]),
        ([(-85, 5, {})], []),
        ([(5, 5, {"polarity": "negated"})], []),
        ([(5, 5, {"is_quote_found": False})], []),
        ([(5, 5, {"speaker_side": "vendor"})], []),
    ],
)
def test_adjacent_use(mentions: list[tuple[int, int, dict[str, Any]]], expected: list[int]) -> None:
    world = World()
    world.account("a")
    for said, known, tag in mentions:
        side = tag.get("speaker_side", "customer")
        key = world.add(
            "meetings_turns", known=known, account_id="a", speaker_side=side, happened_at=at(said)
        )
        world.tag("meetings_turns", key, "adjacent_use", **{"problem_key": "reporting"} | tag)
    assert [day for day, _, _ in world.events(100, "adjacent_problem")] == expected


def joins(title: str, function: str | None = None) -> Callable[[World], None]:
    return lambda world: world.alert(5, "joined", "P@a.com ", to_title=title, function=function)


def retitled(before: str | None, after: str) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.contact("p@a.com", until=5, title=before)
        world.contact("p@a.com", known=5, version=2, title=after)
    return plant


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (joins("VP Finance"), {"new_executive"}),
        (joins("Vice President", "Operations"), {"new_executive"}),
        (joins("VP Marketing"), set()),
        (joins("Director of Finance"), set()),
        (retitled("Ops Lead", "Operations Director"), {"promotion"}),
        (retitled("Operations Manager", "Manager, Operations"), set()),
        (retitled(None, "Operations Director"), set()),
    ],
)
def test_titles(plant: Callable[[World], None], expected: set[str]) -> None:
    world = World()
    world.account("a")
    plant(world)
    events = world.all(10)
    assert {event.sub_trigger for event in events} == expected
    assert {event.subject_key for event in events} <= {person_key("a", "p@a.com", None)}


def test_the_renewal_contact_must_have_been_another_person() -> None:
    world = World()
    world.account("a")
    world.contact("old@a.com", deal_role="renewal_contact")
    world.contact("new@a.com", until=5)
    world.contact("new@a.com", known=5, version=2, deal_role="renewal_contact")
    assert world.events(10, "renewal_contact") == [(5, "opened", None)]
    world.tables["crm_contacts"].pop(0)
    assert world.events(10, "renewal_contact") == []


@pytest.mark.parametrize(("joined_on", "event_type"), [(35, "suppressed"), (36, "opened")])
def test_leaver_and_successor_are_one_episode_for_30_days(joined_on: int, event_type: str) -> None:
    world = World()
    world.account("a")
    world.contact("champion@a.com", deal_role="champion")
    for day in (5, 8):
        world.add("people_absence_patterns", known=day, email="champion@a.com", pattern="left_company")
    world.alert(joined_on, "joined", "next@a.com", to_title="VP Operations")
    world.alert(joined_on + 2, "joined", "next@a.com", to_title="VP Operations")
    assert world.events(50, "champion_left") == [(5, "opened", None)]
    reason = "same_episode" if event_type == "suppressed" else None
    assert world.events(50, "new_executive") == [(joined_on, event_type, reason)]


@pytest.mark.parametrize(("accounts", "is_fleet"), [(4, False), (5, True)])
def test_many_accounts_on_one_day_are_a_fleet_event(accounts: int, is_fleet: bool) -> None:
    world = World()
    world.account("a")
    for number in range(accounts):
        world.account(f"b{number}")
        key = world.add("meetings_turns", known=3, account_id=f"b{number}", speaker_side="customer")
        world.tag("meetings_turns", key, "adjacent_use", problem_key="reporting")
    assert [event.is_fleet_event for event in world.all(5)] == [is_fleet] * accounts


def test_the_machine_closes_only_after_enough_calm_days_in_a_row() -> None:
    pattern = "1..-..1...0"  # 1 true, . calm, 0 and - neither
    readings = [Reading(day + 1, sign == "1", sign == ".", 3) for day, sign in enumerate(pattern)]
    events = level_events(Subject("a", "T", "s", "x"), readings)
    assert [(event.as_of_date.day, event.event_type) for event in events] == [(1, "opened"), (10, "closed")]


@pytest.mark.parametrize(
    ("title", "rank", "function"),
    [
        ("Senior Vice President, Finance", "vp", "finance"), ("CFO", "chief", "finance"),
        ("Head of IT", "vp", "it"), ("Sr. Manager Purchasing", "senior_manager", "procurement"),
        ("Leiterin Einkauf", "vp", "procurement"), ("Analyst", "individual", None),
    ],
)
def test_titles_are_read_from_the_catalogue(title: str, rank: str, function: str | None) -> None:
    rules = Rules()
    assert (rules.ranks[rules.rank(title) or 0], rules.function(title)) == (rank, function)


def test_two_users_of_one_person_are_one_named_user() -> None:
    world = seat_world(20, users=7)
    world.add(
        "product_users", user_id="a/again", account_id="a", email="U0+test@A.com", user_kind="employee", role="member"
    )
    for name in [*(f"u{number}" for number in range(7)), "again"]:
        world.use("a", name, [3])
    assert world.events(20, "seats") == []
    world.user("a", "u7")
    world.use("a", "u7", [4])
    assert world.events(20, "seats") == [(4, "opened", None)]


@pytest.mark.parametrize(("name", "expected"), [("deploy-bot", []), ("abbott", [(3, "opened", None)])])
def test_a_machine_is_no_named_user(name: str, expected: list[Any]) -> None:
    world = seat_world(20, users=7)
    world.user("a", name)
    for user in [*(f"u{number}" for number in range(7)), name]:
        world.use("a", user, [3])
    assert world.events(20, "seats") == expected
