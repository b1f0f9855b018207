"""Results of expectations, the quarantine and the landing status: kept and read for the pages.

Belongs here: the queries. Does not belong here: the verdict (``expectations``), masking and words (``scan``).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from expansion_assets.expectations.validation import Result, SuiteResult
from expansion_assets.scan.quality import build_quality
from expansion_assets.scan.quarantine import build_quarantine
from expansion_assets.sources.sql import literal
from expansion_assets.store.warehouse import fetch_rows, replace_window
from expansion_assets.tables import EXPECTATION_RESULTS
from expansion_assets.workspace import Workspace

Row = dict[str, Any]
QUARANTINE_EXAMPLES = 3
# Not mended, of what was known by an instant ($1); a date in the future lies after every instant.
_UNRESOLVED = "resolved_at is null and (known_from is null or known_from < $1 or starts_with(rule, 'future_'))"


def keep_results(
    connection: duckdb.DuckDBPyConnection, table: str, days: tuple[date, date], result: SuiteResult
) -> None:
    """Keep what a suite found on a table in the days [start, end) of a run, in place of what earlier runs found."""
    connection.execute(f"create schema if not exists {EXPECTATION_RESULTS.schema}")
    connection.execute(EXPECTATION_RESULTS.ddl())
    rows = [_as_row(table, days, item) for item in result.results]
    replace_window(connection, EXPECTATION_RESULTS, rows, *days, where=f"checked_table = {literal(table)}")


def _as_row(table: str, days: tuple[date, date], result: Result) -> Row:
    return {
        "as_of_date": days[1] - timedelta(days=1),
        "window_start": days[0],
        "checked_table": table,
        "expectation": result.expectation.type,
        "column_names": ", ".join(result.expectation.columns),
        "rows_checked": result.rows,
        "unexpected_count": result.unexpected_count,
        "is_success": result.is_success,
        "problem": result.problem,
        "failed_from": result.first_day,
        "failed_to": result.last_day,
        "examples_json": json.dumps([asdict(item) for item in result.examples]) if result.examples else None,
    }


def quality_data(connection: duckdb.DuckDBPyConnection, day: date) -> Row:
    """Data of the quality page of a day."""
    return build_quality(day, expectation_rows(connection, day))


def quarantine_data(connection: duckdb.DuckDBPyConnection, workspace: Workspace, day: date) -> Row:
    """Data of the quarantine page of a day; rows are masked."""
    window = workspace.window(day, day + timedelta(days=1))
    landing_names = {table: mapping.landing_names() for table, mapping in workspace.mapping.tables.items()}
    return build_quarantine(
        day,
        quarantine_groups(connection, window.known_before),
        quarantine_examples(connection, window.known_before),
        resolved_since(connection, window.known_from),
        landing_rows(connection, day),
        workspace.contracts,
        landing_names,
    )


def expectation_rows(connection: duckdb.DuckDBPyConnection, day: date) -> list[Row]:
    """Results of the run whose last day this is, by table and in the order of expectation and column."""
    return fetch_rows(
        connection,
        f"select * from {EXPECTATION_RESULTS.full_name} where as_of_date = $1"
        " order by checked_table, expectation, column_names",
        [day],
    )


def quarantine_groups(connection: duckdb.DuckDBPyConnection, known_before: datetime) -> list[Row]:
    """Unresolved rows by source, table and rule, of what was known before an instant (UTC)."""
    return fetch_rows(
        connection,
        f"""
        select source, "table", rule, count(*) as row_count, count(distinct file) as file_count,
            min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at
        from raw.quarantine
        where {_UNRESOLVED}
        group by source, "table", rule
        order by source, "table", row_count desc, rule
        """,
        [known_before],
    )


def quarantine_examples(connection: duckdb.DuckDBPyConnection, known_before: datetime) -> list[Row]:
    """The first rows of each group of :func:`quarantine_groups`. Raw: to be masked before they are shown."""
    return fetch_rows(
        connection,
        f"""
        select source, "table", rule, file, row_number, raw_json
        from (
            select *, row_number() over (
                partition by source, "table", rule order by file, row_number, raw_json
            ) as place
            from raw.quarantine
            where {_UNRESOLVED}
        )
        where place <= {QUARANTINE_EXAMPLES}
        order by source, "table", rule, place
        """,
        [known_before],
    )


def resolved_since(connection: duckdb.DuckDBPyConnection, since: datetime) -> list[Row]:
    """Rows that left the quarantine at or after an instant (UTC), by source, table and rule."""
    return fetch_rows(
        connection,
        """
        select source, "table", rule, count(*) as row_count
        from raw.quarantine
        where resolved_at >= $1
        group by source, "table", rule
        order by source, "table", rule
        """,
        [since],
    )


def landing_rows(connection: duckdb.DuckDBPyConnection, day: date) -> list[Row]:
    """How each table's landing stood in the newest load whose window holds the day."""
    return fetch_rows(
        connection,
        """
        select source, source_table, window_start, status, files, rows_in, rows_loaded, rows_quarantined, message
        from (
            select *, row_number() over (
                partition by source_table order by loaded_at desc, window_start desc, window_end
            ) as place
            from raw.landing_status
            where window_start <= $1 and window_end > $1
        )
        where place = 1
        order by source, source_table
        """,
        [day],
    )
