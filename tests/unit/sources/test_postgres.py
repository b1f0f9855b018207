"""A product database read into landing files: what is new arrives once, whatever happens in between.

Every test runs against a real server that the session starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from postgres_server import INSTALL, Server, running_server, server_programs

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import EXTRACTED_AT, Mapping, TableMapping
from expansion_assets.sources.postgres import Extraction, ExtractionError, extract, refresh
from expansion_assets.sources.report import LandingReport, Window

ROOT = Path(__file__).resolve().parents[3]
TABLE = "product_seat_assignments"
DSN = "EXPANSION_TEST_DSN"
DAY = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
COLUMNS = {
    "assignment_id": "id", "account_id": "account_id", "user_id": "user_id", "assigned_on": "assigned_on",
    "released_on": "released_on", "updated_at": "updated_at",
}


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    programs = server_programs()
    if programs is None:
        pytest.skip(INSTALL)
    with running_server(programs) as started:
        yield started


@pytest.fixture
def seats(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server with a table of three seats."""
    monkeypatch.setenv(DSN, server.dsn())
    server.execute(
        "drop table if exists seats",
        "create table seats (id bigint primary key, account_id text, user_id text, assigned_on date, released_on date,"
        " note text, updated_at timestamptz)",
        "insert into seats select n, 'A1', 'U' || n, date '2026-06-01', null, 'private',"
        " timestamptz '2026-06-30 10:00+00' + n * interval '1 minute' from generate_series(1, 3) n",
    )
    return server


def mapped(contract: str = TABLE, columns: dict[str, Any] | None = None, **postgres: Any) -> TableMapping:
    """The mapping of a contract table to the table of seats, or to what the keywords say."""
    relation = {} if "query" in postgres else {"table": "public.seats"}
    body = {"postgres": {"dsn_env": DSN, "cursor": "updated_at"} | relation | postgres, "columns": columns or COLUMNS}
    return Mapping(name="t", description="t", first_day=date(2026, 6, 1), tables={contract: body}).tables[contract]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Extraction]:
    def run(now: datetime = DAY, **postgres: Any) -> Extraction:
        return extract(load_contracts()[TABLE], mapped(**postgres), tmp_path, now)

    return run


def landed(landing: Path, columns: str = "id") -> list[tuple]:
    files = str(landing / "postgres" / TABLE / "*.parquet")
    with duckdb.connect() as engine:
        engine.execute("set timezone = 'UTC'")
        query = f"select {columns} from read_parquet($1, union_by_name = true, filename = true) order by filename, id"
        return engine.execute(query, [files]).fetchall()


def load(connection: duckdb.DuckDBPyConnection, landing: Path, day: date = date(2026, 7, 1)) -> LandingReport:
    start = datetime.combine(day, datetime.min.time())
    window = Window(day, day + timedelta(days=1), start, start + timedelta(days=1))
    return load_table(connection, load_contracts()[TABLE], mapped(), landing, window, window.known_before)


def versions(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute(
        f"select assignment_id, version_no, user_id, known_to is null from raw.{TABLE} order by all"
    ).fetchall()


def test_the_first_load_brings_every_row_with_its_load_time(seats, read, tmp_path, connection):
    assert read() == Extraction(rows_read=3, rows_new=3, files=1)
    assert landed(tmp_path, f"id, {EXTRACTED_AT}::varchar") == [(n, "2026-07-01 06:00:00+00") for n in (1, 2, 3)]
    report = load(connection, tmp_path)
    assert (report.rows_loaded, report.rows_quarantined) == (3, 0)
    assert connection.execute(f"select distinct known_from, is_known_at_assumed from raw.{TABLE}").fetchall() == [
        (DAY.replace(tzinfo=None), False)
    ]


def test_columns_that_the_mapping_does_not_name_stay_in_the_database(seats, read, tmp_path):
    read()
    [file] = (tmp_path / "postgres" / TABLE).glob("*.parquet")
    assert b"private" not in file.read_bytes()
    with duckdb.connect() as engine:
        described = engine.execute("describe select * from read_parquet($1)", [str(file)]).fetchall()
    assert {row[0] for row in described} == {*COLUMNS.values(), EXTRACTED_AT}


def test_an_increment_brings_only_what_is_new_and_an_update_is_a_new_version(seats, read, tmp_path, connection):
    read()
    seats.execute(
        "insert into seats values (4, 'A1', 'U4', '2026-06-02', null, null, '2026-07-01 09:00+00')",
        "update seats set user_id = 'U9', updated_at = '2026-07-01 09:30+00' where id = 2",
    )
    assert read(DAY + timedelta(hours=4)) == Extraction(rows_read=4, rows_new=2, files=1)
    report = load(connection, tmp_path)
    assert (report.rows_loaded, report.rows_quarantined) == (5, 0)
    assert versions(connection) == [
        ("1", 1, "U1", True), ("2", 1, "U2", False), ("2", 2, "U9", True), ("3", 1, "U3", True), ("4", 1, "U4", True),
    ]


def test_rows_read_again_in_the_overlap_make_no_new_version(seats, read, tmp_path):
    read()
    for hour in (1, 2, 3):
        assert read(DAY + timedelta(hours=hour)) == Extraction(rows_read=3, rows_new=0, files=0)
    assert len(landed(tmp_path)) == 3


def test_an_update_that_forgets_the_cursor_is_seen_inside_the_overlap_and_again_when_taken_back(seats, read, tmp_path):
    read()
    seats.execute("update seats set user_id = 'U7' where id = 3")
    assert read(DAY + timedelta(hours=1)).rows_new == 1
    seats.execute("update seats set user_id = 'U3' where id = 3")
    assert read(DAY + timedelta(hours=2)).rows_new == 1
    assert read(DAY + timedelta(hours=3)).rows_new == 0
    assert [row for row in landed(tmp_path, "id, user_id") if row[0] == 3] == [(3, "U3"), (3, "U7"), (3, "U3")]


def test_a_transaction_that_commits_late_is_found_in_the_overlap_and_missed_without_it(seats, read, tmp_path):
    late = "insert into seats values (5, 'A1', 'U5', '2026-06-02', null, null, '2026-06-30 09:30+00')"
    with seats.connect() as writer:
        with writer.cursor() as cursor:
            cursor.execute(late)
        read()
        assert len(landed(tmp_path)) == 3
        writer.commit()
    assert read(DAY + timedelta(hours=1), overlap=0 * timedelta(hours=1)).rows_new == 0
    assert read(DAY + timedelta(hours=2)).rows_new == 1
    assert [row for (row,) in landed(tmp_path)] == [1, 2, 3, 5]


def test_rows_without_a_cursor_come_once(seats, read):
    seats.execute("insert into seats values (6, 'A1', 'U6', '2026-06-02', null, null, null)")
    assert read().rows_new == 4
    assert read(DAY + timedelta(hours=1)).rows_new == 0


@pytest.mark.parametrize("cursor", ["'2099-01-01'", "'infinity'"])
def test_a_cursor_in_the_future_hides_nothing(seats, read, cursor):
    seats.execute(f"insert into seats values (7, 'A1', 'U7', '2026-06-02', null, null, {cursor})")
    assert read().rows_new == 4
    seats.execute("insert into seats values (8, 'A1', 'U8', '2026-06-02', null, null, '2026-07-01 07:00+00')")
    assert read(DAY + timedelta(hours=2)).rows_new == 1
    assert read(DAY + timedelta(hours=3)).rows_new == 0


def test_an_integer_cursor_and_a_query(seats, read, tmp_path):
    query = "select *, id * 10 as place from seats where account_id = 'A1' -- seats of one account"
    columns = {"query": query, "cursor": "place", "key": ["id"]}
    assert read(**columns).rows_new == 3
    seats.execute("insert into seats values (9, 'A1', 'U9', '2026-06-02', null, null, null)")
    assert read(DAY + timedelta(hours=1), overlap=10, **columns) == Extraction(rows_read=3, rows_new=1, files=1)


def test_many_rows_come_in_bounded_batches_and_load_once(seats, read, tmp_path, connection):
    seats.execute(
        "insert into seats select n, 'A' || n % 50, 'U' || n, date '2026-06-01', null, null,"
        " timestamptz '2026-06-01 00:00+00' + n * interval '10 second' from generate_series(10, 100006) n"
    )
    done = read(batch_rows=30_000)
    assert (done.rows_read, done.rows_new, done.files) == (100_000, 100_000, 4)
    with duckdb.connect() as engine:
        files = str(tmp_path / "postgres" / TABLE / "*.parquet")
        sizes = engine.execute("select count(*) from read_parquet($1, filename = true) group by filename", [files])
        assert max(size for (size,) in sizes.fetchall()) == 30_000
    report = load(connection, tmp_path)
    assert (report.rows_loaded, report.rows_quarantined, report.files) == (100_000, 0, 4)
    assert read(DAY + timedelta(hours=1), batch_rows=30_000).rows_new == 0


KILLED = """
    import os, signal, sys
    from datetime import datetime, UTC
    from pathlib import Path
    import test_postgres
    from expansion_assets.sources.contracts import load_contracts
    from expansion_assets.sources.postgres import extract

    landing, moment, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    rename, renamed = Path.replace, []

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def rename_or_die(self, target):
        renamed.append(target)
        if moment == "whole but not named" and len(renamed) == number:
            die()
        if moment == "half written" and len(renamed) == number:
            self.write_bytes(self.read_bytes()[:100])
            die()
        found = rename(self, target)
        if moment == "named" and len(renamed) == number:
            die()
        return found

    Path.replace = rename_or_die
    extract(load_contracts()[test_postgres.TABLE], test_postgres.mapped(batch_rows=2000), landing,
            datetime(2026, 7, 1, 6, tzinfo=UTC))
"""


@pytest.mark.parametrize("moment", ["half written", "whole but not named", "named"])
@pytest.mark.parametrize("number", [1, 8])
def test_a_kill_and_a_rerun_leave_the_rows_of_an_undisturbed_read(seats, tmp_path, read, connection, moment, number):
    seats.execute(
        "insert into seats select n, 'A1', 'U' || n, date '2026-06-01', null, null,"
        # A thousand rows share each cursor: a batch ends in the middle of them.
        " timestamptz '2026-06-01 00:00+00' + (n / 1500) * interval '1 day' from generate_series(10, 30006) n"
    )
    folder = tmp_path / "postgres" / TABLE
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), moment, str(number)],
        env=os.environ | {"PYTHONPATH": paths}, check=False,
    )
    assert finished.returncode == -signal.SIGKILL
    assert len(list(folder.glob("*.parquet"))) == (number if moment == "named" else number - 1)
    read(DAY + timedelta(hours=1))
    assert sorted(row for (row,) in landed(tmp_path)) == [1, 2, 3, *range(10, 30007)]
    assert not list(folder.glob("*.part"))
    assert read(DAY + timedelta(hours=2)).rows_new == 0
    assert load(connection, tmp_path).rows_loaded == 30_000


def test_a_server_that_dies_in_the_middle_leaves_whole_files_and_one_line(seats, read, tmp_path, monkeypatch):
    seats.execute(
        "insert into seats select n, 'A1', 'U' || n, date '2026-06-01', null, null, now() from"
        " generate_series(10, 300000) n"
    )
    from expansion_assets.sources import postgres

    write = postgres._Reader._write

    def write_and_cut(self, rows):
        write(self, rows)
        if len(self.files) == 2:
            seats.execute("select pg_terminate_backend(pid) from pg_stat_activity where query like 'COPY%'")

    monkeypatch.setattr(postgres._Reader, "_write", write_and_cut)
    with pytest.raises(ExtractionError, match=rf"^public\.seats on 127\.0\.0\.1:{seats.port}/postgres: ") as caught:
        read(batch_rows=1000)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    monkeypatch.setenv(DSN, seats.dsn())
    read(DAY + timedelta(hours=1))
    rows = [row for (row,) in landed(tmp_path)]
    assert len(rows) == len(set(rows)) == 299_994


def test_the_first_load_can_be_assumed_known_as_it_happened(seats, tmp_path, connection, read):
    read(assume_history=True)
    seats.execute("insert into seats values (4, 'A1', 'U4', '2026-06-02', null, null, '2026-07-01 05:00+00')")
    read(DAY + timedelta(hours=1), assume_history=True)
    load(connection, tmp_path)
    found = connection.execute(
        f"select assignment_id, known_from, is_known_at_assumed from raw.{TABLE} order by all"
    ).fetchall()
    assert found == [
        *[(str(n), datetime(2026, 7, 1, 10, n), True) for n in (1, 2, 3)],
        ("4", datetime(2026, 7, 1, 7), False),
    ]


def test_a_dropped_column_is_named_and_a_dropped_cursor_is_one_line(seats, read, tmp_path, connection):
    read()
    seats.execute("alter table seats drop column note", "alter table seats drop column user_id",
                  "update seats set updated_at = '2026-07-01 05:00+00' where id = 1")
    assert read(DAY + timedelta(hours=1)).rows_new == 1
    report = load(connection, tmp_path)
    assert report.rules == {"missing_column:user_id": 1}
    assert report.rows_loaded == 3
    seats.execute("alter table seats drop column updated_at")
    with pytest.raises(ExtractionError, match=r"public\.seats on .*: column updated_at of its cursor and key is missi"):
        read(DAY + timedelta(hours=2))


def test_a_column_that_changes_its_type_does_not_stop_the_reading(seats, read, tmp_path):
    read()
    seats.execute("alter table seats alter column account_id type integer using 1", "alter table seats rename to x",
                  "alter table x rename to seats")
    assert read(DAY + timedelta(hours=1)).rows_new == 3
    assert read(DAY + timedelta(hours=2)).rows_new == 0


def test_an_empty_table_is_empty_not_missing(seats, read, tmp_path, connection):
    seats.execute("delete from seats")
    assert read().rows_read == 0
    assert load(connection, tmp_path).status == "empty"


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("", "the environment variable EXPANSION_TEST_DSN has no connection string"),
        ("postgresql//app:hunter2@h/d", "EXPANSION_TEST_DSN is no PostgreSQL connection string"),
        ("postgresql://app:hunter 2@h/d", "EXPANSION_TEST_DSN is no PostgreSQL connection string"),
        ("postgresql://app:hunter2@127.0.0.1:port/d", "EXPANSION_TEST_DSN is no PostgreSQL connection string"),
        ("postgresql://app:hunter2@127.0.0.1:1/shop", "public.seats on 127.0.0.1:1/shop: connection to server"),
        ("host=127.0.0.1 port=1 dbname=shop password=hunter2", "public.seats on 127.0.0.1:1/shop: connection to serv"),
        ("host=127.0.0.1 hunter2=hunter2 port=1", "the connection string in EXPANSION_TEST_DSN is not understood"),
        ("postgresql://app:hunter2@127.0.0.1:{port}/postgres", 'password authentication failed for user "app"'),
        ("postgresql://app:s3cret%2Fpass%20word@127.0.0.1:{port}/nowhere", 'database "nowhere" does not exist'),
    ],
)
def test_a_wrong_connection_is_one_line_without_the_password(seats, tmp_path, monkeypatch, caplog, dsn, words):
    monkeypatch.setenv(DSN, dsn.format(port=seats.port))
    [problem] = refresh(load_contracts()[TABLE], mapped(), tmp_path, DAY)
    assert words in problem
    assert "\n" not in problem
    for secret in ("hunter", "s3cret", "pass word"):
        assert secret not in problem + caplog.text


def test_a_missing_table_is_named_with_its_server(seats, tmp_path):
    [problem] = refresh(load_contracts()[TABLE], mapped(table="nowhere.seats"), tmp_path, DAY)
    assert problem == f'nowhere.seats on 127.0.0.1:{seats.port}/postgres: relation "nowhere.seats" does not exist'


def test_the_database_cannot_be_changed_by_a_query(seats, tmp_path):
    query = "select *, pg_notify('channel', 'text'), nextval('counter') from seats"
    seats.execute("create sequence if not exists counter")
    [problem] = refresh(load_contracts()[TABLE], mapped(query=query), tmp_path, DAY)
    assert "read-only transaction" in problem
    with seats.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from seats")
        assert cursor.fetchall() == [(3,)]


def test_types_arrive_as_the_contract_judges_them(seats, tmp_path, connection, monkeypatch):
    seats.execute(
        "drop table if exists lines",
        "drop type if exists unit_kind",
        "create type unit_kind as enum ('seat', 'plan')",
        "create table lines (id uuid, acc jsonb, product varchar(9), unit unit_kind, quantity numeric(12, 2),"
        " price numeric, is_restricted boolean, departments text[], starts date, signed timestamptz, local timestamp)",
        "insert into lines values"
        " ('9c0ab27c-5f9f-45f7-805a-03f0ddfd9aff', '{\"a\": 1}', 'Core', 'seat', 12.50, 0.1, true, '{ops,null,it}',"
        "  '2026-06-01', '2026-06-01 10:00+02', '2026-06-01 10:00'),"
        " ('9c0ab27c-5f9f-45f7-805a-03f0ddfd9afe', null, 'Core', 'seat', 'NaN', null, null, null,"
        "  'infinity', '2026-06-01 10:00+02', null)",
    )
    table = "billing_subscription_lines"
    mapping = mapped(
        table, {
            "line_id": "id", "account_id": {"column": "acc", "default": "none"}, "product": "product", "unit": "unit",
            "quantity": "quantity", "unit_price": "price", "restricts_departments": "is_restricted",
            "licensed_departments": {"column": "departments", "list_separator": "|"}, "starts_on": "starts",
            "signed_at": "signed", "ends_on": "local",
        }, query="select * from lines", cursor="signed",
    )
    contract = load_contracts()[table]
    extract(contract, mapping, tmp_path, DAY)
    window = Window(date(2026, 7, 1), date(2026, 7, 2), datetime(2026, 7, 1), datetime(2026, 7, 2))
    report = load_table(connection, contract, mapping, tmp_path, window, datetime(2026, 7, 2))
    assert report.rules == {"not_finite:quantity": 1}
    assert connection.execute(
        "select line_id, account_id, unit, quantity, unit_price, restricts_departments, licensed_departments,"
        f" starts_on, signed_at, ends_on from raw.{table}"
    ).fetchall() == [(
        "9c0ab27c-5f9f-45f7-805a-03f0ddfd9aff", '{"a": 1}', "seat", 12.5, 0.1, True, "ops|it", date(2026, 6, 1),
        datetime(2026, 6, 1, 8), date(2026, 6, 1),
    )]


def test_deleted_rows_are_reported_once_and_may_come_back(seats, tmp_path, connection):
    contract = load_contracts()[TABLE]
    mapping = mapped(columns=COLUMNS | {"is_deleted": "_is_deleted"}, deletes=True)

    def read_and_load(hour: int) -> tuple[Extraction, LandingReport]:
        done = extract(contract, mapping, tmp_path, DAY + timedelta(hours=hour))
        window = Window(date(2026, 7, 1), date(2026, 7, 2), datetime(2026, 7, 1), datetime(2026, 7, 2))
        return done, load_table(connection, contract, mapping, tmp_path, window, window.known_before)

    assert read_and_load(0)[0] == Extraction(rows_read=3, rows_new=3, files=1)
    seats.execute("delete from seats where id = 2")
    done, report = read_and_load(1)
    assert (done.rows_gone, report.rows_gone, report.rules) == (1, 1, {})
    assert read_and_load(2)[0] == Extraction(rows_read=2, rows_new=0, files=0)
    seats.execute("insert into seats values (2, 'A1', 'U2', '2026-06-01', null, 'x', '2026-06-30 10:02+00')")
    assert read_and_load(3)[0] == Extraction(rows_read=3, rows_new=1, files=1)
    assert read_and_load(4)[0] == Extraction(rows_read=3, rows_new=0, files=0)
    assert connection.execute(
        f"select known_from, known_to from raw.{TABLE} where assignment_id = '2' order by 1"
    ).fetchall() == [
        (datetime(2026, 7, 1, 6), datetime(2026, 7, 1, 7)), (datetime(2026, 7, 1, 9), None),
    ]
    seats.execute("delete from seats")
    with pytest.raises(ExtractionError, match=r"the table is empty; that all 3 landed rows were deleted is not beli"):
        read_and_load(5)


def test_a_server_that_does_not_answer_makes_the_trigger_blind_with_its_reason(tmp_path, connection, monkeypatch):
    monkeypatch.setenv(DSN, "postgresql://app:hunter2@127.0.0.1:1/shop")
    contract, mapping = load_contracts()[TABLE], mapped()
    problems = refresh(contract, mapping, tmp_path, DAY)
    window = Window(date(2026, 7, 1), date(2026, 7, 2), datetime(2026, 7, 1), datetime(2026, 7, 2))
    report = load_table(connection, contract, mapping, tmp_path, window, window.known_before, problems=problems)
    assert report.status == "missing"
    [row] = connection.execute("select source, source_table, window_start, status, message from raw.landing_status"
                               ).fetchall()
    assert row[:4] == ("product", TABLE, date(2026, 7, 1), "missing")
    assert row[4].startswith("public.seats on 127.0.0.1:1/shop: connection to server at")
    assert "hunter2" not in row[4]


def test_rows_landed_before_are_loaded_while_the_server_does_not_answer(seats, read, tmp_path, connection, monkeypatch):
    read()
    monkeypatch.setenv(DSN, "postgresql://app:hunter2@127.0.0.1:1/shop")
    contract, mapping = load_contracts()[TABLE], mapped()
    problems = refresh(contract, mapping, tmp_path, DAY + timedelta(days=1))
    for day, status, rows in ((1, "loaded", 3), (2, "failed", 0)):
        start = datetime(2026, 7, day)
        window = Window(start.date(), start.date() + timedelta(days=1), start, start + timedelta(days=1))
        report = load_table(connection, contract, mapping, tmp_path, window, window.known_before, problems=problems)
        assert (report.status, report.rows_loaded) == (status, rows)
        assert "public.seats on 127.0.0.1:1/shop" in report.messages[0]
