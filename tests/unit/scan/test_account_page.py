"""The page of one account: links between events, what stands together, what is hidden."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.scan.account import MOST_EVENTS, build_account, page_name
from expansion_assets.scan.consent import hide_in_timeline, person_names
from expansion_assets.scan.rendering import render_account
from expansion_assets.triggers.explain import Explanation

DAY = date(2026, 3, 31)
ACCOUNT = {
    "account_id": "A/1", "account_name": "Harbour <Pine>", "segment": "mid_market", "country": "DE", "arr": 12000.0,
    "currency": "EUR", "first_paid_on": date(2025, 1, 1), "renewal_on": None, "opt_out_on": None,
}
SCORE = {"score": 4.2, "points": 6.7, "convergence": 1.25, "categories": 2, "coverage_pct": 80.0}
PART = {"signal": "USAGE_MILESTONE", "category": "usage", "weight": 5.0, "strength": 0.5, "points": 2.5}


def event(key, day, kind="ticket_opened", firing=None, known=None, **columns):
    moment = datetime(2026, 3, day, 9)
    return {
        "event_key": key, "account_id": "A/1", "kind": kind, "summary": "api, high", "source_table": "support_tickets",
        "row_key": key, "person_key": None, "firing_id": firing, "happened_at": moment, "known_at": moment,
        "known_on": date(2026, 3, known or day), "sub_trigger": None, "subject_key": None, "reason": None, **columns,
    }


def opened(key="f", day=20, firing="F1", subject="tickets", **columns):
    return event(key, day, "firing_opened", firing, sub_trigger="advanced_shift", subject_key=subject, **columns)


def page(timeline=(), links=(), explanations=(), blind=None, persons=None, parts=(PART,)):
    return build_account(
        DAY, ACCOUNT, "Priya Raman", None, SCORE, parts, list(explanations), blind or {}, timeline, links,
        persons or {}, load_catalogue().signals,
    )


def link(event_key, kind="evidence", firing="F1"):
    return {"firing_id": firing, "event_key": event_key, "link": kind, "account_id": "A/1"}


def test_a_firing_and_its_evidence_link_to_each_other():
    rows = {row["key"]: row for row in page([event("t", 18), opened()], [link("t")])["timeline"]}
    assert [(found["to"], found["link"]) for found in rows["t"]["links"]] == [("f", "evidence")]
    assert [(found["to"], found["link"]) for found in rows["f"]["links"]] == [("t", "evidence")]


def test_what_a_firing_became_links_to_its_opening():
    closed = event("c", 25, "firing_superseded", "F1", sub_trigger="advanced_shift", subject_key="tickets",
                   reason="evidence_withdrawn")
    rows = {row["key"]: row for row in page([opened(), closed])["timeline"]}
    assert [found["to"] for found in rows["c"]["links"]] == ["f"]
    assert rows["c"]["summary"] == "Support questions turned advanced (tickets), evidence withdrawn"


def test_a_link_to_what_the_page_does_not_hold_is_left_out():
    assert page([opened()], [link("older"), link("f", firing="F9")])["timeline"][0]["links"] == []


def test_newest_first_and_a_late_event_says_when_it_was_known():
    rows = page([event("a", 3), event("b", 9, known=12), event("c", 5)])["timeline"]
    assert [(row["key"], row["is_late"]) for row in rows] == [("b", True), ("c", False), ("a", False)]


def test_alike_events_of_a_day_stand_in_one_row_unless_a_firing_stands_on_them():
    tickets = [event(f"t{number}", 18, summary=f"topic {number}") for number in range(5)]
    rows = page([*tickets, opened()], [link("t2")])["timeline"]
    assert [(row["what"], row["count"]) for row in rows] == [
        ("Firing opened", 1), ("Ticket opened, 2 times", 2), ("Ticket opened", 1), ("Ticket opened, 2 times", 2),
    ]
    assert sum(row["count"] for row in rows) == 6


def test_old_events_give_way_but_not_those_of_a_firing():
    start = datetime(2024, 1, 1)
    many = [
        event(f"t{number}", 1) | {"happened_at": start + timedelta(days=number)} for number in range(MOST_EVENTS + 10)
    ]
    data = page([*many, opened()], [link("t0")])
    assert {"t0", "f"} <= {row["key"] for row in data["timeline"]}
    assert len(data["timeline"]) == MOST_EVENTS + 1
    assert data["totals"] == {"events": MOST_EVENTS + 11, "firings": 1, "older": 10}


def test_a_person_without_consent_is_hidden_everywhere():
    people = [
        {"account_id": "A/1", "person_key": "p1", "name": "Ana Ruiz", "email": "ana@x.example", "has_basis": None},
        {"account_id": "A/1", "person_key": "p2", "name": "Ben Okoro", "email": "ben@x.example", "has_basis": True},
    ]
    moves = [
        event("m1", 2, "contact_joined", person_key="p1", summary="joined: VP Finance"),
        event("m2", 3, "contact_joined", person_key="p2", summary="joined: VP Operations"),
        event("w", 4, "webinar", summary="asked by Ana Ruiz, ana@x.example and ben@x.example"),
    ]
    fired = [opened("f1", 5, "F1", "p1"), opened("f2", 6, "F2", "p2")]
    said = [Explanation("ROLE_CHANGE", "new_executive", key, "open", DAY) for key in ("p1", "p2")]
    data = page(
        [*hide_in_timeline(moves, people), *fired], explanations=said, persons=person_names(people)
    )
    written = "".join(render_account(data).forms().values())
    assert "Ana Ruiz" not in written and "VP Finance" not in written and "ana@x.example" not in written
    assert "p1" not in written
    assert "Ben Okoro" in written and "VP Operations" in written and "ben@x.example" in written


def test_the_page_escapes_what_a_source_wrote_and_says_what_is_blind():
    data = page(
        [event("t", 18, summary="<script>alert(1)</script>")],
        explanations=[Explanation("CROSS_TEAM", "new_department", None, "no_reading")],
        blind={"CROSS_TEAM": "identity: no records matched"},
    )
    html = render_account(data).html
    assert "<script>alert" not in html and "Harbour &lt;Pine&gt;" in html
    assert "identity: no records matched; silence says nothing here" in html
    assert 'href="../digest.html"' in html


@pytest.mark.parametrize(
    ("account_id", "name"), [("ACC-1", "accounts/ACC-1"), ("a/b ü", "accounts/a%2Fb%20%C3%BC"), ("..", "accounts/..")]
)
def test_any_id_makes_one_file_name(account_id, name):
    assert page_name(account_id) == name
