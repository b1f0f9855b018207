"""Texts a second that the embedded tagger reads on one core, beside scikit-learn's bare TF-IDF of the same texts.

    OMP_NUM_THREADS=1 python benchmarks/tagger.py [--texts 4000] [--rounds 3]

The texts are our own lines, long and short, each with a number of its own so that nothing is read from a cache. Time
is processor time: other work on the machine does not count. Training and imports are left out and printed apart.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402 - the project is not installed

from expansion_assets.settings import Settings  # noqa: E402
from expansion_assets.tagging.labelled import read_labelled  # noqa: E402
from expansion_assets.tagging.schema import Text  # noqa: E402
from expansion_assets.tagging.tagger import TRAINING_LINES, choose_tagger  # noqa: E402


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    start = time.process_time()
    tagger = choose_tagger(Settings(tagger="embedded"))
    trained = time.process_time() - start
    lines = [row.text for row in read_labelled(TRAINING_LINES)]
    bare = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit(lines)
    speeds: dict[str, list[float]] = {"tagger": [], "bare": []}
    for turn in range(arguments.rounds):
        bodies = [f"{lines[at % len(lines)]} Number {turn}-{at}." for at in range(arguments.texts)]
        texts = [Text(str(at), "", "nps", "customer", body) for at, body in enumerate(bodies)]
        start = time.process_time()
        for at in range(0, len(texts), 500):
            tagger.tag(texts[at : at + 500])
        between = time.process_time()
        bare.transform(bodies)
        speeds["tagger"].append(len(texts) / (between - start))
        speeds["bare"].append(len(texts) / (time.process_time() - between))
    middle = {name: statistics.median(values) for name, values in speeds.items()}
    print(f"training and imports: {trained:.1f} s; mean length {sum(map(len, lines)) / len(lines):.0f} characters")
    print(f"bare TF-IDF of 2-4 characters: {middle['bare']:,.0f} texts/s")
    ratio = middle["tagger"] / middle["bare"]
    print(f"embedded tagger: {middle['tagger']:,.0f} texts/s, {ratio:.2f} of it")


if __name__ == "__main__":
    main()
