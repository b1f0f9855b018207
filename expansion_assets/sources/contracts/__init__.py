"""Contracts of the raw tables (one YAML per source) and their typed loader.

Belongs here: grain, key, columns, time columns, freshness, arrival lag and personal-data class of each raw table.
Does not belong here: where an outside data set keeps these columns (a mapping file), or how rows are read.
The contract is the single source: landing schema, quality suite, dbt source and data dictionary derive from it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

CONTRACTS_DIR = Path(__file__).parent

ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
SQL_TYPES: dict[str, str] = {
    "string": "varchar",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
SYSTEM_COLUMNS: dict[str, tuple[str, str]] = {
    "happened_at": ("timestamp", "When it was true in the world, UTC."),
    "known_from": ("timestamp", "When this system could first know this version, UTC."),
    "known_to": ("timestamp", "When the next version became known; null while this one is valid, UTC."),
    "version_no": ("integer", "1 for the first version of the key, counted in known time."),
    "is_known_at_assumed": ("boolean", "True when the source gave no load time and the arrival lag was assumed."),
    "source_file": ("varchar", "Landing file."),
    "source_row": ("bigint", "Row in that file, 1 for the first record."),
    "row_key": ("varchar", "Key columns joined by |."),
    "extra_json": ("varchar", "Columns of the file that the contract does not know, as JSON; null without any."),
}


class ContractError(ValueError):
    """A contract or mapping file that does not hold together; the message names file, key and rule."""


def _duration(value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d+)\s*(h|d)", str(value).strip())
    if not found:
        raise ValueError(f"{value!r} is not a duration such as 12h or 3d")
    return timedelta(**{"h": {"hours": int(found[1])}, "d": {"days": int(found[1])}}[found[2]])


Duration = Annotated[timedelta | None, BeforeValidator(_duration)]


class Column(BaseModel):
    """One column of a raw table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ColumnType
    description: str
    required: bool = False
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: tuple[str, ...] | None = None
    personal: Literal["direct", "indirect", "free_text"] | None = None


class TableContract(BaseModel):
    """One raw table: grain, key, columns, time and what depends on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str
    description: str
    grain: str
    key: tuple[str, ...] = Field(min_length=1)
    happened_at: str
    format: Literal["csv", "jsonl", "parquet"]
    files: str
    arrival_lag: Duration
    freshness: Duration = None
    delivery: Literal["changes", "snapshot"] = "changes"
    """``changes``: a file holds what changed. ``snapshot``: each file is the whole table at its date."""
    deleted_by: str | None = None
    """Column that reports a deletion when it is true (boolean) or filled (date, timestamp). It is not stored."""
    triggers: tuple[str, ...] = ()
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _columns_exist(self) -> TableContract:
        for name in (*self.key, self.happened_at):
            if name not in self.columns:
                raise ValueError(f"{self.name}: {name} is named as key or time but is no column")
            if not self.columns[name].required:
                raise ValueError(f"{self.name}: key and time column {name} must be required")
        if self.columns[self.happened_at].type not in ("date", "timestamp"):
            raise ValueError(f"{self.name}: happened_at column {self.happened_at} must be a date or timestamp")
        if self.deleted_by is not None and (
            self.deleted_by not in self.columns
            or self.columns[self.deleted_by].type not in ("boolean", "date", "timestamp")
            or self.columns[self.deleted_by].required
        ):
            raise ValueError(f"{self.name}: deleted_by must name an optional boolean, date or timestamp column")
        clash = set(self.columns) & (set(SYSTEM_COLUMNS) | {"loaded_at"})
        if clash:
            raise ValueError(f"{self.name}: {sorted(clash)} are names of the raw layer itself")
        return self

    @property
    def stored_columns(self) -> dict[str, Column]:
        """Columns of ``raw.<name>``: all but the one that reports deletions."""
        return {name: column for name, column in self.columns.items() if name != self.deleted_by}

    def table_columns(self) -> dict[str, str]:
        """Name -> SQL type of every column of ``raw.<name>``, system columns last."""
        own = {name: SQL_TYPES[column.type] for name, column in self.stored_columns.items()}
        return own | {name: sql_type for name, (sql_type, _) in SYSTEM_COLUMNS.items()}

    def ddl(self) -> str:
        """``create table if not exists raw.<name>`` with contract and system columns."""
        columns = ", ".join(f'"{name}" {sql_type}' for name, sql_type in self.table_columns().items())
        return f"create table if not exists raw.{self.name} ({columns})"


def read_contracts(directory: Path) -> dict[str, TableContract]:
    """Read every ``*.yml`` of a folder.

    Returns:
        Contracts by table name, in file and table order.

    Raises:
        ContractError: names the file, the table and the rule that is broken.
    """
    contracts: dict[str, TableContract] = {}
    for path in sorted(directory.glob("*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, body in document["tables"].items():
            if name in contracts:
                raise ContractError(f"{path.name}: table {name} is declared twice")
            try:
                contracts[name] = TableContract(name=name, source=document["source"], **body)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise ContractError(f"{path.name}: {name}.{where}: {first['msg']}") from error
    return contracts


@lru_cache
def load_contracts() -> dict[str, TableContract]:
    """The project's own contracts, read once."""
    return read_contracts(CONTRACTS_DIR)
