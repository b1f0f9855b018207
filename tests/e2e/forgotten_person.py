"""A person planted in every source of the demo world, and the search for every trace of them."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

NAME, LOCAL = "Wilhelmina Quistgaard", "wilhelmina.quistgaard"
CONTACT, USER, SUBJECT = "CON-9999-0001", "USR-9999-0001", "DIR-9999-0001"
ALERT_BY_NAME = "JOB-9999-0002"
MONTH, DAY, LOADED = "2026-06", "2026-06-09", "2026-06-10T04:05:00Z"
WORKED = [f"2026-06-{day:02d}" for day in range(10, 27)]


def address_of(landing: Path) -> str:
    """Address of the planted person: at the company of the first account."""
    return f"{LOCAL}@{account_of(landing)['domain']}"


def account_of(landing: Path) -> dict[str, Any]:
    """First customer of the demo world."""
    for path in sorted((landing / "crm").glob("accounts_*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if row["status"] == "customer" and row["domain"]:
                return row
    raise AssertionError("the demo world has no customer")


def plant(landing: Path) -> None:
    """Add the person to each source, in the formats and spellings that exports use."""
    account = account_of(landing)
    key, email = account["account_id"], f"{LOCAL}@{account['domain']}"
    at = f"{DAY}T10:00:00Z"
    contact = contact_row(landing)
    add_json(landing, "crm/contacts", contact)
    add_json(landing, "crm/contact_role_changes", role_change_row(landing))
    add_json(landing, "people/job_alerts", {
        "alert_id": ALERT_BY_NAME, "account_domain": account["domain"], "person_name": NAME.upper(),
        "person_email": None, "move": "joined", "from_title": None, "to_title": "Chief Financial Officer",
        "function": "finance", "happened_on": DAY, "loaded_at": LOADED,
    })
    add_json(landing, "people/signature_changes", {
        "change_id": "SIG-9999-0001", "email": email.upper(), "from_title": None, "to_title": "CFO", "seen_at": at,
        "loaded_at": LOADED,
    })
    add_json(landing, "identity/directory", {
        "subject_id": SUBJECT, "account_id": key, "email": email, "department": "Finance", "role": "Officer",
        "provisioned_at": at, "updated_at": at, "loaded_at": LOADED,
    })
    add_json(landing, "product/users", {
        "user_id": USER, "account_id": key, "email": f"{LOCAL}+app@{account['domain']}", "user_kind": "employee",
        "role": "member", "created_at": at, "updated_at": at, "loaded_at": LOADED,
    })
    add_json(landing, "support/tickets", ticket_row(landing, "TIC-9999-0001"))
    # Refused by the loader: the quarantine keeps the raw row.
    add_json(landing, "support/tickets", ticket_row(landing, "TIC-9999-0002") | {"priority": "immense"})
    with (landing / f"crm/contacts_{MONTH}.jsonl").open("a") as handle:
        handle.write(f'{{"contact_id": "broken", "email": "{email}", \n')
    add_json(landing, "crm/owner_notes", {
        "note_id": "NOTE-9999", "account_id": key, "author_id": account["owner_id"],
        "body": f"Lunch with {NAME}'s team. Quistgaard, Wilhelmina signs from July.", "written_at": at,
        "loaded_at": LOADED,
    })
    add_json(landing, "meetings/turns", {
        "turn_id": "TURN-9999", "note_id": None, "account_id": key, "turn_no": 1, "speaker_email": email,
        "speaker_side": "customer", "spoken_at": at, "loaded_at": LOADED,
        "body": f"This is {NAME}. For surveys we use another tool, Typeform.",
    })
    add_csv(landing, "product/seat_assignments", {
        "assignment_id": "SEAT-9999", "account_id": key, "user_id": USER, "assigned_on": DAY, "released_on": "",
        "updated_at": at, "loaded_at": LOADED,
    })
    head = "response_id,account_id,email,score,comment,responded_at,loaded_at\r\n"
    line = f'NPS-9999,{key},"{NAME} <{email}>",9,"Ask ""{NAME}"", or {email}",{at},{LOADED}\r\n'
    other = f"NPS-9998,{key},,7,Plain words,{at},{LOADED}\r\n"
    (landing / f"feedback/nps_extra_{MONTH}.csv.gz").write_bytes(gzip.compress((head + line + other).encode()))
    add_parquet(landing / f"identity/logins_{MONTH}.parquet", [
        {"login_id": f"LOG-9999-{day}", "account_id": key, "email": email, "logged_in_at": f"{day}T09:00:00Z",
         "loaded_at": LOADED} for day in WORKED[:3]
    ])
    add_parquet(landing / f"product/usage_{MONTH}.parquet", [
        {"usage_id": f"USE-9999-{day}", "account_id": key, "user_id": USER, "used_on": day, "feature": "boards",
         "event_count": 3, "minutes": 12.0, "loaded_at": f"{day}T23:30:00Z"} for day in WORKED
    ])


def contact_row(landing: Path, **changes: Any) -> dict[str, Any]:
    """The CRM's row of the person."""
    account = account_of(landing)
    return {
        "contact_id": CONTACT, "account_id": account["account_id"], "name": NAME, "email": address_of(landing),
        "title": "Chief Financial Officer", "function": "finance", "deal_role": "user", "has_consent": None,
        "lawful_basis": None, "status": "active", "updated_at": f"{DAY}T09:00:00Z", "loaded_at": LOADED,
    } | changes


def role_change_row(landing: Path, **changes: Any) -> dict[str, Any]:
    """The webhook's row: a new executive in finance."""
    return {
        "change_id": "CHG-9999-0001", "account_id": account_of(landing)["account_id"], "contact_id": CONTACT,
        "email": address_of(landing), "move": "joined", "from_title": None, "to_title": "Chief Financial Officer",
        "from_deal_role": None, "to_deal_role": None, "function": "finance", "changed_at": f"{DAY}T09:30:00Z",
        "loaded_at": LOADED,
    } | changes


def ticket_row(landing: Path, ticket: str, **changes: Any) -> dict[str, Any]:
    """A ticket that names the person in its text."""
    email = address_of(landing)
    return {
        "ticket_id": ticket, "account_id": account_of(landing)["account_id"], "requester_email": email,
        "department": "Finance", "subject": f"Access for {NAME}",
        "body": f"Please mail {email.upper()}.\nWilhelmina  Quistgaard needs the API for our own dashboards.",
        "topic": "api", "priority": "normal", "status": "open", "is_escalated": False, "created_at": f"{DAY}T11:00:00Z",
        "closed_at": None, "loaded_at": LOADED,
    } | changes


def add_json(landing: Path, stem: str, row: dict[str, Any], month: str = MONTH) -> None:
    """Append a line to a file of JSON lines."""
    with (landing / f"{stem}_{month}.jsonl").open("a") as handle:
        handle.write(json.dumps(row) + "\n")


def add_csv(landing: Path, stem: str, row: dict[str, str]) -> None:
    """Append a record to a CSV file, in the order of its header."""
    path = landing / f"{stem}_{MONTH}.csv"
    with path.open(newline="") as handle:
        names = next(csv.reader(handle))
    with path.open("a", newline="") as handle:
        csv.DictWriter(handle, names, lineterminator="\n").writerow(row)


def add_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    """Append rows to a Parquet file, as its types have them."""
    table = pq.read_table(path)
    with duckdb.connect() as connection:
        connection.register("more", pa.Table.from_pylist(rows))
        casts = []
        for field in table.schema:
            given = field.name if field.name in rows[0] else "null"
            kinds = {"date32[day]": "date", "int64": "bigint", "int32": "integer", "double": "double"}
            kind = "timestamp" if pa.types.is_timestamp(field.type) else kinds.get(str(field.type), "varchar")
            casts.append(f"cast({given} as {kind}) as {field.name}")
        more = connection.execute(f"select {', '.join(casts)} from more").to_arrow_table()
    pq.write_table(pa.concat_tables([table, more.cast(table.schema)]), path)


def traces(state: Path) -> dict[str, list[str]]:
    """Where the address, its local part or the full name still stands: place -> what was found.

    Raw bytes of every file; and what formats hide: gzip, Parquet, every text of DuckDB and SQLite.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(state.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        for place, text in _readings(path, content):
            # Each spelling has the surname: a plain search first, for run histories are a hundred megabytes.
            if "quistgaard" in text.lower() and (hits := sorted(set(_PATTERN.findall(text)))):
                found[f"{path.relative_to(state)}{place}"] = hits
    return found


# Upper and lower case, plus tags, @ in a link, any white space within the name, JSON's and HTML's escapes.
_PATTERN = re.compile(
    rf"{re.escape(LOCAL)}(?:\+\w+)?(?:@|%40)|wilhelmina(?:\s|\\n|&nbsp;)+quistgaard|quistgaard,\s*wilhelmina",
    re.IGNORECASE,
)


def _readings(path: Path, content: bytes) -> Iterator[tuple[str, str]]:
    yield "", content.decode("latin-1")
    if content[:2] == b"\x1f\x8b":
        yield " (gzip)", gzip.decompress(content).decode("latin-1")
    if content[:4] == b"PAR1":
        yield " (Parquet)", "\n".join(str(row) for row in pq.read_table(path).to_pylist())
    if content[:16] == b"SQLite format 3\x00":
        with closing(sqlite3.connect(path)) as database:
            yield " (SQLite)", "\n".join(database.iterdump())
    if path.suffix == ".duckdb":
        yield from _database_readings(path)


def _database_readings(path: Path) -> Iterator[tuple[str, str]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        # Views hold nothing of their own.
        columns = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " semi join duckdb_tables() using (database_name, schema_name, table_name)"
            " where not internal and database_name = current_database()"
        ).fetchall()
        for schema, table, column in columns:
            values = connection.execute(
                f'select distinct cast("{column}" as varchar) as text from "{schema}"."{table}" where text is not null'
            ).fetchall()
            yield f" ({schema}.{table}.{column})", "\n".join(value for (value,) in values)
