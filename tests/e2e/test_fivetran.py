"""The vendors' real schemas land through a mapping file alone: every row counted by hand, what is blind says why.

The sample values are anonymised and hardly join, so the meaning is proved on rows of our own under their headers."""

from __future__ import annotations

import csv
import os
import shutil
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
import yaml

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import read_mapping
from expansion_assets.sources.report import LandingReport, Window
from expansion_assets.sources.versions import create_raw_tables

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FIVETRAN_DIR", ROOT.parent / "shared" / "thirdparty"))
SALESFORCE, HUBSPOT, ZENDESK = "fivetran_salesforce_source", "fivetran_hubspot_source", "fivetran_zendesk_source"
pytestmark = pytest.mark.skipif(
    not all((DATA / name).is_dir() for name in (SALESFORCE, HUBSPOT, ZENDESK)),
    reason=f"put the folders {SALESFORCE}, {HUBSPOT} and {ZENDESK} into {DATA} or set FIVETRAN_DIR",
)

LAST_DAY = date(2023, 12, 31)
MAPPING = ROOT / "examples" / "fivetran" / "mapping.yml"


def read(folder: str, name: str) -> list[dict[str, str]]:
    with (DATA / folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def state(tmp_path_factory, command) -> Path:
    folder = tmp_path_factory.mktemp("fivetran")
    mapping = yaml.safe_load(MAPPING.read_text())
    mapping["first_day"] = date(2023, 12, 30)  # the first window takes in everything known before it
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
    ("table", "loaded", "deleted", "quarantined"),
    [
        # 10 Salesforce accounts, of which 9 are reported deleted, and 24 HubSpot companies
        ("crm_accounts", 34, 9, {}),
        # 4 Salesforce contacts, one without an account; 22 of HubSpot, whose property names are scrambled
        ("crm_contacts", 3, 0, {"required:account_id": 23}),
        # 3 first titles of Salesforce contacts; no HubSpot property is called jobtitle
        ("crm_contact_role_changes", 3, 0, {}),
        # 10 Salesforce opportunities, all reported deleted; 44 HubSpot deals, none of them with a company
        ("crm_opportunities", 10, 10, {"required:account_id": 44}),
        # 10 Salesforce users, of which 5 are deleted, and 100 HubSpot owners
        ("crm_owners", 110, 5, {}),
        # 10 Zendesk tickets, of which 3 are deleted, and 25 of HubSpot
        ("support_tickets", 35, 3, {}),
    ],
)
def test_every_row_is_loaded_or_quarantined(warehouse, table, loaded, deleted, quarantined):
    query = "select sum(rows_loaded), sum(rows_quarantined) from raw.landing_status where source_table = $1"
    assert warehouse.execute(query, [table]).fetchone() == (loaded, sum(quarantined.values()))
    assert warehouse.execute(f"select count(*) from raw.{table}").fetchone() == (loaded - deleted,)
    query = 'select rule, count(*) from raw.quarantine where "table" = $1 group by rule'
    assert dict(warehouse.execute(query, [table]).fetchall()) == quarantined


def test_the_hand_counts_are_those_of_the_files():
    """What the figures above rest on, read from the files by other means than the loader's."""
    accounts = read(SALESFORCE, "sf_account_history_data")
    assert (len(accounts), sum(row["is_deleted"] == "true" for row in accounts)) == (10, 9)
    assert len({row["id"] for row in read(HUBSPOT, "company_data")}) == len(read(HUBSPOT, "company_data")) == 24
    contacts = read(SALESFORCE, "sf_contact_history_data")
    assert [(bool(row["account_id"]), bool(row["title"])) for row in contacts] == [(False, False)] + [(True, True)] * 3
    names = {row["name"] for row in read(HUBSPOT, "contact_property_history_data")}
    assert len(read(HUBSPOT, "contact_data")) == 22 and not names & {"jobtitle", "associatedcompanyid"}
    opportunities = read(SALESFORCE, "sf_opportunity_history_data")
    assert [row["is_deleted"] for row in opportunities] == ["true"] * 10
    deals, owned = read(HUBSPOT, "deal_data"), read(HUBSPOT, "deal_company_data")
    assert len(deals) == 44 and not {row["deal_id"] for row in deals} & {row["deal_id"] for row in owned}
    users = read(SALESFORCE, "sf_user_data")
    assert (len(users), sum(row["_fivetran_deleted"] == "true" for row in users)) == (10, 5)
    assert len(read(HUBSPOT, "owner_data")) == 100
    tickets = read(ZENDESK, "ticket_data")
    assert (len(tickets), sum(row["status"] == "deleted" for row in tickets)) == (10, 3)
    assert len(read(HUBSPOT, "ticket_data")) == 25


def test_some_values_by_hand(warehouse):
    def one(query: str) -> tuple:
        [row] = warehouse.execute(query).fetchall()
        return row

    assert one("select name, country, status, updated_at, known_from from raw.crm_accounts"
               " where account_id = '0015500000Xyy06AAB'") == (
        "Eric's Test", None, "customer", datetime(2019, 10, 17, 21, 10, 19), datetime(2019, 10, 17, 21, 10, 19))
    assert one("select country, updated_at, known_from from raw.crm_accounts where account_id = '2258956513'") == (
        "GB", datetime(2019, 7, 29, 17, 54, 22), datetime(2020, 12, 30, 4, 16, 23))
    assert one("select account_id, name, email, title, is_known_at_assumed from raw.crm_contacts"
               " where contact_id = '0031G00000qAfq1QAC'") == (
        "0011G00000eNyiXQAS", "Jerome", "hi@google.com", "Markeing Direcor", False)
    assert one("select contact_id, move, from_title, to_title, changed_at from raw.crm_contact_role_changes"
               " where change_id = '0031G00000q9jPQAQ@2018-11-12 19:53:00'") == (
        "0031G00000q9jPQAQ", "title_changed", None, "Daa Science Direcor", datetime(2018, 11, 12, 19, 53))
    assert one("select subject, body, priority, status, created_at, known_from, is_known_at_assumed"
               " from raw.support_tickets where ticket_id = 'zendesk-16988'") == (
        "subject1", "description1", "normal", "solved", datetime(2020, 12, 22, 0, 19, 23),
        datetime(2020, 12, 23, 0, 19, 23), True)
    assert one("select name, email, updated_at from raw.crm_owners where owner_id = '44023296'") == (
        "1B2M2Y8AsgTpgAmY7PhCfg== 1B2M2Y8AsgTpgAmY7PhCfg==", "PsO4E5YPnpbcBSOq3aGKtQ==",
        datetime(2020, 2, 13, 18, 19, 32, 860000))


def test_the_run_ends_with_a_scan_and_each_blind_trigger_has_its_reason(state, warehouse):
    rows = warehouse.execute(
        "select trigger, is_watchable, reason, count(*) from readiness.coverage where as_of_date = $1 group by all",
        [LAST_DAY],
    ).fetchall()
    blind = {trigger: reason for trigger, is_watchable, reason, _ in rows if not is_watchable}
    assert set(blind) == {"USAGE_MILESTONE", "ROLE_CHANGE", "CROSS_TEAM", "ADVANCED_TICKETS", "ADJACENT_USE"}
    assert all(blind.values())
    assert "no product telemetry among these connectors" in blind["USAGE_MILESTONE"]
    assert "no single sign-on directory among these connectors" in blind["CROSS_TEAM"]
    assert "17 Mar 2021" in blind["ADVANCED_TICKETS"]
    # one Salesforce account that is not deleted, and 24 companies
    assert sum(count for trigger, *_, count in rows if trigger == "ROLE_CHANGE") == 25
    page = (state / "workspaces" / "short" / "published" / LAST_DAY.isoformat() / "scan.md").read_text()
    assert "What we cannot see" in page
    assert "25 accounts blind" in page


@pytest.fixture
def joined(tmp_path):
    """The vendors' files with rows of our own that join, and what one table's load of them gives."""
    for name in (SALESFORCE, HUBSPOT, ZENDESK):
        shutil.copytree(DATA / name, tmp_path / name)

    def add(folder: str, name: str, *rows: dict[str, str]) -> None:
        path = tmp_path / folder / f"{name}.csv"
        with path.open(encoding="utf-8-sig", newline="") as handle:
            columns = csv.DictReader(handle).fieldnames or []
        for row in rows:
            assert set(row) <= set(columns), f"{name}: not columns of the vendor: {set(row) - set(columns)}"
        text = path.read_text(encoding="utf-8-sig")
        with path.open("w", encoding="utf-8", newline="") as handle:
            handle.write(text if text.endswith("\n") else text + "\n")
            csv.DictWriter(handle, columns).writerows(rows)

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        create_raw_tables(connection, load_contracts())

        def load(table: str) -> LandingReport:
            mapping = read_mapping(MAPPING, load_contracts()).tables[table]
            window = Window(date(2023, 12, 1), date(2024, 1, 1), datetime(1900, 1, 1), datetime(2024, 1, 1))
            return load_table(connection, load_contracts()[table], mapping, tmp_path, window, window.known_before)

        yield add, load, connection


def test_salesforce_versions_of_a_contact_become_role_changes(joined):
    add, load, connection = joined
    contact = {"id": "003NEW", "account_id": "0015500000Xyy06AAB", "name": "Ada", "email": "ada@acme.com"}
    add(SALESFORCE, "sf_contact_history_data",
        contact | {"_fivetran_start": "2021-01-01 10:00:00", "title": "Manager", "is_deleted": "false"},
        contact | {"_fivetran_start": "2021-02-01 10:00:00", "title": "Manager", "phone": "1"},
        contact | {"_fivetran_start": "2021-03-01 10:00:00", "title": "VP Finance"},
        contact | {"_fivetran_start": "2021-04-01 10:00:00", "title": "VP Finance", "is_deleted": "true"})
    assert load("crm_contact_role_changes").rows_loaded == 3 + 2
    assert connection.execute(
        "select email, from_title, to_title, known_from from raw.crm_contact_role_changes"
        " where contact_id = '003NEW' order by known_from"
    ).fetchall() == [
        ("ada@acme.com", None, "Manager", datetime(2021, 1, 1, 10)),
        ("ada@acme.com", "Manager", "VP Finance", datetime(2021, 3, 1, 10)),
    ]
    assert load("crm_contacts").rows_loaded == 3 + 4
    assert connection.execute(
        "select version_no, title, known_to from raw.crm_contacts where contact_id = '003NEW' order by version_no"
    ).fetchall() == [
        (1, "Manager", datetime(2021, 2, 1, 10)), (2, "Manager", datetime(2021, 3, 1, 10)),
        (3, "VP Finance", datetime(2021, 4, 1, 10)),
    ]


def test_hubspot_properties_of_a_contact_become_role_changes(joined):
    add, load, connection = joined
    contact = read(HUBSPOT, "contact_data")[0]
    history = {"contact_id": contact["id"], "source": "CRM_UI", "_fivetran_synced": "2021-06-01 00:00:00"}
    add(HUBSPOT, "contact_property_history_data",
        history | {"name": "associatedcompanyid", "timestamp": "2021-04-01 09:00:00", "value": "1"},
        history | {"name": "associatedcompanyid", "timestamp": "2021-04-01 10:00:00", "value": "2182162682"},
        history | {"name": "jobtitle", "timestamp": "2021-04-01 10:00:00", "value": "Head of IT"},
        history | {"name": "jobtitle", "timestamp": "2021-05-01 10:00:00", "value": "CIO"})
    assert load("crm_contact_role_changes").rows_loaded == 3 + 2
    assert connection.execute(
        "select account_id, email, from_title, to_title from raw.crm_contact_role_changes"
        " where contact_id = $1 order by changed_at", [contact["id"]],
    ).fetchall() == [
        ("2182162682", contact["property_email"], None, "Head of IT"),
        ("2182162682", contact["property_email"], "Head of IT", "CIO"),
    ]
    report = load("crm_contacts")
    assert (report.rows_loaded, report.rules) == (3 + 1, {"required:account_id": 22})


def test_opportunities_and_deals_have_a_close_day_only_when_closed(joined):
    add, load, connection = joined
    opportunity = {"id": "006NEW", "account_id": "0015500000Xyy06AAB", "is_deleted": "false", "amount": "1200.50",
                   "created_date": "2021-01-01 10:00:00", "close_date": "2021-03-31 00:00:00", "type": "Renewal"}
    add(SALESFORCE, "sf_opportunity_history_data",
        opportunity | {"_fivetran_start": "2021-01-02 10:00:00", "is_closed": "false", "is_won": "false"},
        opportunity | {"_fivetran_start": "2021-02-02 10:00:00", "is_closed": "true", "is_won": "true"})
    deal = {"is_deleted": "false", "property_createdate": "2021-01-01 10:00:00", "property_amount": "99",
            "property_closedate": "2021-05-05 00:00:00"}
    add(HUBSPOT, "deal_data", deal | {"deal_id": "D1", "deal_pipeline_stage_id": "closedlost"},
        deal | {"deal_id": "D2", "deal_pipeline_stage_id": "contractsent"})
    add(HUBSPOT, "deal_company_data", {"company_id": "2182162682", "deal_id": "D1"},
        {"company_id": "2182162682", "deal_id": "D2"})
    report = load("crm_opportunities")
    assert (report.rows_loaded, report.rules) == (10 + 2 + 2, {"required:account_id": 44})
    assert connection.execute(
        "select opportunity_id, version_no, account_id, kind, amount, stage, opened_on, closed_on"
        " from raw.crm_opportunities order by all"
    ).fetchall() == [
        ("006NEW", 1, "0015500000Xyy06AAB", "renewal", 1200.5, "open", date(2021, 1, 1), None),
        ("006NEW", 2, "0015500000Xyy06AAB", "renewal", 1200.5, "won", date(2021, 1, 1), date(2021, 3, 31)),
        ("D1", 1, "2182162682", "seats", 99.0, "lost", date(2021, 1, 1), date(2021, 5, 5)),
        ("D2", 1, "2182162682", "seats", 99.0, "open", date(2021, 1, 1), None),
    ]


def test_tickets_find_requester_first_comment_and_time_of_solution(joined):
    add, load, connection = joined
    user = read(ZENDESK, "user_data")[0]
    add(ZENDESK, "ticket_data", {
        "id": "7367", "requester_id": user["id"], "status": "hold", "priority": "urgent", "subject": "Exports",
        "description": "short", "created_at": "2020-07-20 20:16:47", "updated_at": "2020-07-22 20:00:00"})
    add(ZENDESK, "ticket_field_history_data",
        {"field_name": "status", "ticket_id": "7367", "updated": "2020-07-21 06:00:00", "value": "open"},
        {"field_name": "status", "ticket_id": "7367", "updated": "2020-07-22 18:00:00", "value": "solved"})
    add(HUBSPOT, "ticket_data", {
        "id": "1", "is_deleted": "FALSE", "property_createdate": "2021-02-01 10:00:00", "property_subject": "API",
        "property_hs_ticket_priority": "HIGH", "property_content": "How do webhooks retry?"})
    contact = read(HUBSPOT, "contact_data")[0]
    add(HUBSPOT, "ticket_contact_data", {"ticket_id": "9001", "contact_id": contact["id"]})
    add(HUBSPOT, "ticket_data", {"id": "9001", "is_deleted": "FALSE", "property_createdate": "2021-02-01 10:00:00"})
    report = load("support_tickets")
    assert (report.rows_loaded, report.rules) == (35 + 3, {})
    assert connection.execute(
        "select ticket_id, account_id, requester_email, subject, body, priority, status, closed_at"
        " from raw.support_tickets where ticket_id in ('zendesk-7367', 'hubspot-1', 'hubspot-9001') order by 1"
    ).fetchall() == [
        ("hubspot-1", "1", None, "API", "How do webhooks retry?", "high", None, None),
        ("hubspot-9001", None, contact["property_email"], None, None, "normal", None, None),
        # the vendor's own comments on ticket 7367: body5 is the oldest
        ("zendesk-7367", None, "example@email.com", "Exports", "body5", "urgent", "pending",
         datetime(2020, 7, 22, 18)),
    ]
