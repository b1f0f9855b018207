"""Driver of one process: a history as one run, or the same days evening by evening.

Usage: ``python range_or_days.py backfill <last day>`` over landing files that are complete;
``python range_or_days.py evenings <last day of history> <last day>`` over files that grow as the days pass.
Days count from 0, the first of the workspace.

An evening costs the real job 10 CPU s, nearly all of it in Dagster's and dbt's bookkeeping. So only the first
evening of each ``REAL_EVERY`` is a run of the job. The others call, in the order of the asset graph, the bodies of
the assets, and execute what dbt executed on an evening before (``tests/dbt/recorded.py``); tables of which nothing
arrived are not loaded. Whatever an evening lacked by that, the backfill would have more of.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg

from expansion_assets.defs.runs import run_job, selected_job
from expansion_assets.project import common_arguments, ensure_manifest, read_parsed
from expansion_assets.store.control import write_control
from expansion_assets.workspace import Workspace, load_workspace
from tests.dbt.recorded import Recording
from tests.e2e.untidy_landing import Arrival, deliver

GROUPS = ("raw", "features", "text", "triggers", "readiness", "outcomes")
REAL_EVERY = 30
ARRIVALS = "arrivals.pickle"


def backfill(workspace: Workspace, last: date) -> None:
    """All days as one run."""
    run_job(workspace, _job(), workspace.first_day, last)


def evenings(workspace: Workspace, history: date, last: date, arrivals: list[Arrival]) -> None:
    """A history as one run over what had arrived by then, and each further day on its own."""
    landing, first, job = workspace.settings.landing_dir, workspace.first_day, _job()
    deliver(arrivals, landing, first, history)
    run_job(workspace, job, first, history)
    steps: list[tuple[str, Any]] = []
    for number in range((last - history).days):
        day = history + timedelta(days=number + 1)
        deliver(arrivals, landing, first, day, only_month=True)
        if number % REAL_EVERY == 0:
            run_job(workspace, job, day, day)
            steps = steps or _steps(_recorded(workspace))
        else:
            arrived = {f"raw__{item.table}" for item in arrivals if item.loaded_at.date() == day}
            _run_evening(workspace, [body for name, body in steps if name[:5] != "raw__" or name in arrived], day)


def _job() -> dg.JobDefinition:
    return selected_job("all_days", dg.AssetSelection.groups(*GROUPS).without_checks())


def _recorded(workspace: Workspace) -> Recording:
    """What dbt executes on an evening: the last one over again, which changes nothing."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    recording = Recording()
    selection = ["--select", "intermediate", "marts.features", "marts.outcomes"]
    try:
        result = dbtRunner(read_parsed(workspace.settings), callbacks=[recording.keep]).invoke(
            ["--quiet", "run", *selection, *common_arguments(workspace.settings)]
        )
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert result.success
    return recording


def _steps(recording: Recording) -> list[tuple[str, Any]]:
    """Names with bodies of Python assets or lists of statements, each after what it reads."""
    from expansion_assets.definitions import defs

    graph = defs().resolve_asset_graph()
    nodes = {key: graph.get(key) for key in graph.get_all_asset_keys() if graph.get(key).group_name in GROUPS}
    models: dict[str, list[str]] = {}
    for model, statement in recording.statements:
        models.setdefault(model, []).append(statement)

    def step_of(key: dg.AssetKey) -> str:
        # A model may have the name of an op.
        return f"model {key.path[-1]}" if _is_model(nodes[key]) else nodes[key].assets_def.op.name

    before: dict[str, set[str]] = {}
    bodies: dict[str, Any] = {}
    for key, node in nodes.items():
        parents = {step_of(parent) for parent in node.parent_keys if parent in nodes}
        before.setdefault(step_of(key), set()).update(parents - {step_of(key)})
        bodies[step_of(key)] = (
            models.get(key.path[-1], []) if _is_model(node) else node.assets_def.op.compute_fn.decorated_fn
        )
    return [(step, bodies[step]) for step in TopologicalSorter(before).static_order()]


def _is_model(node: Any) -> bool:
    return node.assets_def.op.name in ("preparation", "features", "outcomes")


def _run_evening(workspace: Workspace, steps: Iterable[Any], day: date) -> None:
    from expansion_assets.defs.resources import Warehouse

    context = SimpleNamespace(run=SimpleNamespace(tags={"dagster/partition": day.isoformat()}))
    warehouse = Warehouse(path=str(workspace.settings.warehouse_path))
    with warehouse.connect() as connection:
        write_control(connection, workspace, day, day + timedelta(days=1))
        for step in steps:
            if callable(step):
                result = step(context, warehouse)
                if not isinstance(result, dg.MaterializeResult):
                    list(result)
            else:
                for statement in step:
                    connection.execute(statement)
    warehouse.release()


def main(mode: str, *days: str) -> None:
    workspace = load_workspace()
    ensure_manifest(workspace.settings)
    numbered = [workspace.first_day + timedelta(days=int(number)) for number in days]
    if mode == "backfill":
        backfill(workspace, *numbered)
    else:
        arrivals = pickle.loads((Path(workspace.settings.state_dir) / ARRIVALS).read_bytes())
        evenings(workspace, *numbered, arrivals)


if __name__ == "__main__":
    main(*sys.argv[1:])
