"""An explanation in words."""

from __future__ import annotations

from datetime import date, datetime

from expansion_assets.scan.explanation import explanation_text
from expansion_assets.triggers.base import Line
from expansion_assets.triggers.explain import Explanation

DAY = date(2026, 3, 1)
SEATS = Line("features.account_day", "a|2026-03-01", "active_users_28d", 70.0, 80.0, 28)


def text(*explanations: Explanation, blind: dict[str, str] | None = None) -> str:
    return explanation_text("ACC-1", "Acme", DAY, explanations, blind or {})


def test_a_rule_says_its_value_and_threshold():
    lines = text(Explanation("USAGE_MILESTONE", "seats", "seats", "not_met", lines=(SEATS,))).splitlines()
    assert lines[0] == "Acme (ACC-1) as known on 1 Mar 2026"
    assert lines[2:] == [
        "Usage limit reached [USAGE_MILESTONE]",
        "  Seats nearly full: not reached",
        "    70 active users in 28 days; fires at 80",
    ]


def test_a_standing_firing_says_since_when_and_what_it_takes_to_fire_again():
    said = text(Explanation("USAGE_MILESTONE", "seats", "seats", "open", DAY, rearm_days=14, is_calm=False))
    assert "Seats nearly full: fired on 1 Mar 2026, and still stands" in said
    assert "fires again only after 14 calm days in a row; not calm now" in said


def test_a_blind_trigger_is_never_read_as_silent():
    nothing = Explanation("CROSS_TEAM", "new_department", None, "no_reading")
    said = text(nothing, blind={"CROSS_TEAM": "identity: no records matched to the account"})
    assert "BLIND: identity: no records matched to the account; silence says nothing here" in said
    assert "nothing to watch" not in said


def test_nobody_is_quoted():
    quote = Line("support_tickets", "T1", "advanced_intent", quote="call me", happened_at=datetime(2026, 2, 27))
    said = text(Explanation("ADVANCED_TICKETS", "advanced_shift", "tickets", "not_met", lines=(quote,)))
    assert "    Advanced intent (support tickets, 27 Feb 2026)" in said and "call me" not in said


def test_near_misses_and_reasons_are_told():
    said = text(
        Explanation("ROLE_CHANGE", "promotion", None, "nothing_known", near_misses=(("not a known contact", 2),)),
        Explanation("ROLE_CHANGE", "new_executive", "p1", "suppressed", DAY, "same_episode"),
    )
    assert "    2 times: not a known contact" in said
    assert "A new executive joined (p1): set aside on 1 Mar 2026: same episode" in said
