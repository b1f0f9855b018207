"""Rows in quarantine are found again by window, and a rerun resolves those that are mended, and only those."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from expansion_assets.sources.replay import Replay, find_replays, unresolved
from expansion_assets.sources.report import Window

TABLE = "product_seat_assignments"
HEADER = "assignment_id,account_id,user_id,assigned_on,released_on,updated_at,loaded_at\n"


def seat(number: int, day: int, account: str = "A1", loaded: str = "") -> str:
    at = f"2025-07-{day:02d}T09:00:00Z"
    return f"S{number},{account},U1,2025-07-01,,{at},{loaded or at}\n"


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("seat_assignments_2025-07.csv", seat(1, 3, ""), [(3, 3, 1)]),
        ("seat_assignments_2025-07.csv", seat(1, 3, "") + seat(2, 4, "") + seat(3, 9, ""), [(3, 4, 2), (9, 9, 1)]),
        ("seat_assignments_2025-07-05.csv", "S1\n", [(5, 5, 1)]),
        ("seat_assignments_2025-07.csv", "S1\n", [(1, 31, 1)]),
        ("seat_assignments_all.csv", seat(1, 3, loaded="yesterday"), [(1, 31, 1)]),
        ("seat_assignments_2025-07-06.csv", seat(1, 6, loaded="2150-01-01T00:00:00Z"), [(6, 6, 1)]),
        ("seat_assignments_2025-07-07.csv", "", [(7, 7, 1)]),
        ("seat_assignments_2025-07.csv", seat(1, 3), []),
    ],
)
def test_the_windows_of_unresolved_rows(land, connection, contracts, name, rows, expected):
    land(TABLE, {name: HEADER + rows if rows else b""})
    found = find_replays(connection, contracts, "UTC")
    assert found == [Replay(TABLE, date(2025, 7, first), date(2025, 7, last), n) for first, last, n in expected]


def test_a_day_ends_in_the_time_zone_of_the_workspace(land, connection, contracts):
    land(TABLE, {"seat_assignments_2025-07.csv": HEADER + seat(1, 3, "", "2025-07-03T23:00:00Z")})
    [found] = find_replays(connection, contracts, "Europe/Berlin")
    assert found.first == date(2025, 7, 4)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        (seat(1, 3, ""), seat(1, 3)),
        ("S1\n", seat(1, 3)),
        (seat(1, 3, loaded="yesterday"), seat(1, 3)),
        (seat(1, 3, loaded="2150-01-01T00:00:00Z"), seat(1, 3)),
        (seat(1, 3).replace("U1", '"U1'), seat(1, 3)),
    ],
)
def test_a_replay_of_a_mended_file_resolves_its_row_and_loads_it(land, connection, contracts, broken, mended):
    name = "seat_assignments_2025-07.csv"
    land(TABLE, {name: HEADER + broken + seat(2, 9, "")})
    assert unresolved(connection) == {TABLE: 2}
    land(TABLE, {name: HEADER + mended + seat(2, 9, "")}, now=datetime(2025, 8, 2))
    assert unresolved(connection) == {TABLE: 1}
    assert connection.execute("select row_key from raw.product_seat_assignments").fetchall() == [("S1",)]


def test_another_window_resolves_nothing_of_this_one(land, connection):
    name = "seat_assignments_2025-07.csv"
    land(TABLE, {name: HEADER + seat(1, 3, "")})
    land(TABLE, {name: HEADER + seat(1, 3)}, Window(date(2025, 7, 9), date(2025, 7, 10), datetime(2025, 7, 9),
                                                    datetime(2025, 7, 10)))
    assert unresolved(connection) == {TABLE: 1}


def test_a_broken_file_that_is_no_longer_delivered_is_resolved(land, connection, tmp_path):
    land(TABLE, {"seat_assignments_2025-07-05.csv": b""})
    (tmp_path / "product" / "seat_assignments_2025-07-05.csv").unlink()
    land(TABLE, {"seat_assignments_2025-07.csv": HEADER + seat(1, 5)})
    assert unresolved(connection) == {}


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "NaN"])
def test_a_number_that_is_none_is_refused(land, connection, value):
    report = land("product_metered_usage", {
        "metered_usage_2025-07.csv":
            f"account_id,meter,used_on,quantity,loaded_at\nA1,api_calls,2025-07-02,{value},2025-07-02T09:00:00Z\n"
    })
    assert report.rules == {"not_finite:quantity": 1}
