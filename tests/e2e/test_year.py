"""The demo world of 60 accounts and 12 months: planted truth, an independent oracle, and the pages people read."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest

from expansion_assets.settings import DEMO_PSEUDONYM_KEY
from expansion_assets.store.warehouse import fetch_rows
from expansion_assets.tables import TRIGGERS
from expansion_assets.validation.truth import judge, read_answer_key
from expansion_assets.workspace import DEMO_LAST_DAY
from tests.oracle.oracle import firing_events

TEXT_BORNE = {"ADVANCED_TICKETS", "ADJACENT_USE"}
MIN_TRUE_CASES, MIN_DECOYS = 8, 5


@pytest.fixture(scope="module")
def truth(year):
    import duckdb

    with duckdb.connect(str(year / "warehouse" / "expansion.duckdb"), read_only=True) as connection:
        firings = fetch_rows(connection, "select * from triggers.firing_events")
    return judge(firings, read_answer_key(year / "landing" / "_world" / "answer_key.jsonl"))


@pytest.mark.parametrize(
    "trigger", ["USAGE_MILESTONE", "ROLE_CHANGE", "CROSS_TEAM", "ADVANCED_TICKETS", "ADJACENT_USE"]
)
def test_planted_cases_fire_and_decoys_open_no_card(truth, trigger):
    measures = truth[trigger].measures()
    assert measures["true"] >= MIN_TRUE_CASES
    assert measures["recall"] >= (0.8 if trigger in TEXT_BORNE else 0.95), truth[trigger].missed
    # A repeated remark opens a card where the tagger has missed the first one.
    assert measures["decoys_fired"] <= (1 if trigger == "ADJACENT_USE" else 0), truth[trigger].decoys_fired


def test_the_world_plants_enough_decoys(year):
    cases = read_answer_key(year / "landing" / "_world" / "answer_key.jsonl")
    for trigger in {case["trigger"] for case in cases}:
        assert sum(not case["is_true"] for case in cases if case["trigger"] == trigger) >= MIN_DECOYS


def test_detectors_agree_with_the_oracle_event_by_event(warehouse):
    listed = fetch_rows(
        warehouse, "select table_name as name from information_schema.tables where table_schema = 'raw'"
    )
    names = {row["name"] for row in listed} - {"quarantine", "landing_status"}
    tables = {name: fetch_rows(warehouse, f"select * from raw.{name}") for name in names}
    tags = fetch_rows(
        warehouse,
        "select tags.*, texts.source_table, texts.row_key"
        " from text.tags as tags inner join features.texts using (text_id) where not is_unsure",
    )
    first = DEMO_LAST_DAY - timedelta(days=364)
    expected = {
        (e.account_id, e.trigger, e.sub_trigger, e.subject_key.lower(), e.event_type, e.as_of_date,
         e.is_initial_state, e.is_fleet_event)
        for e in firing_events(tables, tags, [first + timedelta(days=n) for n in range(365)])
        if e.event_type != "closed"
    }
    found = {
        (r["account_id"], r["trigger"], r["sub_trigger"], r["subject_key"].lower(), r["event_type"], r["as_of_date"],
         r["is_initial_state"], r["is_fleet_event"])
        for r in fetch_rows(
            warehouse, "select * from triggers.firing_events where event_type in ('opened', 'suppressed')"
        )
    }
    assert len(expected) > 60
    assert found - expected == set()
    assert expected - found == set()


def test_the_truth_command_prints_and_writes_its_measures(year, command):
    printed = command(year, "truth", "--demo").stdout
    assert printed.startswith("demo world: 60 accounts, 12 months (2025-07-01 to 2026-06-30, UTC)")
    written = json.loads((year / "eval" / "triggers_demo.json").read_text())["triggers"]
    assert set(written) == {"USAGE_MILESTONE", "ROLE_CHANGE", "CROSS_TEAM", "ADVANCED_TICKETS", "ADJACENT_USE"}
    assert all(set(values) == {"precision", "recall", "true", "found", "decoys_fired"} for values in written.values())
    assert all(trigger in printed for trigger in written)


def test_scan_and_digest_are_published_for_the_last_day(year):
    folder = year / "published" / DEMO_LAST_DAY.isoformat()
    assert {path.name for path in folder.iterdir() if path.is_file()} == {
        f"{name}.{ending}"
        for name in ("scan", "digest", "index", "readiness", "quality", "quarantine")
        for ending in ("html", "md", "json")
    }
    assert json.loads((year / "published" / "latest.json").read_text())["date"] == DEMO_LAST_DAY.isoformat()
    assert "Manager scan" in (year / "stdout.txt").read_text()


def test_the_scan_has_six_lines_whose_numbers_add_up(year, warehouse):
    scan = json.loads((year / "published" / DEMO_LAST_DAY.isoformat() / "scan.json").read_text())
    assert len(scan["lines"]) == 6
    assert all(line["gap"] == line["planned"] - line["done"] for line in scan["lines"])
    assert [line["gap"] for line in scan["lines"]] == sorted((line["gap"] for line in scan["lines"]), reverse=True)
    mart = dict(warehouse.execute(
        "select line_key, planned from outcomes.plan_fact_gap where as_of_date = $1", [DEMO_LAST_DAY]
    ).fetchall())
    assert {line["key"]: line["planned"] for line in scan["lines"] if line["key"] in mart} == mart


def test_the_digest_has_one_row_per_account(year):
    digest = json.loads((year / "published" / DEMO_LAST_DAY.isoformat() / "digest.json").read_text())
    accounts = [row["account_id"] for csm in digest["csms"] for row in csm["rows"]]
    assert accounts
    assert len(accounts) == len(set(accounts))


def test_every_account_has_a_page_and_every_link_leads_somewhere(year, warehouse):
    folder = year / "published" / DEMO_LAST_DAY.isoformat()
    known = {
        row[0] for row in warehouse.execute(
            "select account_id from features.account_day where as_of_date = $1", [DEMO_LAST_DAY]
        ).fetchall()
    }
    pages = {path.stem: path.read_text() for path in (folder / "accounts").glob("*.html")}
    assert set(pages) == known
    links = 0
    for html in pages.values():
        anchors = set(re.findall(r' id="([^"]+)"', html))
        targets = re.findall(r'href="#([^"]+)"', html)
        links += len(targets)
        assert set(targets) <= anchors
        assert all((folder / "accounts" / path).exists() for path in re.findall(r'href="([^"#]+)(?:#[^"]*)?"', html))
    assert links > 200
    for name in ("scan", "digest"):
        html = (folder / f"{name}.html").read_text()
        assert all((folder / path).exists() for path in re.findall(r'href="(accounts/[^"]+)"', html))


def test_firings_have_one_state_and_a_duration(warehouse):
    wrong = warehouse.execute(
        """
        select count(*) from outcomes.firings
        where (state = 'suppressed') <> (duration_days is null) or duration_days < 0
            or (state in ('closed', 'superseded')) <> (ended_on is not null)
            or (close_reason is null) <> (ended_on is null)
        """
    ).fetchone()
    assert wrong == (0,)
    events = warehouse.execute("select count(distinct firing_id) from triggers.firing_events").fetchone()
    assert warehouse.execute("select count(*) from outcomes.firings").fetchone() == events


def test_no_row_was_lost_on_the_way_in(warehouse):
    wrong = warehouse.execute(
        "select source_table from raw.landing_status where rows_in <> rows_loaded + rows_quarantined"
    ).fetchall()
    assert wrong == []
    counted = dict(warehouse.execute(
        "select source_table, sum(rows_loaded) from raw.landing_status group by source_table"
    ).fetchall())
    assert {name: warehouse.execute(f"select count(*) from raw.{name}").fetchone()[0] for name in counted} == counted


def test_the_quality_page_tells_of_every_raw_row_of_the_last_run(year, warehouse):
    page = json.loads((year / "published" / DEMO_LAST_DAY.isoformat() / "quality.json").read_text())
    assert page["totals"]["failed"] == 0
    judged = {table["name"]: table["rows"] for table in page["passing"]}
    landed = warehouse.execute(
        "select 'raw.' || source_table, rows_loaded from raw.landing_status"
        " where window_start = $1 and rows_loaded > 0",
        [DEMO_LAST_DAY],
    ).fetchall()
    assert landed
    assert {name: judged.get(name) for name, _ in landed} == dict(landed)


def test_expectations_judged_the_whole_backfill_not_its_newest_day(warehouse):
    judged = dict(warehouse.execute(
        "select checked_table, max(rows_checked) from quality.expectation_results where window_start < as_of_date"
        " and starts_with(checked_table, 'raw.') group by checked_table"
    ).fetchall())
    loaded = dict(warehouse.execute(
        "select 'raw.' || source_table, sum(rows_loaded) from raw.landing_status where window_end = $1 group by 1",
        [DEMO_LAST_DAY],
    ).fetchall())
    assert judged == loaded


def test_published_parquet_holds_what_the_warehouse_holds(year, warehouse):
    path = year / "published" / "tables" / "readiness.cards"
    rows = f"read_parquet('{path}/**/*.parquet', hive_partitioning = true)"
    found = warehouse.execute(f"select count(*), max(as_of_date) from {rows}").fetchone()
    assert found == warehouse.execute("select count(*), max(as_of_date) from readiness.cards").fetchone()
    assert found[1] == date(2026, 6, 30)


ADDRESS = r"[^\s@<>|,;\"'()]+@[^\s@<>|,;\"'()]+\.[a-zA-Z]{2,}"
# Words that people wrote or said; taking addresses out of them is the tagger's redaction.
FREE_TEXT = {"body", "quote"}


def test_no_address_reaches_a_mart(warehouse):
    columns = fetch_rows(
        warehouse,
        """
        select table_schema || '.' || table_name as name, column_name from information_schema.columns
        where table_schema not in ('raw', 'staging', 'identity', 'control') and data_type = 'VARCHAR'
        """,
    )
    assert {"features.timeline_events", "features.contact_moves", "readiness.cards", "triggers.evidence",
            "intermediate.int_contact_versions"} <= {row["name"] for row in columns}  # fmt: skip
    found = [
        (row["name"], row["column_name"])
        for row in columns
        if row["column_name"] not in FREE_TEXT
        and warehouse.execute(
            f"select count(*) from {row['name']} where regexp_matches({row['column_name']}, $1)", [ADDRESS]
        ).fetchone() != (0,)
    ]
    assert found == []
    # The same question finds the addresses where they are.
    assert warehouse.execute(
        "select count(*) from raw.crm_contacts where regexp_matches(email, $1)", [ADDRESS]
    ).fetchone() > (0,)


def test_no_address_reaches_parquet_or_a_page(year, warehouse):
    folder = year / "published"
    known = {row["address"] for row in fetch_rows(warehouse, "select address from identity.addresses")}
    assert len(known) > 500
    for table in sorted(path for path in (folder / "tables").iterdir() if path.is_dir()):
        relation = warehouse.sql(f"select * from read_parquet('{table}/**/*.parquet', hive_partitioning = true)")
        texts = [name for name, kind in zip(relation.columns, relation.types, strict=True) if str(kind) == "VARCHAR"]
        for column in set(texts) - FREE_TEXT:
            query = f"select {column} from relation where regexp_matches({column}, $1) limit 1"
            assert warehouse.execute(query, [ADDRESS]).fetchall() == [], (table.name, column)
    pages = [path for path in folder.rglob("*") if path.suffix in (".html", ".md", ".json")]
    assert len(pages) > 6
    for page in pages:
        assert known.isdisjoint(re.findall(ADDRESS, page.read_text(encoding="utf-8"))), page


def test_the_key_of_the_pseudonyms_is_written_nowhere(year):
    """The demo key is public, but it goes the way of every other: never into SQL, manifest, logs or tables."""
    secret = DEMO_PSEUDONYM_KEY.encode()
    files = [path for path in year.rglob("*") if path.is_file()]
    assert any(path.name == "manifest.json" for path in files)
    assert [str(path) for path in files if secret in path.read_bytes()] == []


def test_the_match_rate_is_a_check_and_metadata(year, warehouse):
    rates = fetch_rows(warehouse, "select * from features.match_rate_day where as_of_date = $1", [DEMO_LAST_DAY])
    assert {"product_usage", "support_tickets", "people_signature_changes"} <= {row["source_table"] for row in rates}
    assert all(row["rows_matched"] == row["rows_total"] for row in rates if row["source_table"] == "product_usage")
    assert sum(row["rows_by_domain"] for row in rates) > 0


def test_a_day_outside_the_workspace_is_refused_in_one_line(year, command):
    finished = command(year, "run", "--date", "2030-01-01", check=False)
    assert finished.returncode != 0
    assert "outside the workspace's days" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_explain_agrees_with_the_log_and_refuses_an_unknown_account_in_one_line(year, warehouse, command):
    [(account_id, day)] = warehouse.execute(
        """
        select account_id, as_of_date from triggers.firing_events
        where sub_trigger = 'seats' and event_type = 'opened' and not is_fleet_event
        order by as_of_date, account_id limit 1
        """
    ).fetchall()
    said = command(year, "explain", account_id, "--date", str(day)).stdout
    assert "Seats nearly full: FIRED today" in said
    for trigger in TRIGGERS:
        assert f"[{trigger}]" in said
    before = command(year, "explain", account_id, "--date", str(day - timedelta(days=1))).stdout
    assert "FIRED today" not in before and "Seats nearly full: not reached" in before
    refused = command(year, "explain", "Nobody Ltd", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: no account 'Nobody Ltd' on ") and refused.stderr.count("\n") == 1
