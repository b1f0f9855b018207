"""A small book on a Monday, carried through readiness, so that the pages have something to say."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.plays_loader import load_gates, load_plans, load_plays
from expansion_assets.readiness.cards import PAUSED, build_card_reviews
from expansion_assets.readiness.churn_risk import build_churn_risk
from expansion_assets.readiness.coverage import build_coverage, coverage_by_trigger
from expansion_assets.readiness.diary import People
from expansion_assets.scan.digest import build_digest
from expansion_assets.scan.plan_fact_gap import Book, build_scan
from tests.unit.readiness.readiness_rows import (
    DAY,
    World,
    account_day,
    catalogue,
    firing_event,
    noon,
    review_event,
)

Row = dict[str, Any]
TODAY = date(2026, 4, 20)  # a Monday
FIRST = TODAY - 60 * DAY
NAMES = {
    "a01": "Harbour & Pine", "a02": "Northwind Foods", "a03": "Lumen Robotics", "a04": "Casa Verde Hotels",
    "a05": "Brightwater Logistics", "a06": "Osterberg Maschinenbau", "a07": "Quill & Co", "a08": "Delphi Health",
    "a09": "Vantage Rail", "a10": "Sable Insurance",
}
OWNERS = {"o1": {"name": "Priya Raman", "country": "DE"}, "o2": {"name": "Tom Ashby", "country": "GB"}}
STATES: dict[str, Row] = {
    "a01": {"active_users_28d": 112, "headcount_growth_yoy_pct": 45.0, "executive_meetings_90d": 1},
    "a02": {"active_users_28d": 88}, "a03": {"goal_motions": "departments", "open_high_tickets": 2},
    "a04": {"health_band": "red", "invoice_days_late": 47, "champions": 0},
    "a05": {"watchable_feedback": False, "opt_out_on": None}, "a06": {"watchable_identity": False},
    "a07": {"contracted_seats": None, "active_users_28d": None, "watchable_product": False},
    "a08": {"champions": 0},
    "a09": {f"watchable_{flag}": False for flag in ("text", "support", "feedback", "meetings", "notes")},
    "a10": {},
}


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def steps(account: str, trigger: str, **days_ago: int) -> list[Row]:
    return [review_event(ago(n), step, account, trigger) for step, n in days_ago.items()]


def book_of_cards() -> World:
    """Ten accounts: timely, late, missing and unlogged plays, a hold, a risk, and blind sources."""
    world = World()
    for number, (account, state) in enumerate(STATES.items()):
        values = {"account_name": NAMES[account], "arr": 24000.0 + 9000 * number,
                  "owner_id": "o1" if number % 2 else "o2", **state}
        world.days += [account_day(FIRST + n * DAY, account, **values) for n in range(61)]
    world.people = People([{"owner_id": key, **owner} for key, owner in OWNERS.items()])
    return world


def add_cards(world: World) -> World:
    """Add firings with their evidence and what people did about them."""
    fired = [
        (30, "a01", "seats", "seats"), (24, "a01", "seats_full", "seats"),
        (22, "a01", "new_executive", "p1"), (26, "a02", "seats", "seats"), (23, "a10", "quota", "api_calls"),
        (40, "a03", "new_department", "department:Finance"), (33, "a05", "new_department", "department:Legal"),
        (27, "a08", "champion_left", "p2"), (21, "a09", "promotion", "p3"), (25, "a06", "advanced_shift", "tickets"),
        (3, "a06", "adjacent_problem", "reporting"), (3, "a06", "adjacent_problem", "data_sync"),
        (2, "a02", "renewal_contact", "p4"), (2, "a08", "seats", "seats"),
    ]
    world.firings = [firing_event(ago(n), account, sub, subject_key=subject) for n, account, sub, subject in fired]
    world.reviews = [
        *steps("a01", "USAGE_MILESTONE", delivered=29, acknowledged=28, accepted=20),
        *steps("a01", "ROLE_CHANGE", delivered=21, acknowledged=20, accepted=20, outreach_sent=18,
               conversation_held=14, outcome_logged=13),
        *steps("a02", "USAGE_MILESTONE", delivered=26, acknowledged=25, accepted=25, conversation_held=21),
        *steps("a05", "CROSS_TEAM", delivered=31, acknowledged=30, accepted=28),
        *steps("a06", "ADVANCED_TICKETS", delivered=24),
        review_event(ago(70), "review_signed", "", "", actor="Marta Lind"),
    ]
    world.meetings = [{"account_id": "a09", "held_at": noon(ago(12)), "known_at": noon(ago(11))}]
    for event in world.firings:
        world.evidence += _evidence(event)
    return world


def _evidence(event: Row) -> list[Row]:
    quotes = {
        "new_executive": "Vice President Operations", "promotion": "Director of Finance Systems",
        "renewal_contact": "Head of Procurement", "champion_left": "Operations Manager",
        "advanced_shift": "Can we trigger an approval from our own service through a webhook?",
        "adjacent_problem": "We pull the numbers into a spreadsheet every Friday and mail it round by hand",
    }
    sub = event["sub_trigger"]
    measures: dict[str, list[tuple[str, float, float | None, int | None]]] = {
        "seats": [("active_users_28d", 88, 80, 28), ("seat_growth_60d_pct", 21.4, None, 60)],
        "seats_full": [("active_users_28d", 112, 100, 28)], "quota": [("used_quantity", 46120, 45000, 30)],
        "new_department": [("users_2of14", 6, 3, 14)], "advanced_shift": [("advanced_tickets", 4, 3, 30)],
    }
    base = {"firing_id": event["firing_id"], "row_key": "r", "happened_at": event["happened_at"], "tag_id": None}
    lines = [
        {**base, "source_table": "account_day", "measure": m, "value": float(v), "threshold": t, "window_days": w,
         "quote": None}
        for m, v, t, w in measures.get(sub, [])
    ]
    if sub in quotes:
        table = "support_tickets" if sub in ("advanced_shift", "adjacent_problem") else "crm_contact_role_changes"
        lines.append({**base, "source_table": table, "measure": sub, "value": None, "threshold": None,
                      "window_days": None, "quote": quotes[sub]})
    return [{**line, "line_no": number} for number, line in enumerate(lines, start=1)]


def pages(world: World) -> tuple[Row, Row]:
    """Data of the scan and of the digest."""
    cards, _ = world.run(FIRST, TODAY + DAY)
    reviews = build_card_reviews(world.firings, world.reviews, world.meetings, catalogue())
    signals, gates, day = load_catalogue().signals, load_gates(), (TODAY, TODAY + DAY)
    coverage = coverage_by_trigger(build_coverage(world.days, [], signals, day), TODAY)
    accounts = {row["account_id"]: row for row in world.days if row["as_of_date"] == TODAY}
    book = Book(accounts, OWNERS)
    paused = [card for card in cards if card["status"] in PAUSED]
    risks = build_churn_risk(world.days, world.firings, gates, day)
    scan = build_scan(TODAY, cards, reviews, world.reviews, paused, risks, coverage, book, load_plans())
    return scan, build_digest(TODAY, cards, world.evidence, coverage, book, load_plays())
