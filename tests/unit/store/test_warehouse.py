"""A window is replaced whole or not at all; another process is waited for, not run over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from expansion_assets.store import warehouse
from expansion_assets.store.warehouse import WarehouseBusyError, connect, fetch_rows, last_day_of, replace_window
from expansion_assets.tables import COVERAGE, PYTHON_TABLES, Table

SCORES = Table(
    "readiness", "daily", "", ("account_id", "day"),
    {"account_id": ("varchar", ""), "day": ("date", ""), "score": ("integer?", "")}, "day",
)
# Opens the file named by the first argument, says so, and keeps it until its standard input ends.
HOLDER = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def d(day: int) -> date:
    return date(2026, 3, day)


def row(account: str, day: int, score: int | None = None) -> dict[str, object]:
    return {"account_id": account, "day": d(day), "score": score}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create schema readiness")
        opened.execute(SCORES.ddl())
        warehouse.add_rows(opened, SCORES, [row("old", day, day) for day in (1, 2, 3, 4)])
        yield opened


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    path = tmp_path / "held.duckdb"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield path, process
        process.kill()


def stored(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute("select account_id, day, score from readiness.daily order by all").fetchall()


def test_only_the_days_of_the_window_are_replaced(connection):
    assert replace_window(connection, SCORES, [row("new", 2)], d(2), d(4)) == 1
    assert stored(connection) == [("new", d(2), None), ("old", d(1), 1), ("old", d(4), 4)]


def test_only_rows_of_the_condition_are_replaced(connection):
    replace_window(connection, SCORES, [], d(1), d(5), "score >= 3")
    assert stored(connection) == [("old", d(1), 1), ("old", d(2), 2)]


def test_a_second_run_leaves_the_same_rows(connection):
    for _ in range(2):
        replace_window(connection, SCORES, [row("new", 2, 7)], d(2), d(3))
    assert stored(connection) == [("new", d(2), 7), ("old", d(1), 1), ("old", d(3), 3), ("old", d(4), 4)]


def test_rows_that_cannot_be_written_leave_everything_as_it_was(connection):
    before = stored(connection)
    rows = [row("new", 2), {"account_id": "bad", "day": d(2), "score": "x"}]
    with pytest.raises(pa.ArrowInvalid):
        replace_window(connection, SCORES, rows, d(1), d(5))
    assert stored(connection) == before
    replace_window(connection, SCORES, [], d(1), d(5))  # no transaction was left open
    assert stored(connection) == []


def test_replace_all_empties_the_table_first(connection):
    assert warehouse.replace_all(connection, SCORES, [row("new", 9)]) == 1
    assert stored(connection) == [("new", d(9), None)]


def test_a_file_held_by_another_process_is_busy_after_the_wait(held):
    path, _ = held
    with pytest.raises(WarehouseBusyError, match=r"held\.duckdb: held by another process"), connect(
        path, wait_seconds=0
    ):
        pass


def test_a_file_that_is_let_go_during_the_wait_is_opened(held, monkeypatch):
    path, process = held
    waits: list[float] = []

    def let_go(seconds: float) -> None:
        waits.append(seconds)
        process.communicate()

    monkeypatch.setattr(warehouse.time, "sleep", let_go)
    with connect(path) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert len(waits) == 1


def test_another_error_of_the_file_is_not_waited_out(tmp_path):
    path = tmp_path / "no.duckdb"
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(duckdb.IOException), connect(path):
        pass


def test_sessions_speak_utc_and_the_folder_is_made(tmp_path):
    with connect(tmp_path / "new" / "w.duckdb") as connection:
        (found,) = fetch_rows(connection, "select timestamptz '2026-03-02 01:00:00+02:00'::timestamp as at")
    assert found == {"at": datetime(2026, 3, 1, 23)}


def test_every_table_of_the_definitions_is_created_and_can_be_written(tmp_path):
    with connect(tmp_path / "w.duckdb") as connection:
        warehouse.create_tables(connection)
        warehouse.create_tables(connection)
        for table in PYTHON_TABLES:
            assert warehouse.add_rows(connection, table, [{}]) == 1


def test_the_last_day_is_none_until_a_day_is_covered(tmp_path):
    path = tmp_path / "w.duckdb"
    assert last_day_of(path) is None
    assert not path.exists()
    with connect(path):
        pass
    assert last_day_of(path) is None
    with connect(path) as connection:
        warehouse.create_tables(connection)
    assert last_day_of(path) is None
    with connect(path) as connection:
        warehouse.add_rows(connection, COVERAGE, [{"as_of_date": d(2)}, {"as_of_date": d(3)}, {"as_of_date": d(1)}])
    assert last_day_of(path) == d(3)
