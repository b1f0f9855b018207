"""Settings come from the environment, are checked, and no two data sets share a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from expansion_assets.settings import (
    DEMO_PSEUDONYM_KEY,
    PROJECT_DIR,
    Environment,
    Settings,
    SettingsError,
    load_settings,
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"EXPANSION_{name.upper()}", raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENVIRONMENT", "staging"), ("ENVIRONMENT", ""), ("TIME_ZONE", "Mars/Olympus"), ("HISTORY_FROM", "soon")],
)
def test_a_value_that_means_nothing_raises(monkeypatch, name, value):
    monkeypatch.setenv(f"EXPANSION_{name}", value)
    with pytest.raises((ValidationError, KeyError)):
        Settings()


def test_the_environment_wins_over_the_defaults(monkeypatch, tmp_path):
    assert (Settings().environment, Settings().time_zone) == (Environment.DEMO, "UTC")
    monkeypatch.setenv("EXPANSION_ENVIRONMENT", "production")
    monkeypatch.setenv("EXPANSION_PSEUDONYM_KEY", "a key of production")
    monkeypatch.setenv("EXPANSION_TIME_ZONE", "Europe/Berlin")
    monkeypatch.setenv("EXPANSION_STATE_DIR", str(tmp_path))
    found = Settings()
    assert (found.environment, found.time_zone, found.state_dir) == (Environment.PRODUCTION, "Europe/Berlin", tmp_path)


@pytest.mark.parametrize(
    ("environment", "key", "message"),
    [
        ("production", None, "EXPANSION_PSEUDONYM_KEY is not set; production needs a secret key of its own for people"),
        ("production", DEMO_PSEUDONYM_KEY, "EXPANSION_PSEUDONYM_KEY is the demo world's public key"),
        ("production", "short-secret", "EXPANSION_PSEUDONYM_KEY is shorter than 16 characters"),
        ("demo", "short-secret", "EXPANSION_PSEUDONYM_KEY is shorter than 16 characters"),
        ("production", "", "EXPANSION_PSEUDONYM_KEY is not set"),
    ],
)
def test_people_need_a_key_of_their_own_in_production(monkeypatch, environment, key, message):
    monkeypatch.setenv("EXPANSION_ENVIRONMENT", environment)
    if key is not None:
        monkeypatch.setenv("EXPANSION_PSEUDONYM_KEY", key)
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings()
    load_settings.cache_clear()
    assert "\n" not in str(caught.value)
    assert "short-secret" not in str(caught.value)


def test_the_key_is_shown_nowhere(monkeypatch):
    monkeypatch.setenv("EXPANSION_PSEUDONYM_KEY", "a key of production")
    found = Settings()
    assert found.person_key == "a key of production"
    assert "a key of production" not in f"{found!r} {found} {found.model_dump_json()}"


def test_the_demo_world_has_a_public_key():
    assert Settings().person_key == DEMO_PSEUDONYM_KEY


def test_a_missing_key_is_one_line_for_the_user(monkeypatch):
    monkeypatch.setenv("EXPANSION_ENVIRONMENT", "production")
    finished = subprocess.run(
        [sys.executable, "-m", "expansion_assets", "doctor"], cwd=PROJECT_DIR, capture_output=True, text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith("error: EXPANSION_PSEUDONYM_KEY is not set")
    assert "Traceback" not in finished.stderr


def test_nothing_is_read_at_import():
    code = (
        "import os; os.environ['EXPANSION_ENVIRONMENT'] = 'nowhere'\n"
        "import expansion_assets.settings, expansion_assets.workspace"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT_DIR, check=True)


def test_each_mapping_has_a_workspace_of_its_own(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    demo, one, two = (
        Settings(state_dir=tmp_path, sources=sources) for sources in (None, tmp_path / "one", tmp_path / "two")
    )
    assert demo.workspace_dir == tmp_path
    assert one.workspace_dir == tmp_path / "workspaces" / "one"
    paths = [
        (s.warehouse_path, s.published_dir, s.dagster_home, s.landing_dir) for s in (demo, one, two)
    ]
    assert len({path for three in paths for path in three}) == 12


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (None, None),
        (Path("examples/ravenstack"), PROJECT_DIR / "examples/ravenstack/mapping.yml"),
        (Path("examples/ravenstack/mapping.yml"), PROJECT_DIR / "examples/ravenstack/mapping.yml"),
    ],
)
def test_a_mapping_is_named_by_its_folder_or_its_file(sources, expected):
    assert Settings(sources=sources).mapping_file == expected


def test_a_landing_folder_of_ones_own_wins(tmp_path):
    assert Settings(landing=tmp_path, sources=Path("examples/ravenstack")).landing_dir == tmp_path


def test_webhook_keys_come_from_either_variable_and_are_not_printed(monkeypatch):
    monkeypatch.setenv("EXPANSION_WEBHOOK_SECRET", "the first key")
    monkeypatch.setenv("EXPANSION_WEBHOOK_SECRETS", " the new key ,,the old key, ")
    found = Settings()
    assert found.webhook_keys == ("the first key", "the new key", "the old key")
    assert "the first" not in repr(found) + str(found.model_dump())
