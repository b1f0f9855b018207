"""The loader does not let forgotten people back in, and loses no count."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expansion_assets.privacy.suppression import BAR, Suppression
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.report import LandingReport, Window
from expansion_assets.sources.versions import create_raw_tables

JULY = Window(date(2025, 7, 1), date(2025, 8, 1), datetime(2025, 7, 1), datetime(2025, 8, 1))
CONTRACTS = load_contracts()


def load(tmp_path: Path, table: str, rows: list[dict[str, Any] | str], suppression: Suppression):
    contract = CONTRACTS[table]
    path = tmp_path / contract.files.replace("*", "2025-07")
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps({"loaded_at": "2025-07-02T00:00:00Z"} | row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    create_raw_tables(connection, CONTRACTS)
    mapping = own_mapping(CONTRACTS, date(2025, 7, 1), None).tables[table]
    report = load_table(
        connection, contract, mapping, tmp_path, JULY, datetime(2025, 8, 1), suppression=suppression
    )
    assert report.rows_in == len(rows) == report.rows_loaded + report.rows_quarantined
    return connection, report


def contact(number: int, **changes: Any) -> dict[str, Any]:
    return {"contact_id": f"C-{number}", "account_id": "A-1", "name": f"Person {number}",
            "email": f"p{number}@acme.com", "status": "active", "updated_at": "2025-07-01T00:00:00Z"} | changes


def everything(connection: duckdb.DuckDBPyConnection) -> str:
    tables = connection.execute("select schema_name, table_name from duckdb_tables() where not internal").fetchall()
    return str([connection.execute(f'select * from "{schema}"."{name}"').fetchall() for schema, name in tables]).lower()


def test_rows_of_a_person_go_to_the_quarantine_empty(tmp_path: Path, suppression: Suppression) -> None:
    rows: list[dict[str, Any] | str] = [
        contact(9), contact(8, email="Jane.Doe+new@ACME.com", name="Jane Doe"), contact(1, email="jd@elsewhere.com"),
        contact(7, email="jane.doe@acme.com", status="nonsense"),
        contact(6, updated_at=None, phone="jane.doe@acme.com"),
    ]
    connection, report = load(tmp_path, "crm_contacts", rows, suppression)
    assert connection.execute("select contact_id from raw.crm_contacts").fetchall() == [("C-9",)]
    assert report.rules == {"suppressed_person": 3, "required:updated_at": 1}
    assert connection.execute(
        "select row_number, raw_json from raw.quarantine where rule = 'suppressed_person' order by 1"
    ).fetchall() == [(2, None), (3, None), (4, None)]
    assert "3 rows of forgotten people: 3 set aside, 0 cleaned; `make forget`" in report.messages[-1]
    assert "jane" not in everything(connection) and "jd@" not in everything(connection)


def test_facts_of_the_account_come_in_without_the_person(tmp_path: Path, suppression: Suppression) -> None:
    rows: list[dict[str, Any] | str] = [
        {"change_id": "X-1", "account_id": "A-1", "contact_id": "C-1", "email": "jane.doe@acme.com", "move": "joined",
         "to_title": "CFO", "function": "finance", "changed_at": "2025-07-01T00:00:00Z"},
    ]
    connection, report = load(tmp_path, "crm_contact_role_changes", rows, suppression)
    assert connection.execute(
        "select email, contact_id, to_title, move, function from raw.crm_contact_role_changes"
    ).fetchall() == [(
        suppression.pseudonymous_address("jane.doe@acme.com"), suppression.pseudonymous_id("contact_id", "C-1"),
        "Chief finance", "joined", "finance",
    )]
    assert report.rows_loaded == 1 and "0 set aside, 1 cleaned" in report.messages[-1]
    assert "jane" not in everything(connection)


def test_texts_and_unknown_columns_come_in_barred(tmp_path: Path, suppression: Suppression) -> None:
    ticket = {"ticket_id": "T-1", "requester_email": "bob@acme.com", "subject": "Jane Doe asks",
              "body": "cc jane.doe@acme.com", "priority": "low", "is_escalated": False,
              "created_at": "2025-07-01T00:00:00Z", "cc": "jane.doe@acme.com"}
    connection, _ = load(tmp_path, "support_tickets", [ticket, '{"broken": "jane.doe@acme.com"'], suppression)
    [(subject, body, extra)] = connection.execute(
        "select subject, body, extra_json from raw.support_tickets"
    ).fetchall()
    assert (subject, body) == (f"{BAR * 8} asks", f"cc {BAR * 17}") and "forgotten-" in extra
    assert connection.execute("select rule, raw_json from raw.quarantine").fetchall() == [("malformed_row", None)]
    assert "jane" not in everything(connection)


@pytest.mark.parametrize("table", ["crm_contacts", "support_tickets"])
def test_others_come_in_as_without_a_list(tmp_path: Path, suppression: Suppression, table: str) -> None:
    rows: list[dict[str, Any] | str] = [contact(9), contact(8)]
    loaded: list[tuple[str, LandingReport]] = []
    for who in (suppression, Suppression(suppression.key)):
        connection, report = load(tmp_path, table, rows, who)
        loaded.append((everything(connection), report))
    assert loaded[0] == loaded[1]
