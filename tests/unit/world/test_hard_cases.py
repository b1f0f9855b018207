"""The hard world as it is planned: enough cases of every trigger, each hard thing present, and hard for its reason.

Not here: what detectors make of it (``make truth``); daily use is not drawn, so this costs seconds, not minutes.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from expansion_assets.settings import DEMO_PSEUDONYM_KEY
from expansion_assets.world import HARD_LAST_DAY, HARD_TIME_ZONE, Case
from expansion_assets.world.cases import roster
from expansion_assets.world.model import Account, Book, User
from expansion_assets.world.period import Period, first_day_of
from expansion_assets.world.world import plan

ACCOUNTS, MONTHS = 300, 24
TRIGGERS = ("USAGE_MILESTONE", "ROLE_CHANGE", "CROSS_TEAM", "ADVANCED_TICKETS", "ADJACENT_USE")
LEAP_DAY = date(2024, 2, 29)
CLOCK_CHANGES = [date(2023, 10, 29), date(2024, 3, 31), date(2024, 10, 27), date(2025, 3, 30)]
SHARE = 0.8


@pytest.fixture(scope="module")
def book() -> Book:
    period = Period(first_day_of(HARD_LAST_DAY, MONTHS), HARD_LAST_DAY, HARD_TIME_ZONE)
    return plan(7, ACCOUNTS, period, DEMO_PSEUDONYM_KEY, is_hard=True)


def _named(book: Book, *names: str) -> list[tuple[Case, Account]]:
    accounts = {account.account_id: account for account in book.accounts}
    found = [case for case in book.cases if case.case_id.rpartition("-")[0] in names]
    assert found
    return [(case, accounts[case.account_id]) for case in found]


def _day(book: Book, day: date) -> int:
    return book.period.number(day)


def _active(account: Account, day: int) -> set[str]:
    """Mailboxes of employees whose planned use reaches into the 28 days that end with the day."""
    window = range(day - 27, day + 1)

    def is_active(user: User) -> bool:
        spans = user.span is not None and user.span[0] <= day and user.span[1] >= window[0]
        return spans or any(used in window for used in user.days)

    return {user.email.lower() for user in account.users if user.kind == "employee" and is_active(user)}


def _seats(book: Book, account: Account, day: int) -> float:
    """Contracted seats in force, with every line as it is known at the world's end."""
    on = book.period.day(day)
    lines = [line.at(book.horizon) for line in account.lines]
    [seats] = [
        line["quantity"] for line in lines
        if line["unit"] == "seat" and line["starts_on"] <= on and (line["ends_on"] is None or line["ends_on"] > on)
    ]
    return float(seats)


def _share(book: Book, account: Account, day: int) -> float:
    return len(_active(account, day)) / _seats(book, account, day)


def _local(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(HARD_TIME_ZONE))


def _rows(book: Book, table: str, account: Account) -> Iterator[dict[str, Any]]:
    return (row for row in book.landing.rows(table) if row["account_id"] == account.account_id)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_trigger_has_thirty_true_cases_and_fifteen_decoys(book: Book, trigger: str) -> None:
    counts = Counter(case.is_true for case in book.cases if case.trigger == trigger)
    assert counts[True] >= 30
    assert counts[False] >= 15


def test_every_hard_kind_is_planted_and_noted(book: Book) -> None:
    planted = Counter(name for account in book.accounts for name in account.slots.values())
    assert {kind.name for kind in roster.HARD_KINDS} <= set(planted)
    assert min(planted[kind.name] for kind in roster.HARD_KINDS) >= 5
    assert all(case.note for case in book.cases)
    assert all(book.period.first_day <= case.expected_from <= case.expected_to <= HARD_LAST_DAY for case in book.cases)


@pytest.mark.parametrize(
    "name",
    [
        "yearly-season", "season-crossing", "yearly-quota",  # seasonality
        "acquired-domain", "acquired-users", "acquired-executive",  # an acquisition renames the account
        "gradual-rename", "department-merger", "mostly-new",  # a re-organisation renames departments
        "weekend-department", "weekend-seats", "weekend-team",  # weekend-only use
        "raise-on-the-day", "raise-and-regrowth", "regrowth", "late-signed",  # the contract changes at the crossing
        "namesake-seats", "namesake-team", "namesake-executive", "namesake-promotion", "namesake-leaver",
        "second-login", "two-logins",  # two people of one name, and one person twice
        "midnight-move", "midnight-use", "midnight-tickets", "one-local-day",  # time-zone edges
        "leap-seats", "leap-grace", "leap-quota", "leap-window", "leap-team", "leap-year-repeat",  # leap day
        "clock-change-move", "clock-change-seats",  # daylight-saving change
    ],
)
def test_each_hard_thing_has_cases_of_its_name(book: Book, name: str) -> None:
    assert len(_named(book, name)) >= 5


def test_no_hard_case_in_a_book_that_is_not_hard() -> None:
    period = Period(first_day_of(HARD_LAST_DAY, MONTHS), HARD_LAST_DAY)
    easy = plan(7, 12, period, DEMO_PSEUDONYM_KEY)
    hard = {kind.name for kind in roster.HARD_KINDS}
    assert hard.isdisjoint(name for account in easy.accounts for name in account.slots.values())


@pytest.mark.parametrize(
    "name",
    ["before-regrowth", "regrowth", "raise-and-regrowth", "season-crossing", "weekend-seats", "namesake-seats",
     "leap-seats", "clock-change-seats"],
)  # fmt: skip
def test_the_line_is_crossed_on_the_first_expected_day(book: Book, name: str) -> None:
    for case, account in _named(book, name):
        day = _day(book, case.expected_from)
        assert _share(book, account, day - 1) < SHARE <= _share(book, account, day), case


@pytest.mark.parametrize(
    "name",
    ["raise-on-the-day", "raise-before-regrowth", "yearly-season", "second-login", "leap-window", "acquired-users"],
)
def test_seat_decoys_stay_below_the_line_all_through(book: Book, name: str) -> None:
    for case, account in _named(book, name):
        days = range(_day(book, case.expected_from), _day(book, case.expected_to) + 1)
        assert max(_share(book, account, day) for day in days) < SHARE, case


def test_what_the_rules_leave_out_would_cross(book: Book) -> None:
    for case, account in _named(book, "raise-on-the-day"):
        crossed = [day for day in range(_day(book, case.expected_from), _day(book, case.expected_to))
                   if len(_active(account, day)) >= SHARE * account.seats]
        changed = [line.values["starts_on"] for line in account.lines if line.values["unit"] == "seat"][1]
        assert crossed[0] == _day(book, changed)
    for _, account in _named(book, "second-login"):
        logins = [user for user in account.users if user.kind == "employee" and user.span]
        assert len(logins) >= SHARE * account.seats > len({user.email.lower() for user in logins})
    for _, account in _named(book, "leap-window"):
        leap = _day(book, LEAP_DAY)
        assert len(_active(account, leap) | _active(account, leap - 1)) >= SHARE * account.seats
    for case, account in _named(book, "namesake-seats"):
        names = {user.email.partition("@")[0].rstrip("0123456789") for user in account.users
                 if user.email.lower() in _active(account, _day(book, case.expected_from))}
        assert len(names) < SHARE * account.seats


def test_a_season_comes_back_on_the_same_weekday(book: Book) -> None:
    by_account: dict[str, list[date]] = {}
    for case, account in _named(book, "season-crossing"):
        by_account.setdefault(account.account_id, []).append(case.expected_from)
    assert all(timedelta(days=360) < second - first < timedelta(days=370) for first, second in by_account.values())


def test_a_late_contract_is_known_after_its_crossing(book: Book) -> None:
    for case, account in _named(book, "late-signed"):
        old, new = (line for line in account.lines if line.values["unit"] == "seat")
        assert new.values["starts_on"] == case.expected_from
        assert book.period.day(new.since) > case.expected_from
        day = _day(book, case.expected_from)
        assert len(_active(account, day - 1)) < SHARE * old.values["quantity"] <= len(_active(account, day))


@pytest.mark.parametrize("name", ["leap-seats", "leap-grace", "leap-quota", "leap-team"])
def test_leap_cases_open_on_29_february(book: Book, name: str) -> None:
    assert {(case.expected_from, case.expected_to) for case, _ in _named(book, name)} == {(LEAP_DAY, LEAP_DAY)}


def test_an_arrival_is_told_again_within_a_year_with_a_leap_day(book: Book) -> None:
    opened = {account.account_id: case.expected_from for case, account in _named(book, "leap-executive")}
    for case, account in _named(book, "leap-year-repeat"):
        again = case.expected_from + timedelta(days=1)
        assert (again - opened[account.account_id]).days == 364
        assert opened[account.account_id] < LEAP_DAY < again


def test_the_clocks_change_four_times(book: Book) -> None:
    assert [book.period.day(number) for number in book.period.clock_changes()] == CLOCK_CHANGES
    for name in ("clock-change-seats", "clock-change-move"):
        assert {case.expected_from for case, _ in _named(book, name)} == set(CLOCK_CHANGES)


def test_moves_on_clock_changes_arrive_at_half_past_two_and_at_both_ends_of_the_day(book: Book) -> None:
    arrivals = []
    for case, account in _named(book, "clock-change-move"):
        pushed = [row for row in _rows(book, "crm_contact_role_changes", account) if row["move"] == "title_changed"]
        local = [_local(row["loaded_at"]) for row in pushed]
        arrivals += [moment for moment in local if moment.date() == case.expected_from]
    autumn = {(moment.time(), moment.fold) for moment in arrivals if moment.month == 10}
    assert {time(23, 59, 30), time(0, 0, 30)} <= {moment.time() for moment in arrivals}
    assert {(time(2, 30), 0), (time(2, 30), 1)} <= autumn
    assert any(moment.month == 3 and moment.time() in (time(1, 30), time(3, 30)) for moment in arrivals)


def test_tickets_around_midnight_are_of_other_days_in_utc(book: Book) -> None:
    for name, local_days, utc_days in (("midnight-tickets", 2, 1), ("one-local-day", 1, 2)):
        for case, account in _named(book, name):
            created = {
                row["created_at"] for row in _rows(book, "support_tickets", account)
                if case.expected_from - timedelta(days=1)
                <= _local(row["created_at"]).date() <= case.expected_from + timedelta(days=1)
            }
            assert len({_local(moment).date() for moment in created}) == local_days, case
            assert len({moment.date() for moment in created}) == utc_days, case


def test_the_last_use_arrives_one_minute_before_or_at_midnight(book: Book) -> None:
    minutes = Counter(user.arrival_minute for _, account in _named(book, "midnight-use") for user in account.users[-2:])
    assert set(minutes) == {1439, 1440}


def test_an_acquisition_moves_mailboxes_before_directory_and_crm(book: Book) -> None:
    kinds: Counter[tuple[bool, bool]] = Counter()
    for case, account in _named(book, "acquired-domain"):
        assert account.crm is not None
        [told] = [day for day, values in account.crm.changes.items() if "domain" in values]
        [domain] = [values["domain"] for values in account.crm.changes.values() if "domain" in values]
        moved = {day for user in account.users for day in user.addresses}
        assert max(moved) + account.users[0].directory_lag < told
        assert all(email.endswith(f"@{domain}") for user in account.users for email in user.addresses.values())
        assert "name" in account.crm.changes[told]
        alerts = [row for row in book.landing.rows("people_job_alerts") if row["account_domain"] == domain]
        assert [row["person_email"].partition("@")[2] for row in alerts] == [domain]
        departments = {user.department for user in account.users if user.kind == "employee"}
        kinds[account.has_identity, None in departments] += 1
        assert case.decoy_kind == "acquired_domain"
    assert {(True, False), (True, True), (False, False)} <= set(kinds)


def test_re_organised_departments_come_from_licensed_ones_but_for_the_new_team(book: Book) -> None:
    for name, least, most in (("gradual-rename", 0.5, 1.0), ("department-merger", 1.0, 1.0), ("mostly-new", 0.0, 0.49)):
        for case, account in _named(book, name):
            department = str(case.subject_key).partition(":")[2]
            there = [user for user in account.users if department in (user.department, *user.moves.values())]
            from_licensed = [user for user in there if user.department in account.licensed]
            assert least <= len(from_licensed) / len(there) <= most, case


def test_namesakes_have_one_name_and_two_addresses(book: Book) -> None:
    for name in ("namesake-promotion", "namesake-leaver", "namesake-executive"):
        for _, account in _named(book, name):
            names = Counter(contact.name for contact in account.contacts)
            [(shared, times)] = [item for item in names.items() if item[1] > 1]
            assert times == 2
            assert len({contact.email for contact in account.contacts if contact.name == shared}) == 2


def test_a_team_short_of_one_person_has_logins_enough(book: Book) -> None:
    for case, account in _named(book, "two-logins"):
        department = str(case.subject_key).partition(":")[2]
        team = [user for user in account.users if user.department == department]
        assert len({user.email for user in team}) == len(team) - 1
