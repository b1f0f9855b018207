"""Which account carries which case, and when.

Belongs here: counts by size of the world, spreading over the period, the release and outage days.
Does not belong here: what a case does.
Counts are per 60 accounts and scale with the book; a small world gets what fits, true cases before decoys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from expansion_assets.world.cases import (
    adjacent_use,
    advanced_tickets,
    calendar,
    contract_changes,
    cross_team,
    limits,
    reorganisation,
    role_change,
    seats,
)
from expansion_assets.world.cases.kinds import Kind
from expansion_assets.world.model import Account, Book
from expansion_assets.world.period import Period

KINDS: tuple[Kind, ...] = (
    *seats.KINDS,
    *limits.KINDS,
    *cross_team.KINDS,
    *role_change.KINDS,
    *advanced_tickets.KINDS,
    *adjacent_use.KINDS,
)
DECOYS: tuple[Kind, ...] = (
    *seats.DECOYS,
    *limits.DECOYS,
    *cross_team.DECOYS,
    *role_change.DECOYS,
    *advanced_tickets.DECOYS,
    *adjacent_use.DECOYS,
)
HARD_KINDS: tuple[Kind, ...] = (*calendar.KINDS, *reorganisation.KINDS, *contract_changes.KINDS)
_PLANTING_ORDER = ("usage", "people", "support", "text")  # who works there is settled before who writes
_MAX_TRUE_SHARE = 0.65  # of the accounts, per slot: a small world keeps room for decoys
_BASE_ACCOUNTS = 60
_HARD_BASE_ACCOUNTS = 100  # ordinary kinds in a hard book: room for the hard ones
_FRESH_FROM, _LATE_PHASE = 3, 0.97  # kinds of three or more end with a case that is fresh on the last day
_FLEET_MIN_ACCOUNTS, _FLEET_SHARE = 5, 0.10  # the detectors' fleet and outage rules
_WEDNESDAY = 2


@dataclass(frozen=True)
class Placement:
    """One case to plant."""

    kind: Kind
    account: Account
    day: int


def common_day(period: Period, share: float) -> int:
    """A Wednesday at a share of the period that is a working day in every customer's country."""
    number = round(period.length * share)
    while not all(
        period.is_business(c, number) and period.day(number).weekday() == _WEDNESDAY
        for c in ("DE", "FR", "GB", "NL", "US")
    ):
        number += 1
    return number


def cast(book: Book, *, is_hard: bool = False) -> list[Placement]:
    """Choose account and day of every case and shape the accounts for it; before users are drawn.

    A hard book carries the hard kinds first, for they are choosy, and so leaves fewer accounts to the ordinary ones.
    """
    size = len(book.accounts)
    placements: list[Placement] = []
    for kind in HARD_KINDS if is_hard else ():
        placements += _place(book, kind, size / _BASE_ACCOUNTS, size)
    scale = size / (_HARD_BASE_ACCOUNTS if is_hard else _BASE_ACCOUNTS)
    for kind in KINDS:
        carried = sum(kind.slot in account.slots for account in book.accounts)
        placements += _place(book, kind, scale, round(_MAX_TRUE_SHARE * size) - carried)
    for kind in DECOYS:
        placements += _place(book, kind, scale, size)
    return sorted(placements, key=lambda placement: _PLANTING_ORDER.index(placement.kind.slot))


def _place(book: Book, kind: Kind, scale: float, most: int) -> Iterator[Placement]:
    rng = book.streams.random("roster", kind.name)
    if kind.on_day:
        days = _common_days(book, kind)
    else:
        count = max(1, round(kind.count * scale))
        latest = book.horizon - kind.settle
        phase = _LATE_PHASE if count >= _FRESH_FROM else rng.random()
        days = (
            [
                round(kind.earliest + (latest - kind.earliest) * (place + phase) / count)
                for place in range(count)
            ]
            if latest > kind.earliest
            else []
        )
    if kind.days_of:
        fitting = [day for day in kind.days_of(book.period) if kind.earliest <= day <= book.horizon - kind.settle]
        days = [fitting[place % len(fitting)] for place in range(count)] if fitting else []
    candidates = [account for account in book.accounts if _is_free(account, kind)]
    rng.shuffle(candidates)
    if kind.on_day and len(candidates) < len(days):
        return  # fewer than the rule's share would be no common event at all
    for day, account in zip(days, candidates[: max(most, 0)], strict=False):
        account.slots[kind.slot] = kind.name
        if not (kind.on_day or kind.days_of):
            day = _free_day(book, account, day)
        if kind.shape:
            kind.shape(book, account, day)
        yield Placement(kind, account, day)


def _common_days(book: Book, kind: Kind) -> list[int]:
    day = book.release_day if kind.on_day == "release" else book.outage_day
    if not kind.earliest <= day <= book.horizon - kind.settle:
        return []
    return [day] * (max(_FLEET_MIN_ACCOUNTS, ceil(_FLEET_SHARE * len(book.accounts))) + 1)


def _free_day(book: Book, account: Account, day: int) -> int:
    """The next working day that is not the release day, whose crossings are set aside together."""
    day = book.period.next_business(account.country, day)
    return book.period.next_business(account.country, day + 1) if day == book.release_day else day


def _is_free(account: Account, kind: Kind) -> bool:
    return not account.is_reserved and kind.slot not in account.slots and kind.suits(account)
