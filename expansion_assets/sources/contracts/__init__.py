"""Contracts of the raw tables (one YAML per source) and their typed loader.

Belongs here: grain, key, columns, time columns, freshness, arrival lag and personal-data class of each raw table.
Does not belong here: where an outside data set keeps these columns (a mapping file), or how rows are read.
The contract is the single source: landing schema, quality suite, dbt source and data dictionary derive from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from expansion_assets.sources.contracts.reading import Document, Location
from expansion_assets.tables import TRIGGERS

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
# Table and column names stand unquoted in SQL and in dbt.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
TriggerName = Annotated[str, AfterValidator(lambda value: _one_of(value, TRIGGERS, "trigger"))]


def _one_of(value: str, known: tuple[str, ...], what: str) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is no {what}; known are {', '.join(known)}")
    return value


class Column(BaseModel):
    """One column of a raw table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ColumnType
    description: str
    required: bool = False
    unit: str | None = None
    """What a number counts or measures; every number has one. ``currency``: that of the row's currency column."""
    min: float | None = None
    max: float | None = None
    allowed: tuple[str, ...] | None = Field(default=None, min_length=1)
    personal: Literal["direct", "indirect", "free_text"] | None = None
    """Personal-data class: names a person, describes one, or is text in which one may be named."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Field and rule of what does not hold together."""
        is_number = self.type in ("integer", "number")
        if not self.description.strip():
            yield "description", "is empty"
        if is_number and self.unit is None:
            yield "unit", f"a column of type {self.type} needs a unit"
        if not is_number and self.unit is not None:
            yield "unit", f"a unit is for numbers; the column is a {self.type}"
        for name, bound in (("min", self.min), ("max", self.max)):
            if bound is not None and not is_number:
                yield name, f"a bound is for numbers; the column is a {self.type}"
        if self.min is not None and self.max is not None and self.min > self.max:
            yield "min", "is above max"
        if self.allowed is not None and self.type != "string":
            yield "allowed", f"allowed values are for strings; the column is a {self.type}"
        if self.allowed is not None and len(set(self.allowed)) < len(self.allowed):
            yield "allowed", "a value is named twice"


class TableContract(BaseModel):
    """One raw table: grain, key, columns, time and what depends on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    source: Name
    description: str
    grain: str
    key: tuple[str, ...] = Field(min_length=1)
    happened_at: str
    format: Literal["csv", "jsonl", "parquet"]
    files: str
    arrival_lag: Duration
    freshness: Duration = None
    """Age of the newest row from which the table counts as stale; None where any age is normal."""
    delivery: Literal["changes", "snapshot"] = "changes"
    """``changes``: a file holds what changed. ``snapshot``: each file is the whole table at its date."""
    deleted_by: str | None = None
    """Column that reports a deletion when it is true (boolean) or filled (date, timestamp). It is not stored."""
    person_rows: Literal["delete", "keep"] = "keep"
    """What a purge does with a row of the person: ``delete`` where the person is the grain; ``keep`` where the row is a
    fact of the account, whose personal columns then name nobody any more (``privacy``)."""
    person_id: str | None = None
    """Key column whose value leads to the person in tables that have a column of the same name."""
    triggers: tuple[TriggerName, ...] = ()
    columns: dict[Name, Column] = Field(min_length=1)

    def problems(self) -> Iterator[tuple[Location, str]]:
        """Place and rule of what does not hold together; empty for a good contract."""
        for role, name in (*((("key", place), name) for place, name in enumerate(self.key)),
                           (("happened_at",), self.happened_at)):
            if name not in self.columns:
                yield role, f"{name} is no column"
            elif not self.columns[name].required:
                yield ("columns", name), f"is key or time, so it must be required ({role[0]})"
        if len(set(self.key)) < len(self.key):
            yield ("key",), "a column is named twice"
        for field in ("description", "grain"):
            if not getattr(self, field).strip():
                yield (field,), "is empty"
        happened = self.columns.get(self.happened_at)
        if happened is not None and happened.type not in ("date", "timestamp"):
            yield ("happened_at",), f"{self.happened_at} must be a date or a timestamp"
        if self.deleted_by is not None:
            deleted = self.columns.get(self.deleted_by)
            if deleted is None or deleted.required or deleted.type not in ("boolean", "date", "timestamp"):
                yield ("deleted_by",), f"{self.deleted_by} must be an optional boolean, date or timestamp column"
        if self.person_id is not None and (self.key != (self.person_id,) or self.person_rows != "delete"):
            yield ("person_id",), "must be the key of a table whose person_rows is delete"
        if not self.files.endswith(f".{self.format}"):
            yield ("files",), f"{self.files} does not end in .{self.format} (a gzipped file is found as well)"
        if Path(self.files).is_absolute() or ".." in Path(self.files).parts:
            yield ("files",), f"{self.files} must lie below the landing folder"
        for name, column in self.columns.items():
            if name in SYSTEM_COLUMNS or name == "loaded_at":
                yield ("columns", name), "is a name of the raw layer itself"
            for field, rule in column.problems():
                yield ("columns", name, field), rule

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


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Name
    description: str
    tables: dict[Name, dict[str, Any]] = Field(min_length=1)


def read_contracts(directory: Path) -> dict[str, TableContract]:
    """Read every ``*.yml`` of a folder.

    Returns:
        Contracts by table name, in file and table order.

    Raises:
        ContractError: names file, line, table and column of everything that is wrong in the first bad table.
    """
    contracts: dict[str, TableContract] = {}
    for path in sorted(directory.glob("*.yml")):
        document = Document(path, ContractError)
        if not isinstance(document.values, dict):
            raise ContractError(f"{path.name}:1: expected the keys source, description and tables")
        try:
            source = _Source(**document.values)
        except ValidationError as error:
            raise document.validation_refusal(error, ()) from error
        except TypeError as error:  # keys that are no texts
            raise ContractError(f"{path.name}:1: {error}") from error
        for name, body in source.tables.items():
            place: Location = ("tables", name)
            if name in contracts:
                raise document.refusal(place, f"the table is declared in {contracts[name].source}.yml too")
            if forbidden := {"name", "source"} & set(body):
                raise document.refusal((*place, min(forbidden)), "no such key")
            try:
                contract = TableContract(name=name, source=source.source, **body)
            except ValidationError as error:
                raise document.validation_refusal(error, place) from error
            if problems := [document.refusal((*place, *inner), rule) for inner, rule in contract.problems()]:
                raise ContractError("\n".join(str(problem) for problem in problems))
            contracts[name] = contract
    return contracts


@lru_cache
def load_contracts() -> dict[str, TableContract]:
    """The project's own contracts, read once."""
    return read_contracts(CONTRACTS_DIR)
