"""Hard cases of who is who: companies bought, departments reorganised, two people of one name, one person twice.

Belongs here: changes of names that only look like new teams and new people, and the new ones hidden among them.
Does not belong here: namesakes that only count as users (``contract_changes.py``).
"""

from __future__ import annotations

from random import Random

from expansion_assets.sources.identity import person_key
from expansion_assets.world import people
from expansion_assets.world.cases.cross_team import (
    add_decoy,
    needed,
    new_department,
    roomy,
    shape_licensed,
    shape_team,
    start_team,
)
from expansion_assets.world.cases.kinds import Kind
from expansion_assets.world.cases.limits import QUIET_WEEKDAYS
from expansion_assets.world.cases.role_change import push_change, settled
from expansion_assets.world.model import Account, Book, Contact
from expansion_assets.world.names import FUNCTION_LABELS, OTHER_DEPARTMENTS
from expansion_assets.world.population import add_user

_BUYERS = ("Meridian", "Castellan", "Halcyon", "Orbis", "Northlight", "Valmont", "Greywater", "Solberg", "Tarn")
_CRM_LAG, _DIRECTORY_LAG = 12, 6  # days after the mailboxes moved
_TOLD_AGAIN = 20
_WATCHED_DAYS = 90


def _free_for_all(account: Account) -> bool:
    """Free of moves of people, too: an acquisition touches users and contacts at once."""
    return roomy(account) and "people" not in account.slots


def _shape_acquired(book: Book, account: Account, day: int) -> None:
    shape_licensed(book, account, day)
    account.pool_share = 0.60  # counted twice, under both addresses, its users would fill the seats
    account.slots["people"] = "acquisition"
    if _turn(book) % 3 == 1:
        account.has_identity, account.licensed, account.restricts = False, (), False


def _turn(book: Book) -> int:
    return sum(account.slots.get("people") == "acquisition" for account in book.accounts)


def plant_acquisition(book: Book, account: Account, day: int, rng: Random) -> None:
    """The company is bought: mailboxes move on a day, the directory follows, then the CRM with name and contacts.

    In turn the directory names departments, there is none, or it names them for half of the users only.
    """
    done = sum(case.decoy_kind == "acquired_domain" for case in book.cases)
    buyer = _BUYERS[done % len(_BUYERS)]
    domain = f"{buyer.lower()}-{account.number:04d}.example"
    for place, user in enumerate(account.users):
        if user.kind != "service":
            user.addresses[day + place % 3] = f"{user.email.partition('@')[0]}@{domain}"
            user.directory_lag = _DIRECTORY_LAG
    if account.has_identity and done % 2:
        for user in account.users[::2]:
            user.department = None
    assert account.crm is not None
    told = day + _CRM_LAG
    account.crm.change(told, name=f"{buyer} {account.name.split()[-1]}", domain=domain)
    for contact in account.contacts:
        contact.record.change(told, email=f"{contact.email.partition('@')[0]}@{domain}")
    _tell_executive_again(book, account, domain, told + _TOLD_AGAIN)
    note = f"{account.name} is bought by {buyer}; its people write from {domain}"
    window = (day - 1, day + _WATCHED_DAYS)
    for trigger, sub_trigger, subject, kind in (
        ("CROSS_TEAM", "new_department", None, "acquired_domain"),
        ("USAGE_MILESTONE", "seats", "seats", "acquired_users"),
        ("ROLE_CHANGE", "new_executive", None, "acquired_executive"),
    ):
        book.add_case(kind.replace("_", "-"), account, trigger, sub_trigger, subject, window, note, kind)


def _tell_executive_again(book: Book, account: Account, domain: str, day: int) -> None:
    """A job alert takes the sponsor's new address for an arrival."""
    sponsor = account.contact("executive_sponsor")
    title = f"VP {FUNCTION_LABELS[account.function]}"
    sponsor.record.values["title"] = title
    people.report_alert(
        book, account, day - 4, day, account_domain=domain, person_name=sponsor.name,
        person_email=f"{sponsor.email.partition('@')[0]}@{domain}", move="joined", to_title=title,
        function=account.function,
    )


def plant_gradual_rename(book: Book, account: Account, day: int, rng: Random) -> None:
    """A licensed department gets another name, user by user over three weeks, and two colleagues join it."""
    old = account.departments[0]
    new = f"{old} Excellence"
    users = [user for user in account.users if user.department == old and user.kind == "employee"]
    for place, user in enumerate(users):
        user.moves[day + 21 * place // len(users)] = new
    begin = book.period.next_business(account.country, day + 24)
    for _ in range(2):
        add_user(account, rng, new, begin - 2, (begin, book.horizon), rate=0.8)
    note = f"{old} becomes {new} over three weeks; two join it afterwards"
    add_decoy(book, "gradual-rename", account, f"department:{new}", day, note)


def _shape_two_departments(book: Book, account: Account, day: int) -> None:
    shape_team(book, account, day)
    second = next((name for name in account.departments[1:]), OTHER_DEPARTMENTS[0])
    account.departments = [account.departments[0], second]
    account.licensed = tuple(account.departments)


def plant_merger(book: Book, account: Account, day: int, rng: Random) -> None:
    """Both licensed departments become one of another name."""
    new = "Shared Services"
    for user in account.users:
        if user.department in account.departments and user.kind == "employee":
            user.moves[day] = new
    note = f"{' and '.join(account.departments)} are merged into {new}"
    add_decoy(book, "department-merger", account, f"department:{new}", day, note)


def plant_mostly_new(book: Book, account: Account, day: int, rng: Random) -> None:
    """A new department that takes one user over from a licensed one: most of it is new."""
    department = new_department(account, rng)
    mover = add_user(
        account, rng, account.departments[0], account.first_use - 3,
        (book.period.next_business(account.country, account.first_use), book.horizon), rate=0.95, has_seat=False,
    )
    mover.moves[day - 25] = department
    day = start_team(book, account, rng, day, needed(account) - 1, department)
    # Regular for certain at the crossing, whatever the draw.
    mover.days = tuple(book.period.previous_business(account.country, day - back, QUIET_WEEKDAYS) for back in (0, 3))
    note = f"one of {needed(account)} users of {department} comes from {account.departments[0]}: not a rename"
    subject = f"department:{department}"
    book.add_case("mostly-new", account, "CROSS_TEAM", "new_department", subject, (day, day + 2), note)


def plant_namesake_team(book: Book, account: Account, day: int, rng: Random) -> None:
    """A new team in which two people have one name."""
    department = new_department(account, rng)
    day = start_team(book, account, rng, day, needed(account), department)
    first, second = account.users[-2:]
    second.email = account.namesake(first.email)
    note = f"{first.email} and {second.email} are two people"
    subject = f"department:{department}"
    book.add_case("namesake-team", account, "CROSS_TEAM", "new_department", subject, (day, day + 2), note)


def plant_two_logins(book: Book, account: Account, day: int, rng: Random) -> None:
    """A team one person short, in which one has two logins."""
    department = new_department(account, rng)
    day = start_team(book, account, rng, day, needed(account), department)
    first, second = account.users[-2:]
    second.email = first.email
    note = f"one of {needed(account)} users of {department} is another's second login"
    add_decoy(book, "two-logins", account, f"department:{department}", day, note)


def plant_weekend_team(book: Book, account: Account, day: int, rng: Random) -> None:
    """A new team that works on weekends only: its second day is a Sunday."""
    department = new_department(account, rng)
    sunday = day + (6 - book.period.day(day).weekday()) % 7
    weekends = tuple(number for week in range(sunday, book.horizon + 1, 7) for number in (week - 1, week))
    for _ in range(needed(account)):
        add_user(account, rng, department, sunday - 5, days=weekends, has_seat=False)
    note = f"{department} uses the product on Saturdays and Sundays only"
    subject = f"department:{department}"
    book.add_case("weekend-team", account, "CROSS_TEAM", "new_department", subject, (sunday, sunday), note)


def _namesake_contact(
    book: Book, account: Account, rng: Random, day: int, of: Contact, title: str, function: str | None = None
) -> Contact:
    person = (of.name, account.namesake(of.email))
    contact = people.add_contact(account, rng, day, title, "user", function, person)
    push_change(book, account, contact, day, rng, move="joined", to_title=title)
    return contact


def plant_namesake_executives(book: Book, account: Account, day: int, rng: Random) -> None:
    """Two executives of one name join six weeks apart: two arrivals."""
    label = FUNCTION_LABELS[account.function]
    later = book.period.next_business(account.country, day + 42)
    title = "Chief Financial Officer"
    first = people.add_contact(account, rng, day, title, "user", "finance")
    push_change(book, account, first, day, rng, move="joined", to_title=title)
    second = _namesake_contact(book, account, rng, later, first, f"Vice President {label}")
    for contact, opens in ((first, day), (second, later)):
        key = person_key(contact.email, book.pseudonym_key)
        note = f"{contact.record.values['title']} joins; another executive has the same name"
        book.add_case(
            "namesake-executive", account, "ROLE_CHANGE", "new_executive", key, (opens, opens + 1), note
        )


def plant_namesake_promotion(book: Book, account: Account, day: int, rng: Random) -> None:
    """A director joins who has the name of a manager; a job alert without address tells it, too."""
    label = FUNCTION_LABELS[account.function]
    manager = people.add_contact(account, rng, -rng.randrange(15, 90), f"{label} Manager", "user")
    title = f"Director of {label}"
    director = _namesake_contact(book, account, rng, day, manager, title)
    people.report_alert(
        book, account, day - 1, day + 6, person_name=director.name, move="joined", to_title=title,
        function=account.function,
    )
    note = f"{title} joins and has the name of the {label} Manager, who stays: nobody was promoted"
    window = (day - 1, day + 60)
    book.add_case(
        "namesake-promotion", account, "ROLE_CHANGE", "promotion", None, window, note, "namesake_promotion"
    )


def plant_namesake_leaver(book: Book, account: Account, day: int, rng: Random) -> None:
    """An analyst with the champion's name leaves; a job alert without address tells it, too."""
    champion = account.contact("champion")
    title = f"{FUNCTION_LABELS[account.function]} Analyst"
    person = (champion.name, account.namesake(champion.email))
    analyst = people.add_contact(account, rng, -rng.randrange(15, 90), title, "user", None, person)
    analyst.record.change(day, status="left")
    people.report_alert(
        book, account, day, day + 5, person_name=analyst.name, move="left", from_title=title,
        function=account.function,
    )
    note = f"{title} {analyst.name} leaves; the champion has the same name and stays"
    window = (day - 1, day + 60)
    book.add_case("namesake-leaver", account, "ROLE_CHANGE", "champion_left", None, window, note, "namesake_leaver")


KINDS = (
    Kind("acquisition", "usage", 2, 60, plant_acquisition, _shape_acquired, _free_for_all, settle=45),
    Kind("gradual-rename", "usage", 1, 40, plant_gradual_rename, shape_licensed, roomy, settle=40),
    Kind("merger", "usage", 1, 40, plant_merger, _shape_two_departments, roomy, settle=20),
    Kind("mostly-new", "usage", 1, 60, plant_mostly_new, shape_licensed, roomy),
    Kind("namesake-team", "usage", 1, 40, plant_namesake_team, shape_team, roomy),
    Kind("two-logins", "usage", 1, 40, plant_two_logins, shape_team, roomy, settle=20),
    Kind("weekend-team", "usage", 1, 40, plant_weekend_team, shape_team, roomy, settle=14),
    Kind("namesake-executives", "people", 1, 20, plant_namesake_executives, suits=settled, settle=50),
    Kind("namesake-promotion", "people", 1, 20, plant_namesake_promotion, suits=settled, settle=20),
    Kind("namesake-leaver", "people", 1, 20, plant_namesake_leaver, suits=settled, settle=20),
)
