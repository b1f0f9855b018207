"""Restated known time: facts count from when they were true, corrected ones are gone, the live tables stay."""

from __future__ import annotations

from datetime import datetime

import pytest

from expansion_assets.sources.restate import restate_raw

OWNERS = "owner_id,name,email,role,country,updated_at,is_deleted,loaded_at\n"
USAGE = "account_id,meter,used_on,quantity,loaded_at\n"


def owner(name: str, updated: str, loaded: str, gone: str = "", number: int = 1) -> str:
    return f"O{number},{name},,csm,DE,{updated},{gone},{loaded}\n"


@pytest.fixture
def restated(connection, contracts):
    """Restate what was loaded and return the rows of a query."""

    def run(query: str, time_zone: str = "UTC") -> tuple[list, list]:
        connection.execute("attach ':memory:' as restated")
        connection.execute("use restated")
        found = restate_raw(connection, "memory", contracts, time_zone)
        return found, connection.execute(query).fetchall()

    return run


VERSIONS = "select name, version_no, known_from, known_to from raw.crm_owners order by row_key, known_from"


def at(number: int, hour: int = 0) -> datetime:
    return datetime(2025, 7, number, hour)


def test_a_late_row_counts_from_when_it_was_true(land, restated):
    land("crm_owners", {"owners_2025-07.csv": OWNERS + owner("Ada", "2025-07-03", "2025-07-20")})
    found, rows = restated(VERSIONS)
    assert rows == [("Ada", 1, at(3), None)]
    assert [(item.table, item.moved, item.replaced, item.latest_days) for item in found] == [("crm_owners", 1, 0, 17.0)]


def test_a_row_known_before_it_is_true_stays(land, restated):
    land("crm_owners", {"owners_2025-07.csv": OWNERS + owner("Ada", "2025-07-03T20:00:00Z", "2025-07-03")})
    found, rows = restated(VERSIONS)
    assert (found, rows) == ([], [("Ada", 1, at(3), None)])


def test_states_follow_each_other_in_the_order_in_which_they_were_true(land, restated):
    lines = [
        owner("first", "2025-07-02", "2025-07-05"),
        owner("second", "2025-07-10", "2025-07-12"),
        # Told last, and true before the second: the second was wrong or is corrected away.
        owner("third", "2025-07-09", "2025-07-15"),
        owner("fourth", "2025-07-16", "2025-07-16"),
    ]
    land("crm_owners", {"owners_2025-07.csv": OWNERS + "".join(lines)})
    found, rows = restated(VERSIONS)
    assert rows == [("first", 1, at(2), at(9)), ("third", 2, at(9), at(16)), ("fourth", 3, at(16), None)]
    assert [(item.moved, item.replaced) for item in found] == [(2, 1)]


def test_a_corrected_day_has_its_last_value_from_the_day_on(land, restated):
    lines = "A1,api_calls,2025-07-04,5,2025-07-05\nA1,api_calls,2025-07-04,9,2025-07-08\n"
    land("product_metered_usage", {"metered_usage_2025-07.csv": USAGE + lines})
    found, rows = restated("select quantity, version_no, known_from, known_to from raw.product_metered_usage")
    assert rows == [(9, 1, at(4), None)]
    assert [(item.moved, item.replaced) for item in found] == [(1, 1)]


@pytest.mark.parametrize(
    ("gone_since", "expected"),
    [("2025-07-20", [("Ada", 1, at(3), at(20))]), ("2025-07-03", [])],
    ids=["ended", "never was"],
)
def test_a_deletion_ends_a_row_when_it_happened(land, restated, connection, gone_since, expected):
    lines = owner("Ada", "2025-07-03", "2025-07-04") + owner("Ada", gone_since, "2025-07-25", gone="true")
    land("crm_owners", {"owners_2025-07.csv": OWNERS + lines})
    _, rows = restated(VERSIONS)
    assert rows == expected
    assert connection.execute("select known_from from raw.deletions").fetchall() == [
        (datetime.fromisoformat(gone_since),)
    ]


def test_a_row_that_comes_back_is_a_version_again(land, restated):
    lines = (
        owner("Ada", "2025-07-03", "2025-07-04")
        + owner("Ada", "2025-07-10", "2025-07-11", gone="true")
        + owner("Ada", "2025-07-12", "2025-07-19")
    )
    land("crm_owners", {"owners_2025-07.csv": OWNERS + lines})
    _, rows = restated(VERSIONS)
    assert rows == [("Ada", 1, at(3), at(10)), ("Ada", 2, at(12), None)]


def test_the_live_tables_are_as_they_were(land, restated, connection):
    land("crm_owners", {"owners_2025-07.csv": OWNERS + owner("Ada", "2025-07-03", "2025-07-20")})
    before = connection.execute("select * from memory.raw.crm_owners").fetchall()
    restated("select 1")
    assert connection.execute("select * from memory.raw.crm_owners").fetchall() == before


def test_quarantine_and_landing_status_come_along(land, restated, connection):
    land("crm_owners", {"owners_2025-07.csv": OWNERS + owner("Ada", "never", "2025-07-20")})
    restated("select 1")
    for table in ("quarantine", "landing_status"):
        assert connection.execute(f"select * from raw.{table}").fetchall() == connection.execute(
            f"select * from memory.raw.{table}"
        ).fetchall() != []


def test_a_date_is_true_from_local_midnight_and_an_instant_from_itself(land, restated, connection):
    land("product_metered_usage", {"metered_usage_2025-07.csv": USAGE + "A1,api_calls,2025-07-04,5,2025-07-09\n"})
    land("crm_owners", {"owners_2025-07.csv": OWNERS + owner("Ada", "2025-07-03", "2025-07-20")})
    _, rows = restated("select known_from from raw.product_metered_usage", "America/New_York")
    assert rows == [(at(4, 4),)]
    assert connection.execute("select known_from from raw.crm_owners").fetchall() == [(at(3),)]
