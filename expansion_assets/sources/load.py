"""Loading one raw table for a window of days: read, judge row by row, write versions and quarantine in one transaction.

Belongs here: the order of the steps over the files of one table. Does not belong here: file formats (``landing``),
values (``parsing``), rules (``judging``), what is written (``versions``), joins, Dagster.
"""

from __future__ import annotations

import csv
import logging
from datetime import datetime
from pathlib import Path

import duckdb

from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.judging import judge, missing_columns, refuse_duplicates, start_staging
from expansion_assets.sources.landing import Incoming, find_files, read_file
from expansion_assets.sources.mapping import TableMapping
from expansion_assets.sources.report import LandingReport, Window
from expansion_assets.sources.sql import literal
from expansion_assets.sources.versions import write

logger = logging.getLogger(__name__)


def load_table(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    mapping: TableMapping | None,
    directory: Path,
    window: Window,
    now: datetime,
    absent_reason: str | None = None,
) -> LandingReport:
    """Load one raw table for a window of days.

    Args:
        connection: Warehouse connection; ``create_raw_tables`` has run.
        contract: What must hold.
        mapping: Where the columns are; None when the data set has no such table.
        directory: Root of the landing files.
        window: Days whose newly known rows are (re)loaded.
        now: The instant of this run, UTC; facts later than its day are in the future.
        absent_reason: Why there is no mapping, for the status row.

    Returns:
        Counts and messages; a broken or missing file is reported, never raised.
    """
    report = LandingReport(contract.source, contract.name)
    start_staging(connection, contract)
    if mapping is None:
        report.status = "missing"
        report.messages.append(absent_reason or "the data set has no such table")
    else:
        _stage_files(connection, contract, mapping, directory, window, now, report)
    refuse_duplicates(connection, contract, is_versioned=bool(mapping and mapping.loaded_at))
    write(connection, contract, window, now, report)
    if report.rules:
        logger.warning("%s: quarantined %s", contract.name, report.rules)
    return report


def _stage_files(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    mapping: TableMapping,
    directory: Path,
    window: Window,
    now: datetime,
    report: LandingReport,
) -> None:
    if not find_files(directory, mapping.files):
        report.status = "missing"
        report.messages.append(f"no file matches {mapping.files}")
        return
    is_versioned = mapping.loaded_at is not None
    files = find_files(directory, mapping.files, *((window.start, window.end) if is_versioned else ()))
    batch: Incoming | None = None
    for path in files:
        report.files += 1
        try:
            incoming = read_file(connection, path, mapping.format)
        except (duckdb.Error, csv.Error) as error:
            reason = str(error).splitlines()[0]
            report.messages.append(f"{path.name}: unreadable file: {reason}")
            _refuse_file(connection, path, "unreadable_file", literal(reason))
            continue
        if incoming.is_empty:
            report.messages.append(f"{path.name}: empty file")
            _refuse_file(connection, path, "empty_file", "null")
            continue
        connection.execute(
            f"insert into refused select {literal(path.name)}, row_number, rule, raw_json, null from unreadable"
        )
        _compare_columns(contract, mapping, incoming, path, report)
        # Judging is one statement for all files of one shape: a year of monthly files costs as much as one.
        if batch is not None and batch.columns == incoming.columns:
            connection.execute(f"insert into batch by name select {literal(path.name)} as file_, * from incoming")
            continue
        if batch is not None:
            judge(connection, contract, mapping, batch, window, now)
        batch = incoming
        connection.execute(
            f"create or replace temp table batch as select {literal(path.name)} as file_, * from incoming"
        )
    if batch is not None:
        judge(connection, contract, mapping, batch, window, now)


def _refuse_file(connection: duckdb.DuckDBPyConnection, path: Path, rule: str, raw_json: str) -> None:
    connection.execute(f"insert into refused values ({literal(path.name)}, 0, '{rule}', {raw_json}, null)")


def _compare_columns(
    contract: TableContract, mapping: TableMapping, incoming: Incoming, path: Path, report: LandingReport
) -> None:
    """Report what a file lacks and what it has beyond the contract."""
    for name in missing_columns(contract, mapping, incoming):
        report.messages.append(f"{path.name}: required column {name} is missing")
    sources = {spec.column for spec in (*mapping.columns.values(), mapping.loaded_at) if spec and spec.column}
    unknown = sorted(set(incoming.columns) - sources)
    if unknown and mapping.loaded_at is not None:
        report.messages.append(f"{path.name}: columns not in the contract: {', '.join(unknown)}")
