"""Hard cases of use against the contract: limits that move at the crossing, seasons, weekends, two people of one name.

Belongs here: USAGE_MILESTONE where the obvious reading is wrong. Does not belong here: plain rises (``seats.py``,
``limits.py``), days of the calendar that are hard by themselves (``calendar.py``).
"""

from __future__ import annotations

from math import ceil, floor
from random import Random

from expansion_assets.world.accounts import change_seats
from expansion_assets.world.cases.kinds import Kind, Shape
from expansion_assets.world.cases.limits import shape_departments, shape_meter
from expansion_assets.world.cases.seats import linger, pool, rise, shape_seats
from expansion_assets.world.model import Account, Book, QuotaMonth, User
from expansion_assets.world.population import add_user

TRIGGER = "USAGE_MILESTONE"
SHARE = 0.80
_YEAR = 364  # the same weekday a year later
_SATURDAY = 5
_REGROWTH_DAYS = 70
_WATCHED_DAYS = 60


def _true(book: Book, name: str, account: Account, window: tuple[int, int], note: str, sub: str = "seats") -> None:
    book.add_case(name, account, TRIGGER, sub, sub, window, note)


def _decoy(book: Book, name: str, account: Account, window: tuple[int, int], note: str, sub: str = "seats") -> None:
    subject = "api_calls" if sub == "quota" else sub
    book.add_case(name, account, TRIGGER, sub, subject, window, note, name.replace("-", "_"))


def over(seats: int) -> int:
    """Active users that pass the threshold of a number of seats by one."""
    return ceil(SHARE * seats) + 1


def _shape_planned(pool_share: float) -> Shape:
    def shape(book: Book, account: Account, day: int) -> None:
        shape_seats(pool_share)(book, account, day)
        account.keeps_contract = True

    return shape


def plant_regrowth(book: Book, account: Account, day: int, rng: Random) -> None:
    """The line is passed, seats are added, and growth passes the new line as well."""
    first = book.period.next_business(account.country, day - _REGROWTH_DAYS)
    rise(book, account, rng, first, over(account.seats))
    _true(book, "before-regrowth", account, (first, first + 2), f"active users pass 80 % of {account.seats} seats")
    change = book.period.next_business(account.country, first + 20)
    seats = round(1.25 * account.seats)
    change_seats(account, book, change, seats)
    rise(book, account, rng, day, over(seats), ramp_days=day - change - 2)
    note = f"seats went to {seats}; users have grown since and pass 80 % of the new number, too"
    _true(book, "regrowth", account, (day, day + 2), note)


def plant_raise_on_the_day(book: Book, account: Account, day: int, rng: Random) -> None:
    """More seats come into force on the very day on which the old line would be passed."""
    rise(book, account, rng, day, over(account.seats))
    seats = round(1.4 * account.seats)
    change_seats(account, book, day, seats)
    linger(book, account, rng, day)
    note = f"seats go from {account.seats} to {seats} on the day that passes the old line"
    _decoy(book, "raise-on-the-day", account, (day - 5, day + _WATCHED_DAYS), note)


def plant_raise_and_regrowth(book: Book, account: Account, day: int, rng: Random) -> None:
    """The same, and ten weeks later growth has filled the new seats, too."""
    change = book.period.next_business(account.country, day - _REGROWTH_DAYS)
    rise(book, account, rng, change, over(account.seats))
    seats = round(1.25 * account.seats)
    change_seats(account, book, change, seats)
    note = f"seats go from {account.seats} to {seats} on the day that passes the old line; the new one falls later"
    book.add_case(
        "raise-before-regrowth", account, TRIGGER, "seats", "seats", (change - 5, day - 2), note, "raise_on_the_day"
    )
    rise(book, account, rng, day, over(seats), ramp_days=day - change - 2)
    _true(book, "raise-and-regrowth", account, (day, day + 2), f"users have grown to 80 % of {seats} seats, too")


def plant_late_signed(book: Book, account: Account, day: int, rng: Random) -> None:
    """More seats hold from the day of the crossing, and the paper comes four days after it."""
    rise(book, account, rng, day, over(account.seats))
    seats = round(1.4 * account.seats)
    change_seats(account, book, day, seats, signed=day + 4)
    note = f"as known that evening {account.seats} seats hold; that they became {seats} is known five days later"
    _true(book, "late-signed", account, (day, day + 2), note)


def _season(book: Book, account: Account, begin: int, end: int) -> tuple[int, ...]:
    """Working days of one user in a season: the first, then one a week."""
    return tuple(book.period.next_business(account.country, number) for number in range(begin, end, 7))


def _plant_seasons(book: Book, account: Account, day: int, rng: Random, target: int) -> int:
    """Lift use to ``target`` on a day and a year later, for three weeks each; returns the second day."""
    again = book.period.next_business(account.country, day + _YEAR)
    extra = target - pool(account)
    for place in range(extra):
        lead = 0 if place < 2 else 3 + 24 * place // extra  # the last two come on the day itself
        days = [*_season(book, account, day - lead, day + 21), *_season(book, account, again - lead, again + 21)]
        add_user(account, rng, account.departments[0], day - lead - 3, days=tuple(days))
    return again


def plant_yearly_season(book: Book, account: Account, day: int, rng: Random) -> None:
    """The same weeks of both years lift use to 77 % of the seats."""
    again = _plant_seasons(book, account, day, rng, floor(0.77 * account.seats))
    note = "the same weeks of both years, up to 77 % of the seats"
    _decoy(book, "yearly-season", account, (day - 30, again + _WATCHED_DAYS), note)


def plant_full_season(book: Book, account: Account, day: int, rng: Random) -> None:
    """The same weeks of both years pass the line; in between it re-arms."""
    again = _plant_seasons(book, account, day, rng, over(account.seats))
    for number, begin in enumerate((day, again), start=1):
        _true(book, "season-crossing", account, (begin, begin + 2), f"season {number} passes 80 % of {account.seats}")


def plant_yearly_quota(book: Book, account: Account, day: int, rng: Random) -> None:
    """The same month of both years is the busiest, and ends at 88 % of the limit."""
    months = book.period.months()
    place = next(place for place, (start, end) in enumerate(months) if start <= day < end)
    for start, end in (months[place], months[place + 12]):
        account.quota_peaks.append(QuotaMonth(end - 1, 0.88))
        _decoy(book, "yearly-quota", account, (start, end + 30), "the busiest month of each year: 88 %", "quota")


def plant_weekend_departments(book: Book, account: Account, day: int, rng: Random) -> None:
    """The second licensed department is there every weekend and on no working day."""
    begin = _next_saturday(book, day)
    weekend = tuple(number for week in range(begin, book.horizon, 7) for number in (week, week + 1))
    for _ in range(5):
        add_user(account, rng, account.departments[1], begin - 3, days=weekend)
    account.rotas.append((account.departments[0], 0, book.horizon))
    note = f"{account.departments[1]} works on weekends only; the rule asks for working days"
    _decoy(book, "weekend-department", account, (begin, begin + 90), note, "departments")


def _next_saturday(book: Book, day: int) -> int:
    return day + (_SATURDAY - book.period.day(day).weekday()) % 7


def plant_weekend_seats(book: Book, account: Account, day: int, rng: Random) -> None:
    """Two people who work on Saturdays only take the active users over the line, on a Saturday."""
    saturday = _next_saturday(book, day)
    before = book.period.previous_business(account.country, saturday - 1)
    rise(book, account, rng, before, over(account.seats) - 2)
    saturdays = tuple(range(saturday, book.horizon + 1, 7))
    for _ in range(2):
        add_user(account, rng, account.departments[0], saturday - 4, days=saturdays)
    note = "the last two work on Saturdays only; they are active users like others"
    _true(book, "weekend-seats", account, (saturday, saturday), note)


def _namesake_users(book: Book, account: Account, rng: Random, day: int, count: int) -> list[User]:
    """Users of whom each has the name of one who is there already, and an address of their own."""
    known = [user for user in account.users if user.kind == "employee" and user.span]
    return [
        add_user(
            account, rng, account.departments[0], day - 2, (day, book.horizon), email=account.namesake(user.email)
        )
        for user in known[:count]
    ]


def plant_namesake_seats(book: Book, account: Account, day: int, rng: Random) -> None:
    """The last three users have the names of others: counted as one each, the line would not be passed."""
    before = book.period.previous_business(account.country, day)
    rise(book, account, rng, before, over(account.seats) - 3)
    _namesake_users(book, account, rng, day, 3)
    _true(book, "namesake-seats", account, (day, day + 1), "three of the users are namesakes of other users")


def plant_second_logins(book: Book, account: Account, day: int, rng: Random) -> None:
    """People with a second login of the same mailbox: still one user each."""
    begin = book.period.next_business(account.country, day)
    known = [user for user in account.users if user.kind == "employee" and user.span]
    for user in known[: ceil(0.16 * account.seats)]:
        add_user(
            account, rng, user.department, begin - 2, (begin, book.horizon), email=user.email.upper(), has_seat=False
        )
    note = "second logins of one mailbox each would lift the count over 80 %"
    _decoy(book, "second-login", account, (day - 5, day + _WATCHED_DAYS), note)


def _two_years(account: Account) -> bool:
    return account.start < 0 and account.seats >= 30


KINDS = (
    Kind("regrowth", "usage", 1, 130, plant_regrowth, _shape_planned(0.60)),
    Kind("raise-and-regrowth", "usage", 1, 130, plant_raise_and_regrowth, _shape_planned(0.60)),
    Kind("late-signed", "usage", 1, 55, plant_late_signed, _shape_planned(0.60), settle=12),
    Kind("full-season", "usage", 1, 60, plant_full_season, _shape_planned(0.60), _two_years, settle=_YEAR + 8),
    Kind("weekend-seats", "usage", 1, 55, plant_weekend_seats, shape_seats(0.60), settle=14),
    Kind("namesake-seats", "usage", 1, 55, plant_namesake_seats, shape_seats(0.60)),
    Kind("raise-on-the-day", "usage", 1, 55, plant_raise_on_the_day, _shape_planned(0.60), settle=30),
    Kind("yearly-season", "usage", 1, 60, plant_yearly_season, shape_seats(0.60), _two_years, settle=_YEAR + 30),
    Kind("yearly-quota", "usage", 1, 50, plant_yearly_quota, shape_meter, settle=_YEAR + 35),
    Kind("weekend-department", "usage", 1, 40, plant_weekend_departments, shape_departments, _two_years, settle=30),
    Kind("second-login", "usage", 1, 40, plant_second_logins, shape_seats(0.66), settle=20),
)
