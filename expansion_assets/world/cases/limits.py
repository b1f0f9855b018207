"""Metered limits and saturated departments, true and not.

Belongs here: the quota and departments sub-triggers. Does not belong here: seats (``seats.py``), ordinary meter days.
"""

from __future__ import annotations

from random import Random

from expansion_assets.world.cases.kinds import Kind
from expansion_assets.world.model import Account, Book, QuotaMonth
from expansion_assets.world.names import OTHER_DEPARTMENTS
from expansion_assets.world.population import add_user

_TRIGGER = "USAGE_MILESTONE"
QUIET_WEEKDAYS = (
    0,
    1,
    3,
)  # a team that never works Wednesdays and Fridays is never there five working days running


def shape_meter(book: Book, account: Account, day: int) -> None:
    """A steady account with a metered limit."""
    account.meter = "api_calls"
    account.is_steady = True
    if "Connect" not in account.modules:
        account.modules = (*account.modules, "Connect")


def _day_in_month(book: Book, account: Account, day: int) -> int:
    """A working day between the 15th and the 25th: late enough to be a rise, early enough to matter."""
    in_month = book.period.day(day).day
    return book.period.next_business(account.country, day + max(15 - in_month, 0) - max(in_month - 22, 0))


def plant_quota(book: Book, account: Account, day: int, rng: Random) -> None:
    """Consumption passes 90 % of the month's limit on a day in the second half of the month."""
    day = _day_in_month(book, account, day)
    account.quota_peaks.append(QuotaMonth(day, 0.905))
    note = f"api_calls pass 90 % of {account.meter_limit} a month"
    book.add_case("quota", account, _TRIGGER, "quota", "api_calls", (day, day + 1), note)


def plant_quota_peak(book: Book, account: Account, day: int, rng: Random) -> None:
    """A busy month that ends at 87 % of the limit."""
    first = book.period.number(book.month_start(day))
    last = next(end for start, end in book.period.months() if start == first) - 1
    account.quota_peaks.append(QuotaMonth(last, 0.87))
    note = "the busiest month ends at 87 % of the limit"
    book.add_case(
        "quota-peak", account, _TRIGGER, "quota", "api_calls", (first, last + 30), note, "quota_peak"
    )


def shape_departments(book: Book, account: Account, day: int) -> None:
    """A steady account whose licence names two departments."""
    account.is_steady = True
    account.pool_share, account.idle_share = 0.5, 0.1
    main = account.departments[0]
    second = next((name for name in account.departments[1:]), OTHER_DEPARTMENTS[0])
    account.departments = [main, second]
    account.licensed = (main, second)


def plant_departments(book: Book, account: Account, day: int, rng: Random) -> None:
    """Both licensed departments work in the product on each of five working days running."""
    begin = day
    for _ in range(4):
        begin = book.period.previous_business(account.country, begin)
    for _ in range(4):
        add_user(
            account, rng, account.departments[1], begin - rng.randrange(1, 4), (begin, book.horizon), rate=0.8
        )
    account.rotas += [(name, begin, book.horizon) for name in account.departments]
    note = f"{' and '.join(account.licensed)} each have three core users on five working days running"
    book.add_case("departments", account, _TRIGGER, "departments", "departments", (day, day + 1), note)


def plant_gap_days(book: Book, account: Account, day: int, rng: Random) -> None:
    """The second department is busy, but never on Wednesdays and Fridays."""
    begin = book.period.next_business(account.country, day, QUIET_WEEKDAYS)
    for user in account.users:
        if user.department == account.departments[1]:
            user.weekdays = QUIET_WEEKDAYS
    for _ in range(4):
        add_user(
            account,
            rng,
            account.departments[1],
            begin - 2,
            (begin, book.horizon),
            rate=0.8,
            weekdays=QUIET_WEEKDAYS,
        )
    account.rotas.append((account.departments[0], 0, book.horizon))
    note = "the second licensed department is busy three days a week only"
    window = (begin, begin + 90)
    book.add_case("gap-days", account, _TRIGGER, "departments", "departments", window, note, "gap_days")


KINDS = (
    Kind("quota", "usage", 3, 48, plant_quota, shape_meter, settle=16),
    Kind(
        "departments",
        "usage",
        2,
        30,
        plant_departments,
        shape_departments,
        lambda a: a.start < 0 and a.seats >= 30,
    ),
)
DECOYS = (
    Kind("quota-peak", "usage", 1, 40, plant_quota_peak, shape_meter, settle=35),
    Kind(
        "gap-days",
        "usage",
        1,
        30,
        plant_gap_days,
        shape_departments,
        lambda a: a.start < 0 and a.seats >= 30,
        settle=20,
    ),
)
