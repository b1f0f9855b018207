"""What a kind of case is, and the few helpers that all of them share.

Belongs here: the Kind record and its building blocks. Does not belong here: any single case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from expansion_assets.world.model import Account, Book
from expansion_assets.world.period import Period

Plant = Callable[[Book, Account, int, Random], None]
Shape = Callable[[Book, Account, int], None]
DaysOf = Callable[[Period], list[int]]


def anywhere(account: Account) -> bool:
    """Any account that was a customer before the world began."""
    return account.start < 0


def untouched(account: Account) -> bool:
    """An account that carries nothing yet: what moves its first paid day must not move it under another case."""
    return anywhere(account) and not account.slots


@dataclass(frozen=True)
class Kind:
    """One kind of case: how many per 60 accounts, which accounts suit it, how it is prepared and planted."""

    name: str
    slot: str
    """What it occupies on its account: usage, people, support or text. An account carries one case per slot."""
    count: int
    earliest: int
    """First day on which the case can open, given the history it needs."""
    plant: Plant
    shape: Shape | None = None
    """Changes the account's profile before its population is drawn."""
    suits: Callable[[Account], bool] = anywhere
    settle: int = 4
    """Days before the world's end by which the case must have opened."""
    on_day: str | None = None
    """``release`` or ``outage``: all cases of the kind fall on that day of the book, on a tenth of its accounts."""
    days_of: DaysOf | None = None
    """Days of the calendar on which its cases fall, in turn; none of them in the world, no case."""


def spaced_starts(period: Period, country: str, start: int, end: int, count: int) -> list[int]:
    """``count`` working days, evenly spaced in [start, end), on which new users begin; days may repeat."""
    days = [
        period.next_business(country, start + (end - start) * place // max(count, 1))
        for place in range(count)
    ]
    last = period.previous_business(country, end)
    return [min(day, last) for day in days]
