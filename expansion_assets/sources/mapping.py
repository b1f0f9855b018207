"""Mapping files: where an outside data set keeps the columns of our contracts.

Belongs here: renames, constants, value maps and date formats, as configuration. Does not belong here: code per data
set. A table that the mapping does not name is absent: what needs it is blind, with that reason.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from expansion_assets.sources.contracts import ContractError, TableContract


class ColumnMapping(BaseModel):
    """How one contract column is found: a source column, or a constant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str | None = None
    value: str | int | float | bool | None = None
    values: dict[str, str] | None = None
    """Source value -> contract value; a value that is not named stays as it is."""
    formats: tuple[str, ...] | None = None
    """strptime formats tried in turn, for dates and timestamps."""


class TableMapping(BaseModel):
    """How one contract table is found in the outside data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: str
    format: Literal["csv", "jsonl", "parquet"]
    loaded_at: ColumnMapping | None = None
    columns: dict[str, ColumnMapping]

    @field_validator("columns", mode="before")
    @classmethod
    def _plain_names(cls, value: dict[str, object]) -> dict[str, object]:
        return {name: {"column": spec} if isinstance(spec, str) else spec for name, spec in value.items()}


class Mapping(BaseModel):
    """One data set: its clock and its tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    first_day: date
    last_day: date | None = None
    """Frozen today of a data set that has ended; None means the calendar's today."""
    absent: dict[str, str] = {}
    """Contract table or source -> why this data set has none; shown as the reason of blindness."""
    tables: dict[str, TableMapping]


def own_mapping(contracts: dict[str, TableContract], first_day: date, last_day: date | None) -> Mapping:
    """The identity mapping: landing files that already speak the contract's language."""
    tables = {
        name: TableMapping(
            files=contract.files,
            format=contract.format,
            loaded_at=ColumnMapping(column="loaded_at"),
            columns={column: ColumnMapping(column=column) for column in contract.columns},
        )
        for name, contract in contracts.items()
    }
    return Mapping(name="own", description="Landing files in contract form.", first_day=first_day, last_day=last_day,
                   tables=tables)


def read_mapping(path: Path, contracts: dict[str, TableContract]) -> Mapping:
    """Read and check a mapping file against the contracts.

    Raises:
        ContractError: names the file, the table and the column that do not fit.
    """
    if not path.is_file():
        raise ContractError(f"{path}: no mapping file there")
    try:
        mapping = Mapping(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        raise ContractError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    for name, table in mapping.tables.items():
        if name not in contracts:
            raise ContractError(f"{path.name}: tables.{name}: there is no such contract")
        unknown = set(table.columns) - set(contracts[name].columns)
        if unknown:
            raise ContractError(f"{path.name}: tables.{name}.columns: {sorted(unknown)} are not in the contract")
    return mapping
