"""The demo world's days: numbering, working days by country, working hours, load times.

Belongs here: everything about dates in the world. Does not belong here: the clock of the project (``clock.py``).
Days are numbered from 0 (first day); numbers below 0 and past the end are real days outside the world.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from random import Random
from zoneinfo import ZoneInfo

import holidays
import numpy as np

_OFFSET_HOURS = {"US": 6, "GB": 0}  # working day against UTC; the continent starts an hour earlier
_QUIET_SEASONS = (
    ((7, 15), (8, 31), 0.8),
    ((12, 20), (12, 31), 0.35),
    ((1, 1), (1, 5), 0.45),
)  # month, day, factor


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


def first_day_of(last_day: date, months: int) -> date:
    """First day of the period of ``months`` calendar months that ends with the month of ``last_day``."""
    month = last_day.year * 12 + last_day.month - months
    return date(month // 12, month % 12 + 1, 1)


@dataclass(frozen=True)
class Period:
    """First and last day of the world, both inclusive; its exports run by the clock of the workspace's time zone."""

    first_day: date
    last_day: date
    time_zone: str = "UTC"
    _cache: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def length(self) -> int:
        """Number of days."""
        return (self.last_day - self.first_day).days + 1

    def day(self, number: int) -> date:
        """Date of a day number."""
        return self.first_day + timedelta(days=int(number))

    def number(self, day: date) -> int:
        """Day number of a date."""
        return (day - self.first_day).days

    def is_business(self, country: str, number: int) -> bool:
        """Neither weekend nor public holiday in the country."""
        day = self.day(number)
        return day.weekday() < 5 and day not in _holidays(country, day.year)

    def next_business(self, country: str, number: int, weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)) -> int:
        """The day itself or the next working day on one of the weekdays."""
        while not (self.is_business(country, number) and self.day(number).weekday() in weekdays):
            number += 1
        return number

    def previous_business(
        self, country: str, number: int, weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    ) -> int:
        """The last working day before the day on one of the weekdays."""
        number -= 1
        while not (self.is_business(country, number) and self.day(number).weekday() in weekdays):
            number -= 1
        return number

    def add_business(self, country: str, number: int, count: int) -> int:
        """End of the ``count``-th working day after the day; a start on a non-working day rolls forward first."""
        number = self.next_business(country, number)
        for _ in range(count):
            number = self.next_business(country, number + 1)
        return number

    def business(self, country: str) -> np.ndarray:
        """One boolean a day: is it a working day."""
        key = f"business:{country}"
        if key not in self._cache:
            self._cache[key] = np.array([self.is_business(country, number) for number in range(self.length)])
        return self._cache[key]

    def weekdays(self) -> np.ndarray:
        """Weekday of each day, Monday 0."""
        return (np.arange(self.length) + self.first_day.weekday()) % 7

    def rhythm(self, country: str) -> np.ndarray:
        """Factor of each day on the chance that a user works in the product: weekdays 1, weekends and holidays low."""
        key = f"rhythm:{country}"
        if key not in self._cache:
            factors = np.where(self.business(country), 1.0, 0.06)
            for number in range(self.length):
                day = self.day(number)
                for start, end, factor in _QUIET_SEASONS:
                    if start <= (day.month, day.day) <= end:
                        factors[number] *= factor
            self._cache[key] = factors
        return self._cache[key]

    def months(self) -> list[tuple[int, int]]:
        """Day numbers [start, end) of every calendar month, whole months even where the world ends earlier."""
        spans, start = [], self.first_day
        while start <= self.last_day:
            end = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
            spans.append((self.number(start), self.number(end)))
            start = end
        return spans

    def working_moment(self, country: str, number: int, rng: Random) -> datetime:
        """A moment in the country's working hours of the day, UTC."""
        minute = rng.randrange(8 * 60 + 5, 16 * 60 + 40) + 60 * _OFFSET_HOURS.get(country, -1)
        return datetime.combine(self.day(number), time()) + timedelta(
            minutes=minute, seconds=rng.randrange(60)
        )

    def at(self, number: int, wall: time) -> datetime:
        """UTC instant at which the workspace's clocks show a time of the day; of two the first (``wall.fold`` 0)."""
        local = datetime.combine(self.day(number), wall, tzinfo=ZoneInfo(self.time_zone))
        return local.astimezone(UTC).replace(tzinfo=None)

    def evening(self, number: int) -> datetime:
        """Load time of exports that run at the end of the day itself (product, identity logins)."""
        return self.at(max(number, 0), time(23, 20))

    def nightly(self, number: int) -> datetime:
        """Load time of exports that run in the night after the day; what is older came with the first load."""
        return self.at(max(number + 1, 0), time(4, 5))

    def clock_changes(self) -> list[int]:
        """Days on which the workspace's clocks change; empty in UTC."""
        lengths = [self.at(number + 1, time()) - self.at(number, time()) for number in range(self.length)]
        return [number for number, length in enumerate(lengths) if length != timedelta(days=1)]
