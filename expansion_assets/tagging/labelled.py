"""Hand-labelled texts: the file format shared by training lines, hold-out lines and outside measuring sets.

Belongs here: reading and validating the format. Does not belong here: training and measuring.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from expansion_assets.tagging.schema import LABELS, Label, Polarity


class LabelledTextError(ValueError):
    """A line of a labelled file breaks the format."""


class LabelledText(BaseModel):
    """One hand-labelled text; the six booleans carry the label names."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    source: str = ""
    """Who wrote it, after what: lines of one source share turns of phrase, so none is judged by its own siblings.

    `written: ...` came out of a writer's head, `modelled: ...` was built like a real text that the writer had read,
    `reviews` are customers' own words.
    """
    kind: str
    text: str
    advanced_intent: bool
    basic_intent: bool
    adjacent_use: bool
    role_change: bool
    cross_team: bool
    usage_limit: bool
    evidence: dict[Label, str] = {}
    hard_negative_for: tuple[Label, ...] = ()
    ambiguous: tuple[Label, ...] = ()
    problem_key: str | None = None
    tool: str | None = None
    polarity: dict[Label, Polarity] = {}
    """Where a text speaks of a label without affirming it, how it does."""

    @model_validator(mode="after")
    def _evidence_stands_in_text(self) -> "LabelledText":
        for label, quote in self.evidence.items():
            if quote not in self.text:
                raise ValueError(f"evidence of {label} is not a substring of the text")
        return self

    def has(self, label: Label) -> bool:
        """Whether the text carries `label`."""
        return bool(getattr(self, label))

    def polarity_of(self, label: Label) -> Polarity | None:
        """How the text stands behind `label`: affirmed where it carries it, else as labelled, None when unlabelled."""
        return "affirmed" if self.has(label) else self.polarity.get(label)

    @property
    def is_imagined(self) -> bool:
        """Whether nothing real stood behind the line: such lines are tidier than what customers write."""
        return self.source.startswith("written")

    @property
    def weight(self) -> float:
        """How much the line counts in training.

        Chosen on 379 texts of others (2026-11-22): mean average precision 0.53 where all weigh the same, 0.56 so.
        """
        return 1.0 if self.is_imagined else 3.0

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels the text carries, in the order of the scheme."""
        return tuple(label for label in LABELS if self.has(label))


def split_by_source(rows: Sequence[LabelledText]) -> tuple[list[LabelledText], list[LabelledText]]:
    """Return the lines to learn and the lines to judge: those of every third source, none of which is learned.

    Imagined lines teach and are not judged: they are easier than what customers write.
    """
    left_out = set(sorted({row.source for row in rows if not row.is_imagined})[::3])
    return [row for row in rows if row.source not in left_out], [row for row in rows if row.source in left_out]


def write_labelled(path: Path, rows: Sequence[LabelledText]) -> None:
    """Write rows as JSON lines."""
    lines = (row.model_dump_json(exclude_defaults=True) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_labelled(path: Path) -> list[LabelledText]:
    """Read a JSON-lines file of labelled texts.

    Raises LabelledTextError naming file and line when a row breaks the format or the file holds no row.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(LabelledText.model_validate_json(line))
        except ValidationError as error:
            reason = error.errors()[0]
            where = ".".join(map(str, reason["loc"]))
            raise LabelledTextError(f"{path.name}, line {number}: {where} {reason['msg']}".strip()) from error
    if not rows:
        raise LabelledTextError(f"{path.name}: no labelled texts")
    return rows
