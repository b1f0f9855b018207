"""USAGE_MILESTONE: seats, full seats, quotas and departments, one reading per watchable day.

Belongs here: the day's numbers and whether they are over the line.
Does not belong here: crossings and re-arming (``machine``).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import holidays

from .book import Book, Row
from .machine import Event, Reading, Subject, level_events
from .rules import Rules, at_least

TRIGGER = "USAGE_MILESTONE"
NOT_METERS = {"seat", "plan", "module"}


def usage_milestones(book: Book, rules: Rules, days: Sequence[int]) -> Iterator[Event]:
    """Events of all four sub-triggers for every account."""
    for account_id in book.accounts:
        for sub_trigger in ("seats", "seats_full"):
            subject = Subject(account_id, TRIGGER, sub_trigger, "seats")
            yield from level_events(subject, _seat_readings(book, rules, subject, days))
        for meter in sorted({line.row["unit"] for line in book.lines.get(account_id, ())} - NOT_METERS):
            subject = Subject(account_id, TRIGGER, "quota", meter)
            yield from level_events(subject, _quota_readings(book, rules, subject, days))
        subject = Subject(account_id, TRIGGER, "departments", "departments")
        yield from level_events(subject, _department_readings(book, rules, subject, days))


def _seat_readings(book: Book, rules: Rules, subject: Subject, days: Sequence[int]) -> Iterator[Reading]:
    account_id = subject.account_id
    for day in days:
        if not (book.watchable("product", account_id, day) and book.watchable("billing", account_id, day)):
            continue
        contracted = contracted_seats(book, account_id, day)
        if not contracted:
            continue
        account = book.account(account_id, day)
        rule = rules.of(TRIGGER, subject.sub_trigger, account["segment"])
        active = set(book.active_users(account_id, day))
        people = len(book.people(active, day))
        is_assigned_full = False
        if "assigned_share" in rule:
            assigned = assigned_users(book, account_id, day)
            is_assigned_full = (
                at_least(len(assigned), rule["assigned_share"] * contracted)
                and at_least(len(active & assigned), rule["active_of_assigned_share"] * len(assigned))
            )
        threshold = rule["threshold_share"] * contracted
        margin = max(rule["rearm_points"] * contracted, rule["rearm_seats"])
        yield Reading(
            day=day,
            is_true=at_least(people, threshold) or is_assigned_full,
            is_calm=at_least(threshold - margin, people) and not is_assigned_full,
            rearm_days=rule["rearm_days"],
            in_grace=_is_in_grace(account, rule, day),
            limit=contracted,
            users=people,
            regrowth=max(rule["regrow_users"], rule["regrow_share"] * contracted),
        )


def contracted_seats(book: Book, account_id: str, day: int) -> float | None:
    """Seats of all running lines; None without a seat line."""
    quantities = [row["quantity"] for row in book.valid_lines(account_id, day) if row["unit"] == "seat"]
    quantities = [quantity for quantity in quantities if quantity is not None]
    return sum(quantities) if quantities else None


def assigned_users(book: Book, account_id: str, day: int) -> set[str]:
    """Users of any kind who hold a seat on a day, as known on it."""
    return {
        version.row["user_id"] for version in book.seats.get(account_id, ())
        if version.since <= day < version.until
        and version.row["assigned_on"].toordinal() <= day
        and (version.row["released_on"] is None or day < version.row["released_on"].toordinal())
    }


def _quota_readings(book: Book, rules: Rules, subject: Subject, days: Sequence[int]) -> Iterator[Reading]:
    account_id, meter = subject.account_id, subject.subject_key
    near_end_days = rules.common["fleet_period_end_days"]
    for day in days:
        if not (book.watchable("metered", account_id, day) and book.watchable("billing", account_id, day)):
            continue
        lines = [row for row in book.valid_lines(account_id, day) if row["unit"] == meter]
        limit = sum(row["quantity"] or 0 for row in lines)
        if not limit:
            continue
        # An added line raises the limit; the oldest running line keeps the rhythm of the periods.
        previous_start, start, end = billing_periods(min(lines, key=lambda row: row["starts_on"]), day)
        account = book.account(account_id, day)
        rule = rules.of(TRIGGER, "quota", account["segment"])
        used = _metered(book, account_id, meter, start, day + 1, day)
        used_before = None
        if previous_start is not None:
            used_before = _metered(book, account_id, meter, previous_start, start, day)
        yield Reading(
            day=day,
            is_true=at_least(used, rule["threshold_share"] * limit),
            is_calm=used_before is not None and not at_least(used_before, rule["rearm_share"] * limit),
            rearm_days=1,
            in_grace=_is_in_grace(account, rule, day),
            limit=limit,
            is_scheduled=end - day <= near_end_days,
        )


def billing_periods(line: Row, day: int) -> tuple[int | None, int, int]:
    """Start of the full period before, start and end (day after) of the period that a day is in."""
    months = 12 if line["billing_period"] == "year" else 1
    count = 0
    while _after_months(line["starts_on"], (count + 1) * months) <= day:
        count += 1
    start, end = (_after_months(line["starts_on"], number * months) for number in (count, count + 1))
    return (_after_months(line["starts_on"], (count - 1) * months) if count else None), start, end


def _after_months(start: date, months: int) -> int:
    years, month = divmod(start.month - 1 + months, 12)
    last_day = calendar.monthrange(start.year + years, month + 1)[1]
    return date(start.year + years, month + 1, min(start.day, last_day)).toordinal()


def _metered(book: Book, account_id: str, meter: str, start: int, end: int, day: int) -> float:
    consumed = book.metered[account_id][meter]
    return sum(
        version.row["quantity"]
        for used_on in range(start, end)
        for version in consumed.get(used_on, ())
        if version.since <= day < version.until
    )


def _department_readings(
    book: Book, rules: Rules, subject: Subject, days: Sequence[int]
) -> Iterator[Reading]:
    account_id = subject.account_id
    for day in days:
        licensed = book.licensed_departments(account_id, day)
        sources = ("product", "identity", "billing")
        if not licensed or not all(book.watchable(source, account_id, day) for source in sources):
            continue
        account = book.account(account_id, day)
        rule = rules.of(TRIGGER, "departments", account["segment"])
        business_days = last_business_days(account["country"], day, rule["business_days"])
        is_true = len(licensed) >= rule["min_departments"] and all(
            count >= rule["min_users"]
            for business_day in business_days
            for count in _core_users(book, account_id, licensed, business_day, day)
        )
        in_grace = _is_in_grace(account, rule, day)
        yield Reading(day, is_true, not is_true, rule["rearm_days"], in_grace)


def _core_users(book: Book, account_id: str, licensed: set[str], used_on: int, day: int) -> list[int]:
    """Number of employees of each licensed department who used a core feature on `used_on`."""
    users = [
        user for user in book.active_users(account_id, day)
        if book.used_on(account_id, user, used_on, day, book.core_features(day))
    ]
    members = {(book.department(user, day), book.person(user, day)) for user in users}
    return [sum(department == name for department, _ in members) for name in licensed]


def last_business_days(country: str | None, day: int, count: int) -> list[int]:
    """The last working days up to and including a day, by the holidays of a country."""
    found: list[int] = []
    while len(found) < count:
        moment = date.fromordinal(day)
        closed = _holidays(country, moment.year)
        weekend = closed.weekend if closed is not None else {5, 6}
        if moment.weekday() not in weekend and moment not in (closed or ()):
            found.append(day)
        day -= 1
    return found


_HOLIDAYS: dict[tuple[str | None, int], Any] = {}


def _holidays(country: str | None, year: int) -> Any:
    if (country, year) not in _HOLIDAYS:
        try:
            _HOLIDAYS[country, year] = holidays.country_holidays(country or "", years=year)
        except NotImplementedError:
            _HOLIDAYS[country, year] = None
    return _HOLIDAYS[country, year]


def _is_in_grace(account: Row, rule: dict[str, Any], day: int) -> bool:
    start = account["first_paid_on"]
    return start is not None and day < start.toordinal() + rule["grace_days"]
