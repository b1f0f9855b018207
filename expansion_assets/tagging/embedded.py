"""The default tagger: TF-IDF features and one logistic regression per label, trained on our own lines.

Belongs here: training, keeping the model, scoring, choosing the quote. Does not belong here: what the model sees
(`features`), the reading of polarity and intent (`phrases`), fitting probabilities and measuring (`calibration`,
`evaluation`).
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast

import joblib
import numpy as np
import sklearn
import yaml
from sklearn.linear_model import LogisticRegression

from expansion_assets.tagging.features import Features, Reading, join_readings, read_sentences
from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.languages import foreign_language
from expansion_assets.tagging.phrases import PHRASES_PATH, intent_of, polarity_of
from expansion_assets.tagging.problems import PROBLEMS_PATH, load_problems
from expansion_assets.tagging.quotes import Span
from expansion_assets.tagging.schema import LABELS, Label, Tag, Text
from expansion_assets.tagging.tagger import MODEL_SUFFIX
from expansion_assets.tagging.turns import pieces_of

CALIBRATION_PATH = Path(__file__).with_name("calibration.yml")
# Part of the version: raise it whenever the code gives other tags from the same files.
_CODE_VERSION = "6"
# Both chosen on 379 texts of others (2026-11-22), mean average precision 0.53 with 30 and 1, 0.56 with 3 and 3. Our own
# lines cannot choose them: their writers are alike, so learning them by heart pays there.
_INVERSE_REGULARISATION = 3.0
_WEIGHT_OF_REAL = 3.0
# Twenty steps or so; a fifth of liblinear's time at the same scores.
_TOLERANCE, _MOST_STEPS = 3e-5, 300
_ADJACENT = LABELS.index("adjacent_use")
_BARE_WORDS = 4
# Cross-validated average precision of adjacent use: 0.63 with 0 (such sentences cannot carry it), 0.87 with 0.2, 0.89
# with 0.5. Between 0.03 and 0.3 little changes there; at 0.3 three more of twenty tags on other lines were wrong.
_WITHOUT_TOOL = 0.1


def log_odds(score: np.ndarray) -> np.ndarray:
    """Return log(score / (1 - score)), finite at 0 and 1."""
    clipped = np.clip(score, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))


@dataclass(frozen=True, slots=True)
class Curve:
    """Platt's curve of one label: from a score to the probability that the label is true."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, score: np.ndarray) -> np.ndarray:
        """Return probabilities; a score of 0 stays 0."""
        return np.where(score > 0, 1 / (1 + np.exp(-(self.slope * log_odds(score) + self.intercept))), 0.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a score is worth, and from which probability on a label is a tag."""

    curves: Mapping[Label, Curve] = field(default_factory=lambda: {label: Curve() for label in LABELS})
    bar: float = 0.5
    """Probability from which on a tag counts."""
    ticket_bar: float = 0.5
    """The same for advanced intent in a support ticket."""
    unsure_bar: float = 0.5
    """Probability from which on a tag is kept; below its bar it is unsure and reaches nobody."""


def read_calibration(path: Path) -> Calibration:
    """Read what :func:`~expansion_assets.tagging.calibration.write_calibration` wrote."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Calibration(**data | {"curves": {label: Curve(**data["curves"][label]) for label in LABELS}})


@dataclass(frozen=True, slots=True)
class ScoredText:
    """Scores of one text, columns in the order of `LABELS`; not calibrated."""

    probabilities: np.ndarray
    """Shape (labels,): the geometric mean of the whole text's and its best sentence's."""
    sentences: list[Span]
    sentence_probabilities: np.ndarray
    """Shape (sentences, labels)."""

    def best_sentence(self, column: int) -> Span | None:
        """Return the sentence that speaks most for a label, None for a text that was skipped or is empty."""
        return self.sentences[int(self.sentence_probabilities[:, column].argmax())] if self.sentences else None


class EmbeddedTagger:
    """Tags whole texts and quotes their best sentence. Needs no key and no network; same lines, same tags.

    A label's probability is the geometric mean of the whole text's and its best sentence's: in cross-validation on the
    training lines better than either alone.
    """

    def __init__(
        self, rows: Sequence[LabelledText], calibration: Calibration | None = None, version: str = "unversioned"
    ) -> None:
        """Train on `rows`; without `calibration` a score is taken for a probability."""
        self.version = version
        self._calibration = calibration or Calibration()
        units = [(unit, row) for row in rows for unit in _training_units(row)]
        self._features = Features()
        matrix = self._features.learn([unit.reading for unit, _ in units])
        weights = np.array([1.0 if row.is_imagined else _WEIGHT_OF_REAL for _, row in units])

        def fit(label: Label) -> LogisticRegression:
            used = np.array([label not in row.ambiguous for _, row in units])
            carries = np.array([label in unit.labels for unit, _ in units])
            model = LogisticRegression(
                C=_INVERSE_REGULARISATION, class_weight="balanced", tol=_TOLERANCE, max_iter=_MOST_STEPS
            )
            return model.fit(matrix[used], carries[used], sample_weight=weights[used])

        models = [fit(label) for label in LABELS]
        self._coefficients = np.column_stack([model.coef_[0] for model in models])
        self._intercepts = np.array([model.intercept_[0] for model in models])

    def tag(self, texts: Sequence[Text]) -> list[Tag]:
        """Return the tags of `texts`, in their order: per text and label one, per neighbouring problem one.

        Conversations and long texts are read turn by turn and passage by passage.

        A text in another language than English has none: what our lines do not teach is not guessed.
        """
        pieces = [piece for text in texts if foreign_language(text.body) is None for piece in pieces_of(text)]
        scored = self.score([piece.body for piece, _ in pieces], needed=self._lowest_scores())
        best: dict[str, Tag] = {}
        for (piece, start), score in zip(pieces, scored, strict=True):
            for tag in self._tags_of(piece, score, start):
                before = best.setdefault(tag.tag_id, tag)
                if _rank(tag) > _rank(before):
                    best[tag.tag_id] = tag
        return list(best.values())

    def _lowest_scores(self) -> np.ndarray:
        """Return, per label, the score whose probability is the lowest that makes a tag."""
        wanted = log_odds(np.array(self._calibration.unsure_bar))
        curves = [self._calibration.curves[label] for label in LABELS]
        return np.array([1 / (1 + np.exp(-(wanted - curve.intercept) / curve.slope)) for curve in curves])

    def score(self, bodies: Sequence[str], needed: Sequence[float] | np.ndarray = (0.0,)) -> list[ScoredText]:
        """Score texts. Where no label can reach `needed`, sentences are skipped and probabilities are 0.

        That short cut loses no tag: the geometric mean of two probabilities reaches t only if both reach t squared.
        """
        taken_apart = [read_sentences(body) for body in bodies]
        wholes = self._probabilities([join_readings(*pair) for pair in zip(bodies, taken_apart, strict=True)])
        worth_reading = np.any(wholes >= np.square(needed), axis=1)
        sentences = [some if worth else [] for some, worth in zip(taken_apart, worth_reading, strict=True)]
        parts = self._probabilities([reading for some in sentences for _, reading in some])
        parts[:, _ADJACENT] *= np.array([_says_with_what(span.text) for some in sentences for span, _ in some])
        ends = np.cumsum([len(some) for some in sentences])
        return [
            ScoredText(np.sqrt(whole * own.max(axis=0, initial=0.0)), [span for span, _ in some], own)
            for whole, some, own in zip(wholes, sentences, np.split(parts, ends[:-1]), strict=True)
        ] if bodies else []  # fmt: skip

    def _probabilities(self, readings: Sequence[Reading]) -> np.ndarray:
        if not readings:
            return np.zeros((0, len(LABELS)))
        return 1 / (1 + np.exp(-(self._features.matrix(readings) @ self._coefficients + self._intercepts)))

    def _tags_of(self, text: Text, score: ScoredText, start: int) -> Iterator[Tag]:
        for column, label in enumerate(LABELS):
            curve, own = self._calibration.curves[label], score.sentence_probabilities[:, column]
            probability = float(curve.probability(score.probabilities[column]))
            if probability < self._calibration.unsure_bar:
                continue
            best_first = [int(at) for at in np.argsort(-own, kind="stable")]
            if label != "adjacent_use":
                yield self._tag(text, start, label, score.sentences[best_first[0]], probability)
                continue
            seen = set()
            for rank, at in enumerate(best_first):
                quote = score.sentences[at]
                problem = load_problems().problem_of(quote.text, text.body)
                is_likely = float(curve.probability(own[at])) >= self._calibration.unsure_bar
                if problem not in seen and (rank == 0 or is_likely):
                    seen.add(problem)
                    # A second problem is as likely as its own sentence at most.
                    at_most = probability if rank == 0 else min(probability, float(curve.probability(own[at])))
                    yield self._tag(text, start, label, quote, at_most, problem)

    def _bar(self, text: Text, label: Label) -> float:
        is_ticket = text.kind == "ticket" and label == "advanced_intent"
        return self._calibration.ticket_bar if is_ticket else self._calibration.bar

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
            is_unsure=probability < self._bar(text, label),
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
    """Return what is left of a sentence's score for adjacent use: all where it names a tool, script or sheet.

    A bare "That macro?" asserts nothing; a sentence without any tool that we know may still name one.
    """
    if sentence.rstrip().endswith("?") and len(sentence.split()) <= _BARE_WORDS:
        return 0.0
    return 1.0 if load_problems().tool_in(sentence) is not None else _WITHOUT_TOOL


@dataclass(frozen=True, slots=True)
class _Unit:
    reading: Reading
    labels: frozenset[Label]


def _training_units(row: LabelledText) -> Iterator[_Unit]:
    """The whole text and, where it has several, its sentences; a sentence carries a label if it holds its evidence."""
    sentences = read_sentences(row.text)
    yield _Unit(join_readings(row.text, sentences), frozenset(row.labels))
    if len(sentences) < 2:
        return
    evidence = {label: row.text.index(quote) for label, quote in row.evidence.items()}
    for span, reading in sentences:
        carried = (
            label
            for label, start in evidence.items()
            if span.start < start + len(row.evidence[label]) and start < span.end
        )
        yield _Unit(reading, frozenset(carried))


@dataclass(frozen=True, slots=True)
class Lessons:
    """The files that an embedded tagger is made of."""

    lines: tuple[Path, ...]
    """Labelled lines, ours and those of a team's own reviews."""
    models: Path
    """Folder of the trained model."""

    @property
    def version(self) -> str:
        """Changes with lines, phrases, problems, bars, code, and with scikit-learn, which the kept model is made of."""
        digest = hashlib.sha256(f"{_CODE_VERSION} {sklearn.__version__}".encode())
        for path in (*self.lines, PHRASES_PATH, PROBLEMS_PATH, CALIBRATION_PATH):
            digest.update(path.read_bytes())
        return f"embedded-{_CODE_VERSION}-{digest.hexdigest()[:12]}"


def load_embedded_tagger(lessons: Lessons) -> EmbeddedTagger:
    """Return the tagger of `lessons`: kept from an earlier training (half a minute on one core), else trained now.

    A kept model is known by its version and by this code, so that none outlives its lessons. Raises LabelledTextError
    for broken lines.
    """
    return _load(lessons, lessons.version)


@cache
def _load(lessons: Lessons, version: str) -> EmbeddedTagger:
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    kept = lessons.models / f"{version}-{hashlib.sha256(code).hexdigest()[:8]}{MODEL_SUFFIX}"
    if kept.is_file():
        return cast(EmbeddedTagger, joblib.load(kept))
    rows = [row for path in lessons.lines for row in read_labelled(path)]
    tagger = EmbeddedTagger(rows, read_calibration(CALIBRATION_PATH), version)
    _keep(tagger, kept)
    return tagger


def _keep(tagger: EmbeddedTagger, path: Path) -> None:
    """Keep a trained tagger in place of older ones; where nothing can be written it is trained again each time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}.tmp")
        joblib.dump(tagger, half)
        half.replace(path)
        for older in path.parent.glob(f"*{MODEL_SUFFIX}"):
            if older != path:
                older.unlink(missing_ok=True)
    except OSError:
        return
