"""A landing file validated and loaded, beside DuckDB reading and writing the same rows bare.

    python benchmarks/raw_load.py [--rows 1000000] [--large 10000000] [--rounds 3]

Prints seconds, peak memory and the ratio for CSV and Parquet, then time and peak memory of a large Parquet file alone.
Bare means ``create table as select * from`` the file, into a database file of its own; both end with a checkpoint. Each
load runs in a process of its own, the rounds alternate, so that a busy machine slows both; the median counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
TABLE = "product_usage"
HEAD = """
import json, resource, sys, time
from datetime import date, datetime
from pathlib import Path
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.report import Window
from expansion_assets.sources.versions import create_raw_tables
from expansion_assets.store.warehouse import connect
folder, table, suffix, rows = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
contract = load_contracts()[table].model_copy(update={"format": suffix, "files": f"usage_2025-07.{suffix}"})
mapping = own_mapping({table: contract}, date(2025, 7, 1), None).tables[table]
window = Window(date(2025, 7, 1), date(2025, 8, 3), datetime(1900, 1, 1), datetime(2025, 8, 3))
"""
LOAD = HEAD + """
with connect(folder / "load.duckdb") as connection:
    started = time.perf_counter()
    create_raw_tables(connection, {table: contract})
    report = load_table(connection, contract, mapping, folder, window, datetime(2025, 8, 3))
    connection.execute("checkpoint")
    seconds = time.perf_counter() - started
assert (report.rows_loaded, report.rows_quarantined) == (rows, 0), report
"""
BARE = HEAD + """
with connect(folder / "bare.duckdb") as connection:
    started = time.perf_counter()
    connection.execute(f"create table bare as select * from read_{suffix}('{folder}/usage_2025-07.{suffix}')")
    connection.execute("checkpoint")
    seconds = time.perf_counter() - started
"""
TAIL = """
print(json.dumps({"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def write_file(path: Path, rows: int) -> None:
    """A month of usage: one row per user, day and feature."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            f"""
            copy (
                select 'use-' || lpad(i::varchar, 10, '0') as usage_id, 'acc-' || (i % 400) as account_id,
                    null::varchar as subscription_id, 'usr-' || (i % 9000) as user_id,
                    date '2025-07-01' + (i * 31 // {rows})::integer as used_on, 'feature_' || (i % 23) as feature,
                    i % 17 as event_count, (i % 313) / 4.0 as minutes,
                    timestamptz '2025-07-01 23:00:00+00' + interval (i * 31 // {rows}) day as loaded_at
                from range({rows}) as numbers (i)
            ) to '{path}'
            """
        )


def measure(script: str, folder: Path, suffix: str, rows: int) -> dict[str, float]:
    """Seconds and peak memory of one load in a process of its own."""
    for name in ("load", "bare"):
        for path in folder.glob(f"{name}.duckdb*"):
            path.unlink()
    command = [sys.executable, "-c", script + TAIL, str(folder), TABLE, suffix, str(rows)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(finished.stderr)
    return json.loads(finished.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"raw load of {given.rows:,} rows, median of {given.rounds}")
        for suffix in ("csv", "parquet"):
            write_file(folder / f"usage_2025-07.{suffix}", given.rows)
            found: dict[str, list[dict[str, float]]] = {"load": [], "bare": []}
            for _ in range(given.rounds):
                found["load"].append(measure(LOAD, folder, suffix, given.rows))
                found["bare"].append(measure(BARE, folder, suffix, given.rows))
            middle = {
                way: {key: statistics.median(one[key] for one in some) for key in some[0]}
                for way, some in found.items()
            }
            ratio = middle["load"]["seconds"] / middle["bare"]["seconds"]
            for way in ("bare", "load"):
                print(f"  {suffix:<8}{way:<6}{middle[way]['seconds']:>8.2f} s{middle[way]['mib']:>8.0f} MiB")
            print(f"  {suffix:<8}ratio {ratio:>8.2f} (must stay below 3)")
        if given.large:
            write_file(folder / "usage_2025-07.parquet", given.large)
            large = measure(LOAD, folder, "parquet", given.large)
            figures = f"{large['seconds']:.1f} s, {large['mib']:.0f} MiB"
            print(f"  parquet {given.large:,} rows: {figures} (must stay below 2048 MiB)")


if __name__ == "__main__":
    main()
