"""Whole worlds, run through the command line as a user would, each once a session."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from tests.e2e.states import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``python -m expansion_assets`` with a state folder; extra keywords are EXPANSION_* variables."""

    def run(
        state: Path, *arguments: str, check: bool = True, script: Path | None = None, **variables: object
    ) -> subprocess.CompletedProcess[str]:
        target = [str(script)] if script else ["-m", "expansion_assets"]
        finished = subprocess.run(
            [sys.executable, *target, *arguments], cwd=ROOT, text=True, capture_output=True, timeout=1800, check=False,
            env=environment(state, **variables) | {"PYTHONPATH": str(ROOT)},
        )
        assert not check or finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]
        return finished

    return run


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory, command) -> Path:
    """State folder of the demo world after ``scan``: a year in one run, then its last day."""
    state = tmp_path_factory.mktemp("year")
    finished = command(state, "scan")
    (state / "stdout.txt").write_text(finished.stdout)
    return state


@pytest.fixture
def warehouse(year: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The year's warehouse, read only."""
    with duckdb.connect(str(year / "warehouse" / "expansion.duckdb"), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection
