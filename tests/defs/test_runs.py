"""Runs of the command line whose process was killed."""

import os
import subprocess
import sys
from socket import gethostname

import dagster as dg
import pytest

from expansion_assets.defs.runs import end_dead_runs


@pytest.fixture
def dead_process() -> int:
    """Number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@dg.op
def nothing() -> None: ...


@dg.job
def a_job() -> None:
    nothing()


def started(instance: dg.DagsterInstance, **tags: str) -> str:
    run = instance.create_run_for_job(a_job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    return run.run_id


def test_only_runs_whose_process_is_gone_are_ended(dead_process):
    with dg.instance_for_test() as instance:
        gone = started(instance, **{"expansion/process": f"{dead_process}@{gethostname()}"})
        others = [
            started(instance, **{"expansion/process": f"{os.getpid()}@{gethostname()}"}),
            started(instance, **{"expansion/process": f"{dead_process}@another-host"}),
            started(instance),
        ]
        assert end_dead_runs(instance) == 1
        assert instance.get_run_by_id(gone).status is dg.DagsterRunStatus.FAILURE
        assert {instance.get_run_by_id(run).status for run in others} == {dg.DagsterRunStatus.STARTED}
        assert end_dead_runs(instance) == 0
