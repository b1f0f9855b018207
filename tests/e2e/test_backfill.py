"""A backfill gives, row for row, what sixty live evenings gave, whatever came late, was corrected or taken back."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from expansion_assets.workspace import DEMO_LAST_DAY
from expansion_assets.world.period import first_day_of
from tests.e2e.untidy_landing import deliver, read_landing, troubled, untidied

ACCOUNTS, MONTHS, EVENINGS = 8, 4, 60
WORLD = {"world_accounts": ACCOUNTS, "world_months": MONTHS}
DRIVER = Path(__file__).with_name("range_or_days.py")
FIRST = first_day_of(DEMO_LAST_DAY, MONTHS)
LAST_NUMBER = (DEMO_LAST_DAY - FIRST).days
# Everything that a run keeps; intermediate tables hold the days of the last run only.
SCHEMAS = ("raw", "identity", "features", "text", "triggers", "readiness", "outcomes")
APART = {
    "raw.landing_status": "a row a run",
    "raw.quarantine": "says when a run saw a row; that nothing is quarantined here is asserted",
}
# Bills of the language-model tagger, which nobody asks here.
UNPAID = {"text.batch_jobs", "text.spending", "text.usage"}
TIMES_OF_RUNS = {"text.readings": "read_at"}


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory, command) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("backfill")
    command(folder / "world", "world", **WORLD)
    arrivals = untidied(troubled(read_landing(folder / "world" / "landing")), FIRST, DEMO_LAST_DAY)
    deliver(arrivals, folder / "backfill" / "landing", FIRST, DEMO_LAST_DAY)
    (folder / "evenings").mkdir()
    (folder / "evenings" / "arrivals.pickle").write_bytes(pickle.dumps(arrivals))

    def run(*arguments: object) -> Path:
        state = folder / str(arguments[0])
        command(state, *map(str, arguments), script=DRIVER, **WORLD)
        return state / "warehouse" / "expansion.duckdb"

    # Side by side: they share nothing, and a run keeps one core busy.
    with ThreadPoolExecutor(max_workers=2) as pool:
        as_range = pool.submit(run, "backfill", LAST_NUMBER)
        as_evenings = pool.submit(run, "evenings", LAST_NUMBER - EVENINGS, LAST_NUMBER)
        return as_range.result(), as_evenings.result()


@pytest.fixture(scope="module")
def connection(warehouses):
    with duckdb.connect() as connection:
        for name, path in zip(("as_range", "as_evenings"), warehouses, strict=True):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        yield connection


def tables_of(connection: duckdb.DuckDBPyConnection, warehouse: str) -> set[str]:
    return {
        name
        for (name,) in connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_catalog = $1 and table_type = 'BASE TABLE' and list_contains($2, table_schema)",
            [warehouse, list(SCHEMAS)],
        ).fetchall()
    }


def test_every_table_is_the_same(connection):
    tables = tables_of(connection, "as_range")
    assert tables == tables_of(connection, "as_evenings")
    differing, empty = {}, set()
    for table in sorted(tables - set(APART)):
        apart = f" exclude ({TIMES_OF_RUNS[table]})" if table in TIMES_OF_RUNS else ""
        left, right = (f"select *{apart} from {name}.{table}" for name in ("as_range", "as_evenings"))
        only_range = connection.execute(f"{left} except all {right}").fetchall()
        only_evenings = connection.execute(f"{right} except all {left}").fetchall()
        if only_range or only_evenings:
            differing[table] = (len(only_range), len(only_evenings), only_range[:2], only_evenings[:2])
        if connection.execute(f"select count(*) from as_range.{table}").fetchone() == (0,):
            empty.add(table)
    assert differing == {}
    # The small world lacks some sources, never a result.
    assert {table for table in empty if not table.startswith("raw.")} == UNPAID
    assert len(empty - UNPAID) < 8


def test_the_evenings_were_many_and_untidy(connection):
    """Else equality would prove little."""
    first = DEMO_LAST_DAY - timedelta(days=EVENINGS)

    def count(query: str) -> int:
        return connection.execute(query, [first]).fetchone()[0]

    assert count("select count(distinct as_of_date) from as_evenings.features.account_day where as_of_date > $1") == 60
    assert count("select count(*) from as_evenings.raw.product_usage where known_from - used_on > interval 4 day"
                 " and known_from > $1") > 50
    assert count("select count(*) from as_evenings.raw.deletions where known_from > $1") > 30
    corrected = [
        table
        for table in tables_of(connection, "as_evenings")
        if table.startswith("raw.") and table not in {*APART, "raw.deletions"}
        and count(f"select count(*) from as_evenings.{table} where version_no > 1 and known_from > $1")
    ]
    assert len(corrected) > 15
    assert count("select count(*) from as_evenings.triggers.firing_events where as_of_date > $1") > 5
    assert connection.execute("select count(*) from as_range.raw.quarantine").fetchone() == (0,)


def test_a_backfill_loads_what_no_evening_knew_only_at_its_end(warehouses, connection):
    """The files of the backfill held corrections and deletions of days long before they arrived."""
    [(rows,)] = connection.execute(
        "select count(*) from as_range.raw.product_usage where known_to is not null"
        " and known_to > known_from + interval 10 day and known_from < $1", [date(2026, 6, 1)]
    ).fetchall()
    assert rows > 20
