"""Precision and recall of a tagger on hand-labelled texts.

Belongs here: counting, intervals, the JSON report and the text table. Does not belong here: any tagger, the page of
wrong answers (``scan/confusion.py``).
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Literal, get_args

from expansion_assets.settings import Settings
from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.quotes import find_quote
from expansion_assets.tagging.schema import LABELS, TRIGGER_LABELS, Label, Polarity, Tag, Text
from expansion_assets.tagging.tagger import Tagger, choose_tagger

_Z = 1.96  # 95 %
Mistake = Literal["wrong tag", "missed", "unsure", "other polarity", "ambiguous"]


def wilson(right: int, n: int) -> tuple[float, float] | None:
    """Return Wilson's 95 % interval of the share `right` / `n`; None when `n` is 0.

    Source: Wilson 1927. Unlike the textbook interval it holds with ten cases and with shares of 0 and 1.
    """
    if n == 0:
        return None
    share, spread = right / n, _Z**2 / n
    centre, half = share + spread / 2, _Z * sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))


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

    @property
    def f1_interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share of right answers among all that are right, wrong or missed, as F1."""
        bounds = wilson(self.tp, self.tp + self.fp + self.fn)
        return (2 * bounds[0] / (1 + bounds[0]), 2 * bounds[1] / (1 + bounds[1])) if bounds else None

    @property
    def precision_interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the precision."""
        return wilson(self.tp, self.tp + self.fp)

    @property
    def recall_interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the recall."""
        return wilson(self.tp, self.n)

    def __add__(self, other: "Counts") -> "Counts":
        """Sum of both."""
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """One label of one text on which tagger and reader differ, or may differ."""

    label: Label
    mistake: Mistake
    text_id: str
    kind: str
    text: str
    quote: str | None
    """What the tagger quoted; the labeller's evidence where it was missed."""
    probability: float | None
    polarity: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A tagger measured on a set of texts. Macro and micro cover the five trigger labels."""

    tagger_version: str
    texts: int
    by_kind: Mapping[str, Mapping[Label, Counts]]
    """Per kind of text, the counts of every label; ambiguous rows are not in them."""
    ambiguous: Mapping[Label, Counts] = field(default_factory=dict)
    """The same for rows where a second reader may differ."""
    unsure: Mapping[Label, Counts] = field(default_factory=dict)
    """Tags under the bar: right (tp) or wrong (fp). They count nowhere else."""
    polarity: Mapping[str, Counts] = field(default_factory=dict)
    """Tags whose polarity was labelled, per polarity: predicted right (tp), predicted wrongly (fp), missed (fn)."""
    quotes: Counts = Counts()
    """Tags whose quote stands in its text (tp), and the others (fp)."""
    unread: int = 0
    """Texts that got no useful answer; their labels count as missed."""
    seconds: float = 0.0
    cost: float | None = 0.0
    """Paid for all texts; None where the model has no price."""
    wrong: Sequence[WrongAnswer] = ()

    @property
    def labels(self) -> dict[Label, Counts]:
        """Counts of every label over all kinds."""
        return {label: sum((counts[label] for counts in self.by_kind.values()), Counts()) for label in LABELS}

    @property
    def micro(self) -> Counts:
        """All answers for the trigger labels, summed."""
        return _micro(self.labels)

    @property
    def polarity_in_all(self) -> Counts:
        """Tags whose polarity was labelled: predicted right (tp) or wrong (fp)."""
        found = self.polarity.values()
        return Counts(sum(counts.tp for counts in found), sum(counts.fn for counts in found))

    @property
    def macro(self) -> dict[str, float | None]:
        """Unweighted means over the trigger labels that the texts carry; an untagged one has precision 0."""
        carried = [counts for label, counts in self.labels.items() if label in TRIGGER_LABELS and counts.n]
        return {
            "precision": _mean(counts.precision or 0.0 for counts in carried),
            "recall": _mean(counts.recall or 0.0 for counts in carried),
        }

    @property
    def texts_per_second(self) -> float | None:
        """Texts read per second of wall time, training and start-up left out."""
        return self.texts / self.seconds if self.seconds else None

    @property
    def cost_per_1000(self) -> float | None:
        """Cost of 1,000 such texts; None without a price."""
        return None if self.cost is None or not self.texts else 1000 * self.cost / self.texts

    def as_dict(self) -> dict:
        """Return the JSON report."""
        return {
            "tagger_version": self.tagger_version,
            "texts": self.texts,
            "unread": self.unread,
            "labels": {label: _report(counts) for label, counts in self.labels.items()},
            "kinds": {
                kind: {label: _report(found) for label, found in counts.items()} | {"micro": _report(_micro(counts))}
                for kind, counts in self.by_kind.items()
            },
            "ambiguous": {label: _report(counts) for label, counts in self.ambiguous.items()},
            "unsure": {label: {"right": counts.tp, "wrong": counts.fp} for label, counts in self.unsure.items()},
            "macro": self.macro,
            "micro": _report(self.micro),
            "quotes_proven": _share(self.quotes),
            "polarity_right": _share(self.polarity_in_all),
            "polarity": {name: _report(counts) for name, counts in self.polarity.items()},
            "texts_per_second": self.texts_per_second,
            "cost_per_1000": self.cost_per_1000,
        }

    def as_table(self) -> str:
        """Return the report as aligned plain text."""
        head = f"{'precision':>16}{'95 %':>12}{'recall':>8}{'95 %':>12}{'F1':>6}{'95 %':>12}"
        head += "".join(f"{name:>5}" for name in ("tp", "fp", "fn", "n"))
        lines = [f"{'label':<18}{head}"]
        lines += [_line(name, counts) for name, counts in [*self.labels.items(), ("micro (five)", self.micro)]]
        lines.append(f"{'macro (five)':<18}{_cell(self.macro['precision']):>16}{_cell(self.macro['recall']):>20}")
        for kind, counts in self.by_kind.items():
            lines.append(_line(f"{kind} (five)", _micro(counts)))
            lines += [_line(f"  {label}", found) for label, found in counts.items() if found.n or found.fp]
        rare = [f"{label} ({counts.n})" for label, counts in self.labels.items() if counts.n < 10]
        if rare:
            lines.append(f"fewer than ten positives, read as anecdotes: {', '.join(rare)}")
        lines.append(f"ambiguous, left out above: {_listed(self.ambiguous)}")
        unsure = sum(self.unsure.values(), Counts())
        lines.append(f"unsure, left out above: {unsure.tp + unsure.fp} tags, {unsure.tp} of them right")
        polarity = ", ".join(f"{name} {counts.tp} of {counts.n}" for name, counts in self.polarity.items() if counts.n)
        lines.append(f"quotes proven: {_of(self.quotes)}; polarity right: {_of(self.polarity_in_all)}")
        lines.append(f"polarity right, by what it is: {polarity or 'none labelled'}")
        speed = "-" if self.texts_per_second is None else f"{self.texts_per_second:,.0f}"
        cost = "no price known" if self.cost_per_1000 is None else f"{self.cost_per_1000:.2f}"
        lines.append(f"{speed} texts/s; cost per 1,000 texts: {cost}; no useful answer: {self.unread}")
        lines.append(f"{self.texts} texts, {self.tagger_version}; micro and macro leave out basic_intent")
        return "\n".join(lines)


def evaluate(tagger: Tagger, rows: Sequence[LabelledText]) -> Evaluation:
    """Compare affirmed tags over the bar with hand labels; a row that is ambiguous for a label is counted apart."""
    texts = [Text(row.id, "", row.kind, "customer", row.text) for row in rows]
    start = time.perf_counter()
    tags, cost, unread = _read(tagger, texts)
    seconds = time.perf_counter() - start
    by_text: dict[tuple[str, Label], list[Tag]] = {}
    for tag in tags:
        by_text.setdefault((tag.text_id, tag.label), []).append(tag)
    by_kind = {kind: {label: Counter[str]() for label in LABELS} for kind in sorted({row.kind for row in rows})}
    ambiguous, unsure = ({label: Counter[str]() for label in LABELS} for _ in range(2))
    wrong: list[WrongAnswer] = []
    for row in rows:
        for label in LABELS:
            found, is_ambiguous = by_text.get((row.id, label), []), label in row.ambiguous
            counting = [tag for tag in found if tag.polarity == "affirmed" and not tag.is_unsure]
            cell = _CELLS[row.has(label), bool(counting)]
            (ambiguous[label] if is_ambiguous else by_kind[row.kind][label])[cell] += 1
            if not counting and not is_ambiguous and any(tag.is_unsure for tag in found):
                unsure[label]["tp" if row.has(label) else "fp"] += 1
            if cell in ("fp", "fn"):
                wrong.append(_wrong_answer(row, label, found, counting))
    bodies = {row.id: row.text for row in rows}
    judged = Counter(
        (str(row.polarity_of(label)), str(tag.polarity))
        for row in rows for label in LABELS if row.polarity_of(label) for tag in by_text.get((row.id, label), [])
    )  # fmt: skip
    proven = [tag.is_quote_found and find_quote(bodies[tag.text_id], tag.quote) is not None for tag in tags]
    return Evaluation(
        tagger.version, len(rows), {kind: _closed(counts) for kind, counts in by_kind.items()},
        _closed(ambiguous), _closed(unsure),
        polarity={polarity: _of_class(judged, polarity) for polarity in get_args(Polarity)},
        quotes=Counts(sum(proven), len(proven) - sum(proven)),
        unread=unread, seconds=seconds, cost=cost, wrong=wrong,
    )  # fmt: skip


def evaluate_file(texts_path: Path, settings: Settings, report_path: Path) -> Evaluation:
    """Measure the tagger of the settings on a labelled file and write the JSON report.

    Raises LabelledTextError for a broken file.
    """
    rows = read_labelled(texts_path)
    tagger = choose_tagger(settings)
    if not hasattr(tagger, "read"):  # costs nothing, and what the first text loads is no part of the speed
        tagger.tag([Text("", "", rows[0].kind, "customer", rows[0].text)])
    evaluation = evaluate(tagger, rows)
    report_path.parent.mkdir(parents=True, exist_ok=True)
    report_path.write_text(json.dumps(evaluation.as_dict(), indent=2) + "\n", encoding="utf-8")
    return evaluation


_CELLS = {(True, True): "tp", (False, True): "fp", (True, False): "fn", (False, False): "tn"}


def _read(tagger: Tagger, texts: Sequence[Text]) -> tuple[list[Tag], float | None, int]:
    """Tags, what was paid, and how many texts got no useful answer; a tagger that is paid for says so by `read`."""
    read = getattr(tagger, "read", None)
    if read is None:
        return list(tagger.tag(texts)), 0.0, 0
    batches = list(read(texts))
    readings = [reading for batch in batches for reading in batch.readings]
    costs = [bill.cost for batch in batches for bill in batch.paid]
    known = [cost for cost in costs if cost is not None]
    tags = [tag for reading in readings for tag in reading.tags]
    unread = sum(reading.status not in ("read", "spared") for reading in readings)
    return tags, sum(known) if len(known) == len(costs) else None, unread


def _wrong_answer(row: LabelledText, label: Label, found: Sequence[Tag], counting: Sequence[Tag]) -> WrongAnswer:
    tag = counting[0] if counting else found[0] if found else None
    mistake: Mistake = "missed"
    if label in row.ambiguous:
        mistake = "ambiguous"
    elif counting:
        mistake = "wrong tag"
    elif tag is not None:
        mistake = "unsure" if tag.is_unsure else "other polarity"
    quote = tag.quote if tag else row.evidence.get(label)
    return WrongAnswer(
        label, mistake, row.id, row.kind, row.text, quote, tag.probability if tag else None,
        tag.polarity if tag else None,
    )  # fmt: skip


def _closed(counts: Mapping[Label, Mapping[str, int]]) -> dict[Label, Counts]:
    return {label: Counts(cells["tp"], cells["fp"], cells["fn"]) for label, cells in counts.items()}


def _micro(labels: Mapping[Label, Counts]) -> Counts:
    return sum((labels[label] for label in TRIGGER_LABELS), Counts())


def _of_class(judged: Mapping[tuple[str, str], int], polarity: str) -> Counts:
    """Counts of one polarity from pairs of (labelled, predicted)."""
    return Counts(
        judged.get((polarity, polarity), 0),
        sum(times for (true, said), times in judged.items() if said == polarity != true),
        sum(times for (true, said), times in judged.items() if true == polarity != said),
    )


def _report(counts: Counts) -> dict[str, object]:
    return {
        "precision": counts.precision, "precision_interval": counts.precision_interval,
        "recall": counts.recall, "recall_interval": counts.recall_interval,
        "f1": counts.f1, "f1_interval": counts.f1_interval,
        "tp": counts.tp, "fp": counts.fp, "fn": counts.fn, "n": counts.n,
    }  # fmt: skip


def _share(counts: Counts) -> dict[str, object]:
    return {"share": counts.precision, "right": counts.tp, "n": counts.tp + counts.fp}


def _of(counts: Counts) -> str:
    return f"{_cell(counts.precision)} ({counts.tp} of {counts.tp + counts.fp})"


def _listed(labels: Mapping[Label, Counts]) -> str:
    """Counts of ambiguous rows: of those labelled true, how many were tagged; and tags on the others."""
    parts = [
        f"{label} {counts.tp} of {counts.n} tagged, {counts.fp} more"
        for label, counts in labels.items() if counts.n or counts.fp
    ]  # fmt: skip
    return "; ".join(parts) or "none"


def _line(name: str, counts: Counts) -> str:
    rates = f"{_cell(counts.precision):>16}{_interval(counts.precision_interval):>12}"
    rates += f"{_cell(counts.recall):>8}{_interval(counts.recall_interval):>12}{_cell(counts.f1):>6}"
    rates += f"{_interval(counts.f1_interval):>12}"
    return f"{name:<18}{rates}{counts.tp:>5}{counts.fp:>5}{counts.fn:>5}{counts.n:>5}"


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.2f}-{bounds[1]:.2f}"
