"""One run over thirty days equals thirty daily runs, row for row."""

from __future__ import annotations

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
    states = {mode: tmp_path_factory.mktemp(mode) for mode in ("range", "days")}

    def build(mode: str) -> Path:
        state = states[mode]
        command(state, "world", **WORLD)
        command(state, mode, str(HISTORY_DAYS), str(SPAN_DAYS), script=DRIVER, **WORLD)
        return state / "warehouse" / "expansion.duckdb"

    # Side by side: they share nothing, and a run keeps one core busy.
    with ThreadPoolExecutor(max_workers=2) as pool:
        as_range, as_days = pool.map(build, states)
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
