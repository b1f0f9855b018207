"""A required column that vanishes costs its own table: the others load, and only what needs the table is blind."""

from __future__ import annotations

from datetime import datetime

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.readiness.coverage import build_coverage
from expansion_assets.store.warehouse import fetch_rows
from tests.unit.readiness.readiness_rows import DAY, START, account_day

TICKET = '{"ticket_id": "T1", "account_id": "a", "is_escalated": false, "created_at": "2025-07-02T08:00:00Z"%s}\n'
SEAT = (
    "assignment_id,account_id,user_id,assigned_on,released_on,updated_at,loaded_at\n"
    "S1,a,U1,2025-07-02,,2025-07-02T09:00:00Z,2025-07-02T23:00:00Z\n"
)


def blind(connection) -> dict[str, str]:
    """Trigger -> reason, for an account whose marts are as the landing leaves them."""
    status = fetch_rows(connection, "select * from raw.landing_status")
    support = any(row["source_table"] == "support_tickets" and row["rows_loaded"] for row in status)
    day = account_day(START, watchable_support=support, watchable_ticket_texts=support)
    rows = build_coverage([day], status, load_catalogue().signals, (START, START + DAY))
    return {row["trigger"]: row["reason"] for row in rows if not row["is_watchable"]}


def test_a_vanished_required_column_blinds_only_what_needs_its_table(land, connection):
    broken = land("support_tickets", {"tickets_2025-07.jsonl": TICKET % ""})
    seats = land("product_seat_assignments", {"seat_assignments_2025-07.csv": SEAT})

    assert (broken.status, seats.status, seats.rows_loaded) == ("failed", "loaded", 1)
    assert broken.rules == {"missing_column:priority": 1}
    [(message,)] = connection.execute(
        "select message from raw.landing_status where source_table = 'support_tickets'"
    ).fetchall()
    assert "required column priority is missing" in message
    assert blind(connection) == {"ADVANCED_TICKETS": "support: the file could not be loaded"}

    whole = TICKET % ', "priority": "low"'
    mended = land("support_tickets", {"tickets_2025-07.jsonl": whole}, now=datetime(2025, 8, 2))
    assert (mended.status, mended.rows_loaded) == ("loaded", 1)
    assert blind(connection) == {}
