"""Rows as the store hands them to the diagnostic: groups of accounts, history of tables, landing, match rates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.readiness.diagnostic import build_diagnostic
from expansion_assets.readiness.fixes import DataSet
from expansion_assets.readiness.needs import all_watches
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.mapping import own_mapping

Row = dict[str, Any]
DAY = date(2026, 6, 30)
FLAGS = list(dict.fromkeys(flag for watch in all_watches() for flag in watch.flags))
TABLES = list(dict.fromkeys(table for watch in all_watches() for table in watch.tables))
COLUMNS = {table: watch.column for watch in all_watches() for table in watch.tables if watch.column}
ALL_ON = dict.fromkeys(FLAGS, True)


def group(accounts: int = 10, arr: float = 1000.0, unknown: int = 0, **flags: Any) -> Row:
    return {"as_of_date": DAY, "currency": "EUR", "accounts": accounts, "arr": arr, "accounts_arr_unknown": unknown,
            **ALL_ON, **flags}


def off(*names: str) -> Row:
    return {name if name == "contracted_seats" else f"watchable_{name}": False for name in names}


def history(**changes: Row | None) -> list[Row]:
    """One row per table, fresh and filled; a table given as None has no row at all."""
    rows = []
    for table in ("crm_accounts", *TABLES):
        change = changes.get(table, {})
        if change is not None:
            rows.append({
                "as_of_date": DAY, "source_table": table, "rows_total": 100, "rows_assumed": 0,
                "first_loaded_on": DAY - timedelta(days=365), "first_assumed_on": None, "newest_known_on": DAY,
                "filled_columns": COLUMNS.get(table), **change,
            })
    return rows


def landing(table: str, status: str, message: str = "") -> Row:
    return {"source_table": table, "status": status, "message": message, "window_start": DAY}


def match_rate(table: str, rows_total: int = 100, rows_matched: int = 100, arr_matched: float = 900.0) -> Row:
    return {"as_of_date": DAY, "source_table": table, "rows_total": rows_total, "rows_matched": rows_matched,
            "arr_matched": arr_matched, "arr_total": 1000.0}


def data_set(
    absent: dict[str, str] | None = None, without: tuple[str, ...] = (), columns: Row | None = None
) -> DataSet:
    """The project's own contracts; ``without`` takes tables out of the mapping, ``columns`` single columns."""
    contracts = load_contracts()
    mapping = own_mapping(contracts, DAY - timedelta(days=365), DAY)
    tables = {name: table for name, table in mapping.tables.items() if name not in without}
    for table, column in (columns or {}).items():
        kept = {name: spec for name, spec in tables[table].columns.items() if name != column}
        tables[table] = tables[table].model_copy(update={"columns": kept})
    return DataSet(contracts, mapping.model_copy(update={"tables": tables, "absent": absent or {}}))


def diagnose(
    groups: list[Row], tables: list[Row] | None = None, landed: tuple[Row, ...] = (), rates: tuple[Row, ...] = (),
    data: DataSet | None = None,
) -> tuple[dict[tuple[str, str], Row], list[Row]]:
    """Rows of the diagnostic by trigger and source, and the fixes."""
    rows, fixes = build_diagnostic(
        groups, history() if tables is None else tables, landed, rates, load_catalogue().signals, data or data_set(),
        [DAY],
    )
    return {(row["trigger"], row["source"]): row for row in rows}, fixes
