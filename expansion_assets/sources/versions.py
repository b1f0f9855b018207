"""Writing one table's window in one transaction: versions in known time, deletions, quarantine, landing status.

Belongs here: what is replaced and how versions follow each other. Does not belong here: whether a row is good.

A row belongs to the day on which it became known (``known_from``). Writing a window replaces the versions that became
known in it and nothing else, so a rerun is idempotent and one long window equals many short ones. A deletion is no
version: it stands in ``raw.deletions`` and closes the version before it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb

from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.judging import happened_at
from expansion_assets.sources.report import LandingReport, Window
from expansion_assets.sources.sql import literal, quoted
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
DELETIONS_DDL = """
create table if not exists raw.deletions (
    source_table varchar, row_key varchar, known_from timestamp, happened_at timestamp, source_file varchar,
    source_row bigint)
"""


def create_raw_tables(connection: duckdb.DuckDBPyConnection, contracts: dict[str, TableContract]) -> None:
    """Create schema ``raw`` with what is missing of every contract's table, deletions, quarantine and landing status.

    A column that a contract gained since the table was made is added to it.
    """
    connection.execute("create schema if not exists raw")
    for ddl in (QUARANTINE_DDL, STATUS_DDL, DELETIONS_DDL):
        connection.execute(ddl)
    for contract in contracts.values():
        connection.execute(contract.ddl())
        # Asking the catalogue costs 30 ms in a warehouse with a hundred views, an empty query less than one.
        found = {column[0] for column in connection.execute(f"select * from raw.{contract.name} limit 0").description}
        for name, sql_type in contract.table_columns().items():
            if name not in found:
                connection.execute(f"alter table raw.{contract.name} add column {quoted(name)} {sql_type}")


def write(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    window: Window,
    now: datetime,
    report: LandingReport,
    read_files: Collection[str],
    present_files: Collection[str],
    *,
    has_repeated: bool,
) -> None:
    """Replace the window's versions, the quarantine rows and the status, all or nothing.

    Args:
        connection: Warehouse connection; ``staged`` holds the window.
        contract: The table.
        window: Days that are replaced.
        now: The instant of this run, UTC.
        report: Counts and messages for the status row.
        read_files: Names of the files that were read.
        present_files: Names of all files of the table.
        has_repeated: Whether ``repeated`` names keys with several rows in ``staged``.
    """
    table = f"raw.{contract.name}"
    in_window = f"known_from >= timestamp '{window.known_from}' and known_from < timestamp '{window.known_before}'"
    own_deletions = f"source_table = {literal(contract.name)}"
    with transaction(connection):
        past = f"""
            select 1 from {table} where not ({in_window})
            union all select 1 from raw.deletions where {own_deletions} and not ({in_window})
        """
        has_past = connection.execute(f"{past} limit 1").fetchone() is not None
        if has_past:
            connection.execute(
                f"""
                create or replace temp table moved as
                select row_key from {table} where {in_window}
                union select row_key from raw.deletions where {own_deletions} and {in_window}
                union select row_key from staged where rule is null
                """
            )
        connection.execute(f"delete from {table} where {in_window}")
        connection.execute(f"delete from raw.deletions where {own_deletions} and {in_window}")
        _insert_versions(connection, contract, has_repeated=has_repeated)
        if report.rows_gone:
            _insert_deletions(connection, contract)
        if has_past:
            _rechain(connection, table, own_deletions)
        _write_quarantine(connection, contract, in_window, now, report, read_files, present_files)
        _write_status(connection, contract, window, now, report)


def _insert_versions(connection: duckdb.DuckDBPyConnection, contract: TableContract, *, has_repeated: bool) -> None:
    """Insert the good rows; only keys that occur more than once need a window function."""
    own = ", ".join(quoted(name) for name in contract.stored_columns)
    chain, known_to, version_no = "", "null::timestamp", "1"
    if has_repeated:
        chain = f"""
            left join (
                select source_file, source_row, {_chain_columns("case when is_gone then 0 else 1 end")}
                from staged
                where rule is null and hash(row_key) in (select key_hash from repeated)
                window versions as (partition by row_key order by known_from)
            ) as chain using (source_file, source_row)
        """
        known_to, version_no = "chain.known_to", "coalesce(chain.version_no, 1)"
    connection.execute(
        f"""
        insert into raw.{contract.name}
            ({own}, happened_at, known_from, known_to, version_no, is_known_at_assumed, source_file, source_row,
             row_key, extra_json)
        select {own}, {happened_at(contract)}, known_from, {known_to}, {version_no}, is_known_at_assumed, source_file,
            source_row, row_key, extra_json
        from staged {chain}
        where rule is null and not is_gone
        """
    )


def _chain_columns(is_version: str) -> str:
    return f"""
        lead(known_from) over versions as known_to,
        (sum({is_version}) over (partition by row_key order by known_from rows unbounded preceding))::integer
            as version_no
    """


def _insert_deletions(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    connection.execute(
        f"""
        insert into raw.deletions
        select {literal(contract.name)}, row_key, known_from, coalesce({happened_at(contract)}, known_from),
            source_file, source_row
        from staged where rule is null and is_gone
        """
    )


def _rechain(connection: duckdb.DuckDBPyConnection, table: str, own_deletions: str) -> None:
    """Let versions follow each other anew for keys that the window touched and that have a past."""
    connection.execute(
        f"""
        update {table} as raw set known_to = chain.known_to, version_no = chain.version_no
        from (
            select row_key, known_from, is_version, {_chain_columns("is_version")}
            from (
                select row_key, known_from, 1 as is_version from {table}
                where row_key in (select row_key from moved)
                union all
                select row_key, known_from, 0 from raw.deletions
                where {own_deletions} and row_key in (select row_key from moved)
            )
            window versions as (partition by row_key order by known_from)
        ) as chain
        where chain.is_version = 1 and raw.row_key = chain.row_key and raw.known_from = chain.known_from
            and (raw.known_to is distinct from chain.known_to or raw.version_no is distinct from chain.version_no)
        """
    )


def _write_quarantine(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    in_window: str,
    now: datetime,
    report: LandingReport,
    read_files: Collection[str],
    present_files: Collection[str],
) -> None:
    """Add what is new, mark what was seen again, resolve what the window or a file no longer has.

    A row without a known time, or with one in the future, belongs to every window that reads its file: it is resolved
    when its file was read without it, or is no longer delivered.
    """
    unresolved = 'source = $1 and "table" = $2 and resolved_at is null'
    is_known = connection.execute(
        'select 1 from raw.quarantine where source = $1 and "table" = $2 limit 1', [contract.source, contract.name]
    ).fetchone()
    if not report.rows_quarantined and is_known is None:
        return
    same = """known.source = $1 and known."table" = $2 and known.file = refused.source_file
              and known.row_number = refused.source_row and known.rule = refused.rule"""
    arguments = [contract.source, contract.name, now]
    connection.execute(
        f"""
        update raw.quarantine as known set last_seen_at = $3, resolved_at = null, raw_json = refused.raw_json
        from staged as refused where refused.rule is not null and {same}
        """,
        arguments,
    )
    connection.execute(
        f"""
        insert into raw.quarantine
        select $1, $2, source_file, source_row, rule, raw_json, known_from, $3, $3, null
        from staged as refused
        where rule is not null and not exists (select 1 from raw.quarantine as known where {same})
        """,
        arguments,
    )
    connection.execute(
        f"""
        update raw.quarantine as known set resolved_at = $3
        where {unresolved}
            and (({in_window}) or (
                (known_from is null or known_from > $3 + interval 1 day)
                and (list_contains($4, file) or not list_contains($5, file))
            ))
            and not exists (select 1 from staged as refused where refused.rule is not null and {same})
        """,
        [*arguments, sorted(read_files), sorted(present_files)],
    )


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
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, (select max(known_from) from staged where rule is null), $10, $11
        """,
        [contract.source, contract.name, window.start, window.end, report.status, report.files, report.rows_in,
         report.rows_loaded, report.rows_quarantined, "; ".join(report.messages), now],
    )
