"""Hand-made raw tables for the dbt tests: contract columns from the YAML files, versions in known time.

Belongs here: writing a small warehouse that dbt can read. Does not belong here: expectations about models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import yaml

from expansion_assets.catalogue.identity import load_identity_rules
from expansion_assets.settings import DEMO_PSEUDONYM_KEY
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.store.identity import write_identity
from expansion_assets.store.warehouse import create_tables

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "expansion_assets" / "sources" / "contracts"
_ARROW = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
_SYSTEM = {
    "happened_at": "timestamp",
    "known_from": "timestamp",
    "known_to": "timestamp",
    "version_no": "integer",
    "is_known_at_assumed": "boolean",
    "source_file": "string",
    "source_row": "integer",
    "row_key": "string",
    "extra_json": "string",
}


def read_contracts() -> dict[str, dict[str, Any]]:
    """Table name -> contract, from every contract file."""
    return {
        name: table
        for path in sorted(CONTRACTS.glob("*.yml"))
        for name, table in yaml.safe_load(path.read_text(encoding="utf-8"))["tables"].items()
    }


def at(day: date, hour: int = 0) -> datetime:
    """An hour of a day, naive UTC."""
    return datetime.combine(day, time(hour))


def _end_of(day: date, zone: str) -> datetime:
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


class RawTables:
    """Rows by raw table; a second row of a key opens its next version."""

    def __init__(self) -> None:
        self._contracts = read_contracts()
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, table: str, known_from: date | datetime, **values: Any) -> None:
        """Add a version known from an instant (of a day: from 20:00)."""
        instant = known_from if isinstance(known_from, datetime) else at(known_from, 20)
        self._rows[table].append({**values, "known_from": instant})

    def delete(self, table: str, known_from: date, **key: Any) -> None:
        """Close the version of a key: the loader keeps a deletion apart and writes its time into ``known_to``."""
        self.add(table, known_from, **key, is_gone=True)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Versions added so far."""
        return list(self._rows[table])

    def write(self, path: Path) -> None:
        """Write every contract's table, also those without rows."""
        with duckdb.connect(str(path)) as connection:
            self.write_into(connection)

    def write_into(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write into an open warehouse."""
        connection.execute("create schema if not exists raw")
        for table, contract in self._contracts.items():
            connection.register("incoming", self._as_arrow(contract, self._rows[table]))
            connection.execute(f"create or replace table raw.{table} as select * from incoming")
            connection.unregister("incoming")
        create_tables(connection)
        ever = datetime(1900, 1, 1), datetime(9999, 1, 1)
        write_identity(connection, load_contracts(), DEMO_PSEUDONYM_KEY, load_identity_rules(), *ever)

    def _as_arrow(self, contract: Mapping[str, Any], rows: list[dict[str, Any]]) -> pa.Table:
        types = {name: column["type"] for name, column in contract["columns"].items()} | _SYSTEM
        chains: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number, row in enumerate(rows):
            happened = row.get(contract["happened_at"], row["known_from"])
            row["happened_at"] = happened if isinstance(happened, datetime) else at(happened)
            row["row_key"] = "|".join(str(row[name]) for name in contract["key"])
            row |= {"is_known_at_assumed": False, "source_file": "hand-made", "source_row": number}
            chains[row["row_key"]].append(row)
        kept = []
        for chain in chains.values():
            chain.sort(key=lambda row: row["known_from"])
            chain[:] = list({row["known_from"]: row for row in chain}.values())
            for number, row in enumerate(chain, start=1):
                row["version_no"] = number
                row["known_to"] = chain[number]["known_from"] if number < len(chain) else None
            kept += [row for row in chain if not row.get("is_gone")]
        return pa.table(
            {name: pa.array([row.get(name) for row in kept], _ARROW[kind]) for name, kind in types.items()}
        )


def write_control(
    path: Path,
    start: date,
    end: date,
    first: date,
    countries: tuple[str, ...] = ("DE", "ZZ"),
    zone: str = "UTC",
) -> None:
    """Write the control tables: the window [start, end), all days from ``first`` and a weekday calendar."""
    days = [first + timedelta(days=number) for number in range((end - first).days + 60)]
    calendar = []
    for country in countries:
        number = 0
        for day in days:
            number += day.weekday() < 5
            calendar.append((country, day, day.weekday() < 5, number))
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema if not exists control")
        connection.execute("create or replace table control.run_window (window_start date, window_end date)")
        connection.execute("insert into control.run_window values ($1, $2)", [start, end])
        frame = pa.table({"as_of_date": days, "known_before": [_end_of(day, zone) for day in days]})
        connection.register("incoming", frame)
        connection.execute("create or replace table control.days as select * from incoming")
        names = ("country", "day", "is_business_day", "business_day_no")
        frame = pa.table(dict(zip(names, zip(*calendar, strict=True), strict=True)))
        connection.register("incoming", frame)
        connection.execute("create or replace table control.calendar as select * from incoming")
