"""Running jobs in this process, with a persistent history in the project's folder.

Belongs here: the instance, the run, the proof that a run did what it says. Does not belong here: the command line.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from socket import gethostname

import dagster as dg

from expansion_assets.project import ensure_manifest
from expansion_assets.settings import PROJECT_DIR, Settings
from expansion_assets.sources.replay import find_replays, unresolved
from expansion_assets.store.warehouse import connect
from expansion_assets.workspace import Workspace

Progress = Callable[[str, int, int], None]
# A year of days: the events of one asset go in one transaction.
_EVENT_BATCH = 400
_PROCESS = "expansion/process"
_RANGE_START, _RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


class RunFailedError(RuntimeError):
    """A run failed, or said success without publishing the scan of its last day."""


def prepare_home(settings: Settings) -> Path:
    """Make DAGSTER_HOME in the workspace and point the environment at it.

    Without it Dagster would keep the run history in a temporary folder and throw it away.
    """
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_DIR / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(_EVENT_BATCH)
    return home


def run_job(
    workspace: Workspace, job: str | dg.JobDefinition, first: date, last: date, progress: Progress | None = None
) -> dg.ExecuteInProcessResult:
    """Run a job over days first..last as one run.

    Args:
        workspace: The workspace whose environment is loaded.
        job: ``daily_scan``, ``weekly_digest`` or ``monthly_review``, or a job resolved elsewhere.
        first: First day.
        last: Last day, included.
        progress: Called with step name, steps done and steps in all.

    Raises:
        RunFailedError: names the step and its first error.
    """
    prepare_home(workspace.settings)
    ensure_manifest(workspace.settings)
    from expansion_assets.definitions import defs

    if isinstance(job, str):
        job = defs().resolve_job_def(job)
    steps = len(job.graph.node_dict)
    if first == last:
        days: dict[str, str] = {"dagster/partition": first.isoformat()}
    else:
        days = {_RANGE_START: first.isoformat(), _RANGE_END: last.isoformat()}
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.get() as instance, _quiet_dagster():
        end_dead_runs(instance)
        if progress is not None:
            instance.add_event_listener(run_id, _step_counter(progress, steps))
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            tags={**days, _PROCESS: f"{os.getpid()}@{gethostname()}"},
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    if not result.success:
        raise RunFailedError(_first_failure(result))
    return result


def end_dead_runs(instance: dg.DagsterInstance) -> int:
    """Mark runs of the command line as failed whose process is gone: the UI would queue behind them for ever.

    Returns:
        How many there were.
    """
    in_progress = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    dead = [run for run in instance.get_runs(filters=in_progress) if _is_dead(run.tags.get(_PROCESS))]
    for run in dead:
        instance.report_run_failed(run, "the command line's process was killed")
    return len(dead)


def _is_dead(process: str | None) -> bool:
    """Whether a run of the command line has lost its process; runs of the UI name none, other hosts cannot be asked."""
    number, _, host = (process or "").partition("@")
    if host != gethostname():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's, so it lives
    return False


def assert_published(workspace: Workspace, day: date) -> Path:
    """Prove that the scan of a day was published; a run can say success with everything downstream skipped.

    Returns:
        Folder of the day's pages.

    Raises:
        RunFailedError: the scan is missing or bears another date.
    """
    page = workspace.settings.published_dir / day.isoformat() / "scan.json"
    if not page.is_file():
        raise RunFailedError(f"the run ended without error, but {page} was not published")
    as_of = json.loads(page.read_text(encoding="utf-8")).get("as_of")
    if as_of != day.isoformat():
        raise RunFailedError(f"{page} is the scan of {as_of}, not of {day}")
    return page.parent


def _first_failure(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error:
            error = event.step_failure_data.error
            while error.cause:
                error = error.cause
            return f"{event.step_key}: {error.message.strip().splitlines()[0]}"
    return "the run failed before its first step; see the run in the Dagster UI"


def _step_counter(progress: Progress, steps: int) -> Callable[[dg.EventLogEntry], None]:
    started = count(1)

    def listen(entry: dg.EventLogEntry) -> None:
        if entry.dagster_event is not None and entry.dagster_event.is_step_start:
            progress(entry.dagster_event.step_key or "", next(started), steps)

    return listen


@contextmanager
def _quiet_dagster() -> Iterator[None]:
    """Keep Dagster's own log lines off the terminal; the run history keeps them."""
    logger = logging.getLogger("dagster")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def step_seconds(settings: Settings, limit: int = 2) -> list[tuple[str, float, dict[str, float]]]:
    """Seconds by step of the newest runs.

    Returns:
        (days, seconds of the whole run, seconds by step), newest run first.
    """
    prepare_home(settings)
    found = []
    with dg.DagsterInstance.get() as instance:
        for record in instance.get_run_records(limit=limit):
            tags = record.dagster_run.tags
            days = " to ".join(tags[key] for key in (_RANGE_START, _RANGE_END, "dagster/partition") if key in tags)
            stats = instance.get_run_step_stats(record.dagster_run.run_id)
            steps = {item.step_key: (item.end_time or 0.0) - (item.start_time or 0.0) for item in stats}
            found.append((days, (record.end_time or 0.0) - (record.start_time or 0.0), steps))
    return found


@dataclass(frozen=True)
class Replayed:
    """One range of days of one table, loaded again."""

    table: str
    first: date
    last: date
    rows_before: int
    rows_after: int


def replay_quarantine(workspace: Workspace, tables: tuple[str, ...] = ()) -> list[Replayed]:
    """Load the windows again that have unresolved rows in quarantine, as runs of the raw assets concerned.

    Args:
        workspace: The workspace whose environment is loaded.
        tables: Only these raw tables; empty means all.

    Returns:
        What was loaded, with the unresolved rows of its table before and after.

    Raises:
        RunFailedError: a run failed.
    """
    path = workspace.settings.warehouse_path
    with connect(path, read_only=True) as connection:
        found = find_replays(connection, workspace.contracts, workspace.settings.time_zone, tables)
    done = []
    for item in found:
        with connect(path, read_only=True) as connection:
            before = unresolved(connection).get(item.table, 0)
        replay = selected_job(f"replay_{item.table}", dg.AssetSelection.assets(["raw", item.table]))
        run_job(workspace, replay, item.first, item.last)
        with connect(path, read_only=True) as connection:
            after = unresolved(connection).get(item.table, 0)
        done.append(Replayed(item.table, item.first, item.last, before, after))
    return done


def selected_job(name: str, selection: dg.AssetSelection) -> dg.JobDefinition:
    """A job of some assets that no schedule knows, for ``run_job``."""
    from expansion_assets.definitions import defs

    return dg.define_asset_job(name, selection=selection).resolve(asset_graph=defs().resolve_asset_graph())
