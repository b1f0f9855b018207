"""One run over thirty days equals thirty daily runs, row for row."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

HISTORY_DAYS, SPAN_DAYS = 62, 30
WORLD = {"world_accounts": 16, "world_months": 4}
DRIVER = Path(__file__).with_name("range_or_days.py")
TABLES = [
    "features.account_day", "features.quota_day", "features.group_day", "features.contact_moves", "features.texts",
    "features.timeline_events", "features.review_events", "features.match_rate_day",
    "features.excluded_users_day", "text.tags", "triggers.firing_events", "triggers.evidence",
    "triggers.supporting_signals", "readiness.source_history", "readiness.diagnostic", "readiness.fixes",
]


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory, command) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("backfill")
    command(folder / "history", "world", **WORLD)
    command(folder / "history", "0", str(HISTORY_DAYS), "range", script=DRIVER, **WORLD)

    def build(mode: str) -> Path:
        shutil.copytree(folder / "history", folder / mode)
        command(folder / mode, str(HISTORY_DAYS), str(SPAN_DAYS), mode, script=DRIVER, **WORLD)
        return folder / mode / "warehouse" / "expansion.duckdb"

    # Side by side: they share nothing, and a run keeps one core busy.
    with ThreadPoolExecutor(max_workers=2) as pool:
        as_range, as_days = pool.map(build, ("range", "days"))
    return as_range, as_days


@pytest.mark.parametrize("table", TABLES)
def test_a_range_equals_its_days(warehouses, table):
    with duckdb.connect() as connection:
        for name, path in zip(("as_range", "as_days"), warehouses, strict=True):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        count = connection.execute(f"select count(*) from as_range.{table}").fetchone()[0]
        in_range, in_days = f"select * from as_range.{table}", f"select * from as_days.{table}"
        only_range = connection.execute(f"{in_range} except all {in_days}").fetchall()
        only_days = connection.execute(f"{in_days} except all {in_range}").fetchall()
    assert count > 0
    assert only_range == []
    assert only_days == []
