"""Plays, gates and plans: the shipped files are whole, malformed ones are named."""

from __future__ import annotations

import pytest
import yaml

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.plays_loader import load_gates, load_plans, load_plays
from expansion_assets.catalogue.reading import CATALOGUE_DIR, CatalogueError
from expansion_assets.readiness.gates import RULES


def test_each_sub_trigger_has_a_play_with_known_gates():
    plays, gates = load_plays(), load_gates()
    for trigger in load_catalogue().signals.triggers.values():
        for rule in trigger.sub_triggers.values():
            assert set(gates.sets[plays[rule.play].gates]) <= set(RULES)


def test_six_lines_of_known_plays():
    plans, plays = load_plans(), load_plays()
    assert len(plans.lines) == 6
    assert {line.play for line in plans.lines.values() if line.play} <= set(plays)
    assert plans.budget(plans.lines["build_calls"], "play_late") == 7
    assert plans.budget(plans.lines["capacity_conversations"], "play_late") == 2


def test_plan_text_and_sla_agree():
    plans, plays = load_plans(), load_plays()
    for line in plans.lines.values():
        if line.play:
            assert f"within {plays[line.play].sla_business_days} business days" in line.plan


def test_line_rows_are_the_lines_that_count_cards():
    rows = {row["line_key"]: row for row in load_plans().line_rows()}
    assert len(rows) == 5 and "monthly_review" not in rows
    assert rows["capacity_conversations"]["sla_business_days"] == 5
    assert (rows["outcomes_logged"]["play"], rows["outcomes_logged"]["sla_business_days"]) == (None, 5)


@pytest.mark.parametrize(
    ("name", "load", "change", "message"),
    [
        ("plays", load_plays, lambda c: c["build_call"].pop("question"), "question"),
        ("plays", load_plays, lambda c: c["build_call"].update(sla_business_days=-1), "sla_business_days"),
        ("plays", load_plays, lambda c: c["build_call"].update(gates="none"), "gates"),
        ("gates", load_gates, lambda c: c["rules"].update(typo=1), "rules.typo"),
        ("gates", load_gates, lambda c: c["churn_risk"].update(usage_drop_share=30), "churn_risk.usage_drop_share"),
        ("plans", load_plans, lambda c: c["lines"]["build_calls"].pop("play"), "lines.build_calls"),
        ("plans", load_plans, lambda c: c["lines"]["build_calls"].update(budgets={"nap": 1}), "unknown stages"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, name, load, change, message):
    content = yaml.safe_load((CATALOGUE_DIR / f"{name}.yml").read_text(encoding="utf-8"))
    change(content)
    path = tmp_path / f"{name}.yml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(CatalogueError, match=rf"(?s){name}\.yml.*{message}"):
        load(path)


@pytest.mark.parametrize("text", ["- a list", "a: [", None])
def test_an_unreadable_file_is_named(tmp_path, text):
    path = tmp_path / "plays.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CatalogueError, match=r"plays\.yml"):
        load_plays(path)
