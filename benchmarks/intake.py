"""Events a second that the webhook intake acknowledges, beside the same listener without fsync and beside bare appends.

    python benchmarks/intake.py [--events 4000] [--connections 16] [--rounds 3]

Prints one line per way of sending and the ratio to the listener without fsync: what durability costs. The bare appends
(same lines, one file, no HTTP, no signature) show what the disk alone would allow. The rounds alternate, so that a busy
machine slows all of them; the median counts. Client and listener share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from expansion_assets.sources.intake.signature import HEADER, sign  # noqa: E402 - the project is not installed

KEY = b"a key for the benchmark only"
PATH = "/v1/job-alerts"
SERVER = """
import os, sys
from datetime import date
from pathlib import Path
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.intake.arrivals import Arrivals
from expansion_assets.sources.intake.events import feeds_of
from expansion_assets.sources.intake.server import listen
from expansion_assets.sources.mapping import own_mapping
sync = os.fsync if sys.argv[2] == "fsync" else lambda descriptor: None
feeds = feeds_of(own_mapping(load_contracts(), date(2026, 1, 1), None).tables)
listen(Path(sys.argv[1]), feeds, [sys.argv[3].encode()], Arrivals("UTC"), sync=sync)
"""


def event(number: int) -> dict[str, str]:
    """A job alert of ordinary size (about 250 bytes)."""
    return {
        "alert_id": f"J{number}", "account_domain": f"customer-{number % 500}.example", "person_name": "Ann Example",
        "person_email": f"ann.{number}@customer.example", "move": "joined", "to_title": "Vice President Operations",
        "function": "operations", "happened_on": "2026-01-01",
    }


@contextmanager
def listener(folder: Path, sync: str) -> Iterator[int]:
    """A listener of its own; yields its port."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(folder / "landing"), sync, KEY.decode()], cwd=ROOT, stderr=log
        )
    try:
        while True:
            lines = [json.loads(line) for line in (folder / "log").read_text().split("\n")[:-1]]
            if started := [line for line in lines if line["event"] == "started"]:
                break
            time.sleep(0.05)
        yield started[0]["port"]
    finally:
        process.terminate()
        process.wait()


async def send(port: int, requests: list[bytes], connections: int) -> None:
    """Send every request over a few connections, the next one after the answer; every answer must be 200."""
    waiting = iter(requests)

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(head.decode())
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))


def acknowledged_per_second(sync: str, events: int, batch: int, connections: int) -> float:
    """Events a second through HTTP, ``batch`` events a request."""
    requests = []
    for first in range(0, events, batch):
        body = json.dumps([event(number) for number in range(first, min(first + batch, events))]).encode()
        head = (f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n{HEADER}: {sign(KEY, body, int(time.time()))}\r\n\r\n")
        requests.append(head.encode() + body)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with listener(folder, sync) as port:
            started = time.perf_counter()
            asyncio.run(send(port, requests, connections))
            seconds = time.perf_counter() - started
        lines = sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.jsonl"))
        if lines != events:
            raise RuntimeError(f"{lines} lines for {events} acknowledged events")
    return events / seconds


def appended_per_second(events: int, *, is_synced: bool) -> float:
    """Events a second of a loop that does nothing but append lines."""
    lines = [json.dumps(event(number)).encode() + b"\n" for number in range(events)]
    with tempfile.NamedTemporaryFile("ab", buffering=0) as file:
        started = time.perf_counter()
        for line in lines:
            file.write(line)
            if is_synced:
                os.fsync(file.fileno())
        return events / (time.perf_counter() - started)


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found: dict[str, list[float]] = {}
    for _ in range(given.rounds):
        for batch in (1, 50):
            for sync in ("fsync", "no fsync"):
                rate = acknowledged_per_second(sync, given.events * (1 if batch == 1 else 5), batch, given.connections)
                found.setdefault(f"{batch} a request, {sync}", []).append(rate)
        found.setdefault("bare append, fsync each", []).append(appended_per_second(given.events, is_synced=True))
        found.setdefault("bare append, no fsync", []).append(appended_per_second(given.events * 10, is_synced=False))
    rates = {name: statistics.median(some) for name, some in found.items()}
    print(f"webhook intake: events a second, median of {given.rounds}, {given.connections} connections")
    for name, rate in rates.items():
        base = rates[f"{name.split(',')[0]}, no fsync"]
        print(f"  {name:<28}{rate:>10,.0f}{rate / base:>8.2f} of the same without fsync")


if __name__ == "__main__":
    main()
