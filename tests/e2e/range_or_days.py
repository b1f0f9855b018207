"""Driver of one process: a span of days as one run (``range``) or as a run a day (``days``).

Usage: ``python range_or_days.py <day of history, from 0> <days> <range or days>``.

Without asset checks, and without the layers after the firings except the diagnostic, because a day would cost twice
the time. A run is two jobs, raw and what follows from it, so that the staging views need not be made anew each day:
they hold nothing of a day, and without them in between the rest would not wait for raw.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import dagster as dg

from expansion_assets.defs.runs import run_job, selected_job
from expansion_assets.workspace import load_workspace


def main(first: int, span: int, mode: str) -> None:
    workspace = load_workspace()
    raw = dg.AssetSelection.groups("raw")
    readiness = [["readiness", name] for name in ("source_history", "diagnostic", "fixes")]
    rest = dg.AssetSelection.groups("features", "text", "triggers") | dg.AssetSelection.assets(*readiness)
    if first:
        rest = rest - dg.AssetSelection.key_prefixes(["staging"])
    jobs = [
        selected_job("raw_days", raw.without_checks()),
        selected_job("rest_of_days", rest.without_checks()),
    ]
    start = workspace.first_day + timedelta(days=first)
    days = [start + timedelta(days=number) for number in range(span)]
    for run_first, run_last in [(days[0], days[-1])] if mode == "range" else zip(days, days, strict=True):
        for job in jobs:
            run_job(workspace, job, run_first, run_last)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
