"""Days, windows in the workspace's zone, and reasons for what a data set lacks."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

import pytest

from expansion_assets.settings import Environment, Settings
from expansion_assets.sources.contracts import ContractError, load_contracts
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.workspace import Workspace, build_workspace

FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)


def workspace(zone: str = "UTC", absent: dict[str, str] | None = None) -> Workspace:
    contracts = load_contracts()
    mapping = own_mapping(contracts, FIRST, LAST).model_copy(update={"absent": absent or {}})
    return Workspace(Settings(time_zone=zone), contracts, mapping)


@pytest.mark.parametrize(
    ("zone", "day", "known_from", "known_before"),
    [
        ("UTC", date(2026, 3, 2), datetime(2026, 3, 2), datetime(2026, 3, 3)),
        ("America/New_York", date(2026, 3, 2), datetime(2026, 3, 2, 5), datetime(2026, 3, 3, 5)),
        # The clocks go forward on 29 March: 23 hours; back on 25 October: 25 hours.
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 22)),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 23)),
    ],
)
def test_a_day_ends_at_midnight_of_the_zone(zone, day, known_from, known_before):
    window = workspace(zone).window(day, date.fromordinal(day.toordinal() + 1))
    assert (window.start, window.known_from, window.known_before) == (day, known_from, known_before)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Auckland"])
def test_windows_of_days_meet_without_gap_or_overlap(zone):
    days = [date.fromordinal(date(2026, 3, 20).toordinal() + n) for n in range(20)]
    windows = [workspace(zone).window(*pair) for pair in pairwise(days)]
    whole = workspace(zone).window(days[0], days[-1])
    assert all(a.known_before == b.known_from for a, b in pairwise(windows))
    assert (whole.known_from, whole.known_before) == (windows[0].known_from, windows[-1].known_before)


@pytest.mark.parametrize(
    ("start", "reaches_back"), [(FIRST, True), (date(2025, 12, 1), True), (date(2026, 1, 2), False)]
)
def test_the_first_window_reaches_back_to_the_beginning(start, reaches_back):
    window = workspace().window(start, date(2026, 1, 3))
    assert (window.known_from.year == 1900) is reaches_back
    assert window.start == start


def test_what_is_absent_is_told_by_table_then_by_source():
    contracts = load_contracts()
    found = workspace(absent={"people": "no people data", "product_users": "no users"})
    assert found.absent_reason(contracts["product_users"]) == "no users"
    assert found.absent_reason(contracts["people_job_alerts"]) == "no people data"
    assert found.absent_reason(contracts["product_usage"]) is None


@pytest.mark.parametrize(("months", "first"), [(12, date(2025, 7, 1)), (2, date(2026, 5, 1))])
def test_the_demo_world_ends_on_its_last_day_and_today_stands_still(months, first):
    found = build_workspace(Settings(environment=Environment.DEMO, sources=None, world_months=months))
    assert (found.first_day, found.today) == (first, date(2026, 6, 30))


def test_production_follows_the_calendar():
    settings = Settings(
        environment=Environment.PRODUCTION, sources=None, history_from=date(2024, 5, 1),
        pseudonym_key="a key of production",
    )
    found = build_workspace(settings)
    assert found.first_day == date(2024, 5, 1)
    assert found.mapping.last_day is None


def test_a_mapping_brings_its_own_days_and_a_missing_one_raises(tmp_path):
    found = build_workspace(Settings(sources="examples/ravenstack"))
    assert (found.first_day, found.today) == (date(2023, 1, 1), date(2025, 1, 1))
    with pytest.raises(ContractError, match="no mapping file there"):
        build_workspace(Settings(sources=tmp_path))
