"""Watchable or blind, with the reason in words."""

from __future__ import annotations

from datetime import datetime

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.readiness.coverage import build_coverage, coverage_by_trigger
from tests.unit.readiness.readiness_rows import DAY, START, account_day


def landed(source, table, status="loaded", rows=5, start=START, newest=None):
    return {"source": source, "source_table": table, "status": status, "rows_loaded": rows, "window_start": start,
            "newest_known_from": newest}


FULL = [landed("product", "product_usage"), landed("crm", "crm_contacts"), landed("identity", "identity_logins"),
        landed("billing", "billing_subscription_lines"), landed("support", "support_tickets"),
        landed("feedback", "feedback_nps"), landed("meetings", "meetings_notes")]


TEXT_TABLES = (("support", "tickets"), ("feedback", "nps"), ("meetings", "turns"), ("crm", "owner_notes"))
NO_PEOPLE = {"watchable_contacts": False, "watchable_people": False}
NO_TEXTS = {f"watchable_{flag}": False for flag in ("ticket_texts", "feedback", "meetings", "notes")}


def without(table, *instead):
    return [row for row in FULL if row["source_table"] != table] + list(instead)


def cover(days, status=FULL):
    rows = build_coverage(days, status, load_catalogue().signals, (START, START + DAY))
    return {(row["account_id"], row["trigger"]): row for row in rows}


def test_all_five_triggers_are_watchable():
    rows = cover([account_day(START)])
    assert len(rows) == 5
    assert all(row["is_watchable"] for row in rows.values())
    assert {(row["missing_sources"], row["reason"]) for row in rows.values()} == {(None, None)}


@pytest.mark.parametrize(
    ("values", "status", "trigger", "missing", "reason"),
    [
        ({"watchable_product": False}, without("product_usage", landed("product", "product_usage", "missing", 0)),
         "USAGE_MILESTONE", "product", "product: no file was delivered"),
        ({"watchable_product": False}, without("product_usage"), "USAGE_MILESTONE", "product",
         "product: no file was delivered"),
        ({"watchable_product": False}, without("product_usage", landed("product", "product_usage", "empty", 0)),
         "USAGE_MILESTONE", "product", "product: the file is empty"),
        ({"watchable_product": False}, without("product_usage", landed("product", "product_usage", "failed", 0)),
         "USAGE_MILESTONE", "product", "product: the file could not be loaded"),
        ({"watchable_product": False},
         without("product_usage", landed("product", "product_usage", newest=datetime(2026, 2, 20, 8))),
         "USAGE_MILESTONE", "product", "product: not fresh (newest record 20 Feb 2026)"),
        ({"contracted_seats": None}, FULL, "USAGE_MILESTONE", "billing", "no seat limit in the contract lines"),
        (NO_PEOPLE, without("crm_contacts", landed("crm", "crm_contacts", "missing", 0)), "ROLE_CHANGE", "crm",
         "no contacts, role changes or job alerts"),
        (NO_PEOPLE, FULL, "ROLE_CHANGE", "crm", "no contacts, role changes or job alerts matched to an account"),
        ({"watchable_identity": False, "watchable_product": False}, FULL, "CROSS_TEAM", "product|identity",
         "product: not fresh; identity: not fresh"),
        ({"watchable_ticket_texts": False}, FULL, "ADVANCED_TICKETS", "text", "ticket texts are missing"),
        (NO_TEXTS,
         [landed(s, f"{s}_{t}", "missing", 0) for s, t in TEXT_TABLES], "ADJACENT_USE", "text",
         "text: no texts in support, feedback, meetings or notes"),
    ],
)
def test_blind_says_why(values, status, trigger, missing, reason):
    row = cover([account_day(START, **values)], status)["a", trigger]
    assert (row["is_watchable"], row["missing_sources"], row["reason"]) == (False, missing, reason)


def test_unmatched_is_told_from_stale_by_the_others():
    rows = cover([account_day(START), account_day(START, "b", watchable_product=False)])
    assert rows["a", "USAGE_MILESTONE"]["is_watchable"]
    assert rows["b", "USAGE_MILESTONE"]["reason"] == "product: no records matched to the account"


def test_people_are_watched_through_contacts_or_alerts():
    rows = cover([account_day(START, watchable_contacts=False), account_day(START, "b", watchable_people=False),
                  account_day(START, "c", **NO_PEOPLE)])
    assert rows["a", "ROLE_CHANGE"]["is_watchable"] and rows["b", "ROLE_CHANGE"]["is_watchable"]
    assert rows["c", "ROLE_CHANGE"]["reason"] == "crm: no records matched to the account"


def test_texts_of_others_do_not_make_tickets_readable():
    rows = cover([account_day(START, watchable_ticket_texts=False)])
    assert rows["a", "ADJACENT_USE"]["is_watchable"] and not rows["a", "ADVANCED_TICKETS"]["is_watchable"]


def test_an_earlier_load_still_counts_and_a_later_one_does_not_yet():
    early = landed("product", "product_usage", start=START - DAY, newest=datetime(2026, 2, 28))
    today = landed("product", "product_usage", "missing", 0)
    later = landed("product", "product_usage", start=START + DAY)
    blind = [account_day(START, watchable_product=False)]
    assert "not fresh" in cover(blind, without("product_usage", early, today))["a", "CROSS_TEAM"]["reason"]
    assert "no file" in cover(blind, without("product_usage", today, later))["a", "CROSS_TEAM"]["reason"]


def test_totals_per_trigger():
    rows = cover([account_day(START), account_day(START, "b", watchable_product=False),
                  account_day(START, "c", contracted_seats=None), account_day(START, "d", contracted_seats=0)])
    totals = {row["trigger"]: row for row in coverage_by_trigger(rows.values(), START)}
    assert totals["USAGE_MILESTONE"] == {
        "trigger": "USAGE_MILESTONE", "watchable_accounts": 1, "blind_accounts": 3,
        "reason": "no seat limit in the contract lines"}
    assert totals["ROLE_CHANGE"]["blind_accounts"] == 0 and totals["ROLE_CHANGE"]["reason"] is None
    assert coverage_by_trigger(rows.values(), START + DAY) == []
