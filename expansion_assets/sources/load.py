"""Loading one raw table for a window of days: read, judge row by row, write versions and quarantine in one transaction.

Belongs here: the order of the steps over the files of one table. Does not belong here: file formats (``landing``,
``tolerant``), values (``parsing``), rows of a file that are not of the table (``picking``), rules (``judging``),
snapshots (``snapshots``), what is written (``versions``), databases (``postgres``), Dagster.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb

from expansion_assets.privacy.staged import suppress_staged
from expansion_assets.privacy.suppression import Suppression
from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.judging import (
    find_repeated,
    judge,
    missing_columns,
    refuse_duplicates,
    refuse_file,
    start_staging,
    unmapped_columns,
)
from expansion_assets.sources.landing import (
    GZIP_SUFFIX,
    Incoming,
    LandingFile,
    UnreadableFileError,
    find_files,
    open_bytes,
    relations,
)
from expansion_assets.sources.mapping import TableMapping
from expansion_assets.sources.picking import count_rows, pick, picks_rows, prepare_lookups, unite
from expansion_assets.sources.report import LandingReport, Window
from expansion_assets.sources.snapshots import keep_changes
from expansion_assets.sources.sql import quoted
from expansion_assets.sources.tolerant import read_tolerantly
from expansion_assets.sources.versions import write

logger = logging.getLogger(__name__)

MEMORY_LIMIT = "1200 MiB"
"""What DuckDB may hold in memory during a load; the process itself takes 200 MiB more."""


def load_table(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    mapping: TableMapping | None,
    directory: Path,
    window: Window,
    now: datetime,
    absent_reason: str | None = None,
    problems: Sequence[str] = (),
    suppression: Suppression | None = None,
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
        problems: Why files that this load should have found were not delivered (a database that did not answer).
        suppression: Who is forgotten: their rows do not come back.

    Returns:
        Counts and messages; a broken or missing file is reported, never raised.
    """
    report = LandingReport(contract.source, contract.name, messages=list(problems))
    with _bounded_memory(connection):
        _load(connection, contract, mapping, directory, window, now, absent_reason, suppression, report)
    if report.rules:
        logger.warning("%s: quarantined %s", contract.name, report.rules)
    return report


@contextmanager
def _bounded_memory(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let a load spill to disk beyond a bound: 10 million rows took 2.2 GiB without it and 1.4 GiB with it.

    The setting belongs to the whole database, so what was set before comes back.
    """
    [(before,)] = connection.execute("select current_setting('memory_limit')").fetchall()
    is_lowered = _bytes(before) > _bytes(MEMORY_LIMIT)
    if is_lowered:
        # Refused while more than that is in use: the load then runs with what there is.
        with suppress(duckdb.OutOfMemoryException):
            connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    try:
        yield
    finally:
        if is_lowered:
            connection.execute(f"set memory_limit = '{before}'")


def _bytes(size: str) -> float:
    number, unit = size.split()
    return float(number) * 1024 ** ("bytes", "KiB", "MiB", "GiB", "TiB").index(unit)


def _load(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    mapping: TableMapping | None,
    directory: Path,
    window: Window,
    now: datetime,
    absent_reason: str | None,
    suppression: Suppression | None,
    report: LandingReport,
) -> None:
    problems = tuple(report.messages)
    start_staging(connection, contract)
    read: set[str] = set()
    present: set[str] = set()
    if mapping is None:
        report.status = "missing"
        report.messages.append(absent_reason or "the data set has no such table")
    else:
        for part in mapping.inputs:
            has_others = len(mapping.inputs) > 1
            _stage_files(
                connection, contract, part, directory, window, now, report, read, present, has_others=has_others
            )
        if not present:
            report.status = "missing"
            patterns = dict.fromkeys(part.files for part in mapping.inputs if not (part.postgres and problems))
            report.messages += [f"no file matches {pattern}" for pattern in patterns]
    if suppression:
        report.messages += suppress_staged(connection, contract, suppression).messages
    has_repeated = find_repeated(connection)
    if has_repeated:
        is_versioned = contract.delivery == "snapshot" or bool(mapping and mapping.loaded_at)
        refuse_duplicates(connection, contract, is_versioned=is_versioned)
    _count(connection, report, problems)
    if contract.delivery == "snapshot":
        keep_changes(connection, contract, window, report)
        has_repeated = find_repeated(connection)
    [(report.rows_gone,)] = connection.execute("select count(*) from staged where rule is null and is_gone").fetchall()
    write(connection, contract, window, now, report, read, present, has_repeated=has_repeated)


def _stage_files(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    mapping: TableMapping,
    directory: Path,
    window: Window,
    now: datetime,
    report: LandingReport,
    read: set[str],
    present: set[str],
    *,
    has_others: bool,
) -> None:
    """Judge the rows of one input's files into ``staged``; adds names to ``read`` and ``present``."""
    present.update(file.name for file in _files(directory, mapping, has_others))
    # A state and the one before it may stand in files of different days: a history reads them all.
    is_dated = (mapping.loaded_at is not None or contract.delivery == "snapshot") and mapping.history is None
    files = _files(directory, mapping, has_others, *((window.start, window.end) if is_dated else ()))
    read.update(file.name for file in files)
    report.files += len(files)
    filled = []
    for file in files:
        if _is_empty(file.path):
            report.messages.append(f"{file.name}: empty file")
            refuse_file(connection, file, "empty_file", None)
        else:
            filled.append(file)
    report.messages += prepare_lookups(connection, mapping, directory)

    def judge_picked(incoming: Incoming) -> Incoming:
        picked = pick(mapping, incoming)
        judge(connection, contract, mapping, picked, window, now)
        if picks_rows(mapping):
            left = count_rows(connection, incoming) - count_rows(connection, picked)
            report.messages.append(f"{_names(incoming)}: {left} rows left out by the mapping")
        return incoming

    def only_read(incoming: Incoming) -> Incoming:
        if not incoming.is_tolerant:
            connection.execute(f"select sum(hash(record)) from ({incoming.relation}) as record")
            return incoming
        # The tolerant reader has one table, which the next file replaces.
        copy = quoted(f"history:{incoming.files[0].name}")
        connection.execute(f"create or replace temp table {copy} as {incoming.relation}")
        return replace(incoming, relation=f"select * from {copy}")

    judged: list[Incoming] = []
    for incoming in relations(connection, filled, mapping.format):
        if isinstance(incoming, tuple):
            _refuse_unreadable(connection, *incoming, report)
        else:
            judged += _attempt(connection, incoming, only_read if mapping.history else judge_picked, report)
    if mapping.history and (united := unite(judged)):
        judge_picked(united)
        judged = [united]
    for incoming in judged:
        _compare_columns(contract, mapping, incoming, report)


def _files(directory: Path, mapping: TableMapping, has_others: bool, *days: date) -> list[LandingFile]:
    """Files of an input; where a table has others, by their whole path: two folders may hold a tickets.csv each."""
    files = find_files(directory, mapping.files, *days)
    return [replace(file, name=file.path.relative_to(directory).as_posix()) if has_others else file for file in files]


def _attempt(
    connection: duckdb.DuckDBPyConnection,
    incoming: Incoming,
    action: Callable[[Incoming], Incoming],
    report: LandingReport,
) -> list[Incoming]:
    """Act on a relation; when DuckDB cannot read it, on its files one by one, and then on each record by itself."""
    try:
        return [action(incoming)]
    except duckdb.Error as error:
        logger.debug("%s: %s", report.table, error)
        if len(incoming.files) > 1:
            parts = (_attempt(connection, part, action, report) for part in incoming.each())
            return [part for found in parts for part in found]
        [file] = incoming.files
        reason = str(error).splitlines()[0]
        if not incoming.is_tolerant and incoming.format != "parquet":
            try:
                tolerant = read_tolerantly(connection, file, incoming.format)
            except (UnreadableFileError, duckdb.Error) as refusal:
                reason = str(refusal).splitlines()[0]
            else:
                return _attempt(connection, replace(tolerant, is_tolerant=True), action, report)
        _refuse_unreadable(connection, file, reason, report)
        return []


def _refuse_unreadable(
    connection: duckdb.DuckDBPyConnection, file: LandingFile, reason: str, report: LandingReport
) -> None:
    report.messages.append(f"{file.name}: unreadable file: {reason}")
    refuse_file(connection, file, "unreadable_file", reason)


def _is_empty(path: Path) -> bool:
    if path.stat().st_size == 0:
        return True
    if path.suffix != GZIP_SUFFIX:
        return False
    try:
        with open_bytes(path) as handle:
            return not handle.read(1)
    except (OSError, EOFError):
        return False  # broken, not empty: the reader says so


def _names(incoming: Incoming) -> str:
    names = ", ".join(file.name for file in incoming.files[:3])
    return names + (f" and {len(incoming.files) - 3} more" if len(incoming.files) > 3 else "")


def _compare_columns(
    contract: TableContract, mapping: TableMapping, incoming: Incoming, report: LandingReport
) -> None:
    """Report what files lack and what they have beyond the contract."""
    names = _names(incoming)
    for name in missing_columns(contract, mapping, incoming):
        report.messages.append(f"{names}: required column {name} is missing")
    unknown = unmapped_columns(mapping, incoming)
    if unknown:
        report.unmapped_columns.update(unknown)
        report.messages.append(f"{names}: columns not in the contract: {', '.join(unknown)}")


def _count(connection: duckdb.DuckDBPyConnection, report: LandingReport, problems: Sequence[str]) -> None:
    counts = Counter(
        dict(connection.execute("select rule, count(*) from staged group by rule order by rule nulls first").fetchall())
    )
    report.rows_loaded = counts.pop(None, 0)
    report.rules = dict(counts)
    report.rows_quarantined = sum(report.rules.values())
    broken = {"empty_file", "unreadable_file"} | {rule for rule in report.rules if rule.startswith("missing_column")}
    if report.status == "loaded" and not report.rows_loaded and broken & set(report.rules):
        report.status = "failed"
    elif report.status == "loaded" and not report.rows_in:
        report.status = "failed" if problems else "empty"
