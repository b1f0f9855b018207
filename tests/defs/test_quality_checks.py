"""Expectations as asset checks: counts, the failed expectation and masked examples; pages wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import duckdb
import pytest

from expansion_assets.definitions import defs
from expansion_assets.defs.checks import as_check_result, check_raw
from expansion_assets.defs.publish.quality import quality
from expansion_assets.sources.versions import create_raw_tables
from expansion_assets.store.quality import expectation_rows
from expansion_assets.workspace import load_workspace

DAY = load_workspace().today
DAYS = (DAY - timedelta(days=29), DAY + timedelta(days=1))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        create_raw_tables(opened, load_workspace().contracts)
        yield opened


def put_contact(connection: duckdb.DuckDBPyConnection, key: str, known: date, status: str = "active") -> None:
    connection.execute(
        """
        insert into raw.crm_contacts by name
        select $1 as contact_id, 'a1' as account_id, 'Jane Doe' as name, 'jane.doe@acme.example' as email,
            $3 as status, $2::timestamp as updated_at, $2::timestamp as happened_at, $2::timestamp as known_from,
            'c.jsonl' as source_file, 1 as source_row, $1 as row_key
        """,
        [key, known, status],
    )


def test_all_days_of_the_run_are_judged_and_failures_have_counts_and_masked_examples(connection):
    put_contact(connection, "jane.doe@acme.example", DAYS[0], "vanished")
    put_contact(connection, "c2", DAY)
    put_contact(connection, "c3", DAYS[0] - timedelta(days=1), "before the run")
    result = check_raw(connection, load_workspace().contracts["crm_contacts"], DAYS)
    check = as_check_result(["raw", "crm_contacts"], result, DAYS)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["rows"].value == 2
    assert check.metadata["unexpected_rows"].value == 1
    table = check.metadata["failures"].value
    assert "column_values_to_be_in_set(status) | 1 |" in table and "vanished" in table
    assert "jane" not in table and r"j\*\*\*@\*\*\*" in table
    kept = [row for row in expectation_rows(connection, DAY) if not row["is_success"]]
    assert [(row["checked_table"], row["column_names"], row["unexpected_count"]) for row in kept] == [
        ("raw.crm_contacts", "status", 1)]
    assert "jane" not in kept[0]["examples_json"]


def test_a_table_that_holds_passes_and_says_how_much_was_looked_at(connection):
    put_contact(connection, "c1", DAY)
    result = check_raw(connection, load_workspace().contracts["crm_contacts"], DAYS)
    check = as_check_result(["raw", "crm_contacts"], result, DAYS, is_blocking=True)
    assert (check.passed, check.severity) == (True, dg.AssetCheckSeverity.ERROR)
    assert check.metadata["rows"].value == 1
    assert "failures" not in check.metadata


def test_the_page_waits_for_the_checks_it_shows():
    graph = defs().resolve_asset_graph()
    waits_for = {
        parent for parent in graph.get(quality.key).parent_keys
        if any(graph.get(key).blocking for key in graph.asset_check_keys
               if key.asset_key == parent and key.name == "great_expectations")
    }
    assert waits_for == graph.get(quality.key).parent_keys
    assert dg.AssetKey(["readiness", "cards"]) in waits_for
