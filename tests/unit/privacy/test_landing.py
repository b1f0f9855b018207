"""Landing files lose the person, and nothing else: bytes, order, metadata."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expansion_assets.privacy.landing import landing_files, rewrite_file, rows_of_file
from expansion_assets.privacy.persons import PersonColumns
from expansion_assets.privacy.suppression import BAR, Suppression
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.mapping import ColumnMapping, Lookup, Mapping, TableMapping

PERSON = PersonColumns(direct=("email",), texts=("note",), is_deleted=True)
EVENT = PersonColumns(direct=("email",), texts=("note",))


def rewritten(path: Path, content: bytes, columns: PersonColumns, suppression: Suppression) -> bytes:
    path.write_bytes(content)
    file_format = path.name.split(".")[1]
    rewrite_file(path, file_format, columns, suppression, path.parent, is_dry=False)
    return path.read_bytes()


CSV_HEAD = b"\xef\xbb\xbfemail,n,note\r\n"
CSV_OTHERS = b'bob@acme.com,1.10,"a ""b"", c\r\nd"\r\n\r\n  x  ,,\xff\r\nlast,2,no line end'


def test_csv_rows_go_and_the_rest_is_untouched(tmp_path: Path, suppression: Suppression) -> None:
    gone = b'"Jane Doe <jane.doe@acme.com>",1,"x,\r\ny"\r\n'
    content = CSV_HEAD + gone + CSV_OTHERS
    assert rewritten(tmp_path / "a.csv", content, PERSON, suppression) == CSV_HEAD + CSV_OTHERS


def test_csv_fields_change_and_the_rest_is_untouched(tmp_path: Path, suppression: Suppression) -> None:
    content = CSV_HEAD + b'jane.doe@acme.com,01,"Jane Doe, ""boss"""\r\n' + CSV_OTHERS
    stand_in = str(suppression.pseudonymous_address("jane.doe@acme.com")).encode()
    expected = CSV_HEAD + stand_in + f',01,"{BAR * 8}, ""boss"""\r\n'.encode() + CSV_OTHERS
    assert rewritten(tmp_path / "a.csv", content, EVENT, suppression) == expected


@pytest.mark.parametrize(
    "broken", [b"jane.doe@acme.com,1,x,y,z\n", b'"a"b,jane.doe@acme.com,x\n', b'"open,jane.doe@acme.com']
)
def test_broken_csv_records_are_masked(tmp_path: Path, suppression: Suppression, broken: bytes) -> None:
    after = rewritten(tmp_path / "a.csv", b"email,n,note\nbob@acme.com,1,x\n" + broken, EVENT, suppression)
    assert b"jane" not in after and after.startswith(b"email,n,note\nbob@acme.com,1,x\n")


def test_json_lines(tmp_path: Path, suppression: Suppression) -> None:
    others = b'{ "email":"bob@acme.com" , "n": 1.10, "big": 12345678901234567890}\n\nnot json\n'
    content = others + b'{"n": 1.10,"email":"jane.doe@acme.com", "deep": {"x": ["Mail jane.doe@acme.com"]}}\r\n'
    assert rewritten(tmp_path / "a.jsonl", content, PERSON, suppression) == others
    after = rewritten(tmp_path / "b.jsonl", content, EVENT, suppression)
    assert after.startswith(others + b'{"n": 1.10,"email":"forgotten-') and after.endswith(b'"]}}\r\n')
    assert json.loads(after.splitlines()[-1])["deep"] == {"x": ["Mail " + BAR * 17]}


def test_a_name_without_an_address_gets_the_stand_in(tmp_path: Path, suppression: Suppression) -> None:
    alert = PersonColumns(direct=("who", "email"), names=("who",), scopes=("account_domain",))
    after = rewritten(tmp_path / "a.jsonl", b'{"who": "Jane Doe", "account_domain": "acme.com"}\n', alert, suppression)
    stand_in = suppression.pseudonymous_address("jane.doe@acme.com")
    assert json.loads(after) == {"who": None, "account_domain": "acme.com", "email": stand_in}
    assert rewritten(tmp_path / "b.jsonl", after, alert, suppression) == after


def test_broken_json_lines_are_masked(tmp_path: Path, suppression: Suppression) -> None:
    for broken in (b'{"email": "jane.doe@acme.com", \n', b'{"email": "jane.doe@acme.com"', b"jane.doe@acme.com\n"):
        assert b"jane" not in rewritten(tmp_path / "a.jsonl", broken, PERSON, suppression)


def test_gzip(tmp_path: Path, suppression: Suppression) -> None:
    content = gzip.compress(b"email,n,note\njane.doe@acme.com,1,\nbob@acme.com,2,\n")
    after = rewritten(tmp_path / "a.csv.gz", content, PERSON, suppression)
    assert gzip.decompress(after) == b"email,n,note\nbob@acme.com,2,\n"


def test_parquet_keeps_types_metadata_and_row_groups(tmp_path: Path, suppression: Suppression) -> None:
    path = tmp_path / "a.parquet"
    schema = pa.schema([("email", pa.string()), ("n", pa.int16()), ("note", pa.large_string())], {"cursor": "7"})
    table = pa.table({"email": ["bob@acme.com", "jane.doe@acme.com", None], "n": [1, 2, 3],
                      "note": ["Jane Doe", None, "x"]}, schema=schema)
    pq.write_table(table, path, compression="snappy", row_group_size=2)
    assert rewrite_file(path, "parquet", PERSON, suppression, tmp_path, is_dry=False) == 2
    after = pq.ParquetFile(path)
    assert after.schema_arrow.equals(schema, check_metadata=True)
    assert after.metadata.row_group(0).column(0).compression == "SNAPPY"
    assert after.read().to_pylist() == [
        {"email": "bob@acme.com", "n": 1, "note": BAR * 8}, {"email": None, "n": 3, "note": "x"}
    ]
    assert b"jane" not in path.read_bytes().lower()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_file_without_the_person_is_not_written(tmp_path: Path, suppression: Suppression, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b'email,n,note\n"bob@acme.com" ,1,x' if name == "a.csv" else b'{"email":"bob@acme.com"}')
    before = path.stat().st_ino
    assert rewrite_file(path, name.split(".")[1], PERSON, suppression, tmp_path, is_dry=False) == 0
    assert path.stat().st_ino == before


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path, suppression: Suppression) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"email,n,note\njane.doe@acme.com,1,\n")
    assert rewrite_file(path, "csv", PERSON, suppression, tmp_path, is_dry=True) == 1
    assert b"jane" in path.read_bytes()


def test_the_mode_of_a_file_stays(tmp_path: Path, suppression: Suppression) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"email": "jane.doe@acme.com"}\n')
    path.chmod(0o640)
    rewrite_file(path, "jsonl", PERSON, suppression, tmp_path, is_dry=False)
    assert path.stat().st_mode & 0o777 == 0o640 and path.read_bytes() == b""


def test_files_of_a_mapping_by_their_own_columns(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Id,Mail\nC-1,jane.doe@acme.com\n")
    (tmp_path / "users.csv").write_text("id,mail\n1,jane.doe@acme.com\n")
    email = ColumnMapping(column="owner", lookup=Lookup(files="users.csv", format="csv", key="id", column="mail"))
    mapping = Mapping(name="m", description="d", first_day="2026-01-01", tables={
        "crm_contacts": TableMapping(files="people.csv", format="csv", columns={"contact_id": "Id", "email": "Mail"}),
        "crm_owners": TableMapping(files="owners.csv", format="csv", columns={"owner_id": "id", "email": email}),
    })
    files = landing_files(tmp_path, mapping, load_contracts())
    assert [path.name for path in files] == ["people.csv", "users.csv"]
    file_format, columns = files[tmp_path / "people.csv"]
    assert (file_format, columns.direct, columns.ids) == ("csv", ("Mail",), (("Id", "contact_id"),))
    assert list(rows_of_file(tmp_path / "people.csv", "csv", columns)) == [{"Id": "C-1", "Mail": "jane.doe@acme.com"}]
