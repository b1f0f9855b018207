"""Where the dbt project stands and how its manifest comes to be; importable without a manifest.

Belongs here: paths and the manifest's freshness. Does not belong here: which models a run builds (``defs/dbt``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.page import catalogue_page
from expansion_assets.settings import PROJECT_DIR, Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

DBT_DIR = PROJECT_DIR / "dbt_project"
_SOURCES = ("models", "macros", "tests", "dbt_project.yml", "profiles.yml")
_WITH_ARTIFACTS = "--write-json"
_PARSED = "partial_parse.msgpack"
_DOCS_BLOCKS = "EXPANSION_DOCS_BLOCKS"  # dbt_project.yml reads it


class DbtError(RuntimeError):
    """dbt refused to parse or build; the message is dbt's own first line."""


def parsed_dir(settings: Settings) -> Path:
    """Where the parsed project stands, for all workspaces of a state folder: it depends on none of them."""
    return settings.state_dir / "dbt_target"


def target_dir(settings: Settings) -> Path:
    """Where dbt writes what it makes for one workspace."""
    return settings.workspace_dir / "dbt_target"


def common_arguments(settings: Settings) -> list[str]:
    """Arguments of every dbt call; also hands dbt the warehouse and the time zone, so that it cuts days as Python does.

    A build writes no artifacts: nothing reads them, and the manifest costs 0.4 CPU s.
    """
    os.environ["EXPANSION_WAREHOUSE"] = str(settings.warehouse_path)
    os.environ["EXPANSION_TIME_ZONE"] = settings.time_zone
    os.environ.setdefault("DO_NOT_TRACK", "1")
    target = str(target_dir(settings))
    folders = ["--project-dir", str(DBT_DIR), "--profiles-dir", str(DBT_DIR)]
    return [*folders, "--target-path", target, "--log-path", target, "--no-write-json", "--log-level-file", "warn"]


def newest_source_time() -> float:
    """Modification time of the newest file that the manifest depends on."""
    files = [path for name in _SOURCES for path in [DBT_DIR / name, *(DBT_DIR / name).rglob("*")] if path.is_file()]
    return max(path.stat().st_mtime for path in files)


def ensure_manifest(settings: Settings) -> Path:
    """Parse the project when the manifest is missing or older than a source file.

    Returns:
        Path of ``manifest.json``.

    Raises:
        DbtError: the project does not parse.
    """
    manifest, parsed = parsed_dir(settings) / "manifest.json", parsed_dir(settings) / _PARSED
    newest = newest_source_time()
    if all(path.exists() and path.stat().st_mtime >= newest for path in (manifest, parsed)):
        return manifest
    from dbt.cli.main import dbtRunner  # 2-3 s of imports, spared when the manifest is fresh

    settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
    target = ["--target-path", str(manifest.parent)]
    result = dbtRunner().invoke(["--quiet", "parse", *common_arguments(settings), *target, _WITH_ARTIFACTS])
    if not result.success:
        raise DbtError(f"dbt parse: {result.exception or result.result}")
    return manifest


def read_parsed(settings: Settings) -> Manifest:
    """The parsed project for a runner, without another parse.

    0.6 CPU s; dbt's own partial parse takes 1.3, and with another warehouse path it would parse anew, for 9.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    path = ensure_manifest(settings).with_name(_PARSED)
    parsed = Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    parsed.build_flat_graph()
    return parsed


def build_models(settings: Settings, selection: Sequence[str], parsed_as: Settings) -> None:
    """Build models in a warehouse of their own, outside any run.

    Args:
        settings: Where that warehouse stands.
        selection: dbt selectors.
        parsed_as: Settings whose parsed project is taken.

    Raises:
        DbtError: names the models that failed.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    try:
        result = dbtRunner(manifest=read_parsed(parsed_as)).invoke(
            ["--quiet", "run", "--select", *selection, *common_arguments(settings)]
        )
    finally:
        DuckDBConnectionManager.close_all_connections()
    if not result.success:
        outcomes = getattr(result.result, "results", None) or []
        failed = [
            f"{found.node.name}: {found.message}".splitlines()[0] for found in outcomes if found.status == "error"
        ]
        raise DbtError("; ".join(failed) or f"dbt run: {result.exception}")


def write_docs(settings: Settings) -> Path:
    """Write the dbt docs site as one static page, readable without a server or a network; it opens on the catalogue.

    Raises:
        DbtError: dbt could not build the catalogue; the warehouse must have been built once.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    blocks = target_dir(settings) / "docs_blocks"
    blocks.mkdir(parents=True, exist_ok=True)
    page = catalogue_page(load_catalogue())
    (blocks / "overview.md").write_text(f"{{% docs __overview__ %}}\n{page}{{% enddocs %}}\n", encoding="utf-8")
    os.environ[_DOCS_BLOCKS] = str(blocks)
    arguments = ["--static", *common_arguments(settings), _WITH_ARTIFACTS]
    try:
        result = dbtRunner().invoke(["--quiet", "docs", "generate", *arguments])
    finally:
        DuckDBConnectionManager.close_all_connections()
        del os.environ[_DOCS_BLOCKS]
    if not result.success:
        raise DbtError(f"dbt docs generate: {result.exception or 'failed'}")
    site = settings.published_dir / "docs" / "index.html"
    site.parent.mkdir(parents=True, exist_ok=True)
    site.write_bytes((target_dir(settings) / "static_index.html").read_bytes())
    return site
