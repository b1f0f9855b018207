"""An outside data set through configuration alone. It can fire next to nothing, so what it can prove is asserted:
exact counts, five features by hand, and what each trigger cannot see and why."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("RAVENSTACK_DIR", ROOT.parent / "shared" / "thirdparty" / "ravenstack"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"put the RavenStack files into {DATA} or set RAVENSTACK_DIR")

LAST_DAY = date(2025, 1, 1)
HISTORY_DAYS = 40  # of 731: the first window takes in everything known before it, so no row is spared


def read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def day(text: str) -> date:
    return datetime.strptime(text[:10], "%d-%m-%Y").date()


@pytest.fixture(scope="module")
def state(tmp_path_factory, command) -> Path:
    folder = tmp_path_factory.mktemp("ravenstack")
    mapping = yaml.safe_load((ROOT / "examples" / "ravenstack" / "mapping.yml").read_text())
    mapping["first_day"] = LAST_DAY - timedelta(days=HISTORY_DAYS)
    (folder / "short").mkdir()
    (folder / "short" / "mapping.yml").write_text(yaml.safe_dump(mapping))
    command(folder, "--sources", str(folder / "short"), "--data", str(DATA), "scan")
    return folder


@pytest.fixture(scope="module")
def warehouse(state):
    path = state / "workspaces" / "short" / "warehouse" / "expansion.duckdb"
    with duckdb.connect(str(path), read_only=True) as opened:
        yield opened


@pytest.mark.parametrize(
    ("table", "file", "quarantined"),
    [
        ("crm_accounts", "ravenstack_accounts.csv", 0),
        ("billing_subscription_lines", "ravenstack_subscriptions.csv", 0),
        ("product_usage", "ravenstack_feature_usage.csv", 21),
        ("support_tickets", "ravenstack_supports_ticket.csv", 0),
    ],
)
def test_every_row_is_loaded_or_quarantined(warehouse, table, file, quarantined):
    rows = len(read(file))
    assert warehouse.execute(f"select count(*) from raw.{table}").fetchone() == (rows - quarantined,)
    query = 'select rule, count(*) from raw.quarantine where "table" = $1 group by rule'
    found = warehouse.execute(query, [table]).fetchall()
    assert found == ([("duplicate_key", quarantined)] if quarantined else [])


def test_the_quarantined_usage_ids_are_the_duplicated_ones(warehouse):
    counts = Counter(row["usage_id"] for row in read("ravenstack_feature_usage.csv"))
    twice = {usage_id for usage_id, count in counts.items() if count > 1}
    found = warehouse.execute("select json_extract_string(raw_json, '$.usage_id') from raw.quarantine").fetchall()
    assert len(twice) == 21
    assert {usage_id for (usage_id,) in found} == twice


def test_five_features_equal_a_count_by_hand(warehouse):
    """Per account on the last day: first paid day, age, open tickets, tickets of 30 days, contracted seats."""
    tickets = read("ravenstack_supports_ticket.csv")
    for account in read("ravenstack_accounts.csv")[:120]:
        mine = [row for row in tickets if row["account_id"] == account["account_id"]]
        signed = day(account["signup_date"])
        known = [row for row in mine if day(row["submitted_at"]) + timedelta(days=1) <= LAST_DAY]
        expected = (
            signed,
            (LAST_DAY - signed).days,
            sum(not row["closed_at"] or day(row["closed_at"]) > LAST_DAY for row in known),
            sum(LAST_DAY - timedelta(days=30) < day(row["submitted_at"]) <= LAST_DAY for row in known),
            None,
        )
        found = warehouse.execute(
            """
            select first_paid_on, account_age_days, coalesce(open_tickets, 0), coalesce(tickets_30d, 0),
                contracted_seats
            from features.account_day where account_id = $1 and as_of_date = $2
            """,
            [account["account_id"], LAST_DAY],
        ).fetchone()
        assert found == expected, account["account_id"]


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ("USAGE_MILESTONE", "usage is recorded per subscription, not per user"),
        ("ROLE_CHANGE", "no contacts"),
        ("CROSS_TEAM", "no single sign-on data in the data set"),
        ("ADVANCED_TICKETS", "texts"),
        ("ADJACENT_USE", "no texts"),
    ],
)
def test_what_it_lacks_is_blind_with_its_reason_not_zero(warehouse, trigger, words):
    rows = warehouse.execute(
        "select is_watchable, reason, count(*) from readiness.coverage"
        " where trigger = $1 and as_of_date = $2 group by all",
        [trigger, LAST_DAY],
    ).fetchall()
    assert {is_watchable for is_watchable, _, _ in rows} == {False}
    assert sum(count for *_, count in rows) == len(read("ravenstack_accounts.csv"))
    assert any(words in reason for _, reason, _ in rows), rows


def test_nothing_fires_and_the_scan_says_what_it_cannot_see(state, warehouse):
    assert warehouse.execute("select count(*) from triggers.firing_events").fetchone() == (0,)
    page = (state / "workspaces" / "short" / "published" / LAST_DAY.isoformat() / "scan.md").read_text()
    assert "What we cannot see" in page
    assert "500 accounts blind" in page


def test_the_readiness_page_shows_all_five_blind_with_reasons_and_ranked_fixes(state, warehouse):
    folder = state / "workspaces" / "short" / "published" / LAST_DAY.isoformat()
    data = json.loads((folder / "readiness.json").read_text())
    assert data["totals"]["states"] == {"watchable": 0, "one_clean_up": 0, "blind": 5}
    assert (data["totals"]["accounts"], data["totals"]["currency"]) == (len(read("ravenstack_accounts.csv")), "USD")
    page = (folder / "readiness.html").read_text()
    mapping = yaml.safe_load((ROOT / "examples" / "ravenstack" / "mapping.yml").read_text())
    for key in ("product_usage.user_id", "billing_subscription_lines.unit", "support_tickets.body", "identity"):
        assert mapping["absent"][key] in page
    gained = [fix["arr_gained"] for fix in data["fixes"]]
    assert gained == sorted(gained, reverse=True) and gained[0] > 0
    assert {trigger for fix in data["two_steps"] for trigger in fix["triggers"]} >= {
        "Usage limit reached", "A new team uses the product"}
    assert "with assumed ones" in page  # the data set has no load times
    # ARR comes from the contract lines, for the CRM states none.
    total = warehouse.execute(
        "select max(arr_total) from readiness.diagnostic where as_of_date = $1", [LAST_DAY]
    ).fetchone()
    lines = [
        float(row["arr_amount"]) for row in read("ravenstack_subscriptions.csv")
        if day(row["start_date"]) + timedelta(days=1) <= LAST_DAY
        and (not row["end_date"] or day(row["end_date"]) > LAST_DAY)
    ]
    assert total == (pytest.approx(sum(lines)),)


def test_the_doctor_says_the_same_before_anything_has_run(state, tmp_path, command):
    ran = json.loads(
        (state / "workspaces" / "short" / "published" / LAST_DAY.isoformat() / "readiness.json").read_text()
    )
    printed = command(tmp_path, "--sources", str(state / "short"), "--data", str(DATA), "doctor").stdout
    looked = json.loads((tmp_path / "workspaces" / "short" / "doctor" / "readiness.json").read_text())
    assert looked == ran
    assert "USAGE_MILESTONE: blind; 0 of 500 accounts" in printed
    assert not (tmp_path / "workspaces" / "short" / "warehouse" / "expansion.duckdb").exists()
