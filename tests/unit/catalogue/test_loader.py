"""The catalogue loads, and says what is wrong with it: file, key and rule."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.reading import CATALOGUE_DIR, CatalogueError
from expansion_assets.catalogue.rules import RULES, NewDepartmentRule, SeatsRule

SEATS = ("triggers", "USAGE_MILESTONE", "sub_triggers", "seats")
GROWTH = ("supporting", "seat_growth")
ALIAS = {"same_as": "CROSS_TEAM", "definition": "The same.", "origin": "prior", "version": 1, "change": "New."}
EXECUTIVE = ("triggers", "ROLE_CHANGE", "sub_triggers", "new_executive", "rule")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("signals.yml", "segments.yml", "titles.yml"):
        shutil.copy(CATALOGUE_DIR / name, tmp_path)
    return tmp_path


def change(folder: Path, file: str, keys: tuple[str, ...], value: object) -> None:
    """Set one key of a YAML file; None deletes it."""
    path = folder / file
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    target = content
    for key in keys[:-1]:
        target = target[key]
    if value is None:
        del target[keys[-1]]
    else:
        target[keys[-1]] = value
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def test_every_sub_trigger_has_a_rule_of_its_own_kind():
    catalogue = load_catalogue()
    keys = {
        (trigger, name)
        for trigger, definition in catalogue.signals.triggers.items()
        for name in definition.sub_triggers
    }
    assert keys == set(RULES)
    assert all(isinstance(catalogue.rule(*key), RULES[key]) for key in keys)


def test_is_loaded_once():
    assert load_catalogue() is load_catalogue()


def test_version_is_a_word():
    assert load_catalogue().version.count(".") == 2


@pytest.mark.parametrize(
    ("name", "play"), [("promotion", "executive_introduction"), ("champion_left", "sponsor_recovery")]
)
def test_a_sub_trigger_without_a_play_has_its_triggers(name, play):
    assert load_catalogue().signals.sub_trigger("ROLE_CHANGE", name).play == play


def test_states_decide_what_is_computed_and_what_counts():
    signals = load_catalogue().signals
    assert set(signals.supporting) - set(signals.watched_supporting) == {"growth_event", "limit_events"}
    assert set(signals.watched_supporting) - set(signals.live_supporting) == {
        "third_party_intent", "event_attendance", "qbr_sentiment", "export_volume", "workflow_creation",
    }


def test_every_signal_of_the_two_documents_has_a_row():
    """[3] signal_spotter and [4] six_signals, and what the domain rules add."""
    signals = load_catalogue().signals
    assert {*signals.triggers, *signals.supporting, *signals.equivalents} >= {
        "seat_limit", "seat_growth", "feature_graduation", "feature_ceiling", "power_users", "headcount_growth",
        "function_headcount_growth", "new_department", "funding", "new_location", "executive_engagement",
        "new_stakeholder", "roadmap_request", "event_attendance", "referral", "advocacy", "value_milestone",
        "renewal_window", "renewal_ahead", "budget_season", "annual_planning", "use_case_divergence",
        "positive_sentiment", "workflow_creation", "export_volume", "hiring", "third_party_intent", "qbr_sentiment",
    }


def test_weights_and_thresholds_of_the_definitions_table():
    """[3], Expansion Signal Definitions."""
    signals = load_catalogue().signals
    assert {name: signals.triggers[name].weight for name in ("USAGE_MILESTONE", "CROSS_TEAM")} == {
        "USAGE_MILESTONE": 5, "CROSS_TEAM": 4,
    }
    rows = {
        name: (signals.supporting[name].weight, signals.supporting[name].threshold)
        for name in ("feature_graduation", "headcount_growth", "power_users", "renewal_window", "executive_engagement")
    }
    assert rows == {
        "feature_graduation": (3, 2), "headcount_growth": (4, 20), "power_users": (3, 3), "renewal_window": (2, 90),
        "executive_engagement": (4, 1),
    }


@pytest.mark.parametrize(("segment", "threshold"), [("enterprise", 6), ("smb", 3), ("unheard of", 3), (None, 3)])
def test_segments_override_thresholds(segment, threshold):
    assert load_catalogue().signals.supporting["feature_ceiling"].rules.of(segment).threshold == threshold


def test_a_retired_row_may_name_a_column_that_is_gone(folder):
    change(folder, "signals.yml", ("supporting", "growth_event", "feature"), "gone_90d")
    assert "growth_event" in load_catalogue(folder).supporting


def test_the_state_of_a_trigger_is_that_of_its_rules(folder):
    change(folder, "signals.yml", ("triggers", "CROSS_TEAM", "state"), "shadow")
    assert load_catalogue(folder).sub_trigger("CROSS_TEAM", "new_department").state == "shadow"


@pytest.mark.parametrize(("value", "strength"), [(None, 0), (19.9, 0), (20, 0.5), (40, 0.75), (60, 1), (90, 1)])
def test_strength_rises_from_threshold_to_limit(value, strength):
    assert load_catalogue().signals.supporting["seat_growth"].strength(value) == strength


@pytest.mark.parametrize(("segment", "min_users"), [("enterprise", 5), ("smb", 3), ("unheard of", 3), (None, 3)])
def test_segments_override_rule_values(segment, min_users):
    rule = load_catalogue().rule("CROSS_TEAM", "new_department", segment)
    assert isinstance(rule, NewDepartmentRule)
    assert (rule.min_users, rule.return_days) == (min_users, 180)


def test_default_segment_lies_under_all_others(folder):
    change(folder, "segments.yml", ("default",), {"CROSS_TEAM.new_department": {"return_days": 90}})
    rules = load_catalogue(folder).rules("CROSS_TEAM", "new_department")
    assert (rules.default.min_users, rules.default.return_days) == (3, 90)
    assert (rules.of("enterprise").min_users, rules.of("enterprise").return_days) == (5, 90)
    assert rules.most(lambda rule: rule.min_users) == 5


def test_an_override_that_changes_nothing_is_no_variant(folder):
    change(folder, "segments.yml", ("smb",), {"CROSS_TEAM.new_department": {"min_users": 3}})
    assert set(load_catalogue(folder).rules("CROSS_TEAM", "new_department").by_segment) == {"enterprise"}


@pytest.mark.parametrize(
    ("file", "keys", "value", "message"),
    [
        ("signals.yml", (*SEATS, "rule", "treshold_share"), 0.8, "seats.rule.treshold_share: Extra inputs"),
        ("signals.yml", (*SEATS, "rule", "grace_days"), None, "sub_triggers.seats.rule.grace_days: Field required"),
        ("signals.yml", (*SEATS, "rule", "rearm_days"), 0, "seats.rule.rearm_days: Input should be greater than 0"),
        ("signals.yml", (*SEATS, "rule", "threshold_share"), "most", "seats.rule.threshold_share: Input should be a v"),
        ("signals.yml", (*SEATS, "rule", "limit_share"), 0.7, r"threshold_share \(0.8\) must be less than limit_share"),
        ("signals.yml", (*SEATS, "rule", "assigned_share"), None, "come together or not at all"),
        ("signals.yml", (*SEATS, "needs"), ["produkt"], r"sub_triggers.seats.needs.0: Input should be 'product'"),
        ("signals.yml", ("triggers", "CROSS_TEAM", "play"), None, "triggers.CROSS_TEAM.play: Field required"),
        ("signals.yml", ("triggers", "CROSS_TEAM", "sub_triggers"), {"a": 1}, "CROSS_TEAM.sub_triggers.a: Input"),
        ("signals.yml", ("triggers", "CROSS_TEAM", "weight"), 9, "triggers.CROSS_TEAM.weight: Input should be less"),
        ("signals.yml", ("common", "link_days"), None, "signals.yml: common.link_days: Field required"),
        ("signals.yml", ("supporting", "seat_growth", "limit"), 5, "supporting.seat_growth: .*must be less than limit"),
        ("signals.yml", (*GROWTH, "feature"), "seat_growth_60d", "seat_growth.feature: .*nearest: seat_growth_60d"),
        ("signals.yml", (*GROWTH, "feature"), "renewal_on", "renewal_on is a date; a threshold needs a num"),
        ("signals.yml", (*GROWTH, "feature"), "tickets_30d", "window_days: 60, but tickets_30d spans 30 days"),
        ("signals.yml", (*GROWTH, "window_days"), None, "window_days: None, but seat_growth_60d_pct spans 60 days"),
        ("signals.yml", (*GROWTH, "exclude"), {"acount_status": ["churned"]}, "'acount_status' is not a column"),
        ("signals.yml", ("common", "exclude"), {"status": ["x"]}, "common.exclude: 'status' is not a column.*nearest"),
        ("signals.yml", (*GROWTH, "needs"), [], "seat_growth: .*needs: name the sources"),
        ("signals.yml", (*GROWTH, "owner"), "boss", "seat_growth.owner: Input should be 'csm', 'ae' or 'head'"),
        ("signals.yml", (*GROWTH, "playbook"), "E", "seat_growth.playbook: Input should be 'A', 'B', 'C' or"),
        ("signals.yml", (*GROWTH, "state"), "dead", "seat_growth.state: Input should be 'live', 'shadow' or 'retired'"),
        ("signals.yml", (*GROWTH, "change"), None, "supporting.seat_growth.change: Field required"),
        ("signals.yml", (*GROWTH, "version"), 0, "supporting.seat_growth.version: Input should be greater than 0"),
        ("signals.yml", (*GROWTH, "tresholds"), {}, "supporting.seat_growth.tresholds: Extra inputs"),
        ("signals.yml", (*GROWTH, "same_as"), "power_user", "same_as: 'power_user' is no signal.*nearest: power_users"),
        ("signals.yml", (*GROWTH, "same_as"), "growth_event", "same_as: 'growth_event' is no signal that counts"),
        ("signals.yml", (*GROWTH, "made_of"), ["funds"], "made_of: 'funds' is no signal that counts; nearest: funding"),
        ("signals.yml", ("equivalents", "seat_limit", "same_as"), "SEATS", "equivalents.seat_limit.same_as: 'SEATS'"),
        ("signals.yml", ("equivalents", "funding"), ALIAS, "equivalents.funding: the name stands under supporting"),
        ("signals.yml", ("equivalents", "a.b"), ALIAS, "equivalents.a.b: a name holds no full stop"),
        ("segments.yml", ("smb",), {"seat_growht": {}}, "segments.yml: smb.seat_growht: not .*nearest: seat_growth"),
        ("segments.yml", ("smb",), {"seat_growth": {"weight": 1}}, "smb.seat_growth.weight: Extra inputs"),
        ("segments.yml", ("smb",), {"seat_growth": {"limit": 9}}, r"smb.seat_growth: .*threshold \(20.0\) must be"),
        ("signals.yml", (*EXECUTIVE, "min_rank"), "boss", "new_executive.rule.min_rank: 'boss' is not a rank"),
        ("signals.yml", (*EXECUTIVE, "functions"), ["cheer"], "new_executive.rule.functions: not in titles.yml: cheer"),
        ("segments.yml", ("smb",), {"CROSS_TEAM.new_dept": {}}, "smb.CROSS_TEAM.new_dept: not a sub-t.*nearest"),
        (
            "segments.yml", ("smb",), {"CROSS_TEAM.new_department": {"min_users": -1}},
            "segments.yml: smb.CROSS_TEAM.new_department.min_users: Input should be greater than 0",
        ),
        ("titles.yml", ("patterns", "chief"), ["("], r"titles.yml: patterns: .*chief: '\(' is not a regular"),
        ("titles.yml", ("patterns", "boss"), ["x"], "patterns for ranks that do not exist: .*boss"),
    ],
)
def test_errors_name_file_key_and_rule(folder, file, keys, value, message):
    change(folder, file, keys, value)
    with pytest.raises(CatalogueError, match=message) as raised:
        load_catalogue(folder)
    assert file in str(raised.value)


def test_a_rule_without_a_model_says_where_to_add_one(folder):
    change(folder, "signals.yml", ("triggers", "CROSS_TEAM", "sub_triggers", "new_site"), {
        "definition": "A new site.", "subject": "site", "needs": ["product"], "rule": {},
    })
    with pytest.raises(CatalogueError, match=r"CROSS_TEAM.sub_triggers.new_site: no model.*rules.py"):
        load_catalogue(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "signals.yml: not found"), ("a: [", "signals.yml: not valid YAML"), ("- a", "must be a mapping")],
)
def test_unreadable_files(folder, content, message):
    path = folder / "signals.yml"
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogueError, match=message):
        load_catalogue(folder)


@pytest.mark.parametrize("key", [("USAGE_MILESTONE", "chairs"), ("NO_TRIGGER", "seats")])
def test_unknown_rules(key):
    with pytest.raises(CatalogueError, match=f"triggers.{key[0]}.sub_triggers.{key[1]}: no such rule"):
        load_catalogue().rule(*key)
    with pytest.raises(CatalogueError, match="no such rule"):
        load_catalogue().sub_trigger(*key)


def test_rules_cannot_be_changed():
    rule = load_catalogue().rule("USAGE_MILESTONE", "seats")
    assert isinstance(rule, SeatsRule)
    with pytest.raises(ValueError, match="frozen"):
        rule.threshold_share = 0.5
