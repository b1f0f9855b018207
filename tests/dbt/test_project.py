"""The project parses without a warning, describes itself, and its unit tests pass."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.project import common_arguments, write_docs
from expansion_assets.settings import Settings
from tests.dbt.project import Dbt, rows


@pytest.fixture(scope="module")
def manifest(dbt: Dbt) -> dict[str, Any]:
    dbt.messages.clear()
    assert Dbt(dbt.folder, messages=dbt.messages).call("parse", "--no-partial-parse").success
    assert [event.info.msg for event in dbt.messages] == []
    return json.loads((dbt.folder / "target" / "manifest.json").read_text(encoding="utf-8"))


def _models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and "outcomes" not in node["fqn"]
    ]


def test_every_model_and_macro_is_described(manifest: dict[str, Any]) -> None:
    macros = [macro for macro in manifest["macros"].values() if macro["package_name"] == "expansion"]
    dispatched = ("default__", "duckdb__", "test_")
    bare = [item["name"] for item in (*_models(manifest), *macros) if not item["description"]]
    assert [name for name in bare if not name.startswith(dispatched)] == []


def test_every_column_is_described(one_window: Path, manifest: dict[str, Any]) -> None:
    columns = rows(
        one_window,
        "select table_schema, table_name, column_name from information_schema.columns"
        " where table_schema in ('staging', 'intermediate', 'features')",
    )
    described = {
        (node["schema"], node["name"], column)
        for node in _models(manifest)
        for column, spec in node["columns"].items()
        if spec["description"]
    }
    assert sorted(set(columns) ^ described) == []


def test_marts_have_enforced_contracts(manifest: dict[str, Any]) -> None:
    marts = [node for node in _models(manifest) if node["schema"] == "features"]
    assert marts
    assert [node["name"] for node in marts if not node["contract"]["enforced"]] == []


def test_the_time_zone_of_the_settings_beats_an_inherited_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else dbt would end a day at another instant than Python."""
    for name in ("EXPANSION_WAREHOUSE", "EXPANSION_TIME_ZONE"):
        monkeypatch.setenv(name, "UTC")
    common_arguments(Settings(state_dir=tmp_path, time_zone="Europe/Berlin"))
    assert os.environ["EXPANSION_TIME_ZONE"] == "Europe/Berlin"


def test_the_docs_site_opens_on_the_catalogue(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, one_window: Path
) -> None:
    """Rendered from signals.yml when the site is built, not committed."""
    for name in ("EXPANSION_WAREHOUSE", "EXPANSION_TIME_ZONE"):
        monkeypatch.setenv(name, os.environ.get(name, "UTC"))  # what the call sets is undone
    settings = Settings(state_dir=tmp_path)
    settings.warehouse_path.parent.mkdir(parents=True)
    settings.warehouse_path.write_bytes(one_window.read_bytes())
    site = write_docs(settings).read_text(encoding="utf-8")
    overview = site.partition("doc.expansion.__overview__")[2].partition('"block_contents"')[2].partition('"},')[0]
    signals = load_catalogue().signals
    names = (*signals.triggers, *signals.supporting, *signals.equivalents)
    assert [name for name in names if name not in overview] == []
    assert "EXPANSION_DOCS_BLOCKS" not in os.environ


def test_unit_tests_pass(dbt: Dbt, one_window: Path) -> None:
    dbt.warehouse.write_bytes(one_window.read_bytes())
    result = dbt.call("test", "--select", "test_type:unit", "--exclude", "path:models/marts/outcomes")
    failed = [(node.node.name, node.message) for node in result.result if node.status != "pass"]
    assert failed == []
    assert len(result.result) >= 8
