"""One row per account, sorted and complete."""

from __future__ import annotations

from datetime import date

import pytest


def rows(digest):
    return {row["account"]: row for csm in digest["csms"] for row in csm["rows"]}


def test_one_row_per_account_under_its_csm(digest):
    assert [csm["owner"] for csm in digest["csms"]] == ["Priya Raman", "Tom Ashby"]
    names = [row["account"] for csm in digest["csms"] for row in csm["rows"]]
    assert len(names) == len(set(names)) == digest["totals"]["accounts"] == 8
    assert {row["owner"] for row in digest["csms"][0]["rows"]} == {"Priya Raman"}


def test_by_due_date_then_score_paused_last(digest):
    for csm in digest["csms"]:
        keys = [(row["due_on"] or date.max, -row["score"]) for row in csm["rows"]]
        assert keys == sorted(keys)
    assert digest["csms"][1]["rows"][-1]["account"] == "Lumen Robotics"  # held by its tickets


def test_a_card_has_all_fields_of_the_template(digest):
    card = rows(digest)["Harbour & Pine"]["cards"][0]
    assert card["what"] == "Seats nearly full, and 1 more signal"
    assert card["evidence"] == ["88 active users in 28 days; fires at 80", "21.4 % growth of active users in 60 days",
                                "112 active users in 28 days; fires at 100"]
    assert (card["play_code"], card["sla_business_days"], card["playbook"]) == ("CAPACITY_CONVO", 5, "A")
    assert card["question"] and card["validate"] and card["decision"]
    assert card["value"] == "2,880 to 9,600 EUR a year"
    assert rows(digest)["Harbour & Pine"]["arr"] == "24,000 EUR"


@pytest.mark.parametrize(
    ("account", "number", "to_do", "due_on"),
    [
        ("Harbour & Pine", 0, "Accepted; the play is next", date(2026, 3, 30)),
        ("Sable Insurance", 0, "Waiting for your decision", date(2026, 4, 8)),
        ("Northwind Foods", 0, "Conversation held; log its outcome", date(2026, 4, 8)),
        ("Northwind Foods", 1, "Waiting for your decision", date(2026, 5, 5)),
        ("Lumen Robotics", 0, "Waiting for your decision", None),
    ],
)
def test_what_is_next_and_by_when(digest, account, number, to_do, due_on):
    card = rows(digest)[account]["cards"][number]
    assert (card["to_do"], card["due_on"]) == (to_do, due_on)


def test_a_held_card_says_what_releases_it(digest):
    card = rows(digest)["Lumen Robotics"]["cards"][0]
    assert (card["gate_outcome"], card["status"]) == ("hold", "held")
    assert card["gate_summary"].startswith("Hold: 2 open high-priority tickets")
    assert card["release_condition"] == "These tickets are closed"


def test_unknown_gates_ask_to_verify(digest):
    card = rows(digest)["Brightwater Logistics"]["cards"][0]
    assert card["gate_outcome"] == "clear"
    assert card["verify"] == ["the relationship (survey answers not known)", "the opt-out deadline"]


def test_done_cards_are_not_in_the_list(digest):
    plays = [card["play_code"] for card in rows(digest)["Harbour & Pine"]["cards"]]
    assert plays == ["CAPACITY_CONVO"]  # the introduction's outcome is logged


def test_marks(digest):
    assert rows(digest)["Delphi Health"]["is_risk"]
    assert rows(digest)["Northwind Foods"]["is_new"] and not rows(digest)["Sable Insurance"]["is_new"]
    assert digest["totals"]["overdue"] == sum(row["is_overdue"] for row in rows(digest).values())
