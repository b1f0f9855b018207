"""The default tagger: a linear model and a small neural network; it needs no key, no torch and nothing from outside.

Belongs here: joining the two, choosing the quote. Does not belong here: either of them (`linear`, `network`), keeping
what was trained (`kept`), the reading of polarity and intent (`phrases`), fitting probabilities and measuring
(`calibration`, `evaluation`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import sklearn
import yaml
from scipy.special import expit, logit

from expansion_assets.tagging.features import read
from expansion_assets.tagging.kept import load_linear_model
from expansion_assets.tagging.languages import foreign_language
from expansion_assets.tagging.linear import LinearModel
from expansion_assets.tagging.network import SHIPPED_NETWORK, Network, NetworkFiles, NetworkReading, load_network
from expansion_assets.tagging.phrases import PHRASES_PATH, intent_of, polarity_of
from expansion_assets.tagging.problems import PROBLEMS_PATH, load_problems
from expansion_assets.tagging.quotes import Span
from expansion_assets.tagging.schema import LABELS, TRIGGER_LABELS, Label, Tag, Text
from expansion_assets.tagging.turns import pieces_of

CALIBRATION_PATH = Path(__file__).with_name("calibration.yml")
# Part of the version: raise it whenever the code gives other tags from the same files.
_CODE_VERSION = "9"
# A text is read closer, by the network if a trigger label is in doubt, only where the linear model gives a label this
# much. On two sets of others' texts (2026-11-23) 0.4 instead of 0.3 loses 1 of 86 and 1 of 63 right tags, 4 of 32 and
# 1 of 11 wrong ones, and spares the network one text in five. What people use besides, and who else uses it, is said in
# passing and drowns first.
_WORTH_READING = np.array([0.3 if label in {"adjacent_use", "cross_team"} else 0.4 for label in LABELS])
# A label that the linear model is this sure of needs no network. Of 200 texts with advanced intent alone (131 of our
# lines, 50 and 19 of others, all unseen, 2026-11-23) it would take back 3 of 14 wrong tags and none of 186 right ones,
# and it is asked about 20 instead of 31 % of the demo world's texts; from 0.95 on 1 of 8 and none of 124, and 22 %.
_SETTLED = 0.9
_ADJACENT = LABELS.index("adjacent_use")
_TRIGGERS = [LABELS.index(label) for label in TRIGGER_LABELS]
_BARE_WORDS = 4
# What a sentence without any tool that we know loses: it may still name one.
_WITHOUT_TOOL = float(logit(0.1))


@dataclass(frozen=True, slots=True)
class Curve:
    """Platt's curve of one label: from log-odds as scored to the probability that the label is true."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, log_odds: np.ndarray | float) -> np.ndarray:
        """Return probabilities."""
        return expit(self.slope * np.asarray(log_odds) + self.intercept)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a score is worth, and from which probability on a label is a tag."""

    joined: Mapping[Label, Curve]
    """For the mean of both models."""
    linear: Mapping[Label, Curve]
    """For the linear model alone."""
    bars: Mapping[Label, float]
    """Probability from which on a tag counts."""
    unsure_bar: float
    """Probability from which on a tag is kept; below its bar it is unsure and reaches nobody."""


def read_calibration(path: Path) -> Calibration:
    """Read what :func:`~expansion_assets.tagging.calibration.write_calibration` wrote."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    curves = {name: {label: Curve(**data[name][label]) for label in LABELS} for name in ("joined", "linear")}
    return Calibration(**data | curves)


@dataclass(frozen=True, slots=True)
class ScoredText:
    """Log-odds of one text, columns in the order of `LABELS`; not calibrated."""

    log_odds: np.ndarray
    """Shape (labels,): the mean of what both models say, or what the linear one says."""
    is_joined: bool
    """Both models have read it."""
    sentences: list[Span]
    """None for a text with nothing in it."""
    of_sentences: np.ndarray
    """Shape (sentences, labels): log-odds of each sentence as evidence."""


class EmbeddedTagger:
    """Tags whole texts and quotes their best sentence. Same lines, same tags.

    The linear model knows phrases, the network what words mean beside each other; the mean of their log-odds is better
    than either (DECISIONS.md). Most texts say nothing of growth, or nothing else, which the linear model settles
    alone.
    """

    def __init__(
        self, linear: LinearModel, network: Network | None, calibration: Calibration, version: str = "unversioned"
    ) -> None:
        """Join two models that know the same labels; without a network the linear one decides."""
        self.version = version
        self._linear = linear
        self._network = network
        self._calibration = calibration

    def tag(self, texts: Sequence[Text]) -> list[Tag]:
        """Return the tags of `texts`, in their order: per text and label one, per neighbouring problem one.

        Conversations and long texts are read turn by turn and passage by passage.

        A text in another language than English has none: what our lines do not teach is not guessed.
        """
        pieces = [piece for text in texts if foreign_language(text.body) is None for piece in pieces_of(text)]
        best: dict[str, Tag] = {}
        for (piece, start), score in zip(pieces, self.score([piece.body for piece, _ in pieces]), strict=True):
            for tag in self._tags_of(piece, score, start):
                before = best.setdefault(tag.tag_id, tag)
                if _rank(tag) > _rank(before):
                    best[tag.tag_id] = tag
        return list(best.values())

    def first_glance(self, bodies: Sequence[str]) -> np.ndarray:
        """Return what the linear model alone gives each label, shape (texts, labels), between 0 and 1."""
        return expit(self._linear.log_odds([read(body) for body in bodies]))

    def score(self, bodies: Sequence[str]) -> list[ScoredText]:
        """Score texts; the network reads those of which the linear model doubts whether they hold a sign of growth."""
        texts = [read(body) for body in bodies]
        linear = self._linear.log_odds(texts)
        says_something = np.array([any(map(str.isalpha, body)) for body in bodies], dtype=bool)
        likely = expit(linear)
        is_likely = (likely >= _WORTH_READING) & says_something[:, None]
        in_doubt = is_likely & (likely < _SETTLED)
        doubtful = np.flatnonzero(in_doubt[:, _TRIGGERS].any(axis=1)).tolist()
        said: dict[int, NetworkReading] = {}
        if self._network is not None:
            said = dict(zip(doubtful, self._network.read([bodies[at] for at in doubtful]), strict=True))
        scored = [ScoredText(log_odds, False, [], np.zeros((0, len(LABELS)))) for log_odds in linear]
        for at, reading in said.items():
            spans = texts[at].spans
            own = np.array([reading.of_span(span.start, span.end) for span in spans])
            scored[at] = ScoredText((linear[at] + reading.log_odds) / 2, True, spans, own)
        settled = [at for at in np.flatnonzero(is_likely.any(axis=1)).tolist() if at not in said]
        of_settled = iter(self._linear.log_odds([sentence for at in settled for _, sentence in texts[at].sentences]))
        for at in settled:
            spans = texts[at].spans
            scored[at] = ScoredText(linear[at], False, spans, np.array(list(islice(of_settled, len(spans)))))
        return scored

    def _tags_of(self, text: Text, score: ScoredText, start: int) -> Iterator[Tag]:
        if not score.sentences:
            return
        curves = self._calibration.joined if score.is_joined else self._calibration.linear
        for column, label in enumerate(LABELS):
            probability = float(curves[label].probability(score.log_odds[column]))
            if probability < self._calibration.unsure_bar:
                continue
            if label == "adjacent_use":
                yield from self._adjacent_tags(text, score, start, curves[label])
            else:
                quote = score.sentences[int(score.of_sentences[:, column].argmax())]
                yield self._tag(text, start, label, quote, probability)

    def _adjacent_tags(self, text: Text, score: ScoredText, start: int, curve: Curve) -> Iterator[Tag]:
        """One per problem; what names no tool is less likely."""
        with_what = np.array([_says_with_what(span.text) for span in score.sentences])
        own = score.of_sentences[:, _ADJACENT] + with_what
        best_first = np.argsort(-own, kind="stable").tolist()
        probability = float(curve.probability(score.log_odds[_ADJACENT] + with_what[best_first[0]] / 2))
        seen = set()
        for rank, at in enumerate(best_first):
            quote = score.sentences[at]
            problem = load_problems().problem_of(quote.text, text.body)
            # A second problem is as likely as its own sentence at most.
            at_most = probability if rank == 0 else min(probability, float(curve.probability(own[at])))
            if problem not in seen and at_most >= self._calibration.unsure_bar:
                seen.add(problem)
                yield self._tag(text, start, "adjacent_use", quote, at_most, problem)

    def _tag(
        self, text: Text, start: int, label: Label, quote: Span, probability: float, problem_key: str | None = None
    ) -> Tag:
        key = "|".join((text.text_id, text.content_hash, self.version, label, problem_key or ""))
        return Tag(
            tag_id=hashlib.sha256(key.encode()).hexdigest()[:20],
            text_id=text.text_id,
            content_hash=text.content_hash,
            tagger_version=self.version,
            label=label,
            problem_key=problem_key,
            tool=load_problems().tool_in(quote.text) if label == "adjacent_use" else None,
            probability=round(probability, 4),
            is_unsure=probability < self._calibration.bars[label],
            polarity=polarity_of(label, quote.text, text.speaker_side),
            intent=intent_of(label, quote.text),
            quote=quote.text,
            quote_start=start + quote.start,
            quote_end=start + quote.end,
            is_quote_found=True,
        )


def _rank(tag: Tag) -> tuple[bool, float]:
    """Of several tags of one kind in a text the one that counts stands, then the likeliest."""
    return tag.polarity == "affirmed" and not tag.is_unsure, tag.probability


def _says_with_what(sentence: str) -> float:
    """Return what a sentence loses as evidence of adjacent use: nothing where it names a tool, script or sheet.

    A bare "That macro?" asserts nothing.
    """
    if sentence.rstrip().endswith("?") and len(sentence.split()) <= _BARE_WORDS:
        return -np.inf
    return 0.0 if load_problems().tool_in(sentence) is not None else _WITHOUT_TOOL


@dataclass(frozen=True, slots=True)
class Lessons:
    """The files that an embedded tagger is made of."""

    lines: tuple[Path, ...]
    """Labelled lines, ours and those of a team's own reviews."""
    models: Path
    """Folder of the trained model."""
    network: NetworkFiles | None = SHIPPED_NETWORK

    @property
    def version(self) -> str:
        """Changes with lines, network, phrases, problems, bars, code, and scikit-learn, which the kept model is of."""
        digest = hashlib.sha256(f"{_CODE_VERSION} {sklearn.__version__}".encode())
        network = [self.network.model] if self.network else []
        for path in (*self.lines, *network, PHRASES_PATH, PROBLEMS_PATH, CALIBRATION_PATH):
            digest.update(path.read_bytes())
        return f"embedded-{_CODE_VERSION}-{digest.hexdigest()[:12]}"


def load_embedded_tagger(lessons: Lessons) -> EmbeddedTagger:
    """Return the tagger of `lessons`, one per process. Raises LabelledTextError for broken lines."""
    return _load(lessons, lessons.version)


@cache
def _load(lessons: Lessons, version: str) -> EmbeddedTagger:
    linear = load_linear_model(lessons.lines, lessons.models)
    network = load_network(lessons.network) if lessons.network else None
    return EmbeddedTagger(linear, network, read_calibration(CALIBRATION_PATH), version)
