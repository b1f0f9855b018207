"""How far two taggers agree on the texts that both read: another prompt, another model, side by side.

Belongs here: counts, agreement and Cohen's kappa per label, the table. Does not belong here: which of them is right
(``evaluation``, against hand labels), the warehouse.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from expansion_assets.tagging.schema import LABELS

_MOST_LISTED = 40


@dataclass(frozen=True)
class Agreement:
    """One label on the texts that both taggers read."""

    label: str
    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def texts(self) -> int:
        """Texts that both read."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def agreement(self) -> float | None:
        """Share of texts on which they say the same; None without texts."""
        return (self.both + self.neither) / self.texts if self.texts else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond chance, 1 at most; None where both always say the same one thing."""
        if not self.texts:
            return None
        first = (self.both + self.only_first) / self.texts
        second = (self.both + self.only_second) / self.texts
        by_chance = first * second + (1 - first) * (1 - second)
        return None if by_chance == 1 else ((self.agreement or 0.0) - by_chance) / (1 - by_chance)


Labelled = Mapping[str, Collection[str]]
"""Text id -> labels that a tagger gave it; a text that it read and tagged with nothing is there, too."""


def compare(first: Labelled, second: Labelled) -> list[Agreement]:
    """Compare two taggers label by label on the texts that both read."""
    shared = sorted(first.keys() & second.keys())
    found = []
    for label in LABELS:
        answers = [(label in first[text], label in second[text]) for text in shared]
        found.append(Agreement(
            label, answers.count((True, True)), answers.count((True, False)), answers.count((False, True)),
            answers.count((False, False)),
        ))
    return found


def changes(first: Labelled, second: Labelled) -> list[tuple[str, str, str]]:
    """What changed: text, label, `gained` or `lost` on the way from the first to the second tagger."""
    return [
        (text, label, "gained" if label in second[text] else "lost")
        for text in sorted(first.keys() & second.keys())
        for label in LABELS
        if (label in first[text]) != (label in second[text])
    ]


def render(names: tuple[str, str], first: Labelled, second: Labelled) -> str:
    """The comparison as plain text: a table, then the texts on which they differ."""
    rows = compare(first, second)
    lines = [
        f"A {names[0]}", f"B {names[1]}",
        f"{rows[0].texts} texts that both read; a label counts where it is affirmed and its quote proven", "",
        f"{'label':<16}{'both':>6}{'only A':>8}{'only B':>8}{'neither':>9}{'agree':>8}{'kappa':>7}",
    ]
    lines += [
        f"{row.label:<16}{row.both:>6}{row.only_first:>8}{row.only_second:>8}{row.neither:>9}{_cell(row.agreement):>8}"
        f"{_cell(row.kappa):>7}"
        for row in rows
    ]
    differing = changes(first, second)
    if differing:
        lines += ["", "From A to B"]
        lines += [f"  {text}: {what} {label}" for text, label, what in differing[:_MOST_LISTED]]
    if len(differing) > _MOST_LISTED:
        lines.append(f"  and {len(differing) - _MOST_LISTED} more")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
