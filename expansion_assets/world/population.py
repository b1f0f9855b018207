"""Users of an account: who has a login, in which department, with which seat.

Belongs here: the ordinary population and its export (product users, seats, directory).
Does not belong here: use (``usage.py``), users that a case adds (``cases/``).
"""

from __future__ import annotations

from random import Random
from typing import Any

from expansion_assets.world.model import Account, Book, User

Row = dict[str, Any]
_DIRECTORY_ROLES = ("Analyst", "Coordinator", "Specialist", "Clerk", "Planner")
_TOUCH_EVERY_DAYS = 10  # well inside the contract's 35 days of freshness


def add_user(
    account: Account,
    rng: Random,
    department: str | None,
    since: int,
    span: tuple[int, int] | None = None,
    *,
    kind: str = "employee",
    days: tuple[int, ...] = (),
    rate: float | None = None,
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4),
    has_seat: bool = True,
    domain: str | None = None,
    email: str | None = None,
    arrival_lag: int = 0,
) -> User:
    """Give the account one more user, provisioned on ``since``."""
    if email is None and kind == "service":
        email = f"svc-{account.sequence('svc').rpartition('-')[2]}@{account.domain}"
    elif email is None:
        _, email = account.person(rng, domain)
    user = User(
        user_id=account.sequence("USR"),
        email=email,
        department=department,
        since=since,
        kind=kind,
        span=span,
        days=days,
        rate=rng.choice((0.18, 0.45, 0.45, 0.8)) if rate is None else rate,
        weekdays=weekdays,
        arrival_lag=arrival_lag,
        seat_from=since if has_seat and kind == "employee" else None,
    )
    account.users.append(user)
    return user


def populate(account: Account, book: Book) -> None:
    """Add the ordinary population: regular users, idle seat holders, a service account here and there.

    Regular users stay within ``pool_share`` of the seats on every day; a second licensed department has at most two,
    so that it never counts as saturated; every department is used in the account's first three days.
    """
    rng = book.streams.random("population", account.number)
    period, first, last = book.period, account.first_use, book.horizon
    if account.churn_day is not None:
        last = account.churn_day - 6
    pool = max(4, round(account.pool_share * account.seats))
    small = [name for name in account.departments[1:] for _ in range(2)][: pool // 2]
    places = small + [account.departments[0]] * (pool - len(small))
    is_new = account.start >= 0
    for place, department in enumerate(places):
        is_first = department not in places[:place]
        delay = 0 if is_first else rng.randrange(1, 16 if is_new else 9)
        begin = period.next_business(account.country, first + delay)
        since = min(begin - 1, first - 2 if not is_new else begin - rng.randrange(1, 4))
        user = add_user(account, rng, department, since, (begin, last))
        turnover = 0.12 * period.length / 365
        if not (account.is_steady or is_first or is_new) and rng.random() < turnover:
            _replace(account, book, user, rng)
    for _ in range(round(account.idle_share * account.seats)):
        add_user(account, rng, account.departments[0], first - rng.randrange(2, 6))
    if rng.random() < 0.35:
        begin = period.next_business(account.country, first)
        add_user(account, rng, None, first - 2, (begin, last), kind="service", rate=0.9)
    if rng.random() < 0.3:
        begin = period.next_business(account.country, first + rng.randrange(0, 30))
        if begin < last:
            add_user(account, rng, None, begin - 1, (begin, last), kind="contractor", rate=0.3)


def _replace(account: Account, book: Book, user: User, rng: Random) -> None:
    """Let a user leave and a colleague start five weeks later, so that both never count in one 28-day window."""
    assert user.span is not None
    begin, last = user.span
    gone = rng.randrange(begin + 20, max(begin + 21, last - 60))
    follow = book.period.next_business(account.country, gone + 35)
    if follow < last - 5:
        user.span, user.seat_until = (begin, gone), gone + 2
        add_user(account, rng, user.department, follow - rng.randrange(1, 5), (follow, last))


def export(account: Account, book: Book) -> None:
    """Write product users, seat assignments and the directory."""
    period = book.period
    rng = book.streams.random("directory", account.number)
    for user in account.users:
        created = period.working_moment(account.country, user.since, rng)
        row = {
            "user_id": user.user_id,
            "account_id": account.account_id,
            "email": user.email,
            "user_kind": user.kind,
            "role": user.role,
            "created_at": created,
            "updated_at": created,
        }
        book.landing.add("product_users", period.evening(user.since), row)
        for day, email in sorted(user.addresses.items()):
            changed = row | {"email": email, "updated_at": period.working_moment(account.country, day, rng)}
            book.landing.add("product_users", period.evening(day), changed)
        if user.seat_from is not None:
            seat = {
                "assignment_id": f"SEAT-{user.user_id}",
                "account_id": account.account_id,
                "user_id": user.user_id,
                "assigned_on": period.day(user.seat_from),
                "released_on": None,
                "updated_at": period.working_moment(account.country, user.seat_from, rng),
            }
            book.landing.add("product_seat_assignments", period.evening(user.seat_from), seat)
            if user.seat_until is not None:
                released = period.working_moment(account.country, user.seat_until, rng)
                seat = seat | {"released_on": period.day(user.seat_until), "updated_at": released}
                book.landing.add("product_seat_assignments", period.evening(user.seat_until), seat)
        if account.has_identity and user.kind != "service":
            _export_directory(account, book, user, rng)


def _export_directory(account: Account, book: Book, user: User, rng: Random) -> None:
    period = book.period
    provisioned = period.working_moment(account.country, user.since, rng)
    row = {
        "subject_id": f"DIR-{user.user_id}",
        "account_id": account.account_id,
        "email": user.email,
        "department": user.department,
        "role": rng.choice(_DIRECTORY_ROLES),
        "provisioned_at": provisioned,
        "updated_at": provisioned,
    }
    book.landing.add("identity_directory", period.nightly(user.since), row)
    changes: dict[int, Row] = {day: {"department": department} for day, department in user.moves.items()}
    for day, email in user.addresses.items():
        changes.setdefault(day + user.directory_lag, {})["email"] = email
    for day, change in sorted(changes.items()):
        row = row | change | {"updated_at": period.working_moment(account.country, day, rng)}
        book.landing.add("identity_directory", period.nightly(day), row)


def touch(book: Book) -> None:
    """Re-export one user and directory subject every ten days, so that neither source looks stale in a quiet month."""
    period = book.period
    rng = book.streams.random("touch")
    settled = [
        (account, user)
        for account in book.accounts
        if account.start < 0 and account.has_identity
        for user in account.users
        if user.kind == "employee" and user.since < 0 and not (user.moves or user.addresses)
    ]
    for number in range(_TOUCH_EVERY_DAYS, period.length, _TOUCH_EVERY_DAYS):
        account, user = rng.choice(settled)
        moment = period.working_moment(account.country, number, rng)
        created = period.working_moment(account.country, user.since, rng)
        row = {
            "user_id": user.user_id,
            "account_id": account.account_id,
            "email": user.email,
            "user_kind": user.kind,
            "role": "approver",
            "created_at": created,
            "updated_at": moment,
        }
        book.landing.add("product_users", period.evening(number), row)
        subject = {
            "subject_id": f"DIR-{user.user_id}",
            "account_id": account.account_id,
            "email": user.email,
            "department": user.department,
            "role": "Team Coordinator",
            "provisioned_at": created,
            "updated_at": moment,
        }
        book.landing.add("identity_directory", period.nightly(number), subject)
