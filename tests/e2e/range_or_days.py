"""Driver of one process: a span of days as one run (``range``) or as a run a day (``days``).

Usage: ``python range_or_days.py <day of history, from 0> <days> <range or days>``.

Without asset checks, and without the layers after the firings except the diagnostic, because a day would cost twice
the time.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import dagster as dg

from expansion_assets.definitions import defs
from expansion_assets.defs.runs import run_job
from expansion_assets.workspace import load_workspace


def main(first: int, span: int, mode: str) -> None:
    workspace = load_workspace()
    readiness = [["readiness", name] for name in ("source_history", "diagnostic", "fixes")]
    core = dg.AssetSelection.groups("raw", "features", "text", "triggers") | dg.AssetSelection.assets(*readiness)
    core = core.without_checks()
    # All layers up to the firings: without the staging views in between, features would not wait for raw.
    loaded = dg.Definitions.merge(defs(), dg.Definitions(jobs=[dg.define_asset_job("core", selection=core)]))
    job = loaded.resolve_job_def("core")
    start = workspace.first_day + timedelta(days=first)
    if mode == "range":
        run_job(workspace, job, start, start + timedelta(days=span - 1))
    else:
        for number in range(span):
            run_job(workspace, job, start + timedelta(days=number), start + timedelta(days=number))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
