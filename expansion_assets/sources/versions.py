"""Writing one table's window in one transaction: versions in known time, quarantine, landing status.

Belongs here: what is replaced and how versions follow each other. Does not belong here: whether a row is good.

A row belongs to the day on which it became known (``known_from``). Writing a window replaces the versions that became
known in it and nothing else, so a rerun is idempotent and one long window equals many short ones.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.report import LandingReport, Window
from expansion_assets.store.warehouse import transaction

QUARANTINE_DDL = """
create table if not exists raw.quarantine (
    source varchar, "table" varchar, file varchar, row_number bigint, rule varchar, raw_json varchar,
    known_from timestamp, first_seen_at timestamp, last_seen_at timestamp, resolved_at timestamp)
"""
STATUS_DDL = """
create table if not exists raw.landing_status (
    source varchar, source_table varchar, window_start date, window_end date, status varchar, files bigint,
    rows_in bigint, rows_loaded bigint, rows_quarantined bigint, newest_known_from timestamp, message varchar,
    loaded_at timestamp)
"""


def create_raw_tables(connection: duckdb.DuckDBPyConnection, contracts: dict[str, TableContract]) -> None:
    """Create schema ``raw`` with every contract's table, the quarantine and the landing status."""
    connection.execute("create schema if not exists raw")
    for contract in contracts.values():
        connection.execute(contract.ddl())
    connection.execute(QUARANTINE_DDL)
    connection.execute(STATUS_DDL)


def write(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    window: Window,
    now: datetime,
    report: LandingReport,
) -> None:
    """Replace the window's versions, the quarantine rows and the status, all or nothing."""
    table = f"raw.{contract.name}"
    in_window = f"known_from >= timestamp '{window.known_from}' and known_from < timestamp '{window.known_before}'"
    with transaction(connection):
        connection.execute(f"create or replace temp table touched as select row_key from {table} where {in_window}")
        connection.execute(f"delete from {table} where {in_window}")
        connection.execute(
            f"""
            insert into {table}
            select * replace (
                lead(known_from) over versions as known_to,
                row_number() over versions as version_no
            )
            from staged window versions as (partition by row_key order by known_from)
            """
        )
        _rechain(connection, table, in_window)
        _write_quarantine(connection, contract, in_window, now)
        _count(connection, report)
        _write_status(connection, contract, window, now, report)


def _rechain(connection: duckdb.DuckDBPyConnection, table: str, in_window: str) -> None:
    """Number the versions anew of keys that also have versions outside the window."""
    connection.execute(
        f"""
        update {table} as raw set known_to = chain.known_to, version_no = chain.version_no
        from (
            select row_key, known_from,
                lead(known_from) over versions as known_to,
                row_number() over versions as version_no
            from {table}
            where row_key in (
                select row_key from {table}
                where not ({in_window}) and row_key in (select row_key from staged union select row_key from touched)
            )
            window versions as (partition by row_key order by known_from)
        ) as chain
        where raw.row_key = chain.row_key and raw.known_from = chain.known_from
            and (raw.known_to is distinct from chain.known_to or raw.version_no is distinct from chain.version_no)
        """
    )


def _write_quarantine(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, in_window: str, now: datetime
) -> None:
    same = """known.source = $1 and known."table" = $2 and known.file = refused.file
              and known.row_number = refused.row_number and known.rule = refused.rule"""
    arguments = [contract.source, contract.name, now]
    connection.execute(
        f"update raw.quarantine as known set last_seen_at = $3, resolved_at = null from refused where {same}", arguments
    )
    connection.execute(
        f"""
        insert into raw.quarantine
        select $1, $2, file, row_number, rule, raw_json, known_from, $3, $3, null
        from refused where not exists (select 1 from raw.quarantine as known where {same})
        """,
        arguments,
    )
    connection.execute(
        f"""
        update raw.quarantine as known set resolved_at = $3
        where known.source = $1 and known."table" = $2 and resolved_at is null and {in_window}
            and not exists (select 1 from refused where {same})
        """,
        arguments,
    )


def _count(connection: duckdb.DuckDBPyConnection, report: LandingReport) -> None:
    [(report.rows_loaded,)] = connection.execute("select count(*) from staged").fetchall()
    report.rules = dict(connection.execute("select rule, count(*) from refused group by rule order by rule").fetchall())
    report.rows_quarantined = sum(report.rules.values())
    broken = {"empty_file", "unreadable_file"} | {rule for rule in report.rules if rule.startswith("missing_column")}
    if report.status == "loaded" and not report.rows_loaded and broken & set(report.rules):
        report.status = "failed"
    elif report.status == "loaded" and not report.rows_in:
        report.status = "empty"


def _write_status(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, window: Window, now: datetime, report: LandingReport
) -> None:
    connection.execute(
        "delete from raw.landing_status where source_table = $1 and window_start = $2 and window_end = $3",
        [contract.name, window.start, window.end],
    )
    connection.execute(
        """
        insert into raw.landing_status
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, (select max(known_from) from staged), $10, $11
        """,
        [contract.source, contract.name, window.start, window.end, report.status, report.files, report.rows_in,
         report.rows_loaded, report.rows_quarantined, "; ".join(report.messages), now],
    )
