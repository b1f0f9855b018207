"""A contract's expectations on a raw table: counted by the engine, beside Great Expectations on a pandas frame.

    python benchmarks/expectations.py [--rows 1000000] [--large 10000000] [--rounds 3]

Prints seconds and peak memory of both ways on the same rows, each in a process of its own and without the import of
Great Expectations, and their ratio; then the engine's way alone on a table that no frame should hold. The rounds
alternate, so that a busy machine slows both; the median counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MIB = 1024
TABLE = "product_usage"
FILL = """
import sys, duckdb
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.versions import create_raw_tables
contract = load_contracts()[sys.argv[2]]
with duckdb.connect(sys.argv[1]) as connection:
    create_raw_tables(connection, {contract.name: contract})
    connection.execute(f'''
        insert into raw.{contract.name} by name
        select 'use-' || i as usage_id, 'acc-' || (i % 60) as account_id, 'usr-' || (i % 5000) as user_id,
            'feature_' || (i % 20) as feature, date '2025-07-01' + (i % 365)::int as used_on, i % 50 as event_count,
            (i % 400) / 10.0 as minutes, timestamp '2025-07-01' + interval (i % 365) day as happened_at,
            timestamp '2025-07-01' + interval (i % 365) day as known_from, 'usage.parquet' as source_file,
            i as source_row, 'use-' || i as row_key
        from range({int(sys.argv[3])}) as numbers (i)
    ''')
"""
HEAD = """
import json, resource, sys, time
from datetime import date
import duckdb
import great_expectations as gx
from great_expectations.expectations.registry import get_expectation_impl
from expansion_assets.expectations.counting import Slice
from expansion_assets.expectations.suites import contract_suite
from expansion_assets.expectations.validation import contract_naming, validate
from expansion_assets.sources.contracts import load_contracts
contract = load_contracts()[sys.argv[2]]
suite = contract_suite(contract)
started = time.perf_counter()
connection = duckdb.connect(sys.argv[1], read_only=True)
"""
ENGINE = HEAD + """
rows = Slice(f"raw.{contract.name}", "known_from", date(1900, 1, 1), date(2100, 1, 1))
assert validate(connection, rows, suite, contract_naming(contract)).success
"""
FRAME = HEAD + """
frame = connection.execute(f"select * from raw.{contract.name}").df()
asset = gx.get_context(mode="ephemeral").data_sources.add_pandas("frames").add_dataframe_asset("rows")
batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
expectations = [get_expectation_impl(item.type)(**item.arguments) for item in suite]
assert batch.validate(gx.ExpectationSuite(name="suite", expectations=expectations)).success
"""
TAIL = """
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": time.perf_counter() - started, "peak_kib": peak}))
"""


def child(program: str, *arguments: str) -> str:
    """Run a program in a process of its own; returns the last line that it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *arguments], cwd=ROOT, check=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    return (done.stdout.strip().splitlines() or [""])[-1]


def measure(way: str, warehouse: Path) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of one way, once."""
    found = json.loads(child(way + TAIL, str(warehouse), TABLE))
    return found["seconds"], found["peak_kib"] / MIB


def report(name: str, rows: int, runs: list[tuple[float, float]]) -> float:
    """Print one way; returns its median seconds."""
    seconds = statistics.median(run[0] for run in runs)
    print(f"{name:<28}{rows:>12,} rows {seconds:8.2f} s {max(run[1] for run in runs):8.0f} MiB")
    return seconds


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--large", type=int, default=10_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        both, large = Path(folder) / "both.duckdb", Path(folder) / "large.duckdb"
        child(FILL, str(both), TABLE, str(options.rows))
        runs: dict[str, list[tuple[float, float]]] = {ENGINE: [], FRAME: []}
        for _ in range(options.rounds):
            for way, found in runs.items():
                found.append(measure(way, both))
        engine = report("counted by the engine", options.rows, runs[ENGINE])
        frame = report("on a pandas frame", options.rows, runs[FRAME])
        print(f"ratio {engine / frame:.2f}")
        child(FILL, str(large), TABLE, str(options.large))
        report("counted by the engine", options.large, [measure(ENGINE, large)])


if __name__ == "__main__":
    main()
