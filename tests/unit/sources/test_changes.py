"""Deletions, snapshots, drift, corrections and late rows: what was known on an earlier day stays as it was known."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import ColumnMapping, TableMapping, own_mapping
from expansion_assets.sources.report import LandingReport, Window

TABLE = "crm_owners"
HEADER = "owner_id,name,email,role,country,updated_at,is_deleted,loaded_at\n"
QUERY = "select row_key, version_no, known_from, known_to from raw.crm_owners order by row_key, known_from"


def day(number: int) -> date:
    return date(2025, 7, number)


def owner(number: int, loaded: int, name: str = "Ada", gone: str = "") -> str:
    at = f"2025-07-{loaded:02d}T08:00:00Z"
    return f"O{number},{name},,csm,DE,{at},{gone},{at}\n"


def at(number: int) -> datetime:
    return datetime(2025, 7, number, 8)


def window(first: int, last: int) -> Window:
    end = day(last) + timedelta(days=1)
    start = datetime.combine(day(first), datetime.min.time())
    return Window(day(first), end, start, datetime.combine(end, datetime.min.time()))


@pytest.fixture
def load(connection, contracts, tmp_path):
    """Write files of ``crm_owners`` and load days of July."""

    def run(
        files: dict[str, str | bytes], first: int = 1, last: int = 31, now: int = 31, **changes: object
    ) -> LandingReport:
        contract: TableContract = contracts[TABLE].model_copy(update=changes)
        for name, content in files.items():
            path = tmp_path / "crm" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        mapping = own_mapping({TABLE: contract}, day(1), None).tables[TABLE]
        if changes.get("delivery") == "snapshot" and not changes.get("is_timed", True):
            mapping = mapping.model_copy(update={"loaded_at": None})
        return load_table(connection, contract, mapping, tmp_path, window(first, last), datetime(2025, 7, now, 23))

    return run


def test_a_deletion_closes_the_version_and_a_later_row_opens_the_next(load, connection):
    rows = owner(1, 2) + owner(2, 2) + "O1,,,,,2025-07-05T08:00:00Z,true,2025-07-05T08:00:00Z\n" + owner(1, 9, "Ann")
    report = load({"owners_2025-07.csv": HEADER + rows})
    assert (report.rows_loaded, report.rows_gone, report.rules) == (4, 1, {})
    assert connection.execute(QUERY).fetchall() == [
        ("O1", 1, at(2), at(5)), ("O1", 2, at(9), None), ("O2", 1, at(2), None),
    ]


def test_a_deletion_that_comes_in_a_later_run_leaves_the_earlier_days_as_they_were(load, connection):
    load({"owners_2025-07-02.csv": HEADER + owner(1, 2)}, 2, 2)
    load({"owners_2025-07-05.csv": HEADER + owner(1, 5, gone="true")}, 5, 5)
    assert connection.execute(QUERY).fetchall() == [("O1", 1, at(2), at(5))]
    load({}, 5, 5)
    assert connection.execute(QUERY).fetchall() == [("O1", 1, at(2), at(5))]
    # The deletion is withdrawn at its source: the version is open again.
    load({"owners_2025-07-05.csv": HEADER}, 5, 5)
    assert connection.execute(QUERY).fetchall() == [("O1", 1, at(2), None)]


def test_a_row_that_says_it_is_not_deleted_is_a_version(load, connection):
    load({"owners_2025-07.csv": HEADER + owner(1, 2, gone="false") + owner(2, 2, gone="perhaps")})
    assert connection.execute(QUERY).fetchall() == [("O1", 1, at(2), None)]
    assert connection.execute("select rule from raw.quarantine").fetchall() == [("not_a_boolean:is_deleted",)]


def test_days_one_by_one_equal_the_month_in_one_with_deletions(load, connection):
    rows = [owner(n % 3, n, f"N{n}", "true" if n % 4 == 0 else "") for n in range(1, 29)]
    load({"owners_2025-07.csv": HEADER + "".join(rows)})
    everything = connection.execute("select * from raw.crm_owners order by row_key, known_from").fetchall()
    gone = connection.execute("select * from raw.deletions order by all").fetchall()
    assert len(gone) == 7
    connection.execute("delete from raw.crm_owners; delete from raw.deletions")
    for number in range(1, 32):
        load({}, number, number)
    assert connection.execute("select * from raw.crm_owners order by row_key, known_from").fetchall() == everything
    assert connection.execute("select * from raw.deletions order by all").fetchall() == gone


SNAPSHOTS = {
    "owners_2025-07-01.csv": HEADER + owner(1, 1) + owner(2, 1) + owner(3, 1),
    "owners_2025-07-02.csv": HEADER + owner(1, 2).replace("2025-07-02T08:00:00Z,,", "2025-07-01T08:00:00Z,,")
    + owner(2, 2, "Bob"),
    "owners_2025-07-04.csv": HEADER + owner(2, 4, "Bob").replace("2025-07-04T08:00:00Z,,", "2025-07-02T08:00:00Z,,")
    + owner(3, 4),
}
SNAPSHOT_VERSIONS = [
    ("O1", 1, at(1), at(4)),
    ("O2", 1, at(1), at(2)), ("O2", 2, at(2), None),
    ("O3", 1, at(1), at(2)), ("O3", 2, at(4), None),
]


def test_snapshots_become_changes_and_deletions(load, connection):
    report = load(SNAPSHOTS, delivery="snapshot")
    assert connection.execute(QUERY).fetchall() == SNAPSHOT_VERSIONS
    assert (report.rows_in, report.rows_unchanged, report.rows_gone) == (7, 2, 2)


@pytest.mark.parametrize("reruns", [(), (2,), (4, 2), (1, 2, 4)])
def test_snapshots_day_by_day_equal_the_month_in_one(load, connection, reruns):
    for number in (1, 2, 3, 4, 5, *reruns):
        load(SNAPSHOTS, number, number, delivery="snapshot")
    assert connection.execute(QUERY).fetchall() == SNAPSHOT_VERSIONS


def test_a_snapshot_without_load_times_is_known_on_the_day_of_its_name(load, connection):
    files = {
        name: "\n".join(line.rsplit(",", 1)[0] for line in content.splitlines()) + "\n"
        for name, content in SNAPSHOTS.items()
    }
    load(files, delivery="snapshot", is_timed=False)
    found = connection.execute("select row_key, known_from::date, known_to::date from raw.crm_owners order by all")
    assert found.fetchall() == [
        ("O1", day(1), day(4)), ("O2", day(1), day(2)), ("O2", day(2), None), ("O3", day(1), day(2)),
        ("O3", day(4), None),
    ]
    assert connection.execute("select bool_and(is_known_at_assumed) from raw.crm_owners").fetchone() == (True,)


def test_a_snapshot_without_any_date_is_refused_row_by_row(load, connection):
    content = SNAPSHOTS["owners_2025-07-01.csv"].replace(",loaded_at", "").replace(",2025-07-01T08:00:00Z\n", "\n")
    report = load({"owners_all.csv": content}, delivery="snapshot", is_timed=False)
    assert report.rules == {"snapshot_without_date": 3}


def test_a_broken_row_of_a_snapshot_is_not_gone(load, connection):
    broken = HEADER + owner(1, 2).replace("csm", "boss") + owner(2, 2)
    load({"owners_2025-07-01.csv": HEADER + owner(1, 1) + owner(2, 1), "owners_2025-07-02.csv": broken},
         delivery="snapshot")
    assert connection.execute(QUERY).fetchall()[0] == ("O1", 1, at(1), None)


def test_a_snapshot_with_an_unreadable_key_says_nothing_about_absence(load, connection):
    load({
        "owners_2025-07-01.csv": HEADER + owner(1, 1) + owner(2, 1),
        "owners_2025-07-02.csv": HEADER + owner(2, 2) + ",Ada,,csm,DE,2025-07-02T08:00:00Z,,2025-07-02T08:00:00Z\n",
        "owners_2025-07-03.csv": HEADER + owner(2, 3),
    }, delivery="snapshot")
    assert connection.execute(QUERY).fetchall()[0] == ("O1", 1, at(1), at(3))


def test_an_empty_snapshot_deletes_nothing(load, connection):
    load({"owners_2025-07-01.csv": HEADER + owner(1, 1), "owners_2025-07-02.csv": HEADER}, delivery="snapshot")
    assert connection.execute(QUERY).fetchall() == [("O1", 1, at(1), None)]


def test_a_column_the_contract_does_not_know_is_reported_and_kept_aside(load, connection):
    content = HEADER.replace("\n", ",shoe size,mood\n") + owner(1, 2).replace("\n", ",44,\n") + owner(2, 2).replace(
        "\n", ",,\n"
    )
    report = load({"owners_2025-07.csv": content})
    assert report.unmapped_columns == {"shoe size", "mood"}
    assert report.messages == ["owners_2025-07.csv: columns not in the contract: mood, shoe size"]
    found = connection.execute("select extra_json from raw.crm_owners order by row_key").fetchall()
    assert [text and json.loads(text) for (text,) in found] == [{"mood": None, "shoe size": "44"}, None]
    [(message,)] = connection.execute("select message from raw.landing_status").fetchall()
    assert "mood, shoe size" in message


def test_a_correction_counts_from_when_it_is_known_and_a_late_row_too(load, connection):
    late = owner(2, 20).replace("2025-07-20T08:00:00Z,,", "2025-07-03T08:00:00Z,,")
    load({"owners_2025-07.csv": HEADER + owner(1, 2, "Adda") + owner(1, 6, "Ada") + late})
    known = """select row_key, name from raw.crm_owners
               where known_from < $1 and (known_to is null or known_to >= $1) order by 1"""
    assert connection.execute(known, [datetime(2025, 7, 5)]).fetchall() == [("O1", "Adda")]
    assert connection.execute(known, [datetime(2025, 7, 21)]).fetchall() == [("O1", "Ada"), ("O2", "Ada")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("owners_2025-07.csv.gz", gzip.compress((HEADER + owner(1, 2)).encode())),
        ("owners_2025-07-02.csv", HEADER + owner(1, 2)),
        ("owners_2025-13.csv", HEADER + owner(1, 2)),
        ("owners_all.csv", HEADER + owner(1, 2)),
    ],
)
def test_gzip_daily_monthly_and_single_files_are_found(load, connection, name, content):
    load({name: content})
    assert connection.execute("select source_file, source_row from raw.crm_owners").fetchall() == [(name, 1)]


def test_files_of_one_name_in_daily_folders_are_told_apart(connection, contracts, tmp_path):
    contract = contracts[TABLE].model_copy(update={"files": "crm/*/owners.csv"})
    for number in (2, 3):
        folder = tmp_path / "crm" / f"2025-07-{number:02d}"
        folder.mkdir(parents=True)
        (folder / "owners.csv").write_text(HEADER + owner(number, number))
    mapping = own_mapping({TABLE: contract}, day(1), None).tables[TABLE]
    load_table(connection, contract, mapping, tmp_path, window(3, 3), datetime(2025, 7, 31))
    assert connection.execute("select row_key, source_file from raw.crm_owners").fetchall() == [
        ("O3", "2025-07-03/owners.csv")
    ]


def test_json_lines_and_parquet_report_deletions_too(connection, contracts, tmp_path: Path):
    contract = contracts["crm_contacts"]
    rows = [
        {"contact_id": "C1", "account_id": "A1", "status": "active", "updated_at": "2025-07-02T08:00:00Z",
         "loaded_at": "2025-07-02T08:00:00Z"},
        {"contact_id": "C1", "is_deleted": True, "updated_at": "2025-07-03T08:00:00Z",
         "loaded_at": "2025-07-03T08:00:00Z"},
    ]
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "contacts_2025-07.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    mapping = TableMapping(
        files=contract.files, format="jsonl", loaded_at=ColumnMapping(column="loaded_at"),
        columns={name: ColumnMapping(column=name) for name in contract.columns},
    )
    load_table(connection, contract, mapping, tmp_path, window(1, 31), datetime(2025, 7, 31))
    found = connection.execute("select known_from, known_to from raw.crm_contacts").fetchall()
    assert found == [(at(2), at(3))]
