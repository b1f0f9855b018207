"""Stamps only grow, and all stamps of one take fall in the day they are said to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion_assets import clock
from expansion_assets.sources.intake.arrivals import Arrivals

START = datetime(2025, 10, 26, 0, 0, tzinfo=UTC)  # Berlin's clocks go back on this night


@given(
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
    st.lists(st.tuples(st.integers(-3_600, 90_000), st.integers(0, 5)), min_size=1, max_size=20),
)
def test_stamps_grow_whatever_the_clock_does(timezone, steps):
    present = [START]
    arrivals = Arrivals(timezone, now=lambda: present[0])
    before = datetime.min
    for seconds, count in steps:
        present[0] += timedelta(seconds=seconds)
        day, stamps = arrivals.take(count)
        assert stamps == sorted(set(stamps))
        assert all(clock.day_of(stamp, timezone) == day for stamp in stamps)
        assert all(stamp > before for stamp in stamps[:1])
        before = stamps[-1] if stamps else before


def test_a_take_does_not_cross_midnight():
    arrivals = Arrivals("Europe/Berlin", now=lambda: datetime(2025, 7, 3, 21, 59, 59, 999_998, tzinfo=UTC))
    day, stamps = arrivals.take(5)
    assert (day, stamps[0]) == (date(2025, 7, 4), datetime(2025, 7, 3, 22))


def test_a_data_set_that_has_ended_receives_on_its_last_day():
    arrivals = Arrivals("UTC", date(2026, 6, 30), now=lambda: datetime(2031, 1, 5, 8, 15, tzinfo=UTC))
    assert arrivals.take(1) == (date(2026, 6, 30), [datetime(2026, 6, 30, 8, 15)])


@pytest.mark.parametrize(("ahead", "is_believed"), [(timedelta(hours=3), True), (timedelta(days=3), False)])
def test_a_stamp_on_disk_far_ahead_of_the_clock_is_not_believed(ahead, is_believed):
    arrivals = Arrivals("UTC", now=lambda: START)
    newest = START.replace(tzinfo=None) + ahead
    assert arrivals.continue_after(newest) == is_believed
    assert (arrivals.take(1)[1][0] > newest) == is_believed
