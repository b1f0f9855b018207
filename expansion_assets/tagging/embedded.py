"""The default tagger: TF-IDF features and one logistic regression per label, trained on the fly from our own lines.

Belongs here: training, scoring, choosing the quote. Does not belong here: what the model sees (`features`), the
reading of polarity and intent (`phrases`), choosing thresholds and measuring (`calibration`, `evaluation`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from expansion_assets.tagging.features import Features, Reading, join_readings, read_sentences
from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.phrases import PHRASES_PATH, intent_of, polarity_of
from expansion_assets.tagging.problems import PROBLEMS_PATH, load_problems
from expansion_assets.tagging.quotes import Span
from expansion_assets.tagging.schema import LABELS, Label, Tag, Text

THRESHOLDS_PATH = Path(__file__).with_name("thresholds.yml")
# Part of the version: raise it whenever the code gives other tags from the same files.
_CODE_VERSION = "3"
# Chosen by cross-validation on the training lines: flat between 5 and 20; sentences count half of a whole text.
_INVERSE_REGULARISATION = 8.0
_SENTENCE_WEIGHT = 0.5
# A third less training time than the default 1e-4 at the same cross-validated scores.
_TOLERANCE = 3e-2
_ADJACENT = LABELS.index("adjacent_use")
_BARE_WORDS = 4


@dataclass(frozen=True, slots=True)
class ScoredText:
    """Probabilities of one text, columns in the order of `LABELS`."""

    probabilities: np.ndarray
    """Shape (labels,): the geometric mean of the whole text's and its best sentence's."""
    sentences: list[Span]
    sentence_probabilities: np.ndarray
    """Shape (sentences, labels)."""


class EmbeddedTagger:
    """Tags whole texts and quotes their best sentence. Needs no key and no network; same lines, same tags.

    A label's probability is the geometric mean of the whole text's and its best sentence's: in cross-validation on the
    training lines better than either alone.
    """

    def __init__(
        self,
        rows: Sequence[LabelledText],
        thresholds: Mapping[Label, float],
        version: str,
        in_tickets: Mapping[Label, float] | None = None,
    ) -> None:
        """Train on `rows`; a label becomes a tag from its threshold (a probability, 0-1) on.

        `in_tickets` replaces thresholds where the text is a support ticket.
        """
        self.version = version
        self._thresholds = np.array([thresholds[label] for label in LABELS])
        self._in_tickets = np.array([(in_tickets or {}).get(label, thresholds[label]) for label in LABELS])
        units = [(unit, row) for row in rows for unit in _training_units(row)]
        self._features = Features()
        matrix = self._features.learn([unit.reading for unit, _ in units])
        weights = np.array([unit.weight for unit, _ in units])
        models = []
        for label in LABELS:
            used = np.array([label not in row.ambiguous for _, row in units])
            carries = np.array([label in unit.labels for unit, _ in units])
            model = LogisticRegression(  # the dual problem is four times faster with ten features to a line
                C=_INVERSE_REGULARISATION, class_weight="balanced", solver="liblinear", dual=True, tol=_TOLERANCE,
                random_state=0,
            )  # fmt: skip
            models.append(model.fit(matrix[used], carries[used], sample_weight=weights[used]))
        self._coefficients = np.column_stack([model.coef_[0] for model in models])
        self._intercepts = np.array([model.intercept_[0] for model in models])

    def tag(self, texts: Sequence[Text]) -> list[Tag]:
        """Return the tags of `texts`, in their order: per text and label one, per neighbouring problem one."""
        lowest = np.minimum(self._thresholds, self._in_tickets)
        scored = self.score([text.body for text in texts], needed=lowest)
        return [tag for text, score in zip(texts, scored, strict=True) for tag in self._tags_of(text, score)]

    def score(self, bodies: Sequence[str], needed: Sequence[float] | np.ndarray = (0.0,)) -> list[ScoredText]:
        """Score texts. Where no label can reach `needed`, sentences are skipped and probabilities are 0.

        That short cut loses no tag: the geometric mean of two probabilities reaches t only if both reach t squared.
        """
        taken_apart = [read_sentences(body) for body in bodies]
        wholes = self._probabilities([join_readings(*pair) for pair in zip(bodies, taken_apart, strict=True)])
        worth_reading = np.any(wholes >= np.square(needed), axis=1)
        sentences = [some if worth else [] for some, worth in zip(taken_apart, worth_reading, strict=True)]
        parts = self._probabilities([reading for some in sentences for _, reading in some])
        can_carry = [_says_with_what(span.text) for some in sentences for span, _ in some]
        parts[:, _ADJACENT] *= np.array(can_carry, dtype=float)
        ends = np.cumsum([len(some) for some in sentences])
        return [
            ScoredText(np.sqrt(whole * own.max(axis=0, initial=0.0)), [span for span, _ in some], own)
            for whole, some, own in zip(wholes, sentences, np.split(parts, ends[:-1]), strict=True)
        ] if bodies else []  # fmt: skip

    def _probabilities(self, readings: Sequence[Reading]) -> np.ndarray:
        if not readings:
            return np.zeros((0, len(LABELS)))
        return 1 / (1 + np.exp(-(self._features.matrix(readings) @ self._coefficients + self._intercepts)))

    def _tags_of(self, text: Text, score: ScoredText) -> Iterator[Tag]:
        thresholds = self._in_tickets if text.kind == "ticket" else self._thresholds
        for column in np.flatnonzero(score.probabilities >= thresholds):
            label, own = LABELS[column], score.sentence_probabilities[:, column]
            best_first = [int(at) for at in np.argsort(-own, kind="stable")]
            if label != "adjacent_use":
                yield self._tag(text, label, score.sentences[best_first[0]], score.probabilities[column])
                continue
            seen = set()
            for rank, at in enumerate(best_first):
                quote = score.sentences[at]
                problem = load_problems().problem_of(quote.text, text.body)
                if problem not in seen and (rank == 0 or own[at] >= thresholds[column]):
                    seen.add(problem)
                    yield self._tag(text, label, quote, score.probabilities[column], problem)

    def _tag(
        self, text: Text, label: Label, quote: Span, probability: float, problem_key: str | None = None
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
            probability=round(float(probability), 4),
            polarity=polarity_of(label, quote.text, text.speaker_side),
            intent=intent_of(label, quote.text),
            quote=quote.text,
            quote_start=quote.start,
            quote_end=quote.end,
            is_quote_found=True,
        )


def _says_with_what(sentence: str) -> bool:
    """Whether a sentence names a tool, script or sheet, and is no bare "That macro?": use is solved with something."""
    is_bare_question = sentence.rstrip().endswith("?") and len(sentence.split()) <= _BARE_WORDS
    return not is_bare_question and load_problems().tool_in(sentence) is not None


@dataclass(frozen=True, slots=True)
class _Unit:
    reading: Reading
    labels: frozenset[Label]
    weight: float


def _training_units(row: LabelledText) -> Iterator[_Unit]:
    """The whole text and, where it has several, its sentences; a sentence carries a label if it holds its evidence."""
    sentences = read_sentences(row.text)
    yield _Unit(join_readings(row.text, sentences), frozenset(row.labels), 1.0)
    if len(sentences) < 2:
        return
    evidence = {label: row.text.index(quote) for label, quote in row.evidence.items()}
    for span, reading in sentences:
        carried = (
            label
            for label, start in evidence.items()
            if span.start < start + len(row.evidence[label]) and start < span.end
        )
        yield _Unit(reading, frozenset(carried), _SENTENCE_WEIGHT)


@cache
def load_embedded_tagger(labelled_path: Path) -> EmbeddedTagger:
    """Train on `labelled_path`, once per process. The version changes with lines, phrases, problems and thresholds."""
    thresholds = yaml.safe_load(THRESHOLDS_PATH.read_text(encoding="utf-8"))
    digest = hashlib.sha256(_CODE_VERSION.encode())
    for path in (labelled_path, PHRASES_PATH, PROBLEMS_PATH, THRESHOLDS_PATH):
        digest.update(path.read_bytes())
    version = f"embedded-{_CODE_VERSION}-{digest.hexdigest()[:12]}"
    return EmbeddedTagger(read_labelled(labelled_path), thresholds["all"], version, thresholds["tickets"])
