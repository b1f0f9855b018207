"""Landing files: arrival months, formats, refusal of unknown columns."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from expansion_assets.world.period import Period
from expansion_assets.world.writer import Landing

ABSENCE: dict[str, Any] = {
    "absence_id": "A1", "owner_id": "O1", "from_on": date(2026, 1, 5), "to_on": date(2026, 1, 6),
    "entered_at": datetime(2026, 1, 2, 9, 30),
}  # fmt: skip


@pytest.fixture
def landing() -> Landing:
    return Landing(Period(date(2026, 1, 1), date(2026, 2, 28)))


def test_rows_go_to_the_month_of_arrival_with_header_and_iso_times(landing: Landing, tmp_path: Path) -> None:
    landing.add("crm_owner_absences", datetime(2026, 2, 1, 4, 5), ABSENCE)
    assert landing.write(tmp_path)["crm_owner_absences"] == 1
    (path,) = [item for item in tmp_path.rglob("*") if item.is_file()]
    assert path == tmp_path / "crm" / "owner_absences_2026-02.csv"
    assert path.read_text(encoding="utf-8").splitlines() == [
        "absence_id,owner_id,from_on,to_on,entered_at,is_deleted,loaded_at",
        "A1,O1,2026-01-05,2026-01-06,2026-01-02T09:30:00Z,,2026-02-01T04:05:00Z",
    ]


@pytest.mark.parametrize(
    ("loaded_at", "months"),
    [
        (datetime(2025, 3, 1), ["2026-01"]),
        (datetime(2026, 2, 28, 23, 59), ["2026-02"]),
        (datetime(2026, 3, 1), []),
    ],
)
def test_old_rows_come_with_the_first_load_and_future_ones_not_at_all(
    landing: Landing, tmp_path: Path, loaded_at: datetime, months: list[str]
) -> None:
    landing.add("crm_owner_absences", loaded_at, ABSENCE)
    landing.write(tmp_path)
    assert [path.stem[-7:] for path in tmp_path.glob("crm/*.csv")] == months


def test_a_column_outside_the_contract_is_an_error(landing: Landing) -> None:
    with pytest.raises(KeyError, match=r"crm_owner_absences: \['colour'\]"):
        landing.add("crm_owner_absences", datetime(2026, 1, 2), ABSENCE | {"colour": "red"})
