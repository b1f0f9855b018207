"""The only place that knows time: today, ends of days, business days.

Belongs here: what "today" is, the instant before which a fact counts as known on a day, working days of a
country and due dates. Does not belong here: rules that use those days (plays, gates, plans), and anything that
reads a table.

Instants are naive UTC datetimes; days are dates in the workspace time zone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

log = logging.getLogger(__name__)

ONE_DAY = timedelta(days=1)
Interval = tuple[date, date]


def today(now: date | datetime | None = None, timezone: str = "UTC") -> date:
    """Return the current day of the workspace.

    Args:
        now: None for the real clock; a date to stand still on it (demo world: the world's last day); a naive
            UTC or aware datetime otherwise.
        timezone: IANA name of the workspace time zone.
    """
    if now is None:
        return datetime.now(tz=ZoneInfo(timezone)).date()
    return day_of(now, timezone) if isinstance(now, datetime) else now


def day_of(instant: datetime, timezone: str = "UTC") -> date:
    """Return the workspace day in which an instant (naive UTC or aware) falls."""
    if timezone == "UTC" and instant.tzinfo is None:
        return instant.date()
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.astimezone(ZoneInfo(timezone)).date()


def as_of_end(day: date, timezone: str = "UTC") -> datetime:
    """Return ``known_before`` of a day: its first instant no longer in it, as naive UTC."""
    midnight = datetime.combine(day + ONE_DAY, time.min, tzinfo=ZoneInfo(timezone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def days_between(first: date, end: date) -> list[date]:
    """Return the days of the half-open range ``[first, end)``."""
    return [first + timedelta(days=n) for n in range((end - first).days)]


@lru_cache(maxsize=512)
def _days_off(country: str | None, year: int) -> tuple[frozenset[int], frozenset[date]]:
    """Weekend weekdays (Monday = 0) and public holidays of a country in a year."""
    weekend = frozenset({5, 6})
    if not country:
        return weekend, frozenset()
    try:
        found = holidays.country_holidays(country.upper(), years=year)
    except NotImplementedError:
        # A country the library does not know must not stop a run: weekends still hold.
        log.warning("no public holidays known for country %r: only weekends are days off", country)
        return weekend, frozenset()
    return frozenset(found.weekend), frozenset(found)


def is_business_day(day: date, country: str | None) -> bool:
    """Tell whether a day is neither weekend nor public holiday in a country (ISO 3166; None: weekends only)."""
    weekend, off = _days_off(country, day.year)
    return day.weekday() not in weekend and day not in off


def calendar_rows(country: str | None, first: date, last: date) -> list[dict[str, object]]:
    """Return the calendar of a country from first to last day, both included.

    Returns:
        Rows ``country, day, is_business_day, business_day_no``; the number is the count of business days from
        ``first`` up to and including the day, so that a difference of numbers counts business days.
    """
    rows: list[dict[str, object]] = []
    number = 0
    for day in days_between(first, last + ONE_DAY):
        is_open = is_business_day(day, country)
        number += is_open
        rows.append({"country": country, "day": day, "is_business_day": is_open, "business_day_no": number})
    return rows


def _inside(day: date, intervals: Iterable[Interval]) -> bool:
    return any(first <= day < end for first, end in intervals)


def add_business_days(
    start: date,
    n: int,
    country: str | None,
    absences: Iterable[Interval] = (),
    pauses: Iterable[Interval] = (),
) -> date:
    """Return the N-th working day after a start day (DOMAIN §2).

    The start day is day 0; a start on a day that does not count rolls to the next one that does. Absences of
    the owner and pauses (hold, snooze) do not count, so the clock goes on at the day of release.

    Args:
        start: Day of detection or return.
        n: Business days to add, 0 or more.
        country: Country whose weekends and holidays count.
        absences: Half-open intervals ``[first day away, first day back)``.
        pauses: Half-open intervals ``[first day paused, day of release)``.

    Raises:
        ValueError: When ``n`` is negative, or no such day exists within ten years.
    """
    if n < 0:
        raise ValueError(f"business days to add must be 0 or more, got {n}")
    closed = [*absences, *pauses]
    day, left = start, n
    for _ in range(3660):
        if is_business_day(day, country) and not _inside(day, closed):
            if left == 0:
                return day
            left -= 1
        day += ONE_DAY
    raise ValueError(f"no working day found within ten years of {start}")


def business_days_between(start: date, end: date, country: str | None) -> int:
    """Count the business days after ``start`` up to and including ``end``; 0 when the end is not later."""
    return sum(is_business_day(day, country) for day in days_between(start + ONE_DAY, end + ONE_DAY))


def intervals_of(days: Iterable[date]) -> list[Interval]:
    """Merge single days into half-open intervals, in order."""
    merged: list[Interval] = []
    for day in sorted(set(days)):
        if merged and merged[-1][1] == day:
            merged[-1] = (merged[-1][0], day + ONE_DAY)
        else:
            merged.append((day, day + ONE_DAY))
    return merged


def last_monday(day: date) -> date:
    """Return the Monday on or before a day."""
    return day - timedelta(days=day.weekday())
