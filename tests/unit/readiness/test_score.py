"""Points, convergence, coverage and hot."""

from __future__ import annotations

from datetime import timedelta

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.plays_loader import load_gates
from expansion_assets.readiness.score import Part, build_scores, faded, total
from tests.unit.readiness.readiness_rows import DAY, START, account_day, firing_event

RULES = load_gates().score
SIGNALS = load_catalogue().signals
QUIET = {"seat_growth_60d_pct": 0.0}


def score(events, day=START, **values):
    rows, parts = build_scores([account_day(day, **(QUIET | values))], events, SIGNALS, RULES,
                               (day, day + DAY))
    return rows[0], {part["signal"]: part for part in parts}


def part(category, points, **values):
    return Part(**({"signal": category, "category": category, "weight": points, "strength": 1.0,
                    "is_watchable": True, "is_context": False} | values))


@pytest.mark.parametrize(
    ("parts", "points", "convergence", "expected"),
    [
        ([], 0, 1.0, 0),
        ([part("usage", 4)], 4, 1.0, 2),
        ([part("usage", 4), part("usage", 2)], 6, 1.0, 3),
        ([part("usage", 4), part("growth", 4)], 8, 1.25, 5),
        ([part("usage", 4), part("growth", 4), part("value", 2)], 10, 1.5, 7.5),
        ([part(c, 4) for c in ("usage", "growth", "value", "intent")], 16, 1.5, 10),  # capped
        ([part("usage", 4), part("growth", 4, is_context=True)], 4, 1.0, 2),
    ],
)
def test_points_times_convergence(parts, points, convergence, expected):
    result = total(parts, True, RULES)
    assert (result.points, result.convergence, result.score) == (points, convergence, expected)


@pytest.mark.parametrize(
    ("parts", "is_open", "is_hot"),
    [
        ([part("usage", 3.2), part("growth", 3.2)], True, True),  # 6.4 x 1.25 = 8
        ([part("usage", 3.2), part("growth", 3.1)], True, False),
        ([part("usage", 3.2), part("growth", 3.2)], False, False),
        ([part("usage", 9)], True, False),  # one category
    ],
)
def test_hot(parts, is_open, is_hot):
    assert total(parts, is_open, RULES).is_hot is is_hot


@pytest.mark.parametrize(("age", "strength"), [(0, 0.8), (45, 0.4), (90, 0.0), (100, 0.0)])
def test_strength_fades_over_ninety_days(age, strength):
    assert faded(0.8, age, 90) == pytest.approx(strength)


def test_a_trigger_counts_once_with_its_strongest_firing():
    events = [firing_event(START, strength=0.5), firing_event(START, sub_trigger="seats_full", strength=0.8)]
    row, parts = score(events)
    assert (row["points"], parts["USAGE_MILESTONE"]["strength"]) == (4.0, 0.8)


@pytest.mark.parametrize(
    "values",
    [{"is_fleet_event": True}, {"is_shadow": True}, {"event_type": "suppressed"}, {"sub_trigger": "champion_left"}],
)
def test_what_is_no_sign_of_growth_gives_nothing(values):
    row, _ = score([firing_event(START, **values)])
    assert (row["points"], row["is_hot"]) == (0, False)


def test_a_closed_firing_gives_nothing():
    opened = firing_event(START)
    closed = firing_event(START + 5 * DAY, event_type="closed", firing_id=opened["firing_id"])
    assert score([opened, closed], START + 4 * DAY)[0]["points"] > 0
    assert score([opened, closed], START + 5 * DAY)[0]["points"] == 0


@pytest.mark.parametrize(
    ("value", "strength"), [(19.9, None), (20, 0.5), (40, 0.75), (60, 1.0), (90, 1.0), (None, None)]
)
def test_supporting_strength_between_threshold_and_limit(value, strength):
    _, parts = score([], seat_growth_60d_pct=value)
    assert parts.get("seat_growth", {}).get("strength") == strength


@pytest.mark.parametrize(
    ("closeness", "points", "shown"),
    [(None, 0, set()), (0, 0, {"renewal_ahead"}), (89, 0, {"renewal_ahead"}),
     (90, 1, {"renewal_ahead", "renewal_window"}), (180, 2, {"renewal_ahead", "renewal_window"})],
)
def test_renewal_scores_inside_ninety_days_and_is_context_before(closeness, points, shown):
    row, parts = score([], renewal_closeness_days=closeness)
    assert (row["points"], set(parts)) == (points, shown)
    assert row["categories"] == (1 if points else 0)
    assert parts.get("renewal_ahead", {"points": 0})["points"] == 0


@pytest.mark.parametrize(("company", "department", "points"), [(60, 60, 4), (60, None, 4), (None, 60, 4), (0, 60, 4)])
def test_signals_that_are_the_same_count_once(company, department, points):
    growth = {"headcount_growth_yoy_pct": company, "function_headcount_growth_yoy_pct": department}
    row, parts = score([], **growth)
    assert (row["points"], row["categories"]) == (points, 1)
    assert len(parts) == sum(value == 60 for value in growth.values())  # both are shown


def test_one_of_two_that_are_the_same_is_enough_to_be_watched():
    both = score([], headcount_growth_yoy_pct=0, function_headcount_growth_yoy_pct=0)[0]["coverage_pct"]
    assert score([], function_headcount_growth_yoy_pct=0)[0]["coverage_pct"] == both


def test_a_composite_shows_and_its_parts_count():
    row, parts = score([], positive_signs=4, executive_meetings_90d=3)
    assert (row["points"], row["categories"]) == (4, 1)
    assert (parts["positive_sentiment"]["strength"], parts["positive_sentiment"]["points"]) == (1.0, 0)


def test_shadow_and_retired_signals_reach_no_score():
    assert {signal.state for signal in SIGNALS.supporting.values()} == {"live", "shadow", "retired"}
    live = {signal.feature for signal in SIGNALS.live_supporting.values()}
    hidden = {signal.feature: signal.limit for signal in SIGNALS.supporting.values() if signal.feature not in live}
    assert score([], **hidden) == score([])
    everything = score([], **{signal.feature: signal.limit for signal in SIGNALS.supporting.values()})[1]
    assert set(everything) == set(SIGNALS.live_supporting)


@pytest.mark.parametrize("trigger", list(SIGNALS.triggers))
def test_a_trigger_that_is_not_live_gives_nothing(trigger):
    hidden = SIGNALS.triggers[trigger].model_copy(update={"state": "shadow"})
    signals = SIGNALS.model_copy(update={"triggers": {**SIGNALS.triggers, trigger: hidden}})
    rows, _ = build_scores([account_day(START)], [], signals, RULES, (START, START + DAY))
    assert rows[0]["coverage_pct"] != score([], seat_growth_60d_pct=10.0)[0]["coverage_pct"]


def test_an_equivalent_is_a_name_and_no_second_count():
    assert {name: row.same_as for name, row in SIGNALS.equivalents.items()} == {
        "seat_limit": "USAGE_MILESTONE", "api_and_storage_limit": "USAGE_MILESTONE", "new_department": "CROSS_TEAM",
    }
    team = firing_event(START, sub_trigger="new_department", subject_key="department:Finance", strength=1.0)
    row, parts = score([team])
    assert (row["points"], set(parts)) == (4, {"CROSS_TEAM"})


def test_a_segment_has_its_own_threshold():
    assert "feature_ceiling" in score([], limit_events_28d=3)[1]
    assert "feature_ceiling" not in score([], limit_events_28d=3, segment="enterprise")[1]


@pytest.mark.parametrize("status", ["prospect", "churned"])
def test_who_is_no_customer_scores_nothing_and_is_watched(status):
    row, parts = score([], executive_meetings_90d=3, account_status=status)
    assert (row["points"], parts) == (0, {})
    assert row["coverage_pct"] == score([], executive_meetings_90d=3)[0]["coverage_pct"]


def test_ranking_to_keep():
    seat = firing_event(START)
    team = firing_event(START, sub_trigger="new_department", subject_key="department:Finance")
    executive = firing_event(START, sub_trigger="new_executive", subject_key="p")
    three = score([seat, team, executive])[0]["score"]
    two = score([seat], headcount_growth_yoy_pct=60.0, function_headcount_growth_yoy_pct=60.0)[0]["score"]
    one = score([seat])[0]["score"]
    assert three > two > one


def test_blind_gives_neither_points_nor_rank():
    blind = {f"watchable_{s}": False for s in ("growth", "engagement", "support", "text", "identity", "people")}
    full, mostly_blind = score([firing_event(START)])[0], score([firing_event(START)], **blind)[0]
    assert mostly_blind["score"] <= full["score"]
    assert mostly_blind["coverage_pct"] < full["coverage_pct"] <= 100


def test_coverage_is_the_share_of_weight_that_is_watchable():
    weights = {k: t.weight for k, t in SIGNALS.triggers.items()} | {
        k: s.weight for k, s in SIGNALS.live_supporting.items()
        if s.category not in ("commercial_timing", "risk") and not s.made_of and not s.same_as}
    features = {s.feature: 0 for s in SIGNALS.live_supporting.values()}
    row, _ = score([], **features)
    assert row["coverage_pct"] == 100
    row, _ = score([], **features, watchable_support=False)
    share = 1 - weights["ADVANCED_TICKETS"] / sum(weights.values())
    assert row["coverage_pct"] == pytest.approx(100 * share, abs=1e-3)


def test_only_days_of_the_window():
    days = [account_day(START + timedelta(days=n)) for n in range(4)]
    rows, parts = build_scores(days, [firing_event(START)], SIGNALS, RULES, (START + DAY, START + 3 * DAY))
    assert {row["as_of_date"] for row in rows} == {START + DAY, START + 2 * DAY} == {p["as_of_date"] for p in parts}
