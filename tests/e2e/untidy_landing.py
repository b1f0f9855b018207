"""A demo world's landing files made untidy, and delivered evening by evening.

Belongs here: late rows, corrections and deletions in any table, files as they stood at the end of a day. Does not
belong here: what a row means, or running anything.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from expansion_assets.sources.contracts import TableContract, load_contracts
from expansion_assets.world.period import Period
from expansion_assets.world.writer import LOADED_AT, Landing

LATE_SHARE, CORRECTED_SHARE, DELETED_SHARE = 0.04, 0.05, 0.05
DELAYS = (1, 2, 5, 12, 40)
BACK_AGAIN_SHARE = 0.3


@dataclass(frozen=True)
class Arrival:
    """A row and when it arrived."""

    table: str
    loaded_at: datetime
    row: dict[str, Any]


def read_landing(directory: Path) -> list[Arrival]:
    """Every row of a demo world's landing files, in the order of its files."""
    return [
        Arrival(name, _instant(row.pop(LOADED_AT)), row)
        for name, contract in load_contracts().items()
        for path in sorted(directory.glob(contract.files))
        for row in _rows(path, contract)
    ]


def untidied(arrivals: list[Arrival], first: date, last: date, seed: int = 1) -> list[Arrival]:
    """The same rows, some of them late, corrected or deleted on a later day, or deleted and back again.

    The changes arrive between the first and the last day.
    """
    rng, contracts = Random(seed), load_contracts()
    found: list[Arrival] = []
    for arrival in arrivals:
        contract, fate = contracts[arrival.table], rng.random()
        delay = rng.choice(DELAYS) if fate < LATE_SHARE else rng.randrange(1, (last - first).days)
        later = arrival.loaded_at + timedelta(days=delay, minutes=rng.randrange(60))
        if not first <= later.date() <= last:
            found.append(arrival)
        elif fate < LATE_SHARE:
            found.append(replace(arrival, loaded_at=later))
        elif fate < LATE_SHARE + CORRECTED_SHARE:
            found += [arrival, replace(arrival, loaded_at=later, row=_corrected(arrival.row, contract, rng))]
        elif fate < LATE_SHARE + CORRECTED_SHARE + DELETED_SHARE and contract.deleted_by:
            found += [arrival, replace(arrival, loaded_at=later, row=arrival.row | {contract.deleted_by: True})]
            if rng.random() < BACK_AGAIN_SHARE:
                found.append(replace(arrival, loaded_at=later + timedelta(days=3)))
        else:
            found.append(arrival)
    return found


def troubled(arrivals: list[Arrival]) -> list[Arrival]:
    """The same rows, with the account that answers most surveys unhappy in each, and in bad health."""
    asked = Counter(arrival.row["account_id"] for arrival in arrivals if arrival.table == "feedback_nps")
    [(account, _)] = asked.most_common(1)
    trouble = {"feedback_nps": {"score": 2}, "engagement_health": {"band": "red"}}
    return [
        replace(arrival, row=arrival.row | trouble[arrival.table])
        if arrival.table in trouble and arrival.row["account_id"] == account
        else arrival
        for arrival in arrivals
    ]


def deliver(arrivals: list[Arrival], directory: Path, first: date, day: date, *, only_month: bool = False) -> None:
    """Write the files as they stood at the end of a day; ``only_month`` leaves those of earlier months alone."""
    landing = Landing(Period(first, day))
    month_start = datetime.combine(day.replace(day=1), time())
    for arrival in arrivals:
        if not only_month or arrival.loaded_at >= month_start:
            landing.add(arrival.table, arrival.loaded_at, arrival.row)
    landing.write(directory)


def _rows(path: Path, contract: TableContract) -> Iterator[dict[str, Any]]:
    if contract.format == "jsonl":
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())
    elif contract.format == "csv":
        yield from pl.read_csv(path, infer_schema=False).iter_rows(named=True)
    else:
        for row in pl.read_parquet(path).iter_rows(named=True):
            yield {name: _naive(value) for name, value in row.items()}


def _corrected(row: dict[str, Any], contract: TableContract, rng: Random) -> dict[str, Any]:
    """Another value in one column that is a number, a choice or a yes."""
    changes: dict[str, Any] = defaultdict(list)
    for name, column in contract.columns.items():
        value = row[name]
        if name in contract.key or name == contract.deleted_by or value in (None, ""):
            continue
        if column.allowed:
            changes[name] = rng.choice(column.allowed)
        elif column.type == "integer":
            changes[name] = int(value) + 1
        elif column.type == "number":
            changes[name] = float(value) * 0.5
        elif column.type == "boolean":
            changes[name] = str(value).lower() != "true"
        elif name in ("department", "topic", "segment"):
            changes[name] = f"{value} 2"
    if not changes:
        return row
    chosen = rng.choice(sorted(changes))
    return row | {chosen: changes[chosen]}


def _instant(value: str | datetime) -> datetime:
    return _naive(datetime.fromisoformat(value) if isinstance(value, str) else value)


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
