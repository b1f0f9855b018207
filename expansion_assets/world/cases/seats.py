"""Seat cases: use that reaches the contracted seats, and rises that must not count.

Belongs here: seats, seats_full, assigned seats, grace, fleet release and their decoys.
Does not belong here: meters and saturated departments (``limits.py``).
The number of users active in 28 days is planned exactly: it passes a threshold by one user or more, never by equality.
"""

from __future__ import annotations

from math import ceil, floor
from random import Random

from expansion_assets.world.accounts import change_seats
from expansion_assets.world.cases.kinds import Kind, Plant, Shape, spaced_starts, untouched
from expansion_assets.world.model import Account, Book
from expansion_assets.world.population import add_user

_TRIGGER = "USAGE_MILESTONE"
_SHARE = 0.80
_GRACE_DAYS = 90
_RAMP_DAYS = 42


def pool(account: Account) -> int:
    """Employees with a span of use: the users active in any 28 days of it."""
    return sum(user.kind == "employee" and user.span is not None for user in account.users)


def shape_seats(pool_share: float, idle_share: float = 0.05) -> Shape:
    """A steady account whose users fill a share of its seats."""
    def shape(book: Book, account: Account, day: int) -> None:
        account.is_steady = True
        account.pool_share, account.idle_share = pool_share, idle_share
        account.departments = account.departments[:2]
        account.licensed = account.licensed[:2]

    return shape


def join(
    book: Book,
    account: Account,
    rng: Random,
    days: list[int],
    last: int | None = None,
    kind: str = "employee",
) -> None:
    """Add a user for each day, active from it to ``last`` (the world's end)."""
    for day in days:
        since = day - rng.randrange(1, 4)
        span = (day, book.horizon if last is None else last)
        add_user(
            account,
            rng,
            account.departments[0],
            since,
            span,
            kind=kind,
            rate=0.9 if kind == "service" else None,
        )


def rise(
    book: Book, account: Account, rng: Random, day: int, target: int, ramp_days: int = _RAMP_DAYS
) -> None:
    """Bring the active users to ``target`` on ``day``: one below the threshold before, the last two on the day."""
    ramp = target - pool(account) - 2
    join(book, account, rng, spaced_starts(book.period, account.country, day - ramp_days, day, ramp))
    join(book, account, rng, [day, day])


def linger(book: Book, account: Account, rng: Random, day: int) -> None:
    """A few more join after the crossing, so that the level stays over the line."""
    more = max(1, round(0.03 * account.seats))
    join(
        book,
        account,
        rng,
        [
            begin
            for begin in spaced_starts(book.period, account.country, day + 5, day + 35, more)
            if begin < book.horizon
        ],
    )


def plant_seats(book: Book, account: Account, day: int, rng: Random) -> None:
    """Active users pass 80 % of the seats on ``day``."""
    rise(book, account, rng, day, ceil(_SHARE * account.seats) + 1)
    linger(book, account, rng, day)
    note = f"active users pass 80 % of {account.seats} seats"
    book.add_case("seats", account, _TRIGGER, "seats", "seats", (day, day + 2), note)


def plant_seats_full(book: Book, account: Account, day: int, rng: Random) -> None:
    """Active users pass 80 %, and five weeks later 100 % of the seats."""
    first = book.period.next_business(account.country, day - 35)
    rise(book, account, rng, first, ceil(_SHARE * account.seats) + 1)
    rise(book, account, rng, day, account.seats + 1, ramp_days=day - first - 2)
    note = f"active users pass 80 % of {account.seats} seats on the way to all of them"
    book.add_case("seats-before-full", account, _TRIGGER, "seats", "seats", (first, first + 2), note)
    note = f"active users pass all {account.seats} seats"
    book.add_case("seats-full", account, _TRIGGER, "seats_full", "seats", (day, day + 2), note)


def _provision(account: Account, rng: Random, day: int, target: int) -> None:
    held = sum(user.seat_from is not None for user in account.users)
    for _ in range(target - held):
        add_user(account, rng, account.departments[0], day)


def plant_assigned(book: Book, account: Account, day: int, rng: Random) -> None:
    """A bulk provisioning takes the assigned seats to 95 % while more than 60 % of them are in use."""
    _provision(account, rng, day, min(ceil(0.95 * account.seats) + 1, account.seats))
    note = f"95 % of {account.seats} seats assigned, over 60 % of those active"
    book.add_case("seats-assigned", account, _TRIGGER, "seats", "seats", (day, day + 2), note)


def shape_new(pool_share: float) -> Shape:
    """A customer whose 90 days of grace end on the day of the case."""
    def shape(book: Book, account: Account, day: int) -> None:
        shape_seats(pool_share)(book, account, day)
        account.start, account.meter, account.modules = day - _GRACE_DAYS, None, account.modules[:1]

    return shape


def plant_grace_end(book: Book, account: Account, day: int, rng: Random) -> None:
    """A new customer passes 80 % in the grace period and is still there when it ends."""
    crossing = book.period.next_business(account.country, account.start + 55)
    rise(book, account, rng, crossing, ceil(_SHARE * account.seats) + 1)
    linger(book, account, rng, crossing)
    note = f"passes 80 % on {book.period.day(crossing)}, inside grace; fires when grace ends"
    book.add_case("grace-end", account, _TRIGGER, "seats", "seats", (day, day + 1), note)


def plant_grace_fallback(book: Book, account: Account, day: int, rng: Random) -> None:
    """A new customer passes 80 % in the grace period and falls back before day 90."""
    crossing = book.period.next_business(account.country, account.start + 32)
    target = ceil(_SHARE * account.seats) + 1
    starts = spaced_starts(book.period, account.country, crossing - 16, crossing, target - pool(account) - 2)
    join(book, account, rng, [*starts, crossing, crossing], last=account.start + 50)
    note = "pilot crowd: passes 80 % in the first 90 days, below again before day 90"
    window = (account.start, account.start + 130)
    book.add_case("grace-fallback", account, _TRIGGER, "seats", "seats", window, note, "grace_fallback")


def plant_seasonal(book: Book, account: Account, day: int, rng: Random) -> None:
    """A season lifts use to three quarters of the seats and lets it go again."""
    extra = floor(0.76 * account.seats) - pool(account)
    starts = spaced_starts(book.period, account.country, day - 30, day, extra)
    join(book, account, rng, starts, last=min(day + 25, book.horizon))
    note = "seasonal rise that stops at 76 % of the seats"
    book.add_case(
        "seasonal", account, _TRIGGER, "seats", "seats", (day - 30, day + 60), note, "seasonal_peak"
    )


def _plant_excluded(name: str, kinds: tuple[str, ...], decoy_kind: str) -> Plant:
    def plant(book: Book, account: Account, day: int, rng: Random) -> None:
        for place in range(ceil(0.14 * account.seats)):
            join(book, account, rng, [day], kind=kinds[place % len(kinds)])
        note = f"{' and '.join(kinds)} users would lift the count over 80 %"
        book.add_case(name, account, _TRIGGER, "seats", "seats", (day - 5, day + 60), note, decoy_kind)

    return plant


def plant_late_rows(book: Book, account: Account, day: int, rng: Random) -> None:
    """Use of one week that arrives more than 28 days later and so never counts."""
    days = [day]
    for _ in range(2):
        days.append(book.period.next_business(account.country, days[-1] + 1))
    for _ in range(ceil(0.14 * account.seats)):
        add_user(
            account,
            rng,
            account.departments[0],
            day - 20,
            days=tuple(days),
            arrival_lag=rng.randrange(29, 36),
        )
    note = "counted on the days of use the line would be passed; the rows arrive five weeks later"
    book.add_case("late-rows", account, _TRIGGER, "seats", "seats", (day - 5, day + 60), note, "late_rows")


def plant_upgrade(book: Book, account: Account, day: int, rng: Random) -> None:
    """More seats come into force just before the growth would pass the old line."""
    before = book.period.previous_business(account.country, day - 1)
    rise(book, account, rng, before, ceil(_SHARE * account.seats) - 1)
    old, new = account.seats, round(account.seats * 1.5)
    change_seats(account, book, day, new)
    join(
        book, account, rng, spaced_starts(book.period, account.country, day + 1, day + 25, round(0.1 * old))
    )
    note = f"seats go from {old} to {new} on the day the growth would have passed 80 %"
    book.add_case(
        "upgrade", account, _TRIGGER, "seats", "seats", (day - 5, day + 60), note, "contract_upgrade"
    )


def plant_cut(book: Book, account: Account, day: int, rng: Random) -> None:
    """Fewer seats make the share jump without one more user."""
    old, new = account.seats, floor(pool(account) / 0.85)
    change_seats(account, book, day, new)
    note = f"seats cut from {old} to {new}: the share jumps to 85 % with no user more"
    book.add_case("seat-cut", account, _TRIGGER, "seats", "seats", (day - 5, day + 60), note, "seat_cut")


def plant_assigned_idle(book: Book, account: Account, day: int, rng: Random) -> None:
    """Nearly all seats assigned, barely half of them in use."""
    _provision(account, rng, day, min(ceil(0.95 * account.seats) + 1, account.seats))
    note = "95 % of the seats assigned, under 60 % of those active"
    book.add_case(
        "assigned-idle", account, _TRIGGER, "seats", "seats", (day - 5, day + 60), note, "assigned_idle"
    )


def plant_fleet(book: Book, account: Account, day: int, rng: Random) -> None:
    """A release draws idle seat holders into the product for a week, in a tenth of the book on one day."""
    target = ceil(_SHARE * account.seats) + 1
    for _ in range(target - pool(account)):
        days = [day]
        for _ in range(rng.randrange(1, 4)):
            days.append(book.period.next_business(account.country, days[-1] + 1))
        add_user(account, rng, account.departments[0], account.first_use - 3, days=tuple(days))
    note = "the release lifts a tenth of the book over 80 % on one day: recorded, no card"
    book.add_case("fleet", account, _TRIGGER, "seats", "seats", (day - 1, day + 40), note, "fleet_release")


KINDS = (
    Kind("seats", "usage", 4, 55, plant_seats, shape_seats(0.60)),
    Kind("seats-assigned", "usage", 2, 35, plant_assigned, shape_seats(0.70, 0.08)),
    Kind("seats-full", "usage", 2, 95, plant_seats_full, shape_seats(0.60, 0.02)),
    Kind("grace-end", "usage", 2, 100, plant_grace_end, shape_new(0.45), untouched),
)
DECOYS = (
    Kind("seasonal", "usage", 1, 45, plant_seasonal, shape_seats(0.58), settle=40),
    Kind("grace-fallback", "usage", 1, 95, plant_grace_fallback, shape_new(0.45), untouched),
    Kind("late-rows", "usage", 1, 40, plant_late_rows, shape_seats(0.70), settle=45),
    Kind(
        "service-accounts",
        "usage",
        1,
        30,
        _plant_excluded("service-accounts", ("service",), "service_accounts"),
        shape_seats(0.71),
        settle=20,
    ),
    Kind("upgrade", "usage", 1, 60, plant_upgrade, shape_seats(0.58), settle=30),
    Kind(
        "internal-users",
        "usage",
        1,
        30,
        _plant_excluded("internal-users", ("internal", "vendor", "contractor"), "internal_users"),
        shape_seats(0.71),
        settle=20,
    ),
    Kind("seat-cut", "usage", 1, 45, plant_cut, shape_seats(0.55, 0.02), settle=20),
    Kind("assigned-idle", "usage", 1, 35, plant_assigned_idle, shape_seats(0.50, 0.20), settle=20),
    Kind("fleet", "usage", 1, 45, plant_fleet, shape_seats(0.67, 0.04), settle=15, on_day="release"),
)
