"""Hard days: 29 February, the nights in which the clocks change, and the minutes around midnight of the workspace.

Belongs here: cases whose day decides, of every trigger that has one. Does not belong here: seasons and weekends
(``contract_changes.py``).
Windows are one day wide: a day that is cut in another zone, or a window that is a day too long, misses them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from random import Random

from expansion_assets.sources.identity import person_key
from expansion_assets.world import people
from expansion_assets.world.cases.advanced_tickets import established, reserve
from expansion_assets.world.cases.contract_changes import over
from expansion_assets.world.cases.cross_team import needed, new_department, roomy, shape_team, start_team
from expansion_assets.world.cases.kinds import Kind, untouched
from expansion_assets.world.cases.limits import shape_meter
from expansion_assets.world.cases.role_change import push_change, settled
from expansion_assets.world.cases.seats import rise, shape_new, shape_seats
from expansion_assets.world.model import Account, Book, QuotaMonth
from expansion_assets.world.names import FUNCTION_LABELS
from expansion_assets.world.period import Period
from expansion_assets.world.population import add_user
from expansion_assets.world.texts import Text
from expansion_assets.world.tickets import file_ticket, requesters

_ALMOST_A_YEAR = 364  # one day short of the rule's 365, over a 29 February
_MIDNIGHT = 24 * 60
_HALF_PAST_TWO = time(2, 30)  # does not come in spring, comes twice in autumn
_LATE, _EARLY = time(23, 59, 30), time(0, 0, 30)


def leap_days(period: Period) -> list[int]:
    """Numbers of the 29ths of February."""
    days = [(number, period.day(number)) for number in range(period.length)]
    return [number for number, day in days if (day.month, day.day) == (2, 29)]


def _before_leap_days(period: Period) -> list[int]:
    return [day - offset for day in leap_days(period) for offset in (40, 24, 9)]


def plant_leap_seats(book: Book, account: Account, day: int, rng: Random) -> None:
    """Active users pass 80 % of the seats on 29 February."""
    rise(book, account, rng, day, over(account.seats))
    book.add_case(
        "leap-seats", account, "USAGE_MILESTONE", "seats", "seats", (day, day), "passes 80 % on 29 February"
    )


def plant_leap_grace(book: Book, account: Account, day: int, rng: Random) -> None:
    """The ninety days of grace end on 29 February, with the crossing inside them."""
    crossing = book.period.next_business(account.country, account.start + 55)
    rise(book, account, rng, crossing, over(account.seats))
    note = f"first paid on {book.period.day(account.start)}: grace ends on 29 February"
    book.add_case("leap-grace", account, "USAGE_MILESTONE", "seats", "seats", (day, day), note)


def plant_leap_quota(book: Book, account: Account, day: int, rng: Random) -> None:
    """February's consumption passes 90 % of the limit on its 29th day."""
    account.quota_peaks.append(QuotaMonth(day, 0.905))
    note = "the month's consumption passes 90 % on 29 February"
    book.add_case("leap-quota", account, "USAGE_MILESTONE", "quota", "api_calls", (day, day), note)


def plant_leap_window(book: Book, account: Account, day: int, rng: Random) -> None:
    """One crowd on 1 February, another on 29 February: 28 days never hold both."""
    size = round(0.09 * account.seats)
    for visit in (day - 28, day):
        for _ in range(size):
            add_user(account, rng, account.departments[0], day - 40, days=(visit,))
    note = "two crowds 28 days apart: from 2 to 29 February are 28 days, from the 1st on 29"
    window = (day - 30, day + 45)
    book.add_case("leap-window", account, "USAGE_MILESTONE", "seats", "seats", window, note, "leap_window")


def plant_leap_team(book: Book, account: Account, day: int, rng: Random) -> None:
    """The user that completes a new team has the second day of use on 29 February."""
    department = new_department(account, rng)
    day = start_team(book, account, rng, day, needed(account), department)
    note = f"{department} is complete on 29 February"
    book.add_case("leap-team", account, "CROSS_TEAM", "new_department", f"department:{department}", (day, day), note)


def plant_leap_year_repeat(book: Book, account: Account, day: int, rng: Random) -> None:
    """One arrival, told again 364 days later, with a 29 February between."""
    title = "Chief Financial Officer"
    contact = people.add_contact(account, rng, day, title, "user", "finance")
    push_change(book, account, contact, day, rng, book.period.at(day, time(11)), move="joined", to_title=title)
    key = person_key(contact.email, book.pseudonym_key)
    book.add_case("leap-executive", account, "ROLE_CHANGE", "new_executive", key, (day, day), f"{title} joins")
    again = day + _ALMOST_A_YEAR
    if again <= book.horizon:
        people.report_alert(
            book, account, day, again, person_name=contact.name, person_email=contact.email, move="joined",
            to_title=title, function="finance",
        )
        note = "the same arrival told again after 364 days, one of them 29 February"
        window = (again - 1, again + 1)
        book.add_case(
            "leap-year-repeat", account, "ROLE_CHANGE", "new_executive", key, window, note, "leap_year_repeat"
        )


def _plant_push(book: Book, account: Account, arrives: datetime, day: int, rng: Random, name: str, note: str) -> None:
    """A promotion that the CRM pushes so that it arrives at an instant; it is known on ``day`` and no other."""
    label = FUNCTION_LABELS[account.function]
    before, after = f"{label} Manager", f"Director of {label}"
    contact = people.add_contact(account, rng, -rng.randrange(15, 90), before, "user")
    moment = arrives - people.WEBHOOK_DELAY
    push_change(
        book, account, contact, day, rng, moment, move="title_changed", from_title=before, to_title=after
    )
    contact.record.change(day + 2, title=after)
    key = person_key(contact.email, book.pseudonym_key)
    book.add_case(name, account, "ROLE_CHANGE", "promotion", key, (day, day), note)


def plant_midnight_move(book: Book, account: Account, day: int, rng: Random) -> None:
    """A promotion known half a minute before, or after, midnight of the workspace."""
    is_late = sum(case.case_id.startswith("midnight-move") for case in book.cases) % 2 == 0
    arrives = book.period.at(day, _LATE if is_late else _EARLY)
    note = f"arrives at {arrives} UTC, {'the last' if is_late else 'the first'} half minute of the workspace's day"
    _plant_push(book, account, arrives, day, rng, "midnight-move", note)


def plant_clock_change_move(book: Book, account: Account, day: int, rng: Random) -> None:
    """A promotion at half past two of a night in which the clocks change, or at either end of that day."""
    turn = sum(case.case_id.startswith("clock-change-move") for case in book.cases)
    times = (_HALF_PAST_TWO, _LATE, _EARLY, _HALF_PAST_TWO.replace(fold=1))
    wall = times[(turn + turn // 4) % 4]  # the days come in turn, too: not always the same time on one day
    arrives = book.period.at(day, wall)
    note = f"the clocks change on this day; arrives at {wall} (fold {wall.fold}), {arrives} UTC"
    _plant_push(book, account, arrives, day, rng, "clock-change-move", note)


def plant_clock_change_seats(book: Book, account: Account, day: int, rng: Random) -> None:
    """The line is passed on the Sunday of a clock change, by two who work on Sundays."""
    before = book.period.previous_business(account.country, day - 1)
    rise(book, account, rng, before, over(account.seats) - 2)
    for _ in range(2):
        sundays = tuple(range(day, book.horizon + 1, 7))
        add_user(account, rng, account.departments[0], day - 4, days=sundays)
    note = "passes 80 % on the Sunday of a clock change, a day of 23 or 25 hours"
    book.add_case("clock-change-seats", account, "USAGE_MILESTONE", "seats", "seats", (day, day), note)


def plant_midnight_use(book: Book, account: Account, day: int, rng: Random) -> None:
    """The use that passes the line arrives at one minute to midnight, or at midnight and so the next day."""
    is_late = sum(case.case_id.startswith("midnight-use") for case in book.cases) % 2 == 1
    rise(book, account, rng, day, over(account.seats))
    for user in account.users[-2:]:
        user.arrival_minute = _MIDNIGHT if is_late else _MIDNIGHT - 1
    opens = day + is_late
    note = f"the use of {book.period.day(day)} that passes the line arrives at {'24:00' if is_late else '23:59'}"
    book.add_case("midnight-use", account, "USAGE_MILESTONE", "seats", "seats", (opens, opens), note)


def _file_pairs(book: Book, account: Account, moments: tuple[datetime, datetime], rng: Random) -> None:
    """Two people, each with one advanced topic, at both instants."""
    for person, topic in zip(requesters(account)[:2], ("api", "automation"), strict=True):
        for moment in moments:
            text = book.bank.take("tickets_advanced", _is_about(topic))
            file_ticket(book, account, book.period.number(moment.date()), person, text, rng, created=moment)


def _is_about(topic: str) -> Callable[[Text], bool]:
    return lambda text: text["topic"] == topic


def plant_midnight_tickets(book: Book, account: Account, day: int, rng: Random) -> None:
    """Two people ask before and after midnight: four questions of two days, though of one day in UTC."""
    moments = (book.period.at(day, time(23, 30)), book.period.at(day + 1, time(0, 20)))
    _file_pairs(book, account, moments, rng)
    reserve(account, day, day + 1)
    note = "requester x topic on two days of the workspace, which are one day in UTC"
    window = (day + 1, day + 1)
    book.add_case("midnight-tickets", account, "ADVANCED_TICKETS", "advanced_shift", "tickets", window, note)


def plant_one_local_day(book: Book, account: Account, day: int, rng: Random) -> None:
    """Two people ask twice on one day of the workspace, which is two days in UTC: two questions, one short."""
    moments = (book.period.at(day, time(0, 15)), book.period.at(day, time(23, 20)))
    _file_pairs(book, account, moments, rng)
    reserve(account, day, day + 1)
    note = "requester x topic twice on one day of the workspace, which is two days in UTC"
    book.add_case(
        "one-local-day", account, "ADVANCED_TICKETS", "advanced_shift", "tickets", (day - 1, day + 45), note,
        "one_local_day",
    )


KINDS = (
    Kind("leap-grace", "usage", 1, 100, plant_leap_grace, shape_new(0.45), untouched, days_of=leap_days),
    Kind("leap-seats", "usage", 1, 55, plant_leap_seats, shape_seats(0.60), days_of=leap_days),
    Kind("leap-quota", "usage", 1, 55, plant_leap_quota, shape_meter, days_of=leap_days),
    Kind("leap-team", "usage", 1, 55, plant_leap_team, shape_team, roomy, days_of=leap_days),
    Kind("leap-window", "usage", 1, 55, plant_leap_window, shape_seats(0.68), settle=40, days_of=leap_days),
    Kind("leap-year-repeat", "people", 1, 20, plant_leap_year_repeat, suits=settled, days_of=_before_leap_days),
    Kind("clock-change-move", "people", 2, 20, plant_clock_change_move, suits=settled, days_of=Period.clock_changes),
    Kind(
        "clock-change-seats", "usage", 1, 55, plant_clock_change_seats, shape_seats(0.60),
        days_of=Period.clock_changes,
    ),
    Kind("midnight-move", "people", 1, 20, plant_midnight_move, suits=settled),
    Kind("midnight-use", "usage", 1, 55, plant_midnight_use, shape_seats(0.60)),
    Kind("midnight-tickets", "support", 2, 45, plant_midnight_tickets, suits=established, settle=12),
    Kind("one-local-day", "support", 1, 45, plant_one_local_day, suits=established, settle=12),
    Kind(
        "clock-change-tickets", "support", 1, 45, plant_one_local_day, suits=established, settle=12,
        days_of=Period.clock_changes,
    ),
)
