"""One definition serves DDL, required columns and Arrow types."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pyarrow as pa
import pytest

from expansion_assets.store.warehouse import as_arrow
from expansion_assets.tables import PYTHON_TABLES, Table

TABLE = Table(
    "s", "t", "", ("id",),
    {
        "id": ("varchar", ""), "share": ("double?", ""), "count": ("bigint", ""), "place": ("integer?", ""),
        "is_on": ("boolean", ""), "day": ("date?", ""), "at": ("timestamp", ""),
    },
)
ARROW = [pa.string(), pa.float64(), pa.int64(), pa.int32(), pa.bool_(), pa.date32(), pa.timestamp("us")]


def test_ddl_has_every_column_without_the_mark_of_nullability():
    assert TABLE.ddl() == (
        'create table if not exists s.t ("id" varchar, "share" double, "count" bigint, "place" integer,'
        ' "is_on" boolean, "day" date, "at" timestamp)'
    )


def test_required_columns_are_those_without_the_mark():
    assert TABLE.required() == ["id", "count", "is_on", "at"]


def test_arrow_types_follow_the_definition_even_when_all_values_are_null():
    assert as_arrow(TABLE, []).schema.types == ARROW
    assert as_arrow(TABLE, [{"id": "a"}]).schema.types == ARROW


def test_rows_keep_their_values_and_lack_nothing_but_what_they_lack():
    at = datetime(2026, 3, 2, 9, 30)
    rows = as_arrow(TABLE, [{"id": "a", "count": 3, "day": date(2026, 3, 2), "at": at, "unknown": 1}]).to_pylist()
    assert rows == [
        {"id": "a", "share": None, "count": 3, "place": None, "is_on": None, "day": date(2026, 3, 2), "at": at}
    ]


@pytest.mark.parametrize("row", [{"count": "three"}, {"day": "2026-03-02"}, {"place": 2**40}])
def test_a_value_of_another_type_is_refused(row):
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        as_arrow(TABLE, [row])


@pytest.mark.parametrize("table", PYTHON_TABLES, ids=lambda table: table.full_name)
def test_every_definition_holds_together(table):
    named = {*table.key, *table.allowed, *([table.window_column] if table.window_column else [])}
    assert named <= set(table.columns)
    with duckdb.connect() as connection:
        connection.execute(f"create schema if not exists {table.schema}")
        connection.execute(table.ddl())
        described = connection.execute(f"describe {table.full_name}").fetchall()
    assert [(row[0], row[1].lower()) for row in described] == [(name, table.sql_type(name)) for name in table.columns]


def test_full_names_are_unique():
    assert len({table.full_name for table in PYTHON_TABLES}) == len(PYTHON_TABLES)
