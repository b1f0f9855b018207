"""State folders of whole runs: the environment that leads to one, with the dbt project parsed beforehand.

Belongs here: what every command line of a test starts from. Does not belong here: running it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from expansion_assets.project import ensure_manifest
from expansion_assets.settings import PROJECT_DIR, Settings


def environment(state: Path, **variables: object) -> dict[str, str]:
    """This process's environment with a state folder and EXPANSION_* variables in place of its own."""
    _give_parsed_project(state)
    own = ("EXPANSION_", "DAGSTER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    given = {f"EXPANSION_{name.upper()}": str(value) for name, value in variables.items()}
    return kept | given | {"EXPANSION_STATE_DIR": str(state)}


def _give_parsed_project(state: Path) -> None:
    """Copy what `make setup` parsed: 9 CPU s for each state folder otherwise, a dozen times."""
    if (state / "dbt_target").exists():
        return
    parsed = ensure_manifest(Settings(state_dir=PROJECT_DIR / "data")).parent
    (state / "dbt_target").mkdir(parents=True)
    for name in ("manifest.json", "partial_parse.msgpack"):
        shutil.copy2(parsed / name, state / "dbt_target" / name)
