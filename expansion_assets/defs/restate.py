"""Restating the past with today's knowledge, in a warehouse apart: raw made anew, then the layers up to the firings.

Belongs here: the order of the steps and the comparison's files. Does not belong here: known time (``sources/restate``),
what counts as a difference (``triggers/restatement``). The live warehouse is only read.
"""

from __future__ import annotations

import csv
import shutil
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.defs.runs import Progress, run_job, selected_job
from expansion_assets.sources.restate import Restated, restate_raw
from expansion_assets.store.firings import openings
from expansion_assets.store.texts import adopt_readings
from expansion_assets.store.warehouse import attach, connect, create_tables
from expansion_assets.triggers.base import Window
from expansion_assets.triggers.restatement import Difference, differences
from expansion_assets.workspace import Workspace

_LIVE = "live"


@dataclass(frozen=True)
class Restatement:
    """What today's knowledge changes."""

    tables: list[Restated]
    differences: list[Difference]
    unchanged: int
    """Openings that stand as they were."""
    path: Path
    """CSV of the differences."""


def restate(workspace: Workspace, first: date, last: date, progress: Progress | None = None) -> Restatement:
    """Compute the history again as if every fact had been known when it was true, and compare the openings.

    Detectors look back and firings follow from earlier ones, so all days up to the last are computed; the comparison
    is of first..last.

    Args:
        workspace: The workspace of settings that are ``restated``.
        first: First day compared.
        last: Last day compared, included; the live warehouse has computed it.
        progress: Called with step name, steps done and steps in all.

    Raises:
        WarehouseBusyError: a run holds the live warehouse.
        RunFailedError: names the step and its first error.
    """
    settings = workspace.settings
    live = settings.model_copy(update={"restated": False}).warehouse_path
    shutil.rmtree(settings.restated_dir, ignore_errors=True)
    with connect(settings.warehouse_path) as connection:
        attach(connection, live, _LIVE)
        tables = restate_raw(connection, _LIVE, workspace.contracts, settings.time_zone)
        create_tables(connection)
        adopt_readings(connection, _LIVE)
    layers = dg.AssetSelection.groups("features", "text", "triggers").without_checks()
    run_job(workspace, selected_job("restatement", layers), workspace.first_day, last, progress)
    window = Window(first, last + timedelta(days=1))
    with connect(settings.warehouse_path, read_only=True) as connection:
        restated = openings(connection, window)
    with connect(live, read_only=True) as connection:
        known_then = openings(connection, window)
    found = differences(known_then, restated, load_catalogue().common.link_days)
    path = settings.restated_dir / "differences.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, [item.name for item in fields(Difference)])
        writer.writeheader()
        writer.writerows(asdict(item) for item in found)
    return Restatement(tables, found, len(set(known_then) & set(restated)), path)
