"""The hard world up to its firings: what `truth` needs, and no page.

Belongs here: which layers run, and when what they computed still holds. Does not belong here: the world (``world``),
the verdict (``validation/truth.py``).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import dagster as dg

from expansion_assets.defs.runs import Progress, run_job, selected_job
from expansion_assets.settings import PROJECT_DIR
from expansion_assets.workspace import Workspace
from expansion_assets.world import WORLD_FILE

_CODE = ("expansion_assets", "dbt_project/models", "dbt_project/macros", "data/labelled_texts.jsonl")
_CODE_FILES = {".py", ".sql", ".yml", ".jsonl"}
_LAYERS = ("raw", "features", "text", "triggers")
_STAMP = "computed_from"


def compute_firings(workspace: Workspace, progress: Progress | None = None) -> bool:
    """Compute all days of a world up to the firings, unless that was done by the same code for the same world.

    Args:
        workspace: The workspace of the world; its warehouse is made anew.
        progress: Called with step name, steps done and steps in all.

    Returns:
        Whether a run was needed.

    Raises:
        RunFailedError: names the step and its first error.
    """
    settings = workspace.settings
    stamp, path = _fingerprint(settings.landing_dir), settings.workspace_dir / _STAMP
    if path.is_file() and path.read_text(encoding="utf-8") == stamp and settings.warehouse_path.is_file():
        return False
    path.unlink(missing_ok=True)
    for folder in (settings.warehouse_path.parent, settings.dagster_home):
        shutil.rmtree(folder, ignore_errors=True)
    layers = dg.AssetSelection.groups(*_LAYERS).without_checks()
    run_job(workspace, selected_job("truth", layers), workspace.first_day, workspace.today, progress)
    path.write_text(stamp, encoding="utf-8")
    return True


def _fingerprint(landing: Path) -> str:
    """Of the code, the rules, the tagger's lines and the world."""
    digest = sha256((landing / WORLD_FILE).read_bytes())
    for path in _code_files():
        digest.update(str(path.relative_to(PROJECT_DIR)).encode() + path.read_bytes())
    return digest.hexdigest()


def _code_files() -> Iterator[Path]:
    for name in _CODE:
        root = PROJECT_DIR / name
        files = [root] if root.is_file() else root.rglob("*")
        yield from sorted(path for path in files if path.suffix in _CODE_FILES)
