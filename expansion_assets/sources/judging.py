"""The rules of a contract as SQL: which rows are good, and which rule each of the others breaks.

Belongs here: rules and their order, columns that a file lacks or has beyond the contract, repeated keys. Does not
belong here: how a value is parsed (``parsing``), what is written (``versions``).

Every row of the window ends in the temporary table ``staged``, once: with a rule and its raw record, or without. The
query reads the files as it goes, so a file is in memory a chunk at a time.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from expansion_assets.sources.contracts import SQL_TYPES, Column, TableContract
from expansion_assets.sources.landing import Incoming, LandingFile
from expansion_assets.sources.mapping import TableMapping
from expansion_assets.sources.parsing import is_supplied, landing_value, typed
from expansion_assets.sources.report import Window
from expansion_assets.sources.sql import literal, quoted

STAGED_COLUMNS = {
    "row_key": "varchar", "known_from": "timestamp", "is_known_at_assumed": "boolean", "source_file": "varchar",
    "source_row": "bigint", "extra_json": "varchar", "is_gone": "boolean", "rule": "varchar", "raw_json": "varchar",
}
"""Columns of ``staged`` beside those of the contract."""
_IS_LOAD_TIME_LOST = "loaded_at is null and nullif(trim(loaded_at__text::varchar), '') is not null"


def start_staging(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    """Create the empty temporary table ``staged``."""
    columns = {quoted(name): SQL_TYPES[column.type] for name, column in contract.columns.items()} | STAGED_COLUMNS
    listed = ", ".join(f"{name} {sql_type}" for name, sql_type in columns.items())
    connection.execute(f"create or replace temp table staged ({listed})")


def refuse_file(connection: duckdb.DuckDBPyConnection, file: LandingFile, rule: str, reason: str | None) -> None:
    """Set a whole file aside: row 0."""
    raw_json = "null" if reason is None else f"to_json({literal(reason)})::varchar"
    connection.execute(
        f"""
        insert into staged (source_file, source_row, rule, raw_json)
        values ({literal(file.name)}, 0, {literal(rule)}, {raw_json})
        """
    )


def missing_columns(contract: TableContract, mapping: TableMapping, incoming: Incoming) -> list[str]:
    """Required contract columns that a file supplies from nowhere."""
    return [
        name
        for name, column in contract.columns.items()
        if column.required and not is_supplied(mapping.columns.get(name), incoming)
    ]


def unmapped_columns(mapping: TableMapping, incoming: Incoming) -> list[str]:
    """Columns of a file that no contract column reads: reported, and kept aside in ``extra_json``."""
    return sorted(set(incoming.columns) - mapping.sources()) if mapping.unmapped == "keep" else []


def judge(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    mapping: TableMapping,
    incoming: Incoming,
    window: Window,
    now: datetime,
) -> None:
    """Parse a relation's rows, find the first rule that each breaks, and add those of the window to ``staged``.

    Raises:
        duckdb.Error: DuckDB cannot read one of the files; nothing was added.
    """
    own = ", ".join(quoted(name) for name in contract.columns)
    system = ", ".join(STAGED_COLUMNS)
    connection.execute(
        f"insert into staged ({own}, {system}) {_judgement(contract, mapping, incoming, window, now, own)}"
    )


def _judgement(
    contract: TableContract, mapping: TableMapping, incoming: Incoming, window: Window, now: datetime, own: str
) -> str:
    texts = {name: landing_value(mapping.columns.get(name), incoming) for name in contract.columns}
    parsed = [
        f"{typed(column, texts[name], mapping.columns.get(name))} as {quoted(name)}"
        for name, column in contract.columns.items()
    ]
    parsed += [
        f"{text} as {quoted(name + '__text')}"
        for name, text in texts.items()
        if contract.columns[name].type != "string"
    ]
    loaded_text = landing_value(mapping.loaded_at, incoming)
    loaded = typed(Column(type="timestamp", description="Load time."), loaded_text, mapping.loaded_at)
    lag = int(contract.arrival_lag.total_seconds()) if contract.arrival_lag else 0
    instant = f"timestamp '{now:%Y-%m-%d %H:%M:%S}'"
    rules = [(f"missing_column:{name}", "true") for name in missing_columns(contract, mapping, incoming)]
    rules += contract_rules(contract)
    verdict = " ".join(f"when {condition.format(now=instant)} then '{rule}'" for rule, condition in rules)
    # A load time that cannot be read leaves the row without a day: mended, it may belong to any.
    known_from = f"coalesce(loaded_at, happened_at + interval {lag} second)"
    known_from = f"case when not ({_IS_LOAD_TIME_LOST}) then {known_from} end"
    if contract.delivery == "snapshot":
        known_from = _snapshot_time(incoming)
    # Without a load time a second row of a key cannot be a correction: nothing says which came later.
    is_versioned = mapping.loaded_at is not None or contract.delivery == "snapshot"
    place = "row_number() over (partition by row_key, broken is null order by source_file, source_row)"
    return f"""
        with parsed as (
            select landing_.landing_file_ as source_file, landing_.landing_row_ as source_row,
                landing_.landing_fault_ as landing_fault_, landing_, {", ".join(parsed)}, {loaded} as loaded_at,
                {loaded_text} as loaded_at__text,
                {_extra(mapping, incoming)} as extra_json
            from ({incoming.relation}) as landing_
        ),
        timed as (
            select *, {happened_at(contract)} as happened_at, coalesce({is_gone(contract)}, false) as is_gone
            from parsed
        ),
        ruled as (
            select *, {known_from} as known_from, {row_key(contract)} as row_key,
                case when landing_fault_ is not null then landing_fault_ {verdict} end as broken
            from timed
        ),
        counted as (
            select *, {"1" if is_versioned else place} as occurrence
            from ruled
        )
        select {own}, row_key, known_from, loaded_at is null as is_known_at_assumed, source_file, source_row,
            extra_json, is_gone,
            case when broken is null and occurrence > 1 then 'duplicate_key' else broken end as rule,
            case when broken is not null or occurrence > 1 then {incoming.record_json("landing_")} end as raw_json
        from counted
        where known_from is null
            or (known_from >= timestamp '{window.known_from}' and known_from < timestamp '{window.known_before}')
            or happened_at > {instant} + interval 1 day
            or loaded_at > {instant} + interval 1 day
    """


def row_key(contract: TableContract) -> str:
    """SQL of the key columns joined by |."""
    return " || '|' || ".join(f"{quoted(name)}::varchar" for name in contract.key)


def happened_at(contract: TableContract) -> str:
    """SQL of when a row was true in the world."""
    return f"{quoted(contract.happened_at)}::timestamp"


def is_gone(contract: TableContract) -> str:
    """SQL that is true for a row which reports a deletion; it may be null."""
    if contract.deleted_by is None:
        return "false"
    column = quoted(contract.deleted_by)
    return column if contract.columns[contract.deleted_by].type == "boolean" else f"{column} is not null"


def _extra(mapping: TableMapping, incoming: Incoming) -> str:
    extra = [quoted(name) for name in unmapped_columns(mapping, incoming)]
    if not extra:
        return "null::varchar"
    values = ", ".join(f"{name}::varchar" for name in extra)
    fields = ", ".join(f"{name} := {name}" for name in extra)
    return f"case when coalesce({values}) is not null then to_json(struct_pack({fields}))::varchar end"


def _snapshot_time(incoming: Incoming) -> str:
    """SQL of when a snapshot became known: its latest load time, else noon of the day in its name.

    Noon is inside that day in every time zone of a workspace from -12 to +11 hours.
    """
    days = " ".join(
        f"when {literal(file.name)} then timestamp '{file.period[0]} 12:00:00'"
        for file in incoming.files
        if file.period is not None
    )
    named = f"case source_file {days} end" if days else "null::timestamp"
    return f"coalesce(max(loaded_at) over (partition by source_file), {named})"


def contract_rules(contract: TableContract) -> list[tuple[str, str]]:
    """Rule name and SQL condition that is true when the row breaks it, most telling first.

    A row that reports a deletion needs its key and its times; its other columns are often empty and judged by none.
    """
    rules: list[tuple[str, str]] = []
    told = {*contract.key, contract.happened_at, contract.deleted_by}
    for name, column in contract.columns.items():
        own = _column_rules(name, column)
        rules += own if name in told else [(rule, f"not is_gone and {condition}") for rule, condition in own]
    rules.append(("not_a_timestamp:loaded_at", _IS_LOAD_TIME_LOST))
    rules.append(("future_load_time", "loaded_at > {now} + interval 1 day"))
    rules.append(("future_date", "happened_at > coalesce(loaded_at, {now}) + interval 1 day"))
    if contract.delivery == "snapshot":
        rules.append(("snapshot_without_date", "known_from is null"))
    return rules


def _column_rules(name: str, column: Column) -> list[tuple[str, str]]:
    rules: list[tuple[str, str]] = []
    value, text = quoted(name), quoted(f"{name}__text")
    if column.type != "string":
        is_lost = f"{value} is null and nullif(trim({text}::varchar), '') is not null"
        rules.append((f"not_a_{column.type}:{name}", is_lost))
    if column.type == "number":
        rules.append((f"not_finite:{name}", f"not isfinite({value})"))
    if column.required:
        rules.append((f"required:{name}", f"{value} is null"))
    if column.allowed:
        choices = ", ".join(literal(choice) for choice in column.allowed)
        rules.append((f"not_allowed:{name}", f"{value} not in ({choices})"))
    if column.min is not None:
        rules.append((f"below_minimum:{name}", f"{value} < {column.min}"))
    if column.max is not None:
        rules.append((f"above_maximum:{name}", f"{value} > {column.max}"))
    return rules


def find_repeated(connection: duckdb.DuckDBPyConnection) -> bool:
    """Write the temporary table ``repeated``: hashes of keys that more than one good row of ``staged`` has.

    A million keys grouped as 64-bit numbers cost half of what they cost as texts; a collision only adds a key here.
    """
    connection.execute(
        """
        create or replace temp table repeated as
        select hash(row_key) as key_hash from staged where rule is null group by hash(row_key) having count(*) > 1
        """
    )
    return connection.execute("select 1 from repeated limit 1").fetchone() is not None


def refuse_duplicates(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, *, is_versioned: bool
) -> None:
    """Set aside rows that repeat a key: at the same load time, or at all when there are no load times."""
    same_version = "row_key, known_from" if is_versioned else "row_key"
    own = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in contract.columns)
    connection.execute(
        f"""
        update staged set rule = 'duplicate_key', raw_json = to_json(struct_pack({own}))::varchar
        from (
            select source_file, source_row,
                row_number() over (partition by {same_version} order by source_file, source_row) as occurrence
            from staged
            where rule is null and hash(row_key) in (select key_hash from repeated)
        ) as seen
        where seen.occurrence > 1 and staged.rule is null
            and staged.source_file = seen.source_file and staged.source_row = seen.source_row
        """
    )
