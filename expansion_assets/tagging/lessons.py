"""What the networks of the embedded tagger learn from, as numbers: our lines, and what a larger network says of texts.

Belongs here: texts -> tensors. Does not belong here: networks and their training (`finetune`). It needs torch, from the
extra `finetune`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from expansion_assets.tagging.labelled import LabelledText
from expansion_assets.tagging.schema import LABELS

LINES_AT_ONCE = 32
# Between an imagined line and one built like a real text: it is real, and nobody has looked at it.
_WEIGHT_OF_UNMARKED = 1.5


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a network says of one text, in log-odds."""

    text: np.ndarray
    """Shape (labels,)."""
    strongest: np.ndarray
    """Shape (labels,): of the word that speaks most for each label."""
    words: np.ndarray
    """Shape (tokens, labels)."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One text, as numbers, with what is known of it."""

    tokens: list[int]
    carries: np.ndarray
    """Shape (labels,)."""
    is_clear: np.ndarray
    """Shape (labels,): 0 where nobody knows, or a second reader may differ."""
    evidence: np.ndarray
    """Shape (tokens, labels): 1 where the evidence stands."""
    has_evidence: np.ndarray
    """Shape (labels,): 0 where a label is carried and nobody marked by what."""
    weight: float
    judgement: Judgement | None = None
    """Of the larger network, if there is one to learn from; of the same tokens."""


def lesson_of(row: LabelledText, tokenizer: Tokenizer) -> Lesson:
    """Return one labelled line as a lesson."""
    encoding = tokenizer.encode(row.text)
    evidence = np.zeros((len(encoding.ids), len(LABELS)), dtype=np.float32)
    for label, quote in row.evidence.items():
        start = row.text.index(quote)
        for at, (begins, ends) in enumerate(encoding.offsets):
            evidence[at, LABELS.index(label)] = begins < min(start + len(quote), ends) and ends > start
    return Lesson(
        encoding.ids,
        np.array([row.has(label) for label in LABELS], dtype=np.float32),
        np.array([label not in row.ambiguous for label in LABELS], dtype=np.float32),
        evidence,
        np.array([label in row.evidence or not row.has(label) for label in LABELS], dtype=np.float32),
        row.weight,
    )


def unmarked_lesson_of(text: str, tokenizer: Tokenizer, judgement: Judgement) -> Lesson:
    """Return a lesson of which only `judgement` says what it carries."""
    tokens, unknown = tokenizer.encode(text).ids, np.zeros(len(LABELS), dtype=np.float32)
    nowhere = np.zeros((len(tokens), len(LABELS)), dtype=np.float32)
    return Lesson(tokens, unknown, unknown, nowhere, unknown, _WEIGHT_OF_UNMARKED, judgement)


def batches(lessons: Sequence[Lesson]) -> Iterator[list[Lesson]]:
    """Yield all lessons in a new order; those of one batch are about as long, so that little is padding."""
    order = random.sample(range(len(lessons)), len(lessons))
    stretch = 20 * LINES_AT_ONCE
    near = [
        at
        for start in range(0, len(order), stretch)
        for at in sorted(order[start : start + stretch], key=lambda at: len(lessons[at].tokens))
    ]
    starts = list(range(0, len(near), LINES_AT_ONCE))
    for start in random.sample(starts, len(starts)):
        yield [lessons[at] for at in near[start : start + LINES_AT_ONCE]]


def padded(texts: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """Return the tokens of `texts` and where they are real, both of the shape (texts, tokens)."""
    longest = max(map(len, texts))
    tokens = torch.full((len(texts), longest), padding)
    is_real = torch.zeros_like(tokens)
    for at, text in enumerate(texts):
        tokens[at, : len(text)], is_real[at, : len(text)] = torch.tensor(text), 1
    return tokens, is_real


def stacked(of_each: Sequence[Lesson] | Sequence[Judgement], name: str) -> Tensor:
    """Return what is said of each text under `name`, shape (texts, labels)."""
    return torch.from_numpy(np.stack([getattr(one, name) for one in of_each]))


def stacked_words(of_each: Sequence[np.ndarray], longest: int) -> Tensor:
    """Return what is said of the words of each text, shape (texts, longest, labels), 0 behind its end."""
    said = torch.zeros(len(of_each), longest, len(LABELS))
    for at, words in enumerate(of_each):
        said[at, : len(words)] = torch.from_numpy(words)
    return said
