"""Which firings make cards, playbooks, and expected value."""

from __future__ import annotations

import hashlib

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.plays_loader import load_plays
from expansion_assets.readiness.plays import expected_value, match_playbook, open_cards
from tests.unit.readiness.readiness_rows import DAY, START, account_day, firing_event, review_event

PLAYS = load_plays()


def cards(firings, reviews=()):
    return open_cards(firings, reviews, load_catalogue().signals)


def sizes(*arguments):
    return [[f.sub_trigger for f in card.firings] for card in cards(*arguments)]


def test_card_id_is_a_stable_hash():
    card, = cards([firing_event(START, firing_id="f1")])
    assert card.card_id == hashlib.sha256(b"f1|capacity_conversation").hexdigest()[:16]


@pytest.mark.parametrize(
    ("sub_trigger", "play", "is_risk"),
    [("seats", "capacity_conversation", False), ("promotion", "executive_introduction", False),
     ("champion_left", "sponsor_recovery", True), ("new_department", "department_expansion", False),
     ("advanced_shift", "build_call", False), ("adjacent_problem", "adjacent_discovery", False)],
)
def test_one_play_per_sub_trigger(sub_trigger, play, is_risk):
    card, = cards([firing_event(START, sub_trigger=sub_trigger)])
    assert (card.play, card.is_risk) == (play, is_risk)


@pytest.mark.parametrize("values", [{"is_fleet_event": True}, {"is_shadow": True}, {"event_type": "suppressed"}])
def test_what_opens_no_card(values):
    assert cards([firing_event(START, **values)]) == []


@pytest.mark.parametrize(
    ("firings", "expected"),
    [
        # sub-triggers make separate firings, one card
        ([firing_event(START), firing_event(START + DAY, sub_trigger="seats_full")], [["seats", "seats_full"]]),
        # two problems are two firings, one card
        ([firing_event(START, sub_trigger="adjacent_problem", subject_key="reporting"),
          firing_event(START, sub_trigger="adjacent_problem", subject_key="invoicing")], [["adjacent_problem"] * 2]),
        # two persons, two teams: each a conversation of its own
        ([firing_event(START, sub_trigger="new_executive", subject_key="p"),
          firing_event(START, sub_trigger="new_executive", subject_key="q")], [["new_executive"]] * 2),
        ([firing_event(START, sub_trigger="new_department", subject_key="department:A"),
          firing_event(START, sub_trigger="new_department", subject_key="department:B")], [["new_department"]] * 2),
        ([firing_event(START), firing_event(START, "b")], [["seats"], ["seats"]]),
    ],
)
def test_which_firings_share_a_card(firings, expected):
    assert sizes(firings) == expected


@pytest.mark.parametrize(
    ("review", "joins"),
    [
        (None, True),
        (review_event(START + DAY, "accepted"), True),
        (review_event(START + DAY, "rejected"), False),
        (review_event(START + DAY, "too_early", until=START + 60 * DAY), False),
        (review_event(START + DAY, "outcome_logged"), False),
        (review_event(START + 9 * DAY, "rejected"), True),  # the decision came with the new firing
        (review_event(START + DAY, "rejected", known_on=START + 10 * DAY), True),  # and this one became known after it
    ],
)
def test_a_decided_card_takes_no_new_firing(review, joins):
    firings = [firing_event(START), firing_event(START + 9 * DAY, sub_trigger="seats_full")]
    assert len(cards(firings, [review] if review else [])) == (1 if joins else 2)


def test_a_closed_card_takes_no_new_firing():
    first = firing_event(START)
    closed = firing_event(START + 5 * DAY, event_type="closed", firing_id=first["firing_id"])
    assert sizes([first, closed, firing_event(START + 5 * DAY)]) == [["seats"], ["seats"]]


def value(play, subs=("seats",), users=None, **values):
    return expected_value(PLAYS[play], subs, account_day(START, **values), users, 0.8)


@pytest.mark.parametrize(
    ("play", "arguments", "low", "high"),
    [
        ("capacity_conversation", {"active_users_28d": 85}, 0, 7 * 240),  # 107 seats bring 85 users under 80 %
        ("capacity_conversation", {"active_users_28d": 110}, 10 * 240, 38 * 240),
        ("department_expansion", {"users": 6}, 0, 6 * 240),
        ("department_expansion", {"users": 6, "active_users_28d": 108}, 8 * 240, 8 * 240),
    ],
)
def test_value_by_motion(play, arguments, low, high):
    found = value(play, **arguments)
    assert (found.value_low, found.value_high, found.currency) == (low, high, "EUR")
    assert "240.00 EUR" in found.value_arithmetic and found.value_missing_reason is None


@pytest.mark.parametrize(
    ("play", "arguments", "reason"),
    [
        ("capacity_conversation", {"seat_unit_price": None}, "unpriced"),
        ("capacity_conversation", {"contracted_seats": None}, "not watchable"),
        ("capacity_conversation", {"active_users_28d": 80}, "at the threshold"),
        ("capacity_conversation", {"subs": ("quota",)}, "only seats are priced"),
        ("department_expansion", {}, "size of the new group"),
        ("executive_introduction", {}, "relationship"),
        ("build_call", {}, "price of the next tier"),
        ("adjacent_discovery", {}, "price of the module"),
    ],
)
def test_no_value_without_a_reason(play, arguments, reason):
    found = value(play, **arguments)
    assert reason in found.value_missing_reason
    assert (found.value_low, found.value_high, found.value_arithmetic) == (None, None, None)


@pytest.mark.parametrize(
    ("sub_trigger", "growth", "active", "expected"),
    [
        ("seats", 5.0, set(), "A"),
        ("seats", 0.0, set(), None),
        ("quota", 0.0, set(), "B"),
        ("seats", 0.0, {"power_users"}, "B"),
        ("new_department", 0.0, set(), "C"),
        ("seats", 0.0, {"feature_ceiling"}, "B"),
        ("seats", 0.0, {"use_case_divergence"}, "C"),
        ("seats", 5.0, {"headcount_growth", "positive_sentiment"}, "D"),
        ("seats", 5.0, {"headcount_growth", "executive_engagement"}, "A"),  # growth without converging signs
        ("seats", 5.0, {"positive_sentiment"}, "A"),  # converging signs without growth
        ("new_executive", 5.0, {"power_users"}, None),  # an introduction asks for nothing
    ],
)
def test_playbook(sub_trigger, growth, active, expected):
    card, = cards([firing_event(START, sub_trigger=sub_trigger)])
    day = account_day(START, seat_growth_60d_pct=growth)
    assert match_playbook(card, PLAYS[card.play], day, frozenset(active), START, load_catalogue().signals) == expected
