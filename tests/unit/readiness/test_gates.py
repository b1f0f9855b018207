"""Gates, rule by rule."""

from __future__ import annotations

import pytest

from expansion_assets.catalogue.plays_loader import load_gates, load_plays
from expansion_assets.readiness.gates import RULES, Contact, Facts, judge, outcome
from tests.unit.readiness.readiness_rows import DAY, START, account_day

GATES, PLAYS = load_gates(), load_plays()
BLIND = {f"watchable_{s}": False for s in ("crm", "support", "feedback", "engagement", "billing")}


def facts(play="capacity_conversation", department=None, contacts=(), **values):
    return Facts(account_day(START, **values), START, PLAYS[play], department, tuple(contacts))


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        ("owner", {}, "pass"),
        ("owner", {"owner_id": None}, "hold"),
        ("owner", {"owner_id": None, "watchable_crm": False}, "unknown"),
        ("consent", {"consented_contacts": 1}, "pass"),
        ("consent", {"consented_contacts": 0}, "unknown"),  # unknown consent hides persons, not the account
        ("consent", {"consented_contacts": 0, "refused_contacts": 2}, "stop"),
        ("consent", {"consented_contacts": None}, "unknown"),
        ("value_proof", {"last_value_proof_on": START - 180 * DAY}, "pass"),
        ("value_proof", {"last_value_proof_on": START - 181 * DAY}, "hold"),
        ("value_proof", {"last_value_proof_on": None}, "hold"),
        ("value_proof", {"last_value_proof_on": None, "watchable_engagement": False}, "unknown"),
        ("open_issue", {}, "pass"),
        ("open_issue", {"open_high_tickets": 1}, "hold"),
        ("open_issue", {"open_escalations": 1}, "hold"),
        ("open_issue", {"open_tickets": 2, "open_ticket_departments": "Finance|Sales"}, "pass"),
        ("open_issue", {"watchable_support": False}, "unknown"),
        ("open_escalation", {"open_high_tickets": 3}, "pass"),
        ("open_escalation", {"open_escalations": 1}, "hold"),
        ("open_escalation", {"watchable_support": False}, "unknown"),
        ("relationship", {}, "pass"),
        ("relationship", {"last_nps_score": 6, "last_nps_on": START - 90 * DAY}, "hold"),
        ("relationship", {"last_nps_score": 6, "last_nps_on": START - 91 * DAY}, "pass"),
        ("relationship", {"last_nps_score": 7, "last_nps_on": START}, "pass"),
        ("relationship", {"invoice_days_late": 30}, "pass"),
        ("relationship", {"invoice_days_late": 31}, "hold"),
        ("relationship", {"health_band": "red"}, "hold"),
        ("relationship", {"health_band": None}, "unknown"),
        ("relationship", {"health_band": None, "invoice_days_late": 31}, "hold"),
        ("timing", {}, "pass"),
        ("timing", {"opt_out_on": None}, "unknown"),
        ("timing", {"opt_out_on": START + 14 * DAY}, "hold"),
        ("timing", {"opt_out_on": START}, "hold"),
        ("timing", {"opt_out_on": START + 15 * DAY}, "pass"),
        ("timing", {"opt_out_on": START - DAY}, "pass"),
        ("goal_match", {"goal_motions": "departments|tier"}, "pass"),
        ("goal_match", {"goal_motions": "tier"}, "hold"),
        ("goal_match", {"goal_motions": None}, "unknown"),
        ("context_conflict", {}, "pass"),
        ("context_conflict", {"account_status": "churned"}, "stop"),
        ("context_conflict", {"account_status": None}, "unknown"),
        ("context_conflict", {"last_nps_score": 2, "last_nps_on": START}, "hold"),  # beside green health
    ],
)
def test_rule(rule, values, expected):
    result = RULES[rule](facts(**values), GATES)
    assert result.result == expected
    assert result.rule == rule and result.evidence
    assert bool(result.release_condition) == (expected in ("hold", "stop"))
    assert bool(result.verify) == (expected == "unknown")


@pytest.mark.parametrize(
    ("department", "values", "expected"),
    [
        ("Finance", {"open_tickets": 1, "open_ticket_departments": "finance"}, "hold"),
        ("Finance", {"open_tickets": 1, "open_ticket_departments": "Sales"}, "pass"),
        ("Finance", {"open_tickets": 1, "open_ticket_departments": None}, "unknown"),
        ("Finance", {"open_tickets": 0}, "pass"),
    ],
)
def test_wait_until_the_issue_of_the_firings_department_is_closed(department, values, expected):
    assert RULES["open_issue"](facts("department_expansion", department, **values), GATES).result == expected


@pytest.mark.parametrize(
    ("contact", "expected", "retest_in"),
    [
        (Contact("ask", START - 29 * DAY, "tier"), "hold", 1),
        (Contact("ask", START - 30 * DAY, "tier"), "pass", None),
        (Contact("rejection", START - 59 * DAY, "seats"), "hold", 1),
        (Contact("rejection", START - 60 * DAY, "seats"), "pass", None),
        (Contact("rejection", START, "tier"), "pass", None),  # another motion was rejected
    ],
)
def test_cool_down(contact, expected, retest_in):
    result = RULES["timing"](facts(contacts=[contact]), GATES)
    assert result.result == expected
    assert result.retest_on == (None if retest_in is None else START + retest_in * DAY)


@pytest.mark.parametrize(
    ("play", "rules"),
    [
        ("executive_introduction", ["owner", "consent"]),
        ("sponsor_recovery", ["owner", "consent"]),
        ("build_call", ["owner", "consent", "open_escalation"]),
        ("adjacent_discovery", ["owner", "consent", "open_escalation"]),
        ("department_expansion", ["owner", "consent", "value_proof", "open_issue", "relationship", "timing",
                                  "goal_match", "context_conflict"]),
    ],
)
def test_each_play_has_its_gates(play, rules):
    assert [result.rule for result in judge(facts(play), GATES)] == rules


@pytest.mark.parametrize("play", sorted(PLAYS))
def test_unknown_never_blocks(play):
    unknown = Facts({}, START, PLAYS[play], "Finance", ())
    results = judge(unknown, GATES)
    assert {result.result for result in results} == {"unknown"}
    assert outcome(results) == "clear"


@pytest.mark.parametrize(
    ("values", "expected"),
    [({}, "clear"), ({"health_band": "red"}, "hold"), ({"account_status": "churned", "health_band": "red"}, "stop")],
)
def test_the_strictest_rule_decides(values, expected):
    assert outcome(judge(facts(**values), GATES)) == expected
