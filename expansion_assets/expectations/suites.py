"""Suites derived from contracts and table definitions, as data: no column list is written twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from expansion_assets.sources.contracts import TableContract
from expansion_assets.tables import Table


@dataclass(frozen=True)
class Expectation:
    """One expectation: Great Expectations' type and its arguments."""

    type: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it is about."""
        return tuple(self.arguments.get("column_list", ())) or (self.arguments["column"],)

    @property
    def label(self) -> str:
        """Short name for people: type and column."""
        return f"{self.type.removeprefix('expect_')}({', '.join(self.columns)})"


def contract_suite(contract: TableContract) -> list[Expectation]:
    """What must hold for a raw table."""
    suite = [Expectation("expect_compound_columns_to_be_unique", {"column_list": ["row_key", "known_from"]})]
    for name in ("happened_at", "known_from", "source_file", "source_row", "row_key"):
        suite.append(Expectation("expect_column_values_to_not_be_null", {"column": name}))
    for name, column in contract.columns.items():
        if column.required:
            suite.append(Expectation("expect_column_values_to_not_be_null", {"column": name}))
        if column.allowed:
            choices = {"column": name, "value_set": list(column.allowed)}
            suite.append(Expectation("expect_column_values_to_be_in_set", choices))
        if column.min is not None or column.max is not None:
            bounds = {"column": name, "min_value": column.min, "max_value": column.max}
            suite.append(Expectation("expect_column_values_to_be_between", bounds))
    return suite


def table_suite(table: Table, between: dict[str, tuple[float, float]] | None = None) -> list[Expectation]:
    """What must hold for a table that Python writes.

    Args:
        table: The definition.
        between: Column -> inclusive bounds.
    """
    key = list(table.key)
    unique = (
        Expectation("expect_compound_columns_to_be_unique", {"column_list": key})
        if len(key) > 1 else Expectation("expect_column_values_to_be_unique", {"column": key[0]})
    )
    suite = [unique]
    suite += [Expectation("expect_column_values_to_not_be_null", {"column": name}) for name in table.required()]
    suite += [
        Expectation("expect_column_values_to_be_in_set", {"column": name, "value_set": list(values)})
        for name, values in table.allowed.items()
    ]
    suite += [
        Expectation("expect_column_values_to_be_between", {"column": name, "min_value": low, "max_value": high})
        for name, (low, high) in (between or {}).items()
    ]
    return suite
