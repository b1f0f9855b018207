"""Teams outside the scope that start to use the product, and groups that only look like it.

Belongs here: CROSS_TEAM. Does not belong here: licensed departments that saturate (``limits.py``).
"""

from __future__ import annotations

from random import Random

from expansion_assets.world.cases.kinds import Kind, untouched
from expansion_assets.world.cases.limits import QUIET_WEEKDAYS
from expansion_assets.world.model import Account, Book
from expansion_assets.world.names import NEW_DEPARTMENTS, ascii_name
from expansion_assets.world.population import add_user

_TRIGGER = "CROSS_TEAM"
_SUB_TRIGGER = "new_department"
_MIN_USERS = {"enterprise": 5}  # catalogue/segments.yml; three elsewhere
_WATCHED_DAYS = 60


def roomy(account: Account) -> bool:
    """A settled account with seats enough for one more team."""
    return account.start < 0 and account.seats >= 34


def _roomy_and_untouched(account: Account) -> bool:
    return roomy(account) and untouched(account)


def shape_team(book: Book, account: Account, day: int) -> None:
    """A steady account with at most two departments and free seats."""
    account.is_steady = True
    account.pool_share, account.idle_share = 0.45, 0.15
    account.licensed = account.licensed[:2]
    account.departments = account.departments[:2]


def shape_licensed(book: Book, account: Account, day: int) -> None:
    """The same with one department, which the licence names."""
    shape_team(book, account, day)
    account.departments = account.departments[:1]
    account.licensed = (account.departments[0],)


def needed(account: Account) -> int:
    """Users that make a team."""
    return _MIN_USERS.get(account.segment, 3)


def new_department(account: Account, rng: Random) -> str:
    """A department that the account does not have yet."""
    return rng.choice([name for name in NEW_DEPARTMENTS if name not in account.departments])


def start_team(
    book: Book,
    account: Account,
    rng: Random,
    day: int,
    size: int,
    department: str | None,
    domain: str | None = None,
) -> int:
    """Let a team begin: the user that completes the group has the second day of use on the returned day."""
    period, country = book.period, account.country
    day = period.next_business(country, day, QUIET_WEEKDAYS)
    before = [day]
    for _ in range(3):
        before.append(period.previous_business(country, before[-1], QUIET_WEEKDAYS))
    for place in range(size):
        days = (before[3 - place % 2], before[1]) if place < size - 1 else (before[2], day)
        regular = period.next_business(country, day + 1 + place, QUIET_WEEKDAYS)
        span = (regular, book.horizon) if regular <= book.horizon else None
        add_user(
            account,
            rng,
            department,
            before[3] - rng.randrange(2, 9),
            span,
            days=days,
            rate=0.5,
            weekdays=QUIET_WEEKDAYS,
            has_seat=False,
            domain=domain,
        )
    return day


def plant_department(book: Book, account: Account, day: int, rng: Random) -> None:
    """A department outside the scope reaches the needed number of users."""
    department = new_department(account, rng)
    day = start_team(book, account, rng, day, needed(account), department)
    scope = "named by the licence" if account.licensed else "of the first 14 days"
    note = f"{needed(account)} users of {department}, outside the scope {scope}, each on two days"
    window = (day, day + 2)
    book.add_case(
        "cross-department", account, _TRIGGER, _SUB_TRIGGER, f"department:{department}", window, note
    )


def plant_domain(book: Book, account: Account, day: int, rng: Random) -> None:
    """Users of a sister company, known by their e-mail domain alone."""
    domain = f"{ascii_name(account.name.split()[0])}-services.example"
    day = start_team(book, account, rng, day, needed(account), None, domain)
    note = f"users of the sister company {domain}, without a department"
    book.add_case("cross-domain", account, _TRIGGER, _SUB_TRIGGER, f"domain:{domain}", (day, day + 2), note)


def add_decoy(book: Book, name: str, account: Account, subject: str, day: int, note: str) -> None:
    """Write a team that must not fire into the answer key."""
    window = (day - 20, day + _WATCHED_DAYS)
    book.add_case(name, account, _TRIGGER, _SUB_TRIGGER, subject, window, note, name.replace("-", "_"))


def plant_rename(book: Book, account: Account, day: int, rng: Random) -> None:
    """The licensed department gets another name in the directory."""
    old = account.departments[0]
    new = f"{old} and Process Office"
    for user in account.users:
        if user.department == old:
            user.moves[day] = new
    add_decoy(
        book,
        "department-rename",
        account,
        f"department:{new}",
        day,
        f"{old} is renamed; all its users move at once",
    )


def plant_below_minimum(book: Book, account: Account, day: int, rng: Random) -> None:
    """One user fewer than needed, working regularly."""
    department = new_department(account, rng)
    size = needed(account) - 1
    start_team(book, account, rng, day, size, department)
    add_decoy(
        book, "too-few-users", account, f"department:{department}", day, f"only {size} users of {department}"
    )


def plant_visitors(book: Book, account: Account, day: int, rng: Random) -> None:
    """Many people of a new department, each for one day."""
    department = new_department(account, rng)
    visit = day
    for _ in range(6):
        visit = book.period.next_business(account.country, visit + 1)
        add_user(account, rng, department, day - 10, days=(visit,), has_seat=False)
    add_decoy(book, "one-day-visitors", account, f"department:{department}", day, "six visitors, one day each")


def plant_contractors(book: Book, account: Account, day: int, rng: Random) -> None:
    """A contracted team in a department outside the scope."""
    department = new_department(account, rng)
    begin = book.period.next_business(account.country, day)
    for _ in range(needed(account) + 1):
        add_user(account, rng, department, begin - 3, (begin, book.horizon), kind="contractor", rate=0.6)
    add_decoy(book, "contractors", account, f"department:{department}", day, "the new team are contractors")


def plant_licensed(book: Book, account: Account, day: int, rng: Random) -> None:
    """A department that the licence names starts late."""
    department = account.licensed[-1]
    start_team(book, account, rng, day, needed(account), department)
    add_decoy(
        book, "inside-licence", account, f"department:{department}", day, "the licence names the department"
    )


def _shape_late_department(book: Book, account: Account, day: int) -> None:
    shape_licensed(book, account, day)
    account.licensed = (
        *account.licensed,
        next(name for name in NEW_DEPARTMENTS if name not in account.departments),
    )


def _shape_new(book: Book, account: Account, day: int) -> None:
    shape_team(book, account, day)
    account.departments, account.licensed, account.restricts = account.departments[:1], (), False
    account.start, account.meter = day - 9, None


def plant_first_days(book: Book, account: Account, day: int, rng: Random) -> None:
    """No licence names departments; the second one begins inside the first 14 days and so is scope."""
    department = new_department(account, rng)
    start_team(book, account, rng, account.start + 10, needed(account), department)
    note = "the department starts within 14 days of the first paid day"
    add_decoy(book, "first-days", account, f"department:{department}", day, note)


KINDS = (
    Kind("cross-department", "usage", 8, 32, plant_department, shape_team, roomy),
    Kind("cross-domain", "usage", 1, 32, plant_domain, shape_licensed, roomy),
)
DECOYS = (
    Kind(
        "too-few-for-enterprise",
        "usage",
        1,
        32,
        plant_below_minimum,
        shape_licensed,
        lambda account: roomy(account) and account.segment == "enterprise",
        settle=20,
    ),
    Kind("department-rename", "usage", 1, 40, plant_rename, shape_licensed, roomy, settle=20),
    Kind("too-few-users", "usage", 1, 32, plant_below_minimum, shape_team, roomy, settle=20),
    Kind("contractors", "usage", 1, 32, plant_contractors, shape_team, roomy, settle=20),
    Kind("one-day-visitors", "usage", 1, 32, plant_visitors, shape_team, roomy, settle=20),
    Kind("inside-licence", "usage", 1, 32, plant_licensed, _shape_late_department, roomy, settle=20),
    Kind("first-days", "usage", 1, 60, plant_first_days, _shape_new, _roomy_and_untouched, settle=40),
)
