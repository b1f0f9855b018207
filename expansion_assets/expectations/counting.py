"""What an expectation needs to know of a table, counted by the engine: rows, nulls, rows that break it, examples.

Belongs here: the meaning of each expectation type as SQL. Does not belong here: the verdict (Great Expectations gives
it, ``validation.py``), masking, where results go.

One pass counts everything that is judged row by row; uniqueness is one pass each. No row reaches Python but a few
examples of what failed. A float that is not a number counts as missing, as Great Expectations has it on frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from expansion_assets.expectations.suites import Expectation
from expansion_assets.sources.sql import literal, quoted

EXAMPLES = 5
_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "hugeint", "float", "double", "decimal")


@dataclass(frozen=True)
class Slice:
    """Rows of one table whose ``column`` lies in [start, end)."""

    table: str
    column: str
    start: date | datetime
    end: date | datetime

    @property
    def condition(self) -> str:
        """SQL condition of these rows."""
        return f"{quoted(self.column)} >= timestamp '{self.start}' and {quoted(self.column)} < timestamp '{self.end}'"


@dataclass(frozen=True)
class Count:
    """What one expectation found; ``unexpected`` is None when it could not be evaluated, and ``problem`` says why."""

    rows: int
    missing: int = 0
    unexpected: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Example:
    """One failing row: key and values as they stand in the table. Never to be shown unmasked."""

    key: Any
    values: dict[str, Any]


@dataclass(frozen=True)
class Findings:
    """Examples of rows that break an expectation, with the first and last day on which such rows stand."""

    examples: tuple[Example, ...]
    first_day: date
    last_day: date


def count(connection: duckdb.DuckDBPyConnection, rows: Slice, suite: Sequence[Expectation]) -> list[Count]:
    """Count, for each expectation of a suite, the rows that break it.

    Args:
        connection: Connection to the engine.
        rows: What is looked at.
        suite: Expectations of the types in ``suites.py``.

    Returns:
        One count per expectation, in the suite's order.
    """
    types = column_types(connection, rows.table)
    wanted: dict[str, str] = {"rows_": "count(*)"}
    for place, item in enumerate(suite):
        if _problem(item, types) is None:
            wanted[f"missing_{place}"] = f"count(*) filter (where {_missing(item, types)})"
            if not _is_unique(item):
                wanted[f"unexpected_{place}"] = f"count(*) filter (where {_unexpected(item, types)})"
    listed = ", ".join(f"{sql} as {name}" for name, sql in wanted.items())
    row = connection.execute(f"select {listed} from {rows.table} where {rows.condition}").fetchone()
    found = dict(zip(wanted, row or (), strict=True))
    counts = []
    for place, item in enumerate(suite):
        problem = _problem(item, types)
        unexpected = found.get(f"unexpected_{place}")
        if problem is None and _is_unique(item):
            [(unexpected,)] = connection.execute(
                f"select coalesce(sum(copies), 0)::bigint from ({_repeated(rows, item, types)})"
            ).fetchall()
        counts.append(Count(found["rows_"], found.get(f"missing_{place}", 0), unexpected, problem))
    return counts


def find_examples(connection: duckdb.DuckDBPyConnection, rows: Slice, item: Expectation, key: str) -> Findings:
    """The first failing rows of an expectation that was found to fail, in the order of their keys.

    Args:
        connection: Connection to the engine.
        rows: What is looked at.
        item: An expectation with unexpected rows.
        key: Column that names a row.
    """
    types = column_types(connection, rows.table)
    names = item.columns
    condition = _unexpected(item, types)
    source = rows.table
    if _is_unique(item):
        same = " and ".join(f"{source}.{quoted(name)} is not distinct from repeated.{quoted(name)}" for name in names)
        condition = f"exists (select 1 from ({_repeated(rows, item, types)}) as repeated where {same})"
    own = ", ".join(f"{source}.{quoted(name)}" for name in (key, *names))
    where = f"{rows.condition} and {condition}"
    examples = connection.execute(f"select {own} from {source} where {where} order by all limit {EXAMPLES}").fetchall()
    day = f"cast({quoted(rows.column)} as date)"
    [(first, last)] = connection.execute(f"select min({day}), max({day}) from {source} where {where}").fetchall()
    return Findings(
        tuple(Example(row[0], dict(zip(names, row[1:], strict=True))) for row in examples), first, last
    )


def column_types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Columns of a table with their types in lower case."""
    described = connection.execute(f"describe {table}").fetchall()
    return {row[0]: str(row[1]).lower() for row in described}


def _problem(item: Expectation, types: dict[str, str]) -> str | None:
    """Why an expectation cannot be evaluated on this table."""
    lacking = [name for name in item.columns if name not in types]
    if lacking:
        return f"the table has no column {', '.join(lacking)}"
    column_type = types[item.columns[0]]
    if item.type == "expect_column_values_to_be_between" and not column_type.startswith(_NUMBERS):
        return f"{item.columns[0]} is a {column_type}, not a number"
    return None


def _is_unique(item: Expectation) -> bool:
    return item.type in ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")


def _missing(item: Expectation, types: dict[str, str]) -> str:
    """SQL: the row has no value for this expectation; of several columns, all must lack one."""
    return " and ".join(_is_null(name, types) for name in item.columns)


def _is_null(name: str, types: dict[str, str]) -> str:
    column = quoted(name)
    if types[name] in ("float", "double"):
        return f"({column} is null or isnan({column}))"
    return f"{column} is null"


def _unexpected(item: Expectation, types: dict[str, str]) -> str:
    """SQL: the row breaks the expectation. A missing value breaks none but the one that asks for a value."""
    missing = _missing(item, types)
    if item.type == "expect_column_values_to_not_be_null":
        return f"({missing})"
    if _is_unique(item):
        return f"not ({missing})"
    column = quoted(item.arguments["column"])
    if item.type == "expect_column_values_to_be_in_set":
        choices = ", ".join(literal(choice) for choice in item.arguments["value_set"])
        return f"(not ({missing}) and {column}::varchar not in ({choices}))"
    if item.type == "expect_column_values_to_be_between":
        low, high = item.arguments["min_value"], item.arguments["max_value"]
        sides = [f"{column} < {low}"] * (low is not None) + [f"{column} > {high}"] * (high is not None)
        return f"(not ({missing}) and ({' or '.join(sides)}))"
    raise ValueError(f"{item.type} has no meaning in SQL yet")


def _repeated(rows: Slice, item: Expectation, types: dict[str, str]) -> str:
    """SQL of the values that stand in several rows, with the number of rows."""
    names = ", ".join(quoted(name) for name in item.columns)
    return f"""
        select {names}, count(*) as copies
        from {rows.table}
        where {rows.condition} and not ({_missing(item, types)})
        group by {names}
        having count(*) > 1
    """
