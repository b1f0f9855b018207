"""Replay: which windows have rows in quarantine, so that a mended contract, mapping or file can be loaded again.

Belongs here: from unresolved rows to days. Does not belong here: loading them (``load``), running a job (``defs``).
A rerun of a window resolves the rows that it no longer refuses; what is still broken stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.landing import LandingFile


@dataclass(frozen=True)
class Replay:
    """Days first..last of one table, both included, and how many rows wait there."""

    table: str
    first: date
    last: date
    rows: int


def unresolved(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows in quarantine by table."""
    query = 'select "table", count(*) from raw.quarantine where resolved_at is null group by "table" order by "table"'
    return dict(connection.execute(query).fetchall())


def find_replays(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, TableContract],
    time_zone: str,
    tables: tuple[str, ...] = (),
) -> list[Replay]:
    """Windows to load again.

    A row that broke before its load time could be read belongs to the days in its file's name; without a period there,
    to all days. A snapshot is told by the one before, so its table is replayed up to the last loaded day.

    Args:
        connection: Warehouse connection.
        contracts: Contracts by table; rows of other tables are left alone.
        time_zone: Where a day of the workspace ends.
        tables: Only these; empty means all.

    Returns:
        Ranges of days without gaps between rows, by table and day.
    """
    loaded = {
        table: (first, last - timedelta(days=1))
        for table, first, last in connection.execute(
            "select source_table, min(window_start), max(window_end) from raw.landing_status group by source_table"
        ).fetchall()
    }
    rows = connection.execute(
        """
        select "table", file, known_from, count(*) from raw.quarantine where resolved_at is null
        group by "table", file, known_from order by "table", file, known_from
        """
    ).fetchall()
    ranges: dict[str, list[tuple[date, date, int]]] = {}
    for table, file, known_from, count in rows:
        if table not in contracts or table not in loaded or (tables and table not in tables):
            continue
        first, last = _days(file, known_from, loaded[table], time_zone)
        if contracts[table].delivery == "snapshot":
            last = loaded[table][1]
        ranges.setdefault(table, []).append((first, last, count))
    return [Replay(table, *merged) for table, found in sorted(ranges.items()) for merged in _merged(found)]


def _days(file: str, known_from: datetime | None, loaded: tuple[date, date], time_zone: str) -> tuple[date, date]:
    first_loaded, last_loaded = loaded
    if known_from is not None:
        day = known_from.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()
        if day <= last_loaded:
            return max(day, first_loaded), max(day, first_loaded)
    first, last = LandingFile(Path(file), file).period or loaded
    if first > last_loaded or last < first_loaded:
        return loaded
    return max(first, first_loaded), min(last, last_loaded)


def _merged(ranges: list[tuple[date, date, int]]) -> list[tuple[date, date, int]]:
    """Ranges that overlap or touch as one."""
    merged: list[tuple[date, date, int]] = []
    for first, last, count in sorted(ranges):
        if merged and first <= merged[-1][1] + timedelta(days=1):
            merged[-1] = (merged[-1][0], max(merged[-1][1], last), merged[-1][2] + count)
        else:
            merged.append((first, last, count))
    return merged
