"""SIGKILL at any moment of a raw load, then a rerun: exactly the rows of an undisturbed run."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

CHILD = Path(__file__).with_name("killed_load.py")
HEADER = "assignment_id,account_id,user_id,assigned_on,released_on,updated_at,is_deleted,loaded_at\n"
TABLES = {
    "product_seat_assignments": "*",
    "deletions": "*",
    "quarantine": "* exclude (first_seen_at, last_seen_at)",
    "landing_status": "*",
}


def seats(first: int, last: int) -> str:
    """Assignments with corrections, deletions and broken rows."""
    rows = []
    for number in range(first, last):
        at = f"2025-07-{number % 28 + 1:02d}T{number % 24:02d}:00:00Z"
        seat, gone = f"S{number % (last // 2)}", "true" if number % 97 == 0 else ""
        assigned = "soon" if number % 89 == 0 else "2025-07-01"
        rows.append(f"{seat},A{number % 40},U{number},{assigned},,{at},{gone},{at}\n")
    return HEADER + "".join(rows)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing" / "product"
    folder.mkdir(parents=True)
    (folder / "seat_assignments_2025-07.csv").write_text(seats(0, 20_000))
    return folder.parent


def run(landing: Path, warehouse: Path, statement: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHILD), str(landing), str(warehouse), str(statement)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def rows(warehouse: Path) -> dict[str, list[tuple]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {
            table: connection.execute(f"select {columns} from raw.{table} order by all").fetchall()
            for table, columns in TABLES.items()
        }


def start_from_an_earlier_load(landing: Path, warehouse: Path) -> None:
    """A first, undisturbed load of other rows of the same window, which the next one replaces."""
    file = landing / "product" / "seat_assignments_2025-07.csv"
    content = file.read_text()
    file.write_text(seats(500, 3_000))
    assert "done" in run(landing, warehouse).stdout
    file.write_text(content)


def test_a_load_killed_before_any_statement_up_to_its_commit_is_made_good_by_a_rerun(landing, tmp_path):
    undisturbed, killed = tmp_path / "undisturbed.duckdb", tmp_path / "killed.duckdb"
    start_from_an_earlier_load(landing, undisturbed)
    start_from_an_earlier_load(landing, killed)
    finished = run(landing, undisturbed)
    commit = int(finished.stdout.split()[-1])
    expected = rows(undisturbed)
    assert len(expected["product_seat_assignments"]) > 19_000
    assert expected["deletions"] and expected["quarantine"]
    before = rows(killed)
    # Every statement of the transaction, and every sixth of those before it.
    for statement in (*range(1, commit - 12, 6), *range(commit - 12, commit + 1)):
        assert run(landing, killed, statement).returncode == -signal.SIGKILL
        # All or nothing: what a killed load leaves is what was there.
        assert rows(killed) == before, f"statement {statement} of {commit}"
    assert run(landing, killed).returncode == 0
    assert rows(killed) == expected


def test_a_load_killed_at_any_time_is_made_good_by_a_rerun(landing, tmp_path):
    undisturbed, killed = tmp_path / "undisturbed.duckdb", tmp_path / "killed.duckdb"
    for warehouse in (undisturbed, killed):
        start_from_an_earlier_load(landing, warehouse)
    run(landing, undisturbed)
    expected, before = rows(undisturbed), rows(killed)
    moments = random.Random(7)
    kills = 0
    for _ in range(8):
        command = [sys.executable, str(CHILD), str(landing), str(killed), "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(moments.uniform(0, 0.3))
            child.send_signal(signal.SIGKILL)
        kills += child.returncode == -signal.SIGKILL
        assert rows(killed) in (before, expected)
    assert kills
    assert run(landing, killed).returncode == 0
    assert rows(killed) == expected
