"""What the quality page says: which expectations were held against which rows, and what failed.

Belongs here: the page's data from kept results. Does not belong here: the verdicts (``expectations``), SQL, markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from expansion_assets.scan import words

Row = Mapping[str, Any]
# Expectation type -> what it asks of a value.
EXPECTATIONS = {
    "expect_column_values_to_not_be_null": "must have a value",
    "expect_column_values_to_be_in_set": "must be one of the allowed values",
    "expect_column_values_to_be_between": "must lie within its bounds",
    "expect_column_values_to_be_unique": "must be different in every row",
    "expect_compound_columns_to_be_unique": "must together be different in every row",
}


def build_quality(day: date, results: Sequence[Row]) -> dict[str, Any]:
    """Build the page's data.

    Args:
        day: Last day of the run.
        results: Rows of ``quality.expectation_results`` of that day, ordered by table.

    Returns:
        ``as_of, window_start, totals, failing`` (tables with what failed), ``passing`` (tables that hold) and
        ``without_rows`` (names of tables that had no row to judge).
    """
    tables = [_table(name, list(rows)) for name, rows in groupby(results, key=lambda row: row["checked_table"])]
    failing = sorted((table for table in tables if table["failures"]), key=lambda table: (-table["unexpected"],
                                                                                         table["name"]))
    return {
        "as_of": day,
        "window_start": min((row["window_start"] for row in results), default=day),
        "totals": {
            "tables": len(tables),
            "rows": sum(table["rows"] for table in tables),
            "expectations": sum(table["expectations"] for table in tables),
            "failed": sum(len(table["failures"]) for table in tables),
            "failing_tables": len(failing),
        },
        "failing": failing,
        "passing": [table for table in tables if not table["failures"] and table["rows"]],
        "without_rows": [table["name"] for table in tables if not table["failures"] and not table["rows"]],
    }


def _table(name: str, results: list[Row]) -> dict[str, Any]:
    failures = [_failure(row) for row in results if not row["is_success"]]
    return {
        "name": name,
        "rows": max(row["rows_checked"] for row in results),
        "expectations": len(results),
        "unexpected": sum(failure["count"] or 0 for failure in failures),
        "failures": failures,
    }


def _failure(row: Row) -> dict[str, Any]:
    return {
        "columns": row["column_names"],
        "expectation": row["expectation"],
        "asks": EXPECTATIONS.get(row["expectation"], row["expectation"].removeprefix("expect_").replace("_", " ")),
        "count": row["unexpected_count"],
        "share_pct": _share(row["unexpected_count"], row["rows_checked"]),
        "problem": row["problem"],
        "days": _days(row["failed_from"], row["failed_to"]),
        "examples": json.loads(row["examples_json"]) if row["examples_json"] else [],
    }


def _share(part: int | None, whole: int) -> str:
    """A share as it is read; a few rows of many are not nothing, and many are not all."""
    if not part or not whole:
        return "0 %"
    if part < whole / 1000:
        return "less than 0.1 %"
    if whole - whole / 1000 < part < whole:
        return "more than 99.9 %"
    return words.number(round(100 * part / whole, 1), "share_pct")


def _days(first: date | None, last: date | None) -> str | None:
    if first is None or last is None:
        return None
    return words.day(first) if first == last else f"{words.day(first)} to {words.day(last)}"
