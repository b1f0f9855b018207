"""Requests a second that the language-model tagger gets out of an endpoint with a limit, beside that limit.

    python benchmarks/llm.py [--limit 20] [--latency 0.2] [--seconds 15]

The endpoint stands on loopback, answers after `latency` seconds and turns away whatever exceeds `limit` requests in
any second. Texts go all the way: redacted, sent in eights by the real client, proven, stored in a warehouse. Prints the
rate that was reached, its share of the limit, what was turned away, and whether each text was taken in exactly once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from llm_server import KEY, LlmServer  # noqa: E402 - the project is not installed
from text_warehouse import DAY, NEXT, PRICE, add, prepare  # noqa: E402

from expansion_assets.store.texts import read_due_texts  # noqa: E402
from expansion_assets.tagging.llm.client import Endpoint, LlmClient  # noqa: E402
from expansion_assets.tagging.llm.reader import LlmReader, Way  # noqa: E402
from expansion_assets.tagging.llm.tagger import LlmTagger  # noqa: E402

BATCH_TEXTS = 8


def main() -> None:
    """Run once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--seconds", type=int, default=15)
    asked = parser.parse_args()
    requests = asked.limit * asked.seconds
    server = LlmServer(latency=asked.latency)
    client = LlmClient(Endpoint(server.url, requests_per_second=asked.limit), KEY)
    tagger = LlmTagger(client, "m", PRICE, batch_texts=BATCH_TEXTS, in_flight=8)
    with duckdb.connect() as connection:
        prepare(connection)
        add(connection, BATCH_TEXTS)
        read_due_texts(connection, LlmReader([Way("normal", tagger)]), DAY, NEXT)  # imports, connections
        server.arrived.clear()
        server.limit = asked.limit
        add(connection, BATCH_TEXTS * requests, first=BATCH_TEXTS)
        started = time.perf_counter()
        report = read_due_texts(connection, LlmReader([Way("normal", tagger)]), DAY, NEXT)
        seconds = time.perf_counter() - started
    taken_in = Counter(server.texts_sent)
    rate = requests / seconds
    print(f"{requests} requests with {BATCH_TEXTS} texts each in {seconds:.1f} s: {rate:.1f} a second, "
          f"{100 * rate / asked.limit:.0f} % of the limit of {asked.limit}; {server.refused_by_limit} turned away")
    print(f"texts read {report.statuses}; taken in once {sum(n == 1 for n in taken_in.values())}, "
          f"more than once {sum(n > 1 for n in taken_in.values())}")
    server.close()


if __name__ == "__main__":
    main()
