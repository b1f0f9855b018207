"""Running jobs in this process, with a persistent history in the project's folder.

Belongs here: the instance, the run, the proof that a run did what it says. Does not belong here: the command line.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

from expansion_assets.project import ensure_manifest
from expansion_assets.settings import PROJECT_DIR, Settings
from expansion_assets.workspace import Workspace

Progress = Callable[[str, int, int], None]
# A year of days: the events of one asset go in one transaction.
_EVENT_BATCH = 400
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
    os.environ["EXPANSION_RUN_HISTORY"] = str(home / "history")
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(_EVENT_BATCH)
    return home


def run_job(
    workspace: Workspace, job_name: str, first: date, last: date, progress: Progress | None = None
) -> dg.ExecuteInProcessResult:
    """Run a job over days first..last as one run.

    Args:
        workspace: The workspace whose environment is loaded.
        job_name: ``daily_scan``, ``weekly_digest`` or ``monthly_review``.
        first: First day.
        last: Last day, included.
        progress: Called with step name, steps done and steps in all.

    Raises:
        RunFailedError: names the step and its first error.
    """
    prepare_home(workspace.settings)
    ensure_manifest(workspace.settings)
    from expansion_assets.definitions import defs

    job = defs().resolve_job_def(job_name)
    steps = len(job.graph.node_dict)
    if first == last:
        days: dict[str, str] = {"dagster/partition": first.isoformat()}
    else:
        days = {_RANGE_START: first.isoformat(), _RANGE_END: last.isoformat()}
    with dg.DagsterInstance.get() as instance, _quiet_dagster(progress, steps):
        result = job.execute_in_process(
            instance=instance,
            tags=days,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    if not result.success:
        raise RunFailedError(_first_failure(result))
    return result


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


class _quiet_dagster:  # noqa: N801 - used as a context manager, like contextlib's own
    """Send step ends to ``progress`` and keep Dagster's own log lines off the terminal; the history keeps them."""

    def __init__(self, progress: Progress | None, steps: int) -> None:
        self._progress, self._steps, self._done = progress, steps, 0

    def __enter__(self) -> None:
        self._level = logging.getLogger("dagster").level
        logging.getLogger("dagster").setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("dagster").setLevel(self._level)


def days_before(day: date, count: int) -> date:
    """The day ``count`` days before."""
    return day - timedelta(days=count)
