"""Landing files: rows collected by table, written by month of arrival in the format the contract names.

Belongs here: file names, formats, value spelling. Does not belong here: what the rows say.
The contracts (``sources/contracts/*.yml``) are the only source of paths, formats and column order.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from expansion_assets.sources.contracts import TableContract, load_contracts
from expansion_assets.world.period import Period

_POLARS: dict[str, Any] = {
    "string": pl.String,
    "number": pl.Float64,
    "integer": pl.Int64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
}
LOADED_AT = "loaded_at"


class Landing:
    """Rows that arrive at the company, by table."""

    def __init__(self, period: Period) -> None:
        """Collect rows that arrive up to the end of the period; older ones came with the first load."""
        self._first_load = period.nightly(-1)
        self._end = period.at(period.length, time())
        self._rows: dict[str, list[dict[str, Any]]] = {table: [] for table in load_contracts()}
        self._frames: dict[str, list[pl.DataFrame]] = {}

    def add(self, table: str, loaded_at: datetime, row: dict[str, Any]) -> None:
        """Collect one row; what arrives after the world's end is left out.

        Raises:
            KeyError: the row has a column that the contract does not name.
        """
        columns = load_contracts()[table].columns
        if unknown := row.keys() - columns.keys():
            raise KeyError(f"{table}: {sorted(unknown)}")
        loaded_at = max(loaded_at, self._first_load)
        if loaded_at < self._end:
            self._rows[table].append({name: row.get(name) for name in columns} | {LOADED_AT: loaded_at})

    def add_frame(self, table: str, frame: pl.DataFrame) -> None:
        """Collect many rows at once: contract columns and ``loaded_at`` (naive UTC)."""
        self._frames.setdefault(table, []).append(frame.filter(pl.col(LOADED_AT) < self._end))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table that were added one by one, with ``loaded_at``."""
        return self._rows[table]

    def write(self, directory: Path) -> dict[str, int]:
        """Write one file per table and month of arrival; returns rows per table."""
        return {
            table: self._write_frames(table, contract, directory)
            if table in self._frames
            else self._write_rows(table, contract, directory)
            for table, contract in load_contracts().items()
        }

    def _write_rows(self, table: str, contract: TableContract, directory: Path) -> int:
        key = contract.key
        months: dict[str, list[dict[str, Any]]] = {}
        rows = sorted(self._rows[table], key=lambda row: (row[LOADED_AT], *(str(row[name]) for name in key)))
        for row in rows:
            months.setdefault(f"{row[LOADED_AT]:%Y-%m}", []).append(row)
        for month, arrived in months.items():
            path = _file(directory, contract, month)
            if contract.format == "parquet":
                _typed(pl.DataFrame(arrived, infer_schema_length=None), contract).write_parquet(path)
            elif contract.format == "csv":
                path.write_text(_csv(arrived), encoding="utf-8", newline="")
            else:
                path.write_text(_json_lines(arrived), encoding="utf-8", newline="")
        return len(rows)

    def _write_frames(self, table: str, contract: TableContract, directory: Path) -> int:
        frame = pl.concat(self._frames[table])
        order = [LOADED_AT, *contract.key]
        for (month,), arrived in frame.group_by(pl.col(LOADED_AT).dt.strftime("%Y-%m"), maintain_order=True):
            _typed(arrived.sort(order), contract).write_parquet(_file(directory, contract, str(month)))
        return frame.height


def _file(directory: Path, contract: TableContract, month: str) -> Path:
    pattern = contract.files
    path = directory / pattern.replace("_*", f"_{month}").replace("*", f"_{month}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _typed(frame: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    columns = {name: _POLARS[column.type] for name, column in contract.columns.items()}
    timed = [name for name, kind in columns.items() if kind == _POLARS["timestamp"]] + [LOADED_AT]
    missing = [pl.lit(None).alias(name) for name in columns if name not in frame.columns]
    frame = frame.with_columns(pl.col(name).dt.replace_time_zone("UTC") for name in timed).with_columns(
        missing
    )
    return frame.select([*columns, LOADED_AT]).cast(
        {name: kind for name, kind in columns.items() if name not in timed}
    )


def _spell(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, date):
        return value.isoformat()
    return value


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows:
        spelled = (_spell(value) for value in row.values())
        writer.writerow(str(value).lower() if isinstance(value, bool) else value for value in spelled)
    return out.getvalue()


def _json_lines(rows: list[dict[str, Any]]) -> str:
    lines = (
        json.dumps({name: _spell(value) for name, value in row.items()}, ensure_ascii=False) for row in rows
    )
    return "".join(f"{line}\n" for line in lines)
