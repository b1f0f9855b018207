"""Daily snapshots: status, clock, gates and value; a window equals its days."""

from __future__ import annotations

from datetime import date

import pytest

from expansion_assets.readiness.cards import PAUSED
from expansion_assets.readiness.diary import People
from tests.unit.readiness.readiness_rows import (
    DAY,
    START,
    account_day,
    firing_event,
    noon,
    random_world,
    review_event,
)

# START is Monday 2 March 2026; Germany has its next holidays on 3 and 6 April.


def fill(world, days, account_id="a", **values):
    world.days += [account_day(START + n * DAY, account_id, **values) for n in days]


def snapshots(world, days, account_id="a"):
    cards, _ = world.run(START, START + days * DAY)
    return {(c["as_of_date"] - START).days: c for c in cards if c["account_id"] == account_id}


def statuses(world, days):
    return {n: card["status"] for n, card in snapshots(world, days).items()}


@pytest.mark.parametrize(
    ("reviews", "day", "status", "closed_on"),
    [
        ([], 3, "open", None),
        ([review_event(START + DAY, "accepted")], 3, "open", None),
        ([review_event(START + DAY, "rejected", known_on=START + 2 * DAY)], 1, "open", None),
        ([review_event(START + DAY, "rejected", known_on=START + 2 * DAY)], 3, "rejected", 2),
        ([review_event(START + DAY, "too_early", until=START + 3 * DAY)], 2, "snoozed", None),
        ([review_event(START + DAY, "too_early", until=START + 3 * DAY)], 3, "open", None),
        ([review_event(START + DAY, "too_early")], 3, "snoozed", None),
        ([review_event(START + DAY, "outcome_logged")], 3, "done", 1),
    ],
)
def test_status_follows_the_review(world, reviews, day, status, closed_on):
    world.firings, world.reviews = [firing_event(START)], reviews
    fill(world, range(5))
    card = snapshots(world, 5)[day]
    assert card["status"] == status
    assert card["closed_on"] == (None if closed_on is None else START + closed_on * DAY)


def test_a_closed_firing_closes_the_card_once_all_have_closed(world):
    seats, full = firing_event(START), firing_event(START, sub_trigger="seats_full")
    world.firings = [
        seats, full,
        firing_event(START + 2 * DAY, sub_trigger="seats_full", event_type="closed", firing_id=full["firing_id"]),
        firing_event(START + 4 * DAY, event_type="closed", firing_id=seats["firing_id"]),
    ]
    fill(world, range(6))
    assert statuses(world, 6) == {0: "open", 1: "open", 2: "open", 3: "open", 4: "closed", 5: "closed"}


def test_an_ended_card_stays_for_forty_five_days(world):
    world.firings, world.reviews = [firing_event(START)], [review_event(START + DAY, "rejected")]
    fill(world, range(60))
    assert max(snapshots(world, 60)) == 1 + 45


def test_due_is_the_nth_working_day(world):
    world.firings = [firing_event(START)]
    fill(world, range(3))
    assert snapshots(world, 1)[0]["due_on"] == START + 7 * DAY


def test_a_hold_stops_the_clock_and_release_starts_it(world):
    world.firings = [firing_event(START)]
    fill(world, [0])
    fill(world, range(1, 5), open_high_tickets=1)
    fill(world, range(5, 9))
    cards = snapshots(world, 9)
    assert [cards[n]["status"] for n in range(9)] == ["open"] + ["held"] * 4 + ["open"] * 4
    assert cards[2]["due_on"] is None
    assert cards[2]["gate_summary"] == "Hold: 1 open high-priority ticket"
    assert cards[2]["release_condition"] == "These tickets are closed"
    assert cards[4]["held_days"] == 4
    # four working days held (Tuesday to Friday): five working days after Monday are now Friday of the next week
    assert cards[7]["due_on"] == START + 11 * DAY


def test_a_card_held_from_the_start_begins_at_release(world):
    world.firings = [firing_event(START)]
    fill(world, range(7), open_high_tickets=1)
    fill(world, [7])
    assert snapshots(world, 8)[7]["due_on"] == START + 14 * DAY


def test_no_gate_holds_a_customer_who_was_contacted(world):
    world.firings, world.reviews = [firing_event(START)], [review_event(START + DAY, "outreach_sent")]
    fill(world, range(3), open_high_tickets=1)
    assert statuses(world, 3) == {0: "held", 1: "open", 2: "open"}


def test_a_long_hold_goes_back_to_the_owner(world):
    world.firings = [firing_event(START)]
    fill(world, range(47), open_high_tickets=1)
    cards = snapshots(world, 47)
    assert "the owner decides" not in cards[44]["gate_summary"]
    assert "Held for 46 days: the owner decides" in cards[45]["gate_summary"]


def test_unknown_gates_leave_the_card_clear_with_what_to_verify(world):
    world.firings = [firing_event(START)]
    fill(world, [0], watchable_support=False, goal_motions=None)
    card = snapshots(world, 1)[0]
    assert (card["status"], card["gate_outcome"], card["gate_summary"]) == ("open", "clear", "Clear")
    assert card["verify"] == "that no support issue is open; which goal of theirs this serves"


def test_an_ask_cools_down_the_other_cards_of_the_account(world):
    world.firings = [firing_event(START),
                     firing_event(START, sub_trigger="new_department", subject_key="department:Finance")]
    world.reviews = [review_event(START + DAY, "outreach_sent")]
    fill(world, range(40))
    cards, _ = world.run(START, START + 40 * DAY)
    held = [(c["as_of_date"] - START).days for c in cards if c["trigger"] == "CROSS_TEAM" and c["status"] == "held"]
    assert held == list(range(1, 31))


def test_absences_count_from_when_they_are_known(world):
    world.firings = [firing_event(START)]
    world.people = People(
        [{"owner_id": "o1", "country": "DE"}],
        [{"owner_id": "o1", "from_on": START + 3 * DAY, "to_on": START + 4 * DAY, "known_on": START + 2 * DAY}],
    )
    fill(world, range(4))
    cards = snapshots(world, 4)
    assert [cards[n]["due_on"] for n in range(4)] == [START + 7 * DAY] * 2 + [START + 9 * DAY] * 2


def test_return_for_review_starts_a_new_round(world):
    first = firing_event(START)
    world.firings = [first, firing_event(START + 90 * DAY, event_type="returned", firing_id=first["firing_id"])]
    world.reviews = [review_event(START + DAY, "accepted"), review_event(START + 2 * DAY, "conversation_held")]
    fill(world, range(92))
    cards = snapshots(world, 92)
    assert (cards[89]["stage"], cards[89]["due_on"]) == ("conversation_held", START + 7 * DAY)
    assert (cards[90]["stage"], cards[90]["opened_reason"]) == ("detected", "returned")
    assert cards[90]["due_on"] == date(2026, 6, 8)  # Sunday 31 May rolls to Monday 1 June, five days on
    assert cards[90]["detected_on"] == START


def test_a_meeting_after_detection_is_an_inferred_conversation(world):
    world.firings = [firing_event(START)]
    world.meetings = [{"account_id": "a", "held_at": noon(START + 2 * DAY), "known_at": noon(START + 3 * DAY)}]
    fill(world, range(5))
    cards = snapshots(world, 5)
    assert [cards[n]["stage"] for n in (2, 3)] == ["detected", "conversation_held"]
    assert cards[3]["conversation_held_on"] == START + 2 * DAY
    assert cards[3]["outcome_due_on"] == START + 9 * DAY


def test_one_account_is_one_conversation(world):
    world.firings = [firing_event(START), firing_event(START + DAY, sub_trigger="new_executive", subject_key="p"),
                     firing_event(START, "b")]
    fill(world, range(2))
    fill(world, range(2), "b")
    cards, _ = world.run(START, START + 2 * DAY)
    groups = {(c["account_id"], c["card_group_id"]) for c in cards}
    assert len(groups) == 2 and len({c["card_id"] for c in cards}) == 3


def test_a_champion_who_left_readdresses_the_live_cards(world):
    world.firings = [firing_event(START), firing_event(START + DAY, sub_trigger="champion_left", subject_key="p")]
    fill(world, range(2))
    cards, _ = world.run(START, START + 2 * DAY)
    seats = [c["verify"] for c in cards if c["trigger"] == "USAGE_MILESTONE"]
    assert seats == [None, "whom to address, because the champion left"]


def test_gate_results_stand_behind_the_outcome(world):
    world.firings = [firing_event(START)]
    fill(world, [0], open_high_tickets=1)
    cards, results = world.run(START, START + DAY)
    assert [r["rule"] for r in results if r["result"] == "hold"] == ["open_issue"]
    assert cards[0]["gate_outcome"] == "hold"
    assert {r["card_id"] for r in results} == {cards[0]["card_id"]}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_window_equals_its_days(seed):
    world = random_world(seed, accounts=4, days=130)
    whole = world.run(START, START + 130 * DAY)
    earlier: list[dict] = []
    daily_cards, daily_gates = [], []
    for n in range(130):
        cards, results = world.run(START + n * DAY, START + (n + 1) * DAY, earlier)
        daily_cards += cards
        daily_gates += results
        earlier += [c for c in cards if c["status"] in PAUSED]

    def key(row):
        return row["as_of_date"], row["card_id"], row.get("rule", "")

    assert sorted(whole[0], key=key) == sorted(daily_cards, key=key)
    assert sorted(whole[1], key=key) == sorted(daily_gates, key=key)
    assert {c["status"] for c in daily_cards} == {"open", "held", "snoozed", "done", "rejected", "closed"}
