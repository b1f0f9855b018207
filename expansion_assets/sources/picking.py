"""Which rows of a file are rows of the table, and what other rows add to them: filters, histories, lookups.

Belongs here: everything of a mapping that needs more than one value of one row. Does not belong here: what a value
means (``parsing``), whether a row is good (``judging``). Wraps the relation of landing files in SQL; a row that broke
before it could be read passes, so that it is set aside and not lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import duckdb

from expansion_assets.sources.landing import Incoming, UnreadableFileError, find_files, relations
from expansion_assets.sources.mapping import ColumnMapping, Lookup, Scalar, TableMapping, previous_column
from expansion_assets.sources.parsing import unlooked
from expansion_assets.sources.sql import literal, quoted
from expansion_assets.sources.tolerant import read_tolerantly


@dataclass(frozen=True)
class Picked(Incoming):
    """Landing files with the rows of the table, and helping columns from other rows."""

    helpers: tuple[str, ...] = ()

    def record_json(self, alias: str) -> str:
        """SQL of a record as JSON: the row as it stood in the file, without helpers."""
        own = tuple(name for name in self.columns if name not in self.helpers)
        return Incoming.record_json(replace(self, columns=own), alias) if self.helpers else super().record_json(alias)


def picks_rows(mapping: TableMapping) -> bool:
    """Whether rows of the files may not be rows of the table."""
    return bool(mapping.where or mapping.where_not or mapping.history)


def prepare_lookups(connection: duckdb.DuckDBPyConnection, mapping: TableMapping, directory: Path) -> list[str]:
    """Read the looked-up files of an input, one temporary table each.

    Returns:
        Problems, one line each; what cannot be looked up is empty.
    """
    problems = []
    for spec in _lookups(mapping):
        lookup, table = spec.lookup, quoted(str(spec.helper))
        if lookup is None:
            continue
        connection.execute(
            f"create or replace temp table {table}"
            " (key varchar, value varchar, rank varchar, file varchar, place bigint)"
        )
        files = find_files(directory, lookup.files)
        if not files:
            problems.append(f"lookup: no file matches {lookup.files}")
        for found in relations(connection, [file for file in files if file.path.stat().st_size], lookup.format):
            if isinstance(found, tuple):
                problems.append(f"lookup: {found[0].name}: {found[1]}")
            else:
                problems += _fill_lookup(connection, lookup, table, found)
        way = "asc" if lookup.pick == "first" else "desc"
        order = f"{_sortable('rank', way)}, file {way}, place {way}"
        connection.execute(
            f"""
            create or replace temp table {table} as
            select key, value
            from (select *, row_number() over (partition by key order by {order}) as turn from {table})
            where turn = 1 and key <> '' and trim(value) <> ''
            """
        )
    return problems


def _fill_lookup(connection: duckdb.DuckDBPyConnection, lookup: Lookup, table: str, found: Incoming) -> list[str]:
    """Put a relation's keys and values into a table; files that DuckDB refuses are read record by record."""
    names = ", ".join(file.name for file in found.files)
    wanted = [name for name in (lookup.key, lookup.column, lookup.order_by, *lookup.where) if name is not None]
    if missing := [name for name in wanted if name not in found.columns]:
        return [f"lookup: {names}: no column {', '.join(missing)}"]
    rank = f"{quoted(lookup.order_by)}::varchar" if lookup.order_by else "null"
    picked = " and ".join(_is_one_of(name, values) for name, values in lookup.where.items()) or "true"
    try:
        connection.execute(
            f"insert into {table} select trim({quoted(lookup.key)}::varchar), {quoted(lookup.column)}::varchar,"
            f" {rank}, landing_file_, landing_row_ from ({found.relation}) where {picked}"
        )
    except duckdb.Error as error:
        if len(found.files) > 1:
            return [problem for part in found.each() for problem in _fill_lookup(connection, lookup, table, part)]
        if found.is_tolerant or found.format == "parquet":
            return [f"lookup: {names}: {str(error).splitlines()[0]}"]
        try:
            return _fill_lookup(connection, lookup, table, read_tolerantly(connection, found.files[0], found.format))
        except (UnreadableFileError, duckdb.Error) as refusal:
            return [f"lookup: {names}: {str(refusal).splitlines()[0]}"]
    return []


def unite(parts: Iterable[Incoming]) -> Incoming | None:
    """Files of several shapes as one relation, for a history: a state and the one before may stand in two files."""
    found = list(parts)
    if len(found) < 2:
        return found[0] if found else None
    columns = tuple(dict.fromkeys(name for part in found for name in part.columns))
    relation = " union all by name ".join(f"(select * from ({part.relation}))" for part in found)
    return replace(found[0], files=tuple(file for part in found for file in part.files), columns=columns,
                   relation=relation)


def pick(mapping: TableMapping, incoming: Incoming) -> Incoming:
    """The rows of the table, with the columns that its values need.

    Rows of files that lack a column by which rows are picked carry the fault ``missing_column:<name>``: dropping them
    would lose them, taking them would be wrong.
    """
    history = mapping.history
    lookups = _lookups(mapping)
    needed = [*mapping.where, *mapping.where_not]
    needed += [*history.key, *history.order_by, *history.changed] if history else []
    if missing := [name for name in needed if name not in incoming.columns]:
        fault = literal(f"missing_column:{missing[0]}")
        return replace(incoming, relation=f"""
            select * replace (coalesce(landing_fault_, {fault}) as landing_fault_) from ({incoming.relation})
        """)
    if not (picks_rows(mapping) or lookups):
        return incoming
    given = {field.name: getattr(incoming, field.name) for field in fields(Incoming)}
    picked = Picked(**given)
    conditions = [_is_one_of(name, wanted) for name, wanted in mapping.where.items()]
    conditions += [f"not {_is_one_of(name, unwanted)}" for name, unwanted in mapping.where_not.items()]
    if conditions:
        picked = replace(picked, relation=f"""
            select * from ({picked.relation}) where landing_fault_ is not null or ({" and ".join(conditions)})
        """)
    if history:
        picked = _with_previous(mapping, picked)
    for spec in lookups:
        picked = _with_lookup(spec, picked)
    return picked


def count_rows(connection: duckdb.DuckDBPyConnection, incoming: Incoming) -> int:
    """Rows of a relation, those with a fault included."""
    [(rows,)] = connection.execute(f"select count(*) from ({incoming.relation})").fetchall()
    return int(rows)


def _lookups(mapping: TableMapping) -> list[ColumnMapping]:
    """Column mappings with a lookup, inner ones first, each once."""
    found = {spec.helper: spec for spec in mapping.specs() if spec.lookup is not None}
    return list(reversed(found.values()))


def _is_one_of(name: str, wanted: Scalar | tuple[Scalar, ...]) -> str:
    """SQL that is true or false, never null: a column has one of some values."""
    text = f"trim({quoted(name)}::varchar)"
    tests = []
    for value in wanted if isinstance(wanted, tuple) else (wanted,):
        if isinstance(value, bool):
            tests.append(f"try_cast({text} as boolean) = {str(value).lower()}")
        elif isinstance(value, int | float):
            tests.append(f"try_cast({text} as double) = {value}")
        else:
            tests.append(f"coalesce({text}, '') = {literal(value)}")
    return f"coalesce({' or '.join(f'({test})' for test in tests)}, false)"


def _sortable(text: str, way: str = "asc") -> str:
    """SQL order of a text that may be a time or a number: 2021-01-07 6:49 comes before 2021-01-07 10:00."""
    values = (f"try_cast({text} as timestamptz)", f"try_cast({text} as double)", text)
    return ", ".join(f"{value} {way} nulls last" for value in values)


def _with_previous(mapping: TableMapping, picked: Picked) -> Picked:
    history = mapping.history
    if history is None:
        return picked
    used = {part.column for part in mapping.specs() if part.previous and part.column in picked.columns}
    tracked = sorted({*history.changed, *(name for name in used if name is not None)})
    key = ", ".join(f"trim({quoted(name)}::varchar)" for name in history.key)
    order = ", ".join(_sortable(f"{quoted(name)}::varchar") for name in history.order_by)
    # Rows that could not be read are no states.
    states = f"partition by landing_fault_ is null, {key} order by {order}, landing_file_, landing_row_"
    lags = ", ".join(f"lag({quoted(name)}) over ({states}) as {quoted(previous_column(name))}" for name in tracked)
    changes = " or ".join(f"{_text(name)} is distinct from {_text(previous_column(name))}" for name in history.changed)
    helpers = tuple(previous_column(name) for name in tracked)
    return replace(
        picked, columns=(*picked.columns, *helpers), helpers=(*picked.helpers, *helpers),
        relation=f"""
            select * from (select *, {lags} from ({picked.relation})) where landing_fault_ is not null or {changes}
        """,
    )


def _text(name: str) -> str:
    return f"nullif(trim({quoted(name)}::varchar), '')"


def _with_lookup(spec: ColumnMapping, picked: Picked) -> Picked:
    name = str(spec.helper)
    key = f"trim(({unlooked(spec, picked)})::varchar)"
    return replace(
        picked, columns=(*picked.columns, name), helpers=(*picked.helpers, name),
        relation=f"""
            select record.* exclude (lookup_key_), found.value as {quoted(name)}
            from (select *, {key} as lookup_key_ from ({picked.relation})) as record
            left join {quoted(name)} as found on found.key = record.lookup_key_
        """,
    )
