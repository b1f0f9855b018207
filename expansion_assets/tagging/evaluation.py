"""Precision and recall of a tagger on hand-labelled texts.

Belongs here: counting, the JSON report and the text table. Does not belong here: any tagger.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.schema import LABELS, TRIGGER_LABELS, Label, Text
from expansion_assets.tagging.tagger import Tagger, choose_tagger


@dataclass(frozen=True, slots=True)
class Counts:
    """Right and wrong answers for one label, or summed over several."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def n(self) -> int:
        """Texts that carry the label."""
        return self.tp + self.fn

    @property
    def precision(self) -> float | None:
        """Share of tags that are right; None when nothing was tagged."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def recall(self) -> float | None:
        """Share of true labels that were found; None when there are none."""
        return self.tp / self.n if self.n else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None when there is nothing to find and nothing was tagged."""
        answers = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / answers if answers else None

    def __add__(self, other: "Counts") -> "Counts":
        """Sum of both."""
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A tagger measured on a set of texts. Macro and micro cover the five trigger labels."""

    tagger_version: str
    texts: int
    labels: dict[Label, Counts]

    @property
    def micro(self) -> Counts:
        """All answers for the trigger labels, summed."""
        return sum((self.labels[label] for label in TRIGGER_LABELS), Counts())

    @property
    def macro(self) -> dict[str, float | None]:
        """Unweighted means over the trigger labels that the texts carry; an untagged one has precision 0."""
        carried = [self.labels[label] for label in TRIGGER_LABELS if self.labels[label].n]
        return {
            "precision": _mean(counts.precision or 0.0 for counts in carried),
            "recall": _mean(counts.recall or 0.0 for counts in carried),
        }

    def as_dict(self) -> dict:
        """Return the JSON report."""
        return {
            "tagger_version": self.tagger_version,
            "texts": self.texts,
            "labels": {label: _report(counts) for label, counts in self.labels.items()},
            "macro": self.macro,
            "micro": _report(self.micro),
        }

    def as_table(self) -> str:
        """Return the report as aligned plain text."""
        lines = [f"{'label':<16}{'precision':>10}{'recall':>8}{'F1':>6}{'tp':>5}{'fp':>5}{'fn':>5}{'n':>5}"]
        for name, counts in [*self.labels.items(), ("micro (five)", self.micro)]:
            rates = f"{_cell(counts.precision):>10}{_cell(counts.recall):>8}{_cell(counts.f1):>6}"
            lines.append(f"{name:<16}{rates}{counts.tp:>5}{counts.fp:>5}{counts.fn:>5}{counts.n:>5}")
        macro = self.macro
        lines.append(f"{'macro (five)':<16}{_cell(macro['precision']):>10}{_cell(macro['recall']):>8}")
        lines.append(f"{self.texts} texts, {self.tagger_version}; micro and macro leave out basic_intent")
        return "\n".join(lines)


def evaluate(tagger: Tagger, rows: Sequence[LabelledText]) -> Evaluation:
    """Compare affirmed tags with hand labels; a row that is ambiguous for a label is left out of that label."""
    texts = [Text(row.id, "", row.kind, "customer", row.text) for row in rows]
    tagged = {(tag.text_id, tag.label) for tag in tagger.tag(texts) if tag.polarity == "affirmed"}
    counts = {}
    for label in LABELS:
        answers = [(row.has(label), (row.id, label) in tagged) for row in rows if label not in row.ambiguous]
        counts[label] = Counts(
            tp=answers.count((True, True)), fp=answers.count((False, True)), fn=answers.count((True, False))
        )
    return Evaluation(tagger.version, len(rows), counts)


def evaluate_file(texts_path: Path, tagger_name: str, report_path: Path) -> str:
    """Measure the tagger called `tagger_name` on a labelled file, write the JSON report, return the table.

    Raises LabelledTextError for a broken file, TaggerUnavailableError for an unknown tagger.
    """
    evaluation = evaluate(choose_tagger(tagger_name), read_labelled(texts_path))
    report_path.parent.mkdir(parents=True, exist_ok=True)
    report_path.write_text(json.dumps(evaluation.as_dict(), indent=2) + "\n", encoding="utf-8")
    return f"{texts_path.name}\n{evaluation.as_table()}"


def _report(counts: Counts) -> dict[str, float | int | None]:
    return {
        "precision": counts.precision, "recall": counts.recall, "f1": counts.f1,
        "tp": counts.tp, "fp": counts.fp, "fn": counts.fn, "n": counts.n,
    }  # fmt: skip


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
