"""A mapping file alone renames, casts, parses and picks; bad values are quarantined, bad mappings named by place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from expansion_assets.sources.contracts import ContractError, load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import read_mapping
from expansion_assets.sources.report import LandingReport, Window

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
WINDOW = Window(date(2025, 7, 1), date(2025, 8, 1), datetime(1900, 1, 1), datetime(2025, 8, 1))
NOW = datetime(2025, 8, 1)
LINE = {"line_id": "id", "account_id": {"value": "A1"}, "product": {"value": "Core"}, "unit": {"value": "seat"},
        "starts_on": {"value": "2025-07-01"}, "signed_at": {"value": "2025-07-01T08:00:00Z"}}
CHANGE = {"change_id": {"joined": ["id", "at"], "separator": "-"}, "account_id": {"value": "A1"},
          "move": {"value": "title_changed"}, "contact_id": "id", "changed_at": "at"}


@pytest.fixture
def mapped(connection, tmp_path) -> Callable[..., LandingReport]:
    """Write files and a mapping of one table, and load it."""

    def run(table: str, body: Any, files: dict[str, str]) -> LandingReport:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        mapping = read_mapping(written(tmp_path, {table: body}), load_contracts()).tables[table]
        return load_table(connection, load_contracts()[table], mapping, tmp_path, WINDOW, NOW)

    return run


def written(folder: Path, tables: dict[str, Any], **more: Any) -> Path:
    path = folder / "mapping.yml"
    document = {"name": "t", "description": "t", "first_day": "2025-07-01", "tables": tables} | more
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.fixture
def one(mapped, connection) -> Callable[..., Any]:
    """The value that one text becomes in a column of a subscription line, or the rule that it breaks."""

    def value(column: str, spec: dict[str, Any], text: str) -> Any:
        body = {"files": "lines.csv", "format": "csv", "columns": LINE | {column: {"column": "x"} | spec}}
        quoted = '"' + text.replace('"', '""') + '"'
        report = mapped("billing_subscription_lines", body, {"lines.csv": f"id,x\nL1,{quoted}\n"})
        assert report.rows_loaded + report.rows_quarantined == 1
        if report.rules:
            return next(iter(report.rules))
        return connection.execute(f"select {column} from raw.billing_subscription_lines").fetchone()[0]

    return value


GERMAN = {"decimal": ",", "thousands": ".", "strip": ["€", "EUR"]}


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        (GERMAN, "1.234,56", 1234.56),
        (GERMAN, "1.234.567,5 €", 1234567.5),
        (GERMAN, "€ 99", 99.0),
        (GERMAN, "EUR1234,5", 1234.5),
        (GERMAN, "1234", 1234.0),
        (GERMAN, "", None),
        (GERMAN, "12.5", "not_a_number:arr"),
        (GERMAN, "1.23.456", "not_a_number:arr"),
        (GERMAN, "1,234,567", "not_a_number:arr"),
        (GERMAN, "$ 5", "not_a_number:arr"),
        (GERMAN, "€", "not_a_number:arr"),
        (GERMAN, "five", "not_a_number:arr"),
        (GERMAN, "-€5", "below_minimum:arr"),
        ({"thousands": ","}, "1,234,567.25", 1234567.25),
        ({"thousands": ","}, "1,23", "not_a_number:arr"),
        ({"thousands": " ", "decimal": ","}, "1 234\u00a0567,5", 1234567.5),
        ({"thousands": "'"}, "1'234.5", 1234.5),
        ({"strip": ["$", "US$", "k"]}, "US$12.5", 12.5),
        ({}, "1e3", 1000.0),
        ({}, "NaN", "not_finite:arr"),
        ({}, "inf", "not_finite:arr"),
        ({}, "1,5", "not_a_number:arr"),
    ],
)
def test_numbers(one, spec, text, value):
    assert one("arr", spec, text) == value


BERLIN = {"zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        ({}, "2025-07-02 10:00:00", datetime(2025, 7, 2, 10)),
        ({}, "2025-07-02T10:00:00+02:00", datetime(2025, 7, 2, 8)),
        (BERLIN, "2025-07-02 10:00", datetime(2025, 7, 2, 8)),
        (BERLIN, "2025-01-02 10:00:00.5", datetime(2025, 1, 2, 9, 0, 0, 500000)),
        (BERLIN, "2025-07-02T10:00:00Z", datetime(2025, 7, 2, 10)),
        (BERLIN, "2025-07-02 10:00:00-05", datetime(2025, 7, 2, 15)),
        (BERLIN, "2025-07-02", datetime(2025, 7, 1, 22)),
        # The clocks skip 02:00 to 03:00 on 30 March 2025; 26 October 2024 + 1 has 02:30 twice.
        (BERLIN, "2025-03-30 01:59:59", datetime(2025, 3, 30, 0, 59, 59)),
        (BERLIN, "2025-03-30 02:30:00", "not_a_timestamp:signed_at"),
        (BERLIN, "2025-03-30 03:00:00", datetime(2025, 3, 30, 1)),
        (BERLIN, "2024-10-27 02:30:00", datetime(2024, 10, 27, 1, 30)),
        (BERLIN | {"formats": ["%d.%m.%Y %H:%M"]}, "02.07.2025 10:00", datetime(2025, 7, 2, 8)),
        ({"formats": ["%d.%m.%Y %H:%M", "%d.%m.%Y"]}, "02.07.2025", datetime(2025, 7, 2)),
        (BERLIN | {"formats": ["%d.%m.%Y %H:%M %z"]}, "02.07.2025 10:00 +0000", datetime(2025, 7, 2, 10)),
        ({"formats": ["%d.%m.%Y"]}, "2025-07-02", "not_a_timestamp:signed_at"),
        ({"epoch": "seconds"}, "1751450400", datetime(2025, 7, 2, 10)),
        ({"epoch": "seconds"}, "1751450400.25", datetime(2025, 7, 2, 10, 0, 0, 250000)),
        ({"epoch": "milliseconds"}, "1751450400123", datetime(2025, 7, 2, 10, 0, 0, 123000)),
        ({"epoch": "microseconds"}, "1751450400123456", datetime(2025, 7, 2, 10, 0, 0, 123456)),
        ({"epoch": "seconds"}, "1751450400123", "not_a_timestamp:signed_at"),
        ({"epoch": "seconds"}, "99999999999999999999999", "not_a_timestamp:signed_at"),
        ({"epoch": "seconds"}, "July", "not_a_timestamp:signed_at"),
        (BERLIN, "yesterday", "not_a_timestamp:signed_at"),
        (BERLIN, "", "required:signed_at"),
    ],
)
def test_times(one, spec, text, value):
    assert one("signed_at", spec, text) == value


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        ({"formats": ["%d.%m.%Y"]}, "02.07.2025", date(2025, 7, 2)),
        ({"formats": ["%d.%m.%Y"]}, "31.02.2025", "not_a_date:ends_on"),
        ({"epoch": "milliseconds"}, "1751450400123", date(2025, 7, 2)),
        ({}, "2025-07-02 23:30:00", date(2025, 7, 2)),
        (BERLIN, "2025-07-02T23:30:00Z", date(2025, 7, 3)),
        (BERLIN, "2025-07-02 23:30:00", date(2025, 7, 2)),
    ],
)
def test_dates(one, spec, text, value):
    assert one("ends_on", spec, text) == value


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        ({"values": {"yes": "true", "nein": "false"}}, "nein", False),
        ({"values": {"yes": "true"}, "otherwise": "false"}, "whatever", False),
        ({"values": {"yes": "true"}, "otherwise": "false"}, "", None),
        ({"values": {"yes": "true"}, "default": "false"}, " ", False),
        ({"values": {"yes": "true"}}, "maybe", "not_a_boolean:restricts_departments"),
    ],
)
def test_value_maps(one, spec, text, value):
    assert one("restricts_departments", spec, text) == value


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        ({"extract": "([A-Z]{3}|[€$])", "values": {"€": "EUR", "$": "USD"}}, "1.234,50 €", "EUR"),
        ({"extract": "([A-Z]{3}|[€$])", "values": {"€": "EUR", "$": "USD"}}, "CHF 3", "CHF"),
        ({"extract": "([A-Z]{3}|[€$])"}, "3", None),
        ({"list_separator": "|"}, '["ops", null, "it"]', "ops|it"),
        ({"list_separator": "|"}, "ops", "ops"),
        ({"list_separator": "|"}, "[]", None),
    ],
)
def test_texts(one, spec, text, value):
    assert one("currency", spec, text) == value


def test_an_amount_and_its_currency_come_from_one_column_and_bad_ones_are_kept(mapped, connection):
    report = mapped(
        "billing_subscription_lines",
        {"files": "export.csv", "format": "csv", "columns": LINE | {
            "arr": {"column": "Betrag"} | GERMAN,
            "currency": {"column": "Betrag", "extract": "(€|EUR)", "values": {"€": "EUR"}},
        }},
        {"export.csv": 'id,Betrag\nL1,"1.200,50 €"\nL2,"1,200.50 €"\nL3,EUR 7\n'},
    )
    assert report.rules == {"not_a_number:arr": 1}
    rows = connection.execute("select line_id, arr, currency from raw.billing_subscription_lines order by line_id")
    assert rows.fetchall() == [("L1", 1200.5, "EUR"), ("L3", 7.0, "EUR")]
    [(raw,)] = connection.execute("select raw_json from raw.quarantine").fetchall()
    assert "1,200.50 €" in raw


def test_several_source_columns_become_one(mapped, connection):
    mapped(
        "crm_contacts",
        {"files": "people.csv", "format": "csv", "columns": {
            "contact_id": {"joined": [{"value": "hs"}, "id"], "separator": "-"},
            "account_id": {"first_of": ["account", "company"]},
            "name": {"joined": ["first", "last"]},
            "email": {"first_of": ["email", {"column": "work_email"}, {"value": "unknown@example.com"}]},
            "status": {"value": "active"},
            "updated_at": "at",
        }},
        {"people.csv": "id,first,last,account,company,email,work_email,at\n"
                       "1,Ada,Lovelace,A1,A2,,ada@a.com,2025-07-01\n2,,Curie, ,A2,,,2025-07-01\n"},
    )
    found = connection.execute("select contact_id, account_id, name, email from raw.crm_contacts order by 1").fetchall()
    assert found == [
        ("hs-1", "A1", "Ada Lovelace", "ada@a.com"), ("hs-2", "A2", "Curie", "unknown@example.com"),
    ]


def test_rows_are_picked_by_value_and_counted(mapped, connection):
    report = mapped(
        "crm_contacts",
        {"files": "people.csv", "format": "csv", "where": {"kind": ["customer", "partner"], "size": 3},
         "where_not": {"is_deleted": True, "name": "Test"},
         "columns": {"contact_id": "id", "account_id": {"value": "A1"}, "status": {"value": "active"},
                     "updated_at": {"value": "2025-07-01"}}},
        {"people.csv": "id,kind,size,is_deleted,name\n1,customer,3,FALSE,x\n2,customer,3,TRUE,x\n3,lead,3,,x\n"
                       "4,partner,3.0,,x\n5,partner,4,,x\n6,partner,3,,Test\n7,,3,,\n8,too,many,fields,here,9\n"},
    )
    assert connection.execute("select contact_id from raw.crm_contacts order by 1").fetchall() == [("1",), ("4",)]
    assert report.rules == {"malformed_row": 1}
    assert "people.csv: 5 rows left out by the mapping" in report.messages


def test_a_vanished_column_that_picks_rows_blocks_instead_of_guessing(mapped):
    report = mapped(
        "crm_contacts",
        {"files": "people.csv", "format": "csv", "where_not": {"is_deleted": True},
         "columns": {"contact_id": "id", "account_id": {"value": "A1"}, "status": {"value": "active"},
                     "updated_at": {"value": "2025-07-01"}}},
        {"people.csv": "id\n1\n2\n"},
    )
    assert (report.rows_loaded, report.rules, report.status) == (0, {"missing_column:is_deleted": 2}, "failed")


def test_one_file_feeds_two_tables_and_two_files_one_table(mapped, connection):
    part = {"format": "csv", "columns": {"contact_id": "id", "account_id": {"value": "A1"}, "updated_at": "at",
                                         "status": {"value": "active"}, "title": "title"}}
    files = {"crm/a.csv": "id,title,at\nC1,CFO,2025-07-01\n", "crm/b.csv": "id,title,at\nC2,CEO,2025-07-02\nC3,,\n"}
    report = mapped("crm_contacts", [part | {"files": "crm/a.csv"}, part | {"files": "crm/b.csv"}], files)
    assert (report.rows_loaded, report.rules) == (2, {"required:updated_at": 1})
    assert connection.execute("select contact_id, title, source_file from raw.crm_contacts order by 1").fetchall() == [
        ("C1", "CFO", "crm/a.csv"), ("C2", "CEO", "crm/b.csv"),
    ]
    mapped("crm_owners", {"files": "crm/a.csv", "format": "csv", "columns": {
        "owner_id": "id", "name": "title", "role": {"value": "csm"}, "country": {"value": "DE"}, "updated_at": "at",
    }}, {})
    assert connection.execute("select owner_id, name from raw.crm_owners").fetchall() == [("C1", "CFO")]


def titles(connection) -> list[tuple]:
    return connection.execute(
        "select change_id, from_title, to_title from raw.crm_contact_role_changes order by changed_at, change_id"
    ).fetchall()


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_states_in_turn_become_changes(mapped, connection, file_format):
    """Rows as Salesforce's contact history has them: one a version, most of them for other reasons than the title."""
    rows = [
        ("C1", "2025-07-01 6:00:00", "Manager"), ("C1", "2025-07-01 10:00:00", " Manager "),
        ("C1", "2025-07-05 09:00:00", "Director"), ("C2", "2025-07-02 09:00:00", ""),
        ("C2", "2025-07-03 09:00:00", "CFO"), ("C1", "2025-07-06 09:00:00", ""), ("C1", "2025-07-07 09:00:00", "VP"),
    ]
    if file_format == "csv":
        content = "id,at,title\n" + "".join(",".join(row) + "\n" for row in reversed(rows))
    else:
        content = "".join(f'{{"id": "{a}", "at": "{b}", "title": "{c}"}}\n' for a, b, c in reversed(rows))
    report = mapped(
        "crm_contact_role_changes",
        {"files": f"history.{file_format}", "format": file_format,
         "history": {"key": ["id"], "order_by": ["at"], "changed": ["title"]},
         "columns": CHANGE | {"to_title": "title", "from_title": {"column": "title", "previous": True}}},
        {f"history.{file_format}": content},
    )
    assert (report.rows_loaded, report.rows_quarantined) == (5, 0)
    assert titles(connection) == [
        ("C1-2025-07-01 6:00:00", None, "Manager"),
        ("C2-2025-07-03 09:00:00", None, "CFO"),
        ("C1-2025-07-05 09:00:00", "Manager", "Director"),
        ("C1-2025-07-06 09:00:00", "Director", None),
        ("C1-2025-07-07 09:00:00", None, "VP"),
    ]


def test_a_history_runs_across_files_of_different_shapes_and_broken_ones(mapped, connection):
    report = mapped(
        "crm_contact_role_changes",
        {"files": "history_*.csv", "format": "csv",
         "history": {"key": ["id"], "order_by": ["at"], "changed": ["title"]}, "loaded_at": "at",
         "columns": CHANGE | {"to_title": "title", "from_title": {"column": "title", "previous": True}}},
        {
            "history_2025-06.csv": "id,at,title\nC1,2025-06-10 09:00:00,Manager\n",
            "history_2025-07.csv": "id,at,title,more\nC1,2025-07-10 09:00:00,Director,x\nC1,2025,VP\n",
            "history_2025-08.csv": 'id,at,title\nC1,2025-07-20 09:00:00,"VP\nC2,2025-07-21 09:00:00,CFO\n',
        },
    )
    assert report.rows_loaded + report.rows_quarantined == 5
    assert report.rules == {"malformed_row": 2}
    assert titles(connection) == [
        ("C1-2025-06-10 09:00:00", None, "Manager"),
        ("C1-2025-07-10 09:00:00", "Manager", "Director"),
        ("C2-2025-07-21 09:00:00", None, "CFO"),
    ]


def test_properties_in_rows_become_changes(mapped, connection):
    """Rows as HubSpot's property history has them: one a property and change."""
    mapped(
        "crm_contact_role_changes",
        {"files": "properties.csv", "format": "csv", "where": {"name": "jobtitle"},
         "history": {"key": ["id"], "order_by": ["at"], "changed": ["value"]},
         "columns": CHANGE | {"to_title": "value", "from_title": {"column": "value", "previous": True}}},
        {"properties.csv": "id,name,at,value\nC1,jobtitle,2025-07-01,Manager\nC1,city,2025-07-02,Bonn\n"
                           "C1,jobtitle,2025-07-03,Director\n"},
    )
    assert titles(connection) == [("C1-2025-07-01", None, "Manager"), ("C1-2025-07-03", "Manager", "Director")]


def test_a_value_is_looked_up_in_another_file(mapped, connection):
    ticket = {"ticket_id": "id", "created_at": "at", "priority": {"column": "priority", "default": "normal"},
              "is_escalated": {"value": False},
              "requester_email": {"column": "who", "lookup": {"files": "desk/users.csv", "format": "csv", "key": "id",
                                                              "column": "email"}},
              "body": {"first_of": [{"column": "id", "lookup": {
                  "files": "desk/comments.jsonl", "format": "jsonl", "key": "ticket", "column": "text",
                  "order_by": "at"}}, "description"]}}
    report = mapped(
        "support_tickets", {"files": "desk/tickets.csv", "format": "csv", "columns": ticket},
        {
            "desk/tickets.csv": "id,who,at,description,priority\n1,U1,2025-07-01,short,\n2,U9,2025-07-01,own,high\n"
                                "3,,2025-07-01,,asap\n",
            "desk/users.csv": "id,email\nU1,ada@a.com\r\nU2,b@b.com\n,nobody@x.com\ntoo,many,fields\n",
            "desk/comments.jsonl": '{"ticket": "1", "text": "second", "at": "2025-07-01 10:00"}\n'
                                   '{"ticket": "1", "text": "first", "at": "2025-07-01 9:00"}\nbroken\n',
        },
    )
    assert report.rules == {"not_allowed:priority": 1}
    assert connection.execute(
        "select ticket_id, requester_email, body, priority, is_escalated from raw.support_tickets order by 1"
    ).fetchall() == [("1", "ada@a.com", "first", "normal", False), ("2", None, "own", "high", False)]
    [(raw,)] = connection.execute("select raw_json from raw.quarantine").fetchall()
    assert "lookup" not in raw
    assert "asap" in raw


def test_a_lookup_without_its_file_or_column_is_empty_and_reported(mapped, connection):
    def contact(column: str, files: str) -> dict[str, Any]:
        lookup = {"files": files, "format": "csv", "key": "id", "column": column}
        return {"files": "people.csv", "format": "csv", "columns": {
            "contact_id": "id", "account_id": {"value": "A1"}, "status": {"value": "active"},
            "updated_at": {"value": "2025-07-01"}, "email": {"column": "id", "lookup": lookup}}}

    files = {"people.csv": "id\nC1\n", "users.csv": "id,email\nC1,ada@a.com\n"}
    assert "lookup: users.csv: no column mail" in mapped("crm_contacts", contact("mail", "users.csv"), files).messages
    assert "lookup: no file matches none.csv" in mapped("crm_contacts", contact("mail", "none.csv"), {}).messages
    mapped("crm_contacts", contact("email", "users.csv"), {})
    assert connection.execute("select email from raw.crm_contacts").fetchall() == [("ada@a.com",)]


OWNER = {"owner_id": "id", "name": "name", "role": {"value": "csm"}, "country": {"value": "DE"}, "updated_at": "at"}
OWNERS = {"files": "o.csv", "format": "csv", "columns": OWNER}
DATABASE = {"dsn_env": "SHOP_DSN", "table": "owners", "cursor": "at"}


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"crm_owner": OWNERS}, ["tables.crm_owner", "no such contract"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"colour": "x"}}}, ["crm_owners", "colour", "not in the contr"]),
        ({"crm_owners": OWNERS | {"colums": {}}}, ["crm_owners", "colums", "Extra inputs"]),
        ({"crm_owners": OWNERS | {"format": "xlsx"}}, ["crm_owners", "format", "csv"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {"colum": "x"}}}}, ["columns.name.colum"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {}}}}, ["columns.name", "exactly one of column"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {"column": "a", "value": "b"}}}}, ["exactly one of"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"updated_at": {"column": "a", "zone": "Mars/Base"}}}},
         ["columns.updated_at.zone", "Mars/Base", "IANA"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {"column": "a", "zone": "UTC"}}}},
         ["columns.name", "zone is for a date or timestamp; the contract has a string"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {"column": "a", "decimal": ","}}}},
         ["columns.name", "decimal is for a integer or number"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {"column": "a", "extract": "(x"}}}},
         ["columns.name.extract", "no regular expression"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {"column": "a", "extract": "x"}}}}, ["exactly one gr"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {"column": "a", "previous": True}}}},
         ["columns.name", "previous needs the table's history"]),
        ({"crm_owners": OWNERS | {"columns": OWNER | {"name": {"column": "a", "otherwise": "x"}}}},
         ["otherwise goes with values"]),
        ({"crm_owners": [OWNERS, OWNERS | {"loaded_at": "at"}]}, ["crm_owners", "loaded_at"]),
        ({"crm_owners": []}, ["crm_owners", "empty"]),
        ({"crm_owners": OWNERS | {"postgres": DATABASE}}, ["crm_owners", "both postgres and files"]),
        ({"crm_owners": {"postgres": DATABASE | {"dsn_env": "postgresql://a:b@c/d"}, "columns": OWNER}},
         ["crm_owners", "dsn_env"]),
        ({"crm_owners": {"postgres": DATABASE | {"query": "select 1"}, "columns": OWNER}}, ["a table or a query"]),
        ({"crm_owners": {"postgres": DATABASE | {"overlap": "often"}, "columns": OWNER}}, ["overlap", "often"]),
        ({"crm_owners": {"postgres": DATABASE, "columns": OWNER | {"owner_id": {"joined": ["a", "b"]}}}},
         ["owner_id", "postgres.key"]),
        ({"crm_owners": {"postgres": DATABASE | {"deletes": True}, "columns": OWNER}},
         ["crm_owners.columns.is_deleted: must be _is_deleted when postgres.deletes is true"]),
        ({"product_features": {"postgres": DATABASE | {"deletes": True}, "columns": {"feature": "id"}}},
         ["product_features", "knows no deletions"]),
    ],
)
def test_a_mapping_that_does_not_hold_together_is_one_line_with_the_place(tmp_path, tables, words):
    with pytest.raises(ContractError) as caught:
        read_mapping(written(tmp_path, tables), load_contracts())
    message = str(caught.value)
    assert message.startswith("mapping.yml: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_the_source_columns_of_every_input_are_known_to_the_masking_of_pages(tmp_path):
    """A source column that no input was asked for would be shown unmasked."""
    parts = [OWNERS, OWNERS | {"columns": OWNER | {"email": {"first_of": ["mail", {"joined": ["box", "domain"]}]}}}]
    mapping = read_mapping(written(tmp_path, {"crm_owners": parts}), load_contracts()).tables["crm_owners"]
    assert mapping.landing_names()["email"] == {"mail", "box", "domain"}
    assert mapping.landing_names()["name"] == {"name"}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/mapping.yml")), ids=lambda path: path.parent.name)
def test_the_examples_hold_together(path):
    assert read_mapping(path, load_contracts()).tables


def test_a_database_in_a_data_set_that_has_ended_is_refused(tmp_path):
    path = written(tmp_path, {"crm_owners": {"postgres": DATABASE, "columns": OWNER}}, last_day="2025-07-31")
    with pytest.raises(ContractError, match=r"crm_owners: a data set with a last_day has ended"):
        read_mapping(path, load_contracts())


@pytest.mark.parametrize("text", ["tables: [", "", "- a\n", "\ttabs: 1\n"])
def test_a_file_that_is_no_mapping_is_one_line(tmp_path, text):
    path = tmp_path / "mapping.yml"
    path.write_text(text)
    with pytest.raises(ContractError, match=r"^mapping\.yml: (not YAML|expected keys)") as caught:
        read_mapping(path, load_contracts())
    assert "\n" not in str(caught.value)
