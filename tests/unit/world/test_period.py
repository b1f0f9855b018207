"""Days of the demo world."""

from datetime import date, datetime, time

import pytest

from expansion_assets.world.period import Period, first_day_of
from expansion_assets.world.streams import Streams

YEAR = Period(date(2025, 7, 1), date(2026, 6, 30))


@pytest.mark.parametrize(
    ("last_day", "months", "first_day"),
    [
        (date(2026, 6, 30), 12, date(2025, 7, 1)),
        (date(2026, 6, 30), 1, date(2026, 6, 1)),
        (date(2026, 1, 31), 24, date(2024, 2, 1)),
        (date(2026, 12, 15), 12, date(2026, 1, 1)),
    ],
)
def test_first_day(last_day: date, months: int, first_day: date) -> None:
    assert first_day_of(last_day, months) == first_day


@pytest.mark.parametrize(
    ("country", "start", "count", "end"),
    [
        ("DE", date(2025, 7, 4), 1, date(2025, 7, 7)),  # over a weekend
        ("DE", date(2025, 7, 5), 1, date(2025, 7, 8)),  # a Saturday rolls to Monday as day 0
        ("US", date(2025, 7, 3), 1, date(2025, 7, 7)),  # Independence Day
        ("GB", date(2025, 12, 24), 1, date(2025, 12, 29)),  # Christmas, Boxing Day, weekend
    ],
)
def test_business_days(country: str, start: date, count: int, end: date) -> None:
    assert YEAR.day(YEAR.add_business(country, YEAR.number(start), count)) == end


def test_months_cover_whole_months() -> None:
    assert Period(date(2026, 1, 1), date(2026, 2, 10)).months() == [(0, 31), (31, 59)]


@pytest.mark.parametrize(("country", "hours"), [("DE", range(7, 16)), ("US", range(14, 23))])
def test_moments_are_in_working_hours(country: str, hours: range) -> None:
    rng = Streams(1).random("moments")
    assert {YEAR.working_moment(country, 5, rng).hour for _ in range(300)} <= set(hours)


def test_rhythm_is_low_on_holidays_and_in_the_summer() -> None:
    rhythm = YEAR.rhythm("DE")
    christmas, summer, autumn = (
        YEAR.number(day) for day in (date(2025, 12, 25), date(2025, 8, 6), date(2025, 11, 5))
    )
    assert rhythm[christmas] < 0.1 < rhythm[summer] < rhythm[autumn] == 1.0


BERLIN = Period(date(2023, 7, 1), date(2025, 6, 30), "Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "wall", "utc"),
    [
        (date(2024, 1, 15), time(23, 20), datetime(2024, 1, 15, 22, 20)),
        (date(2024, 7, 15), time(23, 20), datetime(2024, 7, 15, 21, 20)),
        (date(2024, 3, 31), time(2, 30), datetime(2024, 3, 31, 1, 30)),  # skipped: what clocks show is half past three
        (date(2023, 10, 29), time(2, 30), datetime(2023, 10, 29, 0, 30)),
        (date(2023, 10, 29), time(2, 30, fold=1), datetime(2023, 10, 29, 1, 30)),
        (date(2023, 10, 30), time(), datetime(2023, 10, 29, 23)),
    ],
)
def test_wall_times_become_utc(day: date, wall: time, utc: datetime) -> None:
    assert BERLIN.at(BERLIN.number(day), wall) == utc


def test_exports_run_by_the_clock_of_the_workspace() -> None:
    number = BERLIN.number(date(2024, 7, 15))
    assert BERLIN.evening(number) == datetime(2024, 7, 15, 21, 20)
    assert BERLIN.nightly(number) == datetime(2024, 7, 16, 2, 5)
    assert YEAR.evening(5) == datetime(2025, 7, 6, 23, 20)


def test_clocks_change_in_zones_that_have_summer_time() -> None:
    days = [BERLIN.day(number) for number in BERLIN.clock_changes()]
    assert days == [date(2023, 10, 29), date(2024, 3, 31), date(2024, 10, 27), date(2025, 3, 30)]
    assert YEAR.clock_changes() == []
