"""The rules of a contract as SQL: which rows of a batch are good, and which rule each of the others breaks.

Belongs here: rules, their order, drift of columns, repeated keys. Does not belong here: how a value is parsed
(``parsing``), what is written (``versions``). Reads the temporary table ``batch``, fills ``staged`` and ``refused``.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from expansion_assets.sources.contracts import Column, TableContract
from expansion_assets.sources.landing import Incoming
from expansion_assets.sources.mapping import TableMapping
from expansion_assets.sources.parsing import is_supplied, landing_value, typed
from expansion_assets.sources.report import Window
from expansion_assets.sources.sql import literal, quoted


def start_staging(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    """Empty temporary tables ``staged`` (good rows) and ``refused`` (file, row, rule, raw record)."""
    connection.execute(contract.ddl().replace(f"raw.{contract.name}", "staged").replace(
        "create table if not exists", "create or replace temp table"))
    connection.execute(
        "create or replace temp table refused"
        " (file varchar, row_number bigint, rule varchar, raw_json varchar, known_from timestamp)"
    )


def judge(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    mapping: TableMapping,
    incoming: Incoming,
    window: Window,
    now: datetime,
) -> None:
    """Cast the batch, find the first rule that each row breaks, and part it into ``staged`` and ``refused``."""
    mapped = {name: mapping.columns.get(name) for name in contract.columns}
    missing = missing_columns(contract, mapping, incoming)
    texts = {name: landing_value(mapped[name], incoming) for name in contract.columns}
    parsed = [
        f"{typed(column, texts[name], mapped[name])} as {quoted(name)}" for name, column in contract.columns.items()
    ]
    parsed += [
        f"{text} as {quoted(name + '__text')}"
        for name, text in texts.items()
        if contract.columns[name].type != "string"
    ]
    loaded_text = landing_value(mapping.loaded_at, incoming)
    loaded = typed(Column(type="timestamp", description=""), loaded_text, mapping.loaded_at)
    lag = int(contract.arrival_lag.total_seconds()) if contract.arrival_lag else 0
    happened = f"{quoted(contract.happened_at)}::timestamp"
    instant = f"timestamp '{now:%Y-%m-%d %H:%M:%S}'"
    rules = [(f"missing_column:{name}", "true") for name in missing] + contract_rules(contract)
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


def refuse_duplicates(connection: duckdb.DuckDBPyConnection, contract: TableContract, *, is_versioned: bool) -> None:
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


def contract_rules(contract: TableContract) -> list[tuple[str, str]]:
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


def missing_columns(contract: TableContract, mapping: TableMapping, incoming: Incoming) -> list[str]:
    """Required contract columns that a file supplies from nowhere."""
    return [
        name
        for name, column in contract.columns.items()
        if column.required and not is_supplied(mapping.columns.get(name), incoming)
    ]
