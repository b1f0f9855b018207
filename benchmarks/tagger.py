"""Texts a second that the embedded tagger reads on one core, beside scikit-learn's bare TF-IDF of the same texts.

    OMP_NUM_THREADS=1 python benchmarks/tagger.py [--texts 4000] [--rounds 3] [--lines FILE]

Two kinds of texts: what the demo world's customers write in a year, most of it without a sign, as in real life; and our
own hold-out lines, longer, nearly all of them with trigger words. The network reads only what is in doubt, so the two
differ by the share it is asked about. Of lines that it has learned the tagger doubts few, so none of these is measured.
`--lines` names any other labelled file in their stead. Each text has a number of its own, so that nothing is read from
a cache.
Time is processor time: other work on the machine does not count. Training and imports are left out and printed apart.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import duckdb  # noqa: E402 - the project is not installed
import numpy as np  # noqa: E402
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402

from expansion_assets.settings import Settings  # noqa: E402
from expansion_assets.tagging.embedded import EmbeddedTagger  # noqa: E402
from expansion_assets.tagging.labelled import read_labelled  # noqa: E402
from expansion_assets.tagging.schema import Text  # noqa: E402
from expansion_assets.tagging.tagger import HOLDOUT_LINES, embedded_tagger  # noqa: E402
from expansion_assets.world.world import generate  # noqa: E402

DEMO_TEXTS = """
    from (select concat_ws(chr(10), subject, body) as body from read_json('{0}/support/tickets_*.jsonl')
    union all select body from read_json('{0}/meetings/notes_*.jsonl')
    union all select body from read_json('{0}/feedback/references_*.jsonl')
    union all select comment from read_csv('{0}/feedback/nps_*.csv'))
    where body is not null
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=Path, default=HOLDOUT_LINES)
    arguments = parser.parse_args()
    start = time.process_time()
    tagger = cast(EmbeddedTagger, embedded_tagger(Settings()))
    print(f"training and imports: {time.process_time() - start:.1f} s")
    lines = [row.text for row in read_labelled(arguments.lines)]
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        demo = [body for (body,) in duckdb.sql(DEMO_TEXTS.format(folder)).fetchall()]
    for name, bodies in (("demo world", demo), (arguments.lines.name, lines)):
        measure(tagger, name, bodies, arguments.texts, arguments.rounds)


def measure(tagger: EmbeddedTagger, name: str, some: Sequence[str], texts: int, rounds: int) -> None:
    """Print how fast `some` texts are read."""
    bare = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit(some)
    # Every so many of the lines, for they stand by source.
    step = max(1, len(some) // texts)
    asked = np.mean([score.is_joined for score in tagger.score(some[::step][:texts])])
    speeds: dict[str, list[float]] = {"tagger": [], "bare": []}
    for turn in range(rounds):
        bodies = [f"{some[at * step % len(some)]} Number {turn}-{at}." for at in range(texts)]
        numbered = [Text(str(at), "", "nps", "customer", body) for at, body in enumerate(bodies)]
        start = time.process_time()
        for at in range(0, len(numbered), 500):
            tagger.tag(numbered[at : at + 500])
        between = time.process_time()
        bare.transform(bodies)
        speeds["tagger"].append(texts / (between - start))
        speeds["bare"].append(texts / (time.process_time() - between))
    middle = {kind: statistics.median(values) for kind, values in speeds.items()}
    length = sum(map(len, some)) / len(some)
    print(
        f"{name}, {length:.0f} characters on average: {middle['tagger']:,.0f} texts/s, "
        f"{middle['tagger'] / middle['bare']:.2f} of a bare TF-IDF ({middle['bare']:,.0f} texts/s); "
        f"the network is asked about {asked:.0%}"
    )


if __name__ == "__main__":
    main()
