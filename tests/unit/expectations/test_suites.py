"""A suite says what its contract or definition says, and nothing that neither says."""

from __future__ import annotations

import pytest

from expansion_assets.expectations.suites import Expectation, contract_suite, table_suite
from expansion_assets.sources.contracts import Column, TableContract, load_contracts
from expansion_assets.tables import PYTHON_TABLES, Table

NOT_NULL = "expect_column_values_to_not_be_null"
SYSTEM = {"happened_at", "known_from", "source_file", "source_row", "row_key"}


def contract(**columns: Column) -> TableContract:
    own = {"id": Column(type="string", required=True, description=""),
           "at": Column(type="timestamp", required=True, description=""), **columns}
    return TableContract(
        name="things", source="things", description="", grain="", key=("id",), happened_at="at", format="csv",
        files="*.csv", arrival_lag=None, columns=own,
    )


def of_column(suite: list[Expectation], column: str) -> list[Expectation]:
    return [item for item in suite if item.arguments.get("column") == column]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (Column(type="string", description=""), []),
        (Column(type="string", required=True, description=""), [Expectation(NOT_NULL, {"column": "x"})]),
        (Column(type="string", allowed=("a", "b"), description=""),
         [Expectation("expect_column_values_to_be_in_set", {"column": "x", "value_set": ["a", "b"]})]),
        (Column(type="number", min=0, description=""),
         [Expectation("expect_column_values_to_be_between", {"column": "x", "min_value": 0, "max_value": None})]),
        (Column(type="number", min=0, max=10, description=""),
         [Expectation("expect_column_values_to_be_between", {"column": "x", "min_value": 0, "max_value": 10})]),
    ],
)
def test_a_contract_column_brings_what_it_declares(column, expected):
    assert of_column(contract_suite(contract(x=column)), "x") == expected


@pytest.mark.parametrize("table", load_contracts().values(), ids=lambda table: table.name)
def test_every_contract_asks_for_one_row_a_version_and_its_required_columns(table):
    suite = contract_suite(table)
    assert [item.arguments["column_list"] for item in suite if "column_list" in item.arguments] == [
        ["row_key", "known_from"]
    ]
    required = {name for name, column in table.columns.items() if column.required}
    assert {item.arguments["column"] for item in suite if item.type == NOT_NULL} == required | SYSTEM


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("id",), Expectation("expect_column_values_to_be_unique", {"column": "id"})),
        (("id", "day"), Expectation("expect_compound_columns_to_be_unique", {"column_list": ["id", "day"]})),
    ],
)
def test_a_table_suite_follows_the_definition(key, expected):
    columns = {"id": ("varchar", ""), "day": ("date", ""), "score": ("double?", ""), "kind": ("varchar?", "")}
    suite = table_suite(Table("s", "t", "", key, columns, allowed={"kind": ("a", "b")}), {"score": (0.0, 10.0)})
    assert suite == [
        expected,
        Expectation(NOT_NULL, {"column": "id"}),
        Expectation(NOT_NULL, {"column": "day"}),
        Expectation("expect_column_values_to_be_in_set", {"column": "kind", "value_set": ["a", "b"]}),
        Expectation("expect_column_values_to_be_between", {"column": "score", "min_value": 0.0, "max_value": 10.0}),
    ]


@pytest.mark.parametrize("table", PYTHON_TABLES, ids=lambda table: table.full_name)
def test_every_expectation_names_columns_that_exist(table):
    for item in table_suite(table):
        assert {item.arguments.get("column"), *item.arguments.get("column_list", ())} - {None} <= set(table.columns)


def test_a_label_is_short_and_names_the_columns():
    assert Expectation(NOT_NULL, {"column": "id"}).label == "column_values_to_not_be_null(id)"
    compound = Expectation("expect_compound_columns_to_be_unique", {"column_list": ["id", "day"]})
    assert compound.label == "compound_columns_to_be_unique(id, day)"
