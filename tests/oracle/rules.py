"""The numbers of the catalogue and the reading of job titles, straight from the YAML files.

Belongs here: thresholds per segment, ranks and functions of titles.
Does not belong here: the meaning of a threshold (the trigger modules).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

CATALOGUE = Path(__file__).parents[2] / "expansion_assets" / "catalogue"


class Rules:
    """Rule values of each sub-trigger, per segment, and of titles.

    Args:
        directory: Folder with signals.yml, segments.yml and titles.yml.
    """

    def __init__(self, directory: Path = CATALOGUE) -> None:
        """Read the three files."""
        signals = _read(directory / "signals.yml")
        titles = _read(directory / "titles.yml")
        self.triggers: dict[str, Any] = signals["triggers"]
        self.common: dict[str, Any] = signals["common"]
        self.segments: dict[str, Any] = _read(directory / "segments.yml")
        self.ranks: list[str] = titles["ranks"]
        self.rank_patterns: dict[str, list[str]] = titles["patterns"]
        self.function_patterns: dict[str, list[str]] = titles["functions"]

    def of(self, trigger: str, sub_trigger: str, segment: str | None = None) -> dict[str, Any]:
        """Rule values of a sub-trigger in a segment; an unknown segment has the defaults."""
        values = dict(self.triggers[trigger]["sub_triggers"][sub_trigger]["rule"])
        for layer in ("default", segment):
            values.update((self.segments.get(layer) or {}).get(f"{trigger}.{sub_trigger}", {}))
        return values

    def rank(self, title: str | None) -> int | None:
        """Position of a title in the rank order, 0 = individual; None without a title."""
        if title is None:
            return None
        return self.ranks.index(_first_match(self.rank_patterns, title) or self.ranks[0])

    def function(self, title: str | None) -> str | None:
        """Business function that a title names, or None."""
        return None if title is None else _first_match(self.function_patterns, title)


def at_least(value: float, threshold: float) -> bool:
    """Whether a value reaches a threshold; 0.07 x 100 is 7.000000000000001, which 7 must reach."""
    return value >= threshold - 1e-9


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _first_match(patterns: dict[str, list[str]], title: str) -> str | None:
    for name, expressions in patterns.items():
        if any(re.search(expression, title, re.IGNORECASE) for expression in expressions):
            return name
    return None
