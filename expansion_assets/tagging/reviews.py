"""What a team's reviews say of the texts behind its cards: labelled lines of its own, and whether they help.

Belongs here: from verdicts to lines, the comparison before and after. Does not belong here: finding the verdicts
(``store/verdicts.py``), training (``embedded``).

An accepted card bears out every quote that it stands on. A rejected one counts only where its reason says that the text
was misread (``catalogue/reviews.yml``). Of a reviewed text nothing but the label in question is known, so the others
are left open. Curves and bars stay as they are: the tagger itself picked these texts, so they cannot tell how many of
all texts carry a label.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from expansion_assets.catalogue.reading import CATALOGUE_DIR, read_yaml
from expansion_assets.tagging.embedded import CALIBRATION_PATH, EmbeddedTagger, read_calibration
from expansion_assets.tagging.evaluation import Counts, evaluate
from expansion_assets.tagging.labelled import LabelledText
from expansion_assets.tagging.linear import LinearModel
from expansion_assets.tagging.network import Network
from expansion_assets.tagging.phrases import Lexicon, words_of
from expansion_assets.tagging.schema import LABELS, Label, Text
from expansion_assets.tagging.turns import pieces_of

SOURCE = "reviews"
FEWEST_LINES = 10
# A tagger that has learned from reviews may lose so much F1 on our hold-out lines; by chance alone it moves by 0.01.
MOST_LOST = 0.02
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's decision on a card, and one of the quotes behind it."""

    text: Text
    label: Label
    quote_start: int
    quote_end: int
    decision: str
    reason: str | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Learned:
    """Reviewed lines read by the tagger as shipped and by one that has learned from the other reviewed lines."""

    borne_out: int
    misread: int
    before: Counts
    after: Counts
    """Tags on reviewed lines: right (tp), wrong (fp), missed (fn)."""
    holdout_before: Counts
    holdout_after: Counts

    @property
    def is_harmless(self) -> bool:
        """Whether our hold-out lines are read about as well as before."""
        return (self.holdout_after.f1 or 0.0) >= (self.holdout_before.f1 or 0.0) - MOST_LOST

    def as_table(self) -> str:
        """The comparison as plain text."""
        rows = [
            ("borne out, tagged", f"{self.before.tp}/{self.borne_out}", f"{self.after.tp}/{self.borne_out}"),
            ("misread, still tagged", f"{self.before.fp}/{self.misread}", f"{self.after.fp}/{self.misread}"),
            ("hold-out precision", _share(self.holdout_before.precision), _share(self.holdout_after.precision)),
            ("hold-out recall", _share(self.holdout_before.recall), _share(self.holdout_after.recall)),
        ]
        head = f"{'each fifth of the reviewed texts read by the others':<54}{'before':>10}{'after':>10}"
        return "\n".join([head, *(f"{name:<54}{before:>10}{after:>10}" for name, before, after in rows)])


def says_misread(reason: str | None) -> bool:
    """Whether the reason of a rejection says that the text was misread."""
    return bool(_misread().concepts_in(words_of(reason or "")))


def lines_of(verdicts: Iterable[Verdict]) -> list[LabelledText]:
    """Return one line per passage that was judged; of several verdicts on a passage and label the latest counts."""
    judged: dict[tuple[str, int], dict[Label, tuple[bool, str]]] = {}
    passages: dict[tuple[str, int], Text] = {}
    for verdict in sorted(verdicts, key=lambda one: one.decided_at):
        is_right = verdict.decision == "accepted"
        if not is_right and not says_misread(verdict.reason):
            continue
        passage, start = next(
            (piece, start) for piece, start in reversed(pieces_of(verdict.text)) if start <= verdict.quote_start
        )
        key = (verdict.text.text_id, start)
        passages[key] = passage
        quote = verdict.text.body[verdict.quote_start : verdict.quote_end]
        judged.setdefault(key, {})[verdict.label] = (is_right, quote)
    return [_line(passages[key], key[1], labels) for key, labels in sorted(judged.items())]


def compare(
    own: Sequence[LabelledText],
    reviewed: Sequence[LabelledText],
    holdout: Sequence[LabelledText],
    network: Network | None,
) -> Learned:
    """Say what learning from `reviewed` changes; each fifth of them is read by a tagger that knows the other four.

    Only the linear model learns, within seconds; the network stays as shipped, or away.
    """

    calibration = read_calibration(CALIBRATION_PATH)

    def tagger(rows: Sequence[LabelledText]) -> EmbeddedTagger:
        return EmbeddedTagger(LinearModel(rows), network, calibration)

    shipped, learned = tagger(own), tagger([*own, *reviewed])
    after = Counts()
    for fold in range(_FOLDS):
        others = [row for at, row in enumerate(reviewed) if at % _FOLDS != fold]
        after += _counts(tagger([*own, *others]), reviewed[fold::_FOLDS])
    labels = [row.has(label) for row in reviewed for label in LABELS if label not in row.ambiguous]
    return Learned(
        borne_out=sum(labels), misread=len(labels) - sum(labels),
        before=_counts(shipped, reviewed), after=after,
        holdout_before=evaluate(shipped, holdout).micro, holdout_after=evaluate(learned, holdout).micro,
    )


def _counts(tagger: EmbeddedTagger, rows: Sequence[LabelledText]) -> Counts:
    return sum(evaluate(tagger, rows).labels.values(), Counts()) if rows else Counts()


def _line(passage: Text, start: int, labels: dict[Label, tuple[bool, str]]) -> LabelledText:
    right = {label: quote for label, (is_right, quote) in labels.items() if is_right}
    return LabelledText.model_validate({
        "id": f"{passage.text_id}#{start}",
        "source": SOURCE,
        "kind": passage.kind,
        "text": passage.body,
        **{label: label in right for label in LABELS},
        "evidence": {label: quote for label, quote in right.items() if quote in passage.body},
        "hard_negative_for": tuple(label for label in labels if label not in right),
        "ambiguous": tuple(label for label in LABELS if label not in labels),
    })


@cache
def _misread() -> Lexicon:
    return Lexicon(read_yaml(CATALOGUE_DIR / "reviews.yml"))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
