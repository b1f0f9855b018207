"""The hard world is computed once for one world and one state of the code."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from expansion_assets.defs import truth
from expansion_assets.settings import Settings
from expansion_assets.workspace import Workspace, build_workspace
from expansion_assets.world import WORLD_FILE


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    settings = Settings(
        state_dir=tmp_path, sources=None, world_is_hard=True, world_months=24, world_last_day=date(2025, 6, 30)
    )
    path = settings.landing_dir / WORLD_FILE
    path.parent.mkdir(parents=True)
    path.write_text("a world", encoding="utf-8")
    return build_workspace(settings)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[date, date]]:
    """Days of each run that was asked for; a run leaves a warehouse."""
    found: list[tuple[date, date]] = []

    def run_job(workspace: Workspace, job: object, first: date, last: date, progress: object) -> None:
        assert not workspace.settings.warehouse_path.exists()
        workspace.settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
        workspace.settings.warehouse_path.touch()
        found.append((first, last))

    code = tmp_path / "rule.py"
    code.write_text("1", encoding="utf-8")
    monkeypatch.setattr(truth, "run_job", run_job)
    monkeypatch.setattr(truth, "selected_job", lambda name, layers: name)
    monkeypatch.setattr(truth, "PROJECT_DIR", tmp_path)
    monkeypatch.setattr(truth, "_CODE", ("rule.py",))
    return found


def test_nothing_is_computed_twice(workspace: Workspace, runs: list[tuple[date, date]]) -> None:
    assert truth.compute_firings(workspace)
    assert not truth.compute_firings(workspace)
    assert runs == [(date(2023, 7, 1), date(2025, 6, 30))]


@pytest.mark.parametrize("changed", ["world", "code", "warehouse"])
def test_another_world_other_code_or_a_lost_warehouse_is_computed_anew(
    workspace: Workspace, runs: list[tuple[date, date]], tmp_path: Path, changed: str
) -> None:
    truth.compute_firings(workspace)
    if changed == "world":
        (workspace.settings.landing_dir / WORLD_FILE).write_text("another", encoding="utf-8")
    elif changed == "code":
        (tmp_path / "rule.py").write_text("2", encoding="utf-8")
    else:
        workspace.settings.warehouse_path.unlink()
    assert truth.compute_firings(workspace)
    assert len(runs) == 2


def test_the_hard_world_stands_apart_from_the_demo_world(workspace: Workspace, tmp_path: Path) -> None:
    demo = Settings(state_dir=tmp_path, sources=None)
    assert workspace.settings.live_dir != demo.live_dir
    assert workspace.settings.live_dir.is_relative_to(tmp_path / "workspaces")


def test_a_run_that_failed_leaves_nothing_to_trust(
    workspace: Workspace, runs: list[tuple[date, date]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        workspace.settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
        workspace.settings.warehouse_path.touch()
        raise RuntimeError("the run failed")

    with monkeypatch.context() as patched:
        patched.setattr(truth, "run_job", fail)
        with pytest.raises(RuntimeError, match="the run failed"):
            truth.compute_firings(workspace)
    assert truth.compute_firings(workspace)
