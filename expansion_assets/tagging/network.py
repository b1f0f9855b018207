"""The network of the embedded tagger: a small transformer of our own training, run with onnxruntime.

Belongs here: text -> log-odds per label, of the whole text and of its words. Does not belong here: its training
(`finetune`), probabilities and tags (`embedded`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from expansion_assets.settings import PROJECT_DIR

# The longest of our lines has 213; logs may have more, and are read so far.
MOST_TOKENS = 256
_NOTHING = -20.0


@dataclass(frozen=True, slots=True)
class NetworkFiles:
    """The files of one fine-tuned network."""

    folder: Path

    @property
    def model(self) -> Path:
        """The network, eight bits a weight."""
        return self.folder / "network.onnx"

    @property
    def tokenizer(self) -> Path:
        """What takes texts apart for it."""
        return self.folder / "tokenizer.json"

    @property
    def out_of_fold(self) -> Path:
        """What one made alike says of lines of sources it was not shown, and where its strongest evidence stands."""
        return self.folder / "out_of_fold.jsonl"


SHIPPED_NETWORK = NetworkFiles(PROJECT_DIR / "data" / "network")


@dataclass(frozen=True, slots=True)
class NetworkReading:
    """What the network says of one text; columns in the order of `LABELS`; not calibrated."""

    log_odds: np.ndarray
    """Shape (labels,)."""
    words: np.ndarray
    """Shape (words, labels): log-odds that a word is part of the evidence."""
    offsets: np.ndarray
    """Shape (words, 2): where each word starts and ends in the text."""

    def of_span(self, start: int, end: int) -> np.ndarray:
        """Return per label the log-odds of the word between two offsets that speaks most for it."""
        inside = (self.offsets[:, 0] < end) & (self.offsets[:, 1] > start)
        return self.words[inside].max(axis=0, initial=_NOTHING)


class Network:
    """Reads texts on one core."""

    def __init__(self, files: NetworkFiles) -> None:
        """Load the network."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(files.model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()

    def read(self, bodies: Sequence[str]) -> list[NetworkReading]:
        """Return one reading per text, in their order.

        One by one: eight-bit arithmetic takes its scale from all that is read at once, and a text's tags must not
        depend on its neighbours. Sixteen at once would be no faster on one core.
        """
        return [self._read_one(encoding) for encoding in self._tokenizer.encode_batch(list(bodies))]

    def _read_one(self, encoding: Encoding) -> NetworkReading:
        text, words = self._session.run(None, {"tokens": np.array([encoding.ids], dtype=np.int64)})
        return NetworkReading(text[0], words[0], np.array(encoding.offsets, dtype=np.int64))


@cache
def load_network(files: NetworkFiles) -> Network:
    """Return the network of `files`, loaded once per process."""
    return Network(files)
