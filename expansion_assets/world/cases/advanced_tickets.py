"""Support questions that turn to building, and runs of tickets that must not count.

Belongs here: ADVANCED_TICKETS and the outage. Does not belong here: ordinary tickets (``tickets.py``).
"""

from __future__ import annotations

from random import Random

from expansion_assets.world.cases.kinds import Kind
from expansion_assets.world.model import Account, Book
from expansion_assets.world.tickets import file_ticket, requesters

_TRIGGER = "ADVANCED_TICKETS"
_SUB_TRIGGER = "advanced_shift"
_WINDOW_DAYS = 30
_WATCHED_DAYS = 45


def established(account: Account) -> bool:
    """A customer from before the world to its end, on which no other text case stands."""
    return (
        account.start < 0
        and account.churn_day is None
        and not account.is_reserved
        and "text" not in account.slots
    )


def reserve(account: Account, first: int, last: int) -> None:
    """Keep other tickets out of every 30-day window that sees the planned ones."""
    account.busy_support.append((first - _WINDOW_DAYS - 2, last + _WINDOW_DAYS + 2))


def _file(
    book: Book,
    account: Account,
    day: int,
    requester: str,
    rng: Random,
    *,
    bank: str = "tickets_advanced",
    topic: str | None = None,
    filed_as: str | None = None,
) -> str:
    text = book.bank.take(bank, lambda text: topic is None or text["topic"] == topic)
    file_ticket(book, account, day, requester, text, rng, topic=filed_as)
    return str(text["topic"])


def _days(book: Book, account: Account, first: int, steps: tuple[int, ...]) -> list[int]:
    days = [book.period.next_business(account.country, first)]
    for step in steps:
        days.append(book.period.next_business(account.country, days[-1] + step))
    return days


def plant_shift(book: Book, account: Account, day: int, rng: Random) -> None:
    """Five advanced tickets of three people within two weeks, after months of simple ones."""
    people = requesters(account)[:3]
    days = _days(book, account, day - 8, (4, 4, 3, 3))
    topics = [
        _file(book, account, when, people[place % 3], rng)
        for place, when in enumerate(days)
        if when <= book.horizon
    ]
    reserve(account, days[0], days[-1])
    note = f"advanced questions on {', '.join(topics)} from three people"
    book.add_case("advanced", account, _TRIGGER, _SUB_TRIGGER, "tickets", (days[2], days[-1] + 1), note)


def plant_sole_contact(book: Book, account: Account, day: int, rng: Random) -> None:
    """The one person who ever writes to the desk asks about four building topics."""
    person = requesters(account)[0]
    days = _days(book, account, day - 8, (4, 4, 4))
    for when, topic in zip(days, ("api", "automation", "bulk", "branching"), strict=True):
        if when <= book.horizon:
            _file(book, account, when, person, rng, topic=topic)
    reserve(account, days[0], days[-1])
    note = "the sole support contact, four building topics"
    book.add_case("advanced-sole", account, _TRIGGER, _SUB_TRIGGER, "tickets", (days[2], days[-1] + 1), note)


def _decoy(book: Book, name: str, account: Account, days: list[int], note: str) -> None:
    reserve(account, days[0], days[-1])
    window = (days[0] - 1, days[-1] + _WATCHED_DAYS)
    book.add_case(name, account, _TRIGGER, _SUB_TRIGGER, "tickets", window, note, name.replace("-", "_"))


def plant_same_topic(book: Book, account: Account, day: int, rng: Random) -> None:
    """One person comes back with the same advanced topic four times; a colleague asks simple things."""
    people = requesters(account)[:2]
    days = _days(book, account, day, (3, 5, 6))
    topic = rng.choice(("data_export", "integration", "automation"))
    for when in days:
        _file(book, account, when, people[0], rng, topic=topic)
    _file(book, account, days[0] - 1, people[1], rng, bank="tickets_basic")
    _decoy(book, "same-topic", account, days, f"one requester, one topic ({topic}), four days")


def plant_two_only(book: Book, account: Account, day: int, rng: Random) -> None:
    """Two advanced tickets, one short of the rule."""
    people = requesters(account)[:2]
    days = _days(book, account, day, (6,))
    for person, when in zip(people, days, strict=True):
        _file(book, account, when, person, rng)
    _decoy(book, "two-advanced", account, days, "two advanced tickets only")


def plant_always_advanced(book: Book, account: Account, day: int, rng: Random) -> None:
    """An account that has always asked advanced questions asks three in one month."""
    people = requesters(account)[:3]
    period = book.period
    # Eighteen days apart, so that no 30-day window ever holds three of them.
    history = [period.next_business(account.country, day - offset) for offset in (115, 97, 79, 61, 43)]
    for place, when in enumerate(history):
        _file(book, account, when, people[place % 3], rng)
    # The simple ones come after the first advanced one, so that they do not leave the window before it.
    for offset in (2, 8):
        _file(
            book,
            account,
            period.next_business(account.country, day + offset),
            people[1],
            rng,
            bank="tickets_basic",
        )
    days = _days(book, account, day, (6, 6))
    for place, when in enumerate(days):
        _file(book, account, when, people[place % 3], rng)
    _decoy(
        book,
        "advanced-baseline",
        account,
        [history[0], days[-1]],
        "three advanced of five, little above the own past",
    )


def plant_diluted(book: Book, account: Account, day: int, rng: Random) -> None:
    """Three advanced questions among seven simple ones."""
    people = requesters(account)[:4]
    simple = _days(book, account, day - 10, (2, 2, 2, 2, 2, 2))
    for place, when in enumerate(simple):
        _file(book, account, when, people[place % 4], rng, bank="tickets_basic")
    days = _days(book, account, simple[3], (4, 4))
    for place, when in enumerate(days):
        _file(book, account, when, people[place % 3], rng)
    _decoy(book, "diluted", account, [simple[0], days[-1]], "three advanced of ten in the window")


def plant_outage(book: Book, account: Account, day: int, rng: Random) -> None:
    """A bad day: many accounts write in, some of them with advanced questions that the desk files as outage."""
    people = requesters(account)[:3]
    turn = sum(case.case_id.startswith("outage") for case in book.cases)
    is_sharp = turn < 2  # two accounts would fire without the outage rule
    for person in people:
        bank = "tickets_advanced" if is_sharp else "tickets_outage"
        _file(book, account, day, person, rng, bank=bank, filed_as="outage")
    note = (
        "advanced questions of three people, all part of the outage day"
        if is_sharp
        else "tickets of the outage day"
    )
    _decoy(book, "outage", account, [day], note)


KINDS = (
    Kind("advanced", "support", 7, 45, plant_shift, suits=established, settle=12),
    Kind("sole-contact", "support", 1, 45, plant_sole_contact, suits=established, settle=12),
)
DECOYS = (
    Kind("outage", "support", 1, 30, plant_outage, suits=established, settle=5, on_day="outage"),
    Kind("same-topic", "support", 1, 35, plant_same_topic, suits=established, settle=20),
    Kind("two-advanced", "support", 1, 35, plant_two_only, suits=established, settle=12),
    Kind("advanced-baseline", "support", 1, 125, plant_always_advanced, suits=established, settle=16),
    Kind("diluted", "support", 1, 45, plant_diluted, suits=established, settle=14),
)
