"""Rows as the layers before readiness write them, with defaults that fire nothing and block nothing."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.plays_loader import load_gates, load_plans, load_plays
from expansion_assets.readiness.cards import Catalogue, People, build_card_reviews, build_cards
from expansion_assets.readiness.score import build_scores

Row = dict[str, Any]
DAY = timedelta(days=1)
START = date(2026, 3, 2)  # a Monday
SOURCES = ("product", "identity", "crm", "billing", "people", "support", "feedback", "meetings", "growth",
           "engagement", "text", "contacts", "ticket_texts", "notes")


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


def account_day(day: date, account_id: str = "a", **values: Any) -> Row:
    row: Row = {
        "account_id": account_id, "as_of_date": day, "account_name": account_id.title(), "owner_id": "o1",
        "arr": 50000.0, "currency": "EUR", "account_status": "customer", "contracted_seats": 100.0,
        "active_users_28d": 85, "seat_growth_60d_pct": 10.0, "seat_unit_price": 240.0, "seat_currency": "EUR",
        "open_tickets": 0, "open_high_tickets": 0, "open_escalations": 0, "open_ticket_departments": None,
        "last_nps_score": None, "last_nps_on": None, "invoice_days_late": 0, "health_band": "green",
        "last_value_proof_on": day - 20 * DAY, "goal_motions": "seats", "champions": 1, "consented_contacts": 2,
        "opt_out_on": day + 200 * DAY, "usage_events_28d": 1000, "seats_before_change": None,
        "seats_changed_on": None, **{f"watchable_{source}": True for source in SOURCES},
    }
    return {**row, **values}


def firing_event(day: date, account_id: str = "a", sub_trigger: str = "seats", event_type: str = "opened",
                 **values: Any) -> Row:
    trigger = next(k for k, t in load_catalogue().signals.triggers.items() if sub_trigger in t.sub_triggers)
    subject = values.pop("subject_key", sub_trigger)
    row: Row = {
        "event_id": f"{account_id}|{sub_trigger}|{subject}|{day}|{event_type}",
        "firing_id": values.pop("firing_id", f"{account_id}-{sub_trigger}-{subject}-{day}"), "account_id": account_id,
        "trigger": trigger, "sub_trigger": sub_trigger, "subject_key": subject, "event_type": event_type,
        "reason": None, "as_of_date": day, "happened_at": noon(day), "known_at": noon(day), "strength": 1.0,
        "is_initial_state": False, "is_fleet_event": False, "is_shadow": False,
    }
    return {**row, **values}


def review_event(day: date, event_type: str, account_id: str = "a", trigger: str = "USAGE_MILESTONE",
                 known_on: date | None = None, **values: Any) -> Row:
    known_on = known_on or day
    row: Row = {
        "event_id": f"{account_id}|{trigger}|{event_type}|{day}", "card_id": None, "account_id": account_id,
        "trigger": trigger, "event_type": event_type, "at": noon(day), "actor": "Kim", "reason": None, "until": None,
        "amount": None, "currency": None, "note": None, "known_at": noon(known_on), "known_on": known_on,
    }
    return {**row, **values}


def catalogue() -> Catalogue:
    return Catalogue(load_plays(), load_gates(), load_plans(), load_catalogue().signals)


class World:
    """A book in rows; runs readiness over any window of it."""

    def __init__(self) -> None:
        self.firings: list[Row] = []
        self.evidence: list[Row] = []
        self.days: list[Row] = []
        self.reviews: list[Row] = []
        self.meetings: list[Row] = []
        self.people = People([{"owner_id": "o1", "country": "DE"}])

    def run(self, first: date, end: date, earlier: list[Row] | None = None) -> tuple[list[Row], list[Row]]:
        """Cards and gate results, from what was known before the end of the window."""
        firings = [e for e in self.firings if e["as_of_date"] < end]
        reviews = [e for e in self.reviews if e["known_on"] < end]
        meetings = [m for m in self.meetings if m["known_at"].date() < end]
        days = [d for d in self.days if first <= d["as_of_date"] < end]
        scores, parts = build_scores(days, firings, load_catalogue().signals, load_gates().score, (first, end))
        matched = build_card_reviews(firings, reviews, meetings, catalogue())
        return build_cards(firings, self.evidence, days, reviews, matched, scores, parts, self.people, earlier or [],
                           catalogue(), (first, end))


def random_world(seed: int, accounts: int, days: int) -> World:
    """A book of random firings, gates, reviews, meetings and absences."""
    rng, world = random.Random(seed), World()
    rules = [(t, s) for t, trigger in load_catalogue().signals.triggers.items() for s in trigger.sub_triggers]
    for number in range(accounts):
        account = f"a{number:03}"
        state: Row = {}
        for offset in range(days):
            day = START + offset * DAY
            if rng.random() < 0.08:
                state = rng.choice([{}, {"open_high_tickets": 1}, {"open_escalations": 2}, {"health_band": "red"},
                                    {"last_value_proof_on": None}, {"goal_motions": ""}, {"owner_id": "o2"},
                                    {"watchable_support": False}, {"invoice_days_late": None}])
            world.days.append(account_day(day, account, **state))
            for trigger, sub in rules:
                if rng.random() < 0.004:
                    _add_firing(world, rng, account, trigger, sub, day)
            if rng.random() < 0.03:
                held = day - rng.randint(0, 2) * DAY
                world.meetings.append({"account_id": account, "held_at": noon(held), "known_at": noon(day)})
    world.people = People(
        [{"owner_id": "o1", "country": "DE"}, {"owner_id": "o2", "country": "US"},
         {"owner_id": "o2", "country": "FR", "known_on": START + 40 * DAY}],
        [{"owner_id": "o1", "from_on": START + n * DAY, "to_on": START + (n + 3) * DAY,
          "known_on": START + (n - 2) * DAY} for n in range(10, days, 25)],
    )
    return world


def _add_firing(world: World, rng: random.Random, account: str, trigger: str, sub: str, day: date) -> None:
    subject = "department:Finance" if trigger == "CROSS_TEAM" else rng.choice(["x", "y"])
    opened = firing_event(day, account, sub, subject_key=subject, strength=rng.uniform(0.5, 1))
    world.firings.append(opened)
    same = {"subject_key": subject, "firing_id": opened["firing_id"]}
    fate = rng.random()
    if fate < 0.3:
        world.firings.append(firing_event(day + rng.randint(0, 30) * DAY, account, sub, "closed", **same))
    elif fate < 0.5:
        world.firings.append(firing_event(day + rng.randint(20, 90) * DAY, account, sub, "returned", **same))
    at = day
    for step in ("delivered", "acknowledged", rng.choice(["accepted", "rejected", "too_early"]), "play_started",
                 "outreach_sent", "conversation_held", "outcome_logged"):
        if rng.random() < 0.15:
            break
        at += rng.randint(0, 4) * DAY
        until = at + rng.randint(5, 60) * DAY if step == "too_early" else None
        world.reviews.append(review_event(
            at, step, account, trigger, known_on=at + rng.randint(0, 2) * DAY, until=until,
            event_id=f"{opened['firing_id']}|{step}",
        ))
