"""Loading one raw table for a window of days: read, judge row by row, write versions and quarantine in one transaction.

Belongs here: the rules of a contract as SQL, versions in known time, the quarantine, the landing status.
Does not belong here: file formats (``landing``), joins, Dagster.

A row belongs to the day on which it became known (``known_from``). Loading a window replaces the versions that became
known in it and nothing else, so a rerun is idempotent and one long window equals many short ones.
"""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from expansion_assets.sources.contracts import SQL_TYPES, Column, TableContract
from expansion_assets.sources.landing import Incoming, find_files, literal, quoted, read_file
from expansion_assets.sources.mapping import ColumnMapping, TableMapping
from expansion_assets.store.warehouse import transaction

logger = logging.getLogger(__name__)

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


@dataclass(frozen=True)
class Window:
    """Days [start, end) in the workspace time zone with their UTC instants."""

    start: date
    end: date
    known_from: datetime
    known_before: datetime


@dataclass
class LandingReport:
    """What a load did; rows_in = rows_loaded + rows_quarantined, always."""

    source: str
    table: str
    status: str = "loaded"
    files: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    @property
    def rows_in(self) -> int:
        """Rows of the window that stood in landing files."""
        return self.rows_loaded + self.rows_quarantined


def create_raw_tables(connection: duckdb.DuckDBPyConnection, contracts: dict[str, TableContract]) -> None:
    """Create schema ``raw`` with every contract's table, the quarantine and the landing status."""
    connection.execute("create schema if not exists raw")
    for contract in contracts.values():
        connection.execute(contract.ddl())
    connection.execute(QUARANTINE_DDL)
    connection.execute(STATUS_DDL)


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
    _start_staging(connection, contract)
    if mapping is None:
        report.status = "missing"
        report.messages.append(absent_reason or "the data set has no such table")
    else:
        _stage_files(connection, contract, mapping, directory, window, now, report)
    _refuse_duplicates(connection, contract, is_versioned=bool(mapping and mapping.loaded_at))
    _write(connection, contract, window, now, report)
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
            _refuse(connection, path, "unreadable_file", literal(reason))
            continue
        if incoming.is_empty:
            report.messages.append(f"{path.name}: empty file")
            _refuse(connection, path, "empty_file", "null")
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
            _judge(connection, contract, mapping, batch, window, now)
        batch = incoming
        connection.execute(
            f"create or replace temp table batch as select {literal(path.name)} as file_, * from incoming"
        )
    if batch is not None:
        _judge(connection, contract, mapping, batch, window, now)


def _start_staging(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    connection.execute(contract.ddl().replace(f"raw.{contract.name}", "staged").replace(
        "create table if not exists", "create or replace temp table"))
    connection.execute(
        "create or replace temp table refused"
        " (file varchar, row_number bigint, rule varchar, raw_json varchar, known_from timestamp)"
    )


def _refuse(connection: duckdb.DuckDBPyConnection, path: Path, rule: str, raw_json: str) -> None:
    connection.execute(f"insert into refused values ({literal(path.name)}, 0, '{rule}', {raw_json}, null)")


def _text(mapping: ColumnMapping | None, incoming: Incoming) -> str:
    """SQL of the landing value of a column, as text or as the file's own type."""
    if mapping is None:
        return "null"
    if mapping.value is not None:
        return literal(mapping.value)
    if mapping.column not in incoming.columns:
        return "null"
    text = quoted(mapping.column)
    if mapping.values:
        cases = " ".join(f"when {literal(old)} then {literal(new)}" for old, new in mapping.values.items())
        text = f"case {text}::varchar {cases} else {text}::varchar end"
    return text


def _typed(column: Column, text: str, mapping: ColumnMapping | None) -> str:
    """SQL that casts a landing value to the contract's type, or null where it does not parse."""
    if column.type == "string":
        return f"nullif(trim(({text})::varchar), '')"
    if mapping is not None and mapping.formats:
        formats = ", ".join(literal(item) for item in mapping.formats)
        parsed = f"try_strptime(({text})::varchar, [{formats}])"
        return _in_calendar(f"{parsed}::date" if column.type == "date" else parsed)
    if column.type == "timestamp":
        # Through timestamptz, because a plain cast drops an offset: +02:00 would be read as UTC.
        return _in_calendar(f"try_cast(({text})::varchar as timestamptz) at time zone 'UTC'")
    if column.type == "date":
        return _in_calendar(f"try_cast({text} as date)")
    if column.type == "integer":
        # 3.7 must not round to 4 in silence.
        number = f"try_cast({text} as double)"
        return f"case when {number} = floor({number}) then try_cast({number} as bigint) end"
    return f"try_cast({text} as {SQL_TYPES[column.type]})"


def _in_calendar(value: str) -> str:
    """SQL of a date or timestamp, null outside the years 1900 to 9999.

    ``infinity`` and years before the first window would fall in no window and be lost; later years overflow.
    """
    return f"case when year({value}) between 1900 and 9999 then {value} end"


def _rules(contract: TableContract) -> list[tuple[str, str]]:
    """Rule name and SQL condition that is true when the row breaks it, most telling first."""
    rules: list[tuple[str, str]] = []
    for name, column in contract.columns.items():
        value, text = quoted(name), quoted(f"{name}__text")
        if column.type != "string":
            is_lost = f"{value} is null and nullif(trim({text}::varchar), '') is not null"
            rules.append((f"not_a_{column.type}:{name}", is_lost))
        if column.required:
            rules.append((f"required:{name}", f"{value} is null"))
        if column.allowed:
            choices = ", ".join(literal(choice) for choice in column.allowed)
            rules.append((f"not_allowed:{name}", f"{value} not in ({choices})"))
        if column.min is not None:
            rules.append((f"below_minimum:{name}", f"{value} < {column.min}"))
        if column.max is not None:
            rules.append((f"above_maximum:{name}", f"{value} > {column.max}"))
    is_lost = "loaded_at is null and nullif(trim(loaded_at__text::varchar), '') is not null"
    rules.append(("not_a_timestamp:loaded_at", is_lost))
    rules.append(("future_load_time", "loaded_at > {now} + interval 1 day"))
    rules.append(("future_date", "happened_at > coalesce(loaded_at, {now}) + interval 1 day"))
    return rules


def _missing_columns(contract: TableContract, mapping: TableMapping, incoming: Incoming) -> list[str]:
    return [
        name
        for name, column in contract.columns.items()
        if column.required and not _is_supplied(mapping.columns.get(name), incoming)
    ]


def _compare_columns(
    contract: TableContract, mapping: TableMapping, incoming: Incoming, path: Path, report: LandingReport
) -> None:
    """Report what a file lacks and what it has beyond the contract."""
    for name in _missing_columns(contract, mapping, incoming):
        report.messages.append(f"{path.name}: required column {name} is missing")
    sources = {spec.column for spec in (*mapping.columns.values(), mapping.loaded_at) if spec and spec.column}
    unknown = sorted(set(incoming.columns) - sources)
    if unknown and mapping.loaded_at is not None:
        report.messages.append(f"{path.name}: columns not in the contract: {', '.join(unknown)}")


def _judge(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    mapping: TableMapping,
    incoming: Incoming,
    window: Window,
    now: datetime,
) -> None:
    """Cast the batch, find the first rule that each row breaks, and part it into ``staged`` and ``refused``."""
    mapped = {name: mapping.columns.get(name) for name in contract.columns}
    missing = _missing_columns(contract, mapping, incoming)
    texts = {name: _text(mapped[name], incoming) for name in contract.columns}
    parsed = [
        f"{_typed(column, texts[name], mapped[name])} as {quoted(name)}" for name, column in contract.columns.items()
    ]
    parsed += [
        f"{text} as {quoted(name + '__text')}"
        for name, text in texts.items()
        if contract.columns[name].type != "string"
    ]
    loaded_text = _text(mapping.loaded_at, incoming)
    loaded = _typed(Column(type="timestamp", description=""), loaded_text, mapping.loaded_at)
    lag = int(contract.arrival_lag.total_seconds()) if contract.arrival_lag else 0
    happened = f"{quoted(contract.happened_at)}::timestamp"
    instant = f"timestamp '{now:%Y-%m-%d %H:%M:%S}'"
    rules = [(f"missing_column:{name}", "true") for name in missing] + _rules(contract)
    verdict = " ".join(f"when {condition.format(now=instant)} then '{rule}'" for rule, condition in rules)
    key = " || '|' || ".join(f"{quoted(name)}::varchar" for name in contract.key)
    # Without a load time a second row of a key cannot be a correction: nothing says which came later.
    place = "row_number() over (partition by row_key, broken_rule is null order by source_file, source_row)"
    connection.execute(
        f"""
        create or replace temp table judged as
        with parsed as (
            select record.file_ as source_file, record.row_number as source_row, record, {", ".join(parsed)},
                {loaded} as loaded_at, {loaded_text} as loaded_at__text
            from batch as record
        ),
        timed as (
            select *, {happened} as happened_at, coalesce(loaded_at, {happened} + interval {lag} second) as known_from
            from parsed
        ),
        ruled as (
            select *, {key} as row_key, case {verdict} end as broken_rule
            from timed
        ),
        counted as (
            select *, {"1" if mapping.loaded_at else place} as occurrence
            from ruled
        )
        select * exclude (record, broken_rule, occurrence), loaded_at is null as is_known_at_assumed,
            case when broken_rule is null and occurrence > 1 then 'duplicate_key' else broken_rule end as rule,
            case when broken_rule is not null or occurrence > 1 then {incoming.raw_json} end as raw_json
        from counted
        where known_from is null
            or (known_from >= timestamp '{window.known_from}' and known_from < timestamp '{window.known_before}')
            or happened_at > {instant} + interval 1 day
            or loaded_at > {instant} + interval 1 day
        """
    )
    connection.execute(
        "insert into refused"
        " select source_file, source_row, rule, raw_json, known_from from judged where rule is not null"
    )
    own = ", ".join(quoted(name) for name in contract.columns)
    system = "happened_at, known_from, is_known_at_assumed, source_file, source_row, row_key"
    connection.execute(f"insert into staged ({own}, {system}) select {own}, {system} from judged where rule is null")


def _is_supplied(mapping: ColumnMapping | None, incoming: Incoming) -> bool:
    return mapping is not None and (mapping.value is not None or mapping.column in incoming.columns)


def _refuse_duplicates(connection: duckdb.DuckDBPyConnection, contract: TableContract, *, is_versioned: bool) -> None:
    """Set aside rows that repeat a key: at the same load time, or at all when there are no load times."""
    same_version = "row_key, known_from" if is_versioned else "row_key"
    own = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in contract.columns)
    connection.execute(
        f"""
        create or replace temp table repeated as
        select source_file, source_row
        from (
            select source_file, source_row,
                row_number() over (partition by {same_version} order by source_file, source_row) as occurrence
            from staged
        )
        where occurrence > 1
        """
    )
    connection.execute(
        f"""
        insert into refused
        select source_file, source_row, 'duplicate_key', to_json(struct_pack({own}))::varchar, known_from
        from staged semi join repeated using (source_file, source_row)
        """
    )
    connection.execute(
        "delete from staged where (source_file, source_row) in (select (source_file, source_row) from repeated)"
    )


def _write(
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
