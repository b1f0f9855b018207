"""Choosing a tagger by name and a reader by settings."""

import subprocess
import sys

import pytest

from expansion_assets.settings import Settings, SettingsError, load_settings
from expansion_assets.tagging import tagger as taggers
from expansion_assets.tagging.labelled import write_labelled
from expansion_assets.tagging.llm.client import LlmUnavailableError
from expansion_assets.tagging.tagger import (
    REVIEWED_TEXTS,
    PlainReader,
    TaggerUnavailableError,
    choose_reader,
    embedded_tagger,
)


def settings(**given):
    return Settings(llm_api_key="k", llm_base_url="http://127.0.0.1:9/v1", **given)


def test_missing_training_lines_are_named(tmp_path):
    with pytest.raises(TaggerUnavailableError, match=r"nowhere\.jsonl is missing"):
        embedded_tagger(Settings(), tmp_path / "nowhere.jsonl")


def test_reviewed_texts_of_the_workspace_are_learned_from(tmp_path, training, monkeypatch):
    monkeypatch.setattr(taggers, "SHIPPED_MODEL", tmp_path / "model")
    (tmp_path / "tagger").mkdir()
    lines = tmp_path / "lines.jsonl"
    write_labelled(lines, training[:150])
    plain = embedded_tagger(Settings(state_dir=tmp_path), lines)
    write_labelled(tmp_path / "tagger" / REVIEWED_TEXTS, training[150:160])
    assert embedded_tagger(Settings(state_dir=tmp_path), lines).version != plain.version
    assert list((tmp_path / "tagger").glob("*.joblib"))


def test_the_default_needs_neither_key_nor_the_packages_of_a_language_model():
    code = (
        "import sys; from expansion_assets.settings import Settings; from expansion_assets.tagging.tagger import *;"
        "choose_reader(Settings()); print(sorted({'openai', 'instructor'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert isinstance(choose_reader(Settings()), PlainReader)


@pytest.mark.parametrize("key", [None, ""])
def test_a_language_model_without_a_key_is_one_clear_line_before_anything_runs(monkeypatch, key):
    monkeypatch.setenv("EXPANSION_TAGGER", "llm")
    monkeypatch.delenv("EXPANSION_LLM_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("EXPANSION_LLM_API_KEY", key)
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match="EXPANSION_LLM_API_KEY is not set; tagger llm needs it"):
        load_settings()
    load_settings.cache_clear()


def test_the_key_is_printed_nowhere():
    assert "k-secret" not in repr(Settings(llm_api_key="k-secret"))


def test_ways_are_built_only_for_a_ceiling():
    def steps(**given):
        return [way.step for way in choose_reader(settings(tagger="llm", **given)).ways]

    assert steps() == ["normal"]
    assert steps(llm_monthly_ceiling=5) == ["normal", "bigger_batch"]
    ceiling = {"llm_monthly_ceiling": 5, "llm_cheaper_model": "gpt-4.1-nano"}
    assert steps(**ceiling) == ["normal", "bigger_batch", "cheaper_model"]
    assert steps(**ceiling, llm_over_ceiling="cheaper_model") == ["normal", "cheaper_model"]
    with pytest.raises(LlmUnavailableError, match="own-model has no price"):
        steps(llm_model="own-model", llm_monthly_ceiling=5)


def test_a_restatement_asks_no_language_model():
    live = choose_reader(settings(tagger="llm"))
    restated = choose_reader(settings(tagger="llm", restated=True))
    assert isinstance(restated, PlainReader)
    assert (restated.version, restated.sends_texts) == (live.version, False)


def test_a_model_and_a_prompt_make_a_version():
    first, second = (choose_reader(settings(tagger="llm", llm_model=model)).version for model in ("a", "b"))
    assert first != second and first.removeprefix("llm-a-") == second.removeprefix("llm-b-")


@pytest.mark.parametrize(
    ("name", "value"),
    [("TAGGER", "oracle"), ("LLM_MODE", "xml"), ("LLM_BATCH_TEXTS", "0"), ("LLM_MONTHLY_CEILING", "-1"),
     ("LLM_OVER_CEILING", "embedded,bigger_batch"), ("LLM_OVER_CEILING", "pray"), ("LLM_TRANSPORT", "pigeon")],
)
def test_settings_that_mean_nothing_are_named(monkeypatch, name, value):
    monkeypatch.setenv(f"EXPANSION_{name}", value)
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match=name.lower()):
        load_settings()
    load_settings.cache_clear()


def test_an_empty_variable_switches_off(monkeypatch):
    monkeypatch.setenv("EXPANSION_LLM_TEMPERATURE", "")
    monkeypatch.setenv("EXPANSION_LLM_MONTHLY_CEILING", "")
    assert (Settings().llm_temperature, Settings().llm_monthly_ceiling) == (None, None)
