"""The quarantine page: every group counted, personal values masked, a raw row can do nothing, each rule has words."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest

from expansion_assets.scan.quarantine import RULES, build_quarantine
from expansion_assets.scan.rendering import render_quarantine
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.judging import contract_rules

DAY = date(2026, 6, 30)
SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def group(table: str, rule: str, rows: int, source: str = "crm") -> dict[str, Any]:
    return {"source": source, "table": table, "rule": rule, "row_count": rows, "file_count": 1,
            "first_seen_at": datetime(2026, 6, 2), "last_seen_at": datetime(2026, 7, 1)}


def example(table: str, rule: str, raw: object, number: int = 7, source: str = "crm") -> dict[str, Any]:
    return {"source": source, "table": table, "rule": rule, "file": "contacts_2026-06.jsonl", "row_number": number,
            "raw_json": raw if raw is None else json.dumps(raw)}


def landing(table: str, status: str, message: str = "") -> dict[str, Any]:
    return {"source": "crm", "source_table": table, "window_start": DAY, "status": status, "files": 1, "rows_in": 0,
            "rows_loaded": 0, "rows_quarantined": 0, "message": message}


@pytest.fixture
def data():
    return build_quarantine(
        DAY,
        [group("crm_contacts", "required:contact_id", 9), group("crm_contacts", "malformed_row", 1),
         group("crm_owners", "empty_file", 1), group("support_tickets", "brand_new_rule", 2, "support")],
        [example("crm_contacts", "required:contact_id",
                 {"Mail": "jane.doe@acme.example", "name": "Jane Doe", "account_id": SCRIPT, "status": None}),
         example("crm_contacts", "malformed_row", "c1;Jane Doe;jane.doe@acme.example"),
         example("crm_owners", "empty_file", None, 0)],
        [{"source": "crm", "table": "crm_goals", "rule": "duplicate_key", "row_count": 4}],
        [landing("crm_goals", "missing", "no file matches crm/goals_*.csv"),
         landing("crm_owners", "failed", "No magic bytes in '/srv/data/crm/owners.parquet'"),
         landing("crm_meetings", "empty"),
         landing("crm_accounts", "loaded", "a.jsonl: columns not in the contract: tier"),
         landing("crm_contacts", "loaded", "a.csv: required column email is missing; "
                                           "a.csv: columns not in the contract: Jane Doe, jane.doe@acme.example")],
        load_contracts(), {"crm_contacts": {"email": {"Mail"}}},
    )


def test_rows_are_counted_by_source_table_and_rule(data):
    assert data["totals"] == {"rows": 13, "tables": 3, "rules": 4, "resolved": 4, "not_landed": 2}
    assert [(source["name"], source["rows"]) for source in data["sources"]] == [("crm", 11), ("support", 2)]
    contacts = data["sources"][0]["tables"][0]
    assert [(rule["rule"], rule["rows"]) for rule in contacts["rules"]] == [
        ("required:contact_id", 9), ("malformed_row", 1)]
    assert (contacts["rules"][0]["first_seen"], contacts["rules"][0]["last_seen"]) == (date(2026, 6, 1), DAY)


def test_personal_values_are_masked_in_every_form(data):
    page = render_quarantine(data)
    for form in page.forms().values():
        assert not any(secret in form for secret in ("jane", "Jane", "acme", "Doe"))
    (row,) = data["sources"][0]["tables"][0]["rules"][0]["examples"]
    assert (row["raw"]["Mail"], row["raw"]["name"], row["raw"]["status"]) == ("j***@***", "J***", None)


def test_a_script_in_a_raw_row_is_inert(data):
    page = render_quarantine(data)
    assert SCRIPT in page.json.replace('\\"', '"')
    assert "&lt;script&gt;" in page.html and "<script" not in page.html and "<img" not in page.html
    assert "<script>" not in page.md and r"\<img" in page.md


def test_the_page_says_where_why_and_what_to_do(data):
    html = render_quarantine(data, is_demo=True).html
    for text in ("13 rows of 3 tables set aside", "contacts_2026-06.jsonl, row 7", "contact_id has no value",
                 "What to do:", "python -m expansion_assets replay", "and 8 more", "A rule is broken: brand new rule",
                 "Did not arrive", "no file matches crm/goals_*.csv", "Could not be read",
                 "No magic bytes in &#39;owners.parquet&#39;", "crm_meetings",
                 "columns not in the contract: tier", "(names not shown)", "before: a key is repeated", "demo data"):
        assert text in html, text
    assert "contacts_2026-06.jsonl, row 0" not in html
    assert "/srv" not in html


def test_an_empty_quarantine_makes_a_page():
    page = render_quarantine(build_quarantine(DAY, [], [], [], [], {}, {}))
    assert "Nothing is in quarantine" in page.html
    assert "Every table's files arrived" in page.html


def test_every_rule_of_the_loader_has_words():
    rules = {name.partition(":")[0] for contract in load_contracts().values() for name, _ in contract_rules(contract)}
    assert rules <= set(RULES)
