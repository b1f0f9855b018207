"""A first look at landing files: what could be watched, before anything has run.

Belongs here: the steps of a run up to the diagnostic, for today alone, in a warehouse that is thrown away. Does not
belong here: any rule of its own; loader, identity, models and diagnostic are those of a run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from expansion_assets import clock
from expansion_assets.catalogue.identity import load_identity_rules
from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.privacy.suppression import read_suppression
from expansion_assets.project import build_models
from expansion_assets.sources.load import load_table
from expansion_assets.sources.postgres import refresh
from expansion_assets.sources.versions import create_raw_tables
from expansion_assets.store.control import write_control
from expansion_assets.store.identity import write_identity
from expansion_assets.store.readiness import readiness_data, write_diagnostic
from expansion_assets.store.warehouse import connect, create_tables
from expansion_assets.workspace import Workspace

_MODELS = tuple(f"+fqn:expansion.marts.features.{name}" for name in ("account_day", "match_rate_day"))


def first_look(workspace: Workspace, progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Load the raw layer whole, flag the accounts of today, and diagnose them.

    Args:
        workspace: The workspace; its own warehouse is neither read nor written.
        progress: Called with the name of each step.

    Returns:
        Data of the readiness page.

    Raises:
        DbtError: a model could not be built.
    """
    day, end = workspace.today, workspace.today + timedelta(days=1)
    with TemporaryDirectory(prefix="expansion-doctor-") as folder:
        settings = workspace.settings.model_copy(
            update={"state_dir": Path(folder), "landing": workspace.settings.landing_dir}
        )
        own = replace(workspace, settings=settings)
        with connect(settings.warehouse_path) as connection:
            create_raw_tables(connection, own.contracts)
            create_tables(connection)
            _load(connection, own, read_suppression(workspace.settings), progress)
            write_control(connection, own, day, end)
        progress("flags of the accounts")
        build_models(settings, _MODELS, parsed_as=workspace.settings)
        progress("diagnostic")
        with connect(settings.warehouse_path) as connection:
            write_diagnostic(connection, own, load_catalogue().signals, day, end)
            return readiness_data(connection, day)


def _load(connection: Any, workspace: Workspace, suppression: Any, progress: Callable[[str], None]) -> None:
    window = workspace.window(workspace.first_day, workspace.today + timedelta(days=1))
    zone, landing_dir = workspace.settings.time_zone, workspace.settings.landing_dir
    for contract in workspace.contracts.values():
        progress(contract.name)
        mapping = workspace.mapping.tables.get(contract.name)
        load_table(
            connection, contract, mapping, landing_dir, window, clock.as_of_end(workspace.today, zone),
            workspace.absent_reason(contract), refresh(contract, mapping, landing_dir, time_zone=zone),
            suppression=suppression,
        )
    rules, key = load_identity_rules(), workspace.settings.person_key
    write_identity(connection, workspace.contracts, key, rules, window.known_from, window.known_before)
