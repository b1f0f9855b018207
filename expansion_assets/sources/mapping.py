"""Mapping files: where an outside data set keeps the columns of our contracts.

Belongs here: the language of a mapping file as types, and its checks against the contracts. Does not belong here: how
a value is parsed (``parsing``), how rows are picked (``picking``), how a database is read (``postgres``), code per
data set. A table that the mapping does not name is absent: what needs it is blind, with that reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from expansion_assets.sources.contracts import ContractError, Duration, TableContract

Scalar = str | int | float | bool
Format = Literal["csv", "jsonl", "parquet"]
EXTRACTED_AT = "_extracted_at"
"""Load time of a row read from a database whose table has none of its own."""
IS_DELETED = "_is_deleted"
"""True in the row that says that a database no longer has it (``deletes``)."""
_NUMBER_ONLY = ("decimal", "thousands", "strip")
_TIME_ONLY = ("formats", "epoch", "zone")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lookup(_Model):
    """The value stands in another file, in the row whose ``key`` is the value found so far.

    The looked-up file is read as it is today: a lookup is for what hardly changes (the e-mail of a user id).
    """

    files: str
    format: Format
    key: str
    column: str
    order_by: str | None = None
    """Of several rows with the key: the first by this column (as text); without it, the first in file order."""
    pick: Literal["first", "last"] = "first"
    where: dict[str, Scalar | tuple[Scalar, ...]] = {}
    """Column of the looked-up file -> value or values it must have."""


def previous_column(name: str) -> str:
    """Name under which ``picking`` puts the value that a column had in the state before."""
    return f"previous:{name}"


class ColumnMapping(_Model):
    """How one contract column is found.

    In this order: the source (``column``, ``first_of``, ``joined`` or ``value``), ``lookup``, ``extract``, ``values``
    and ``otherwise``, ``default``; then the type of the contract is parsed, by the remaining fields.
    """

    column: str | None = None
    first_of: tuple[ColumnMapping, ...] | None = None
    """The first of several that is not empty."""
    joined: tuple[ColumnMapping, ...] | None = None
    """Several as one text; empty ones are left out, and nothing but constants is nothing."""
    separator: str = " "
    value: Scalar | None = None
    previous: bool = False
    """The value of ``column`` in the row before, under the table's ``history``."""
    lookup: Lookup | None = None
    extract: str | None = None
    """Regular expression (RE2); its first group is the value, and a text that it does not match has none."""
    values: dict[str, str] | None = None
    """Source value -> contract value; a value that is not named stays as it is, or becomes ``otherwise``."""
    otherwise: str | None = None
    default: str | None = None
    """Contract value of an empty one."""
    formats: tuple[str, ...] | None = None
    """strptime formats tried in turn, for dates and timestamps."""
    epoch: Literal["seconds", "milliseconds", "microseconds"] | None = None
    """The source counts since 1970-01-01 UTC."""
    zone: str | None = None
    """IANA zone of a local time without offset; daylight saving included."""
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'"] | None = None
    strip: tuple[str, ...] | None = None
    """Currency signs, codes or units that may stand before or behind a number."""
    list_separator: str | None = None
    """The source is a JSON array (a database's array): its items as one text."""

    @model_validator(mode="before")
    @classmethod
    def _plain_name(cls, value: object) -> object:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _holds_together(self) -> ColumnMapping:
        sources = [name for name in ("column", "first_of", "joined", "value") if getattr(self, name) is not None]
        if len(sources) != 1:
            raise ValueError(f"needs exactly one of column, first_of, joined, value; it has {sources or 'none'}")
        if self.previous and self.column is None:
            raise ValueError("previous goes with column")
        if self.otherwise is not None and self.values is None:
            raise ValueError("otherwise goes with values")
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same sign")
        if self.epoch and (self.formats or self.zone):
            raise ValueError("epoch counts in UTC: neither formats nor zone go with it")
        return self

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError(f"{value!r} is no IANA time zone such as Europe/Berlin") from error
        return value

    @field_validator("extract")
    @classmethod
    def _one_group(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                groups = re.compile(value).groups
            except re.error as error:
                raise ValueError(f"{value!r} is no regular expression: {error}") from error
            if groups != 1:
                raise ValueError(f"{value!r} needs exactly one group in parentheses")
        return value

    @property
    def helper(self) -> str | None:
        """Name under which ``picking`` puts a value of another row beside the columns of this one, or None."""
        if self.lookup is not None:
            return "lookup:" + hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
        return previous_column(self.column) if self.previous and self.column else None

    def parts(self) -> Iterator[ColumnMapping]:
        """This mapping and those nested in it."""
        yield self
        for part in (*(self.first_of or ()), *(self.joined or ())):
            yield from part.parts()

    def sources(self) -> set[str]:
        """Columns of the table's own files that it reads."""
        return {part.column for part in self.parts() if part.column is not None}


class History(_Model):
    """Rows are states of a thing in turn: only those that differ from the state before are rows of the table.

    The first state of a thing is kept; its ``previous`` columns are empty.
    """

    key: tuple[str, ...] = Field(min_length=1)
    order_by: tuple[str, ...] = Field(min_length=1)
    """Source columns, compared as text: ISO times, or numbers of equal length."""
    changed: tuple[str, ...] = Field(min_length=1)


class PostgresSource(_Model):
    """A table of a product database instead of files; ``postgres`` reads it into landing files."""

    dsn_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    """Environment variable with the connection string: never the string itself."""
    table: str | None = None
    query: str | None = None
    cursor: str
    """Column that grows with every change: a timestamp, a date or an integer."""
    key: tuple[str, ...] | None = None
    """Columns that name a row; None means those mapped to the contract's key."""
    overlap: Duration | int = None
    """How far before the newest known cursor each read starts again, for transactions that commit late: a duration,
    or a number for an integer cursor. None means 2h, or 1000."""
    batch_rows: int = Field(default=50_000, ge=1, le=1_000_000)
    """Rows held in memory, and rows of a landing file."""
    assume_history: bool = False
    """The first load has no load time: known_at = happened_at + arrival lag, marked as assumed, so that the past can be
    replayed. Without it, everything that the first load brings is known from the first load on."""

    deletes: bool = False
    """Read the keys of the whole table each time, and report the landed rows that are no longer there as deleted."""

    @model_validator(mode="after")
    def _one_relation(self) -> PostgresSource:
        if (self.table is None) == (self.query is None):
            raise ValueError("needs a table or a query, not both")
        return self

    @property
    def relation(self) -> str:
        """Name for messages."""
        return self.table or "query"


class TableMapping(_Model):
    """How one contract table is found in the outside data set."""

    files: str
    format: Format
    postgres: PostgresSource | None = None
    loaded_at: ColumnMapping | None = None
    where: dict[str, Scalar | tuple[Scalar, ...]] = {}
    """Source column -> value or values it must have: the other rows are not of this table."""
    where_not: dict[str, Scalar | tuple[Scalar, ...]] = {}
    """Source column -> value or values it must not have; an empty value passes."""
    history: History | None = None
    unmapped: Literal["keep", "leave"] = "keep"
    """Columns of the files that no contract column reads: reported and kept in ``extra_json``, or left where they are
    (a CRM export has hundreds, with personal data in them)."""
    columns: dict[str, ColumnMapping]
    parts: tuple[TableMapping, ...] = ()
    """Further inputs of the same table: the mapping file gives a list."""

    @model_validator(mode="after")
    def _holds_together(self) -> TableMapping:
        for name, spec in self.columns.items():
            if self.history is None and any(part.previous for part in spec.parts()):
                raise ValueError(f"columns.{name}: previous needs the table's history")
        if len({part.loaded_at is None for part in self.inputs}) > 1:
            raise ValueError("either all inputs of a table have loaded_at or none: else no row can be told a version")
        return self

    @property
    def inputs(self) -> tuple[TableMapping, ...]:
        """All inputs, this one first."""
        return (self, *self.parts)

    def landing_names(self) -> dict[str, set[str]]:
        """Contract column (and ``loaded_at``) -> source columns of any input that it is read from."""
        names: dict[str, set[str]] = {}
        for part in self.inputs:
            for column, spec in {**part.columns, "loaded_at": part.loaded_at}.items():
                if spec is not None:
                    names.setdefault(column, set()).update(spec.sources())
        return names

    def specs(self) -> Iterator[ColumnMapping]:
        """Every column mapping of this input, nested ones too."""
        for spec in (*self.columns.values(), self.loaded_at):
            if spec is not None:
                yield from spec.parts()

    def sources(self) -> set[str]:
        """Columns that this input reads, for values or to pick rows; helpers of ``picking`` too."""
        named = {name for part in self.specs() for name in (part.column, part.helper) if name is not None}
        if self.history:
            named |= {*self.history.key, *self.history.order_by, *self.history.changed}
            named |= {previous_column(name) for name in self.history.changed}
        return named | set(self.where) | set(self.where_not)


class Mapping(_Model):
    """One data set: its clock and its tables."""

    name: str
    description: str
    first_day: date
    last_day: date | None = None
    """Frozen today of a data set that has ended; None means the calendar's today."""
    absent: dict[str, str] = {}
    """Contract table, ``table.column`` or source -> why this data set has none; shown as the reason of blindness."""
    tables: dict[str, TableMapping]

    @field_validator("tables", mode="before")
    @classmethod
    def _inputs(cls, value: Any) -> Any:
        """A list of inputs is its first one with parts; a database table lands as Parquet in a folder of its own."""
        if not isinstance(value, dict):
            return value
        tables = {}
        for name, body in value.items():
            inputs = [
                _database_files(name, part, place)
                for place, part in enumerate(body if isinstance(body, list) else [body])
            ]
            if not inputs:
                raise ValueError(f"{name}: the list of inputs is empty")
            tables[name] = inputs[0] if len(inputs) == 1 else {**inputs[0], "parts": inputs[1:]}
        return tables

    @model_validator(mode="after")
    def _databases_go_on(self) -> Mapping:
        for name, table in self.tables.items():
            if self.last_day is not None and any(part.postgres for part in table.inputs):
                raise ValueError(f"tables.{name}: a data set with a last_day has ended; a database table goes on")
        return self


def _database_files(name: str, body: Any, place: int) -> Any:
    """Where the rows of a database input land; inputs of one table share a folder, so their names differ."""
    if not isinstance(body, dict) or not body.get("postgres"):
        return body
    if {"files", "format"} & set(body):
        raise ValueError(f"{name}: has both postgres and files; name one")
    files = f"postgres/{name}/rows{place or ''}_*.parquet"
    return {"loaded_at": {"column": EXTRACTED_AT}, **body, "files": files, "format": "parquet"}


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
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"{path.name}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ContractError(f"{path.name}: expected keys name, description, first_day and tables")
    try:
        mapping = Mapping(**document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "function-before")
        raise ContractError(f"{path.name}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    for name, table in mapping.tables.items():
        if name not in contracts:
            raise ContractError(f"{path.name}: tables.{name}: there is no such contract")
        for part in table.inputs:
            if problem := _misfit(part, contracts[name]):
                raise ContractError(f"{path.name}: tables.{name}.columns{problem}")
    return mapping


def _misfit(table: TableMapping, contract: TableContract) -> str | None:
    """Why the columns of an input do not fit a contract, or None."""
    if unknown := sorted(set(table.columns) - set(contract.columns)):
        return f": {unknown} are not in the contract"
    for name, spec in table.columns.items():
        kind = contract.columns[name].type
        for fields, kinds in ((_NUMBER_ONLY, ("integer", "number")), (_TIME_ONLY, ("date", "timestamp"))):
            given = [field for field in fields if getattr(spec, field) is not None]
            if given and kind not in kinds:
                return f".{name}: {', '.join(given)} is for a {' or '.join(kinds)}; the contract has a {kind}"
    if table.postgres is not None:
        for key in contract.key:
            if table.postgres.key is None and (key not in table.columns or table.columns[key].column is None):
                return f".{key}: is no plain source column, so postgres.key must name the key columns"
        if table.postgres.deletes and contract.deleted_by is None:
            return f": the contract of {contract.name} knows no deletions; postgres.deletes does not go with it"
        flag = table.columns.get(contract.deleted_by or "")
        if table.postgres.deletes and (flag is None or flag.column != IS_DELETED):
            return f".{contract.deleted_by}: must be {IS_DELETED} when postgres.deletes is true"
    return None
