"""Today, ends of days and working days."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from expansion_assets import clock

MON = date(2026, 3, 2)


def d(day: int, month: int = 3) -> date:
    return date(2026, month, day)


@pytest.mark.parametrize(
    ("now", "timezone", "expected"),
    [
        (date(2025, 11, 30), "UTC", date(2025, 11, 30)),
        (datetime(2026, 3, 2, 23, 30), "Europe/Berlin", date(2026, 3, 3)),
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "America/New_York", date(2026, 3, 2)),
        (datetime(2026, 3, 2, 23, 30), "UTC", date(2026, 3, 2)),
    ],
)
def test_today_is_the_workspace_day(now, timezone, expected):
    assert clock.today(now, timezone) == expected


def test_today_without_argument_follows_the_real_clock():
    before = datetime.now(tz=UTC).date()
    assert before <= clock.today() <= datetime.now(tz=UTC).date()


@pytest.mark.parametrize(
    ("day", "timezone", "expected"),
    [
        (MON, "UTC", datetime(2026, 3, 3)),
        (date(2026, 3, 29), "Europe/Berlin", datetime(2026, 3, 29, 22)),  # the clocks go forward that night
        (date(2026, 3, 28), "Europe/Berlin", datetime(2026, 3, 28, 23)),
        (MON, "America/New_York", datetime(2026, 3, 3, 5)),
    ],
)
def test_as_of_end_is_the_first_instant_after_the_day(day, timezone, expected):
    assert clock.as_of_end(day, timezone) == expected
    assert clock.day_of(expected, timezone) == day + clock.ONE_DAY


@pytest.mark.parametrize(
    ("start", "n", "country", "absences", "pauses", "expected"),
    [
        (d(2), 0, "DE", [], [], d(2)),
        (d(2), 5, "DE", [], [], d(9)),
        (d(7), 1, "DE", [], [], d(10)),  # a Saturday rolls to Monday as day 0
        (d(2, 4), 1, "DE", [], [], d(7, 4)),  # Good Friday and Easter Monday
        (d(2, 4), 1, "US", [], [], d(3, 4)),  # no federal holidays there
        (d(2), 2, "DE", [(d(3), d(5))], [], d(6)),  # away Tuesday and Wednesday
        (d(2), 2, "DE", [(d(2), d(4))], [], d(6)),  # away on day 0: it rolls
        (d(2), 2, "DE", [], [(d(3), d(9))], d(10)),  # day 1 is the day of release
        (d(2), 2, "DE", [], [(d(2), d(9))], d(11)),  # held from the start: the release is day 0
        (d(2), 2, None, [], [], d(4)),
        (d(2), 2, "XX", [], [], d(4)),  # unknown country: weekends only
    ],
)
def test_add_business_days(start, n, country, absences, pauses, expected):
    assert clock.add_business_days(start, n, country, absences, pauses) == expected


def test_add_business_days_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="0 or more"):
        clock.add_business_days(MON, -1, "DE")
    with pytest.raises(ValueError, match="no working day"):
        clock.add_business_days(MON, 1, "DE", pauses=[(MON, date.max)])


def test_calendar_numbers_count_business_days():
    rows = clock.calendar_rows("DE", d(1, 4), d(8, 4))
    assert [row["business_day_no"] for row in rows] == [1, 2, 2, 2, 2, 2, 3, 4]
    assert [row["day"] for row in rows if not row["is_business_day"]] == [d(3, 4), d(4, 4), d(5, 4), d(6, 4)]


def test_numbers_and_days_between_agree():
    rows = {row["day"]: row["business_day_no"] for row in clock.calendar_rows("DE", d(1), d(30, 4))}
    assert clock.business_days_between(d(27), d(8, 4), "DE") == rows[d(8, 4)] - rows[d(27)] == 6
    assert clock.business_days_between(d(8, 4), d(27), "DE") == 0


def test_intervals_merge_days_that_touch():
    assert clock.intervals_of([d(5), d(3), d(4), d(9), d(4)]) == [(d(3), d(6)), (d(9), d(10))]


@pytest.mark.parametrize(("day", "monday"), [(d(2), d(2)), (d(8), d(2)), (d(9), d(9))])
def test_last_monday(day, monday):
    assert clock.last_monday(day) == monday
