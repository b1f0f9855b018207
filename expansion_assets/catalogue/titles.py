"""How a job title is read: rank and business function.

Belongs here: matching a title against the patterns of ``titles.yml``. Does not belong here: the patterns
themselves and which ranks and functions matter (``signals.yml``).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property

from pydantic import field_validator, model_validator

from expansion_assets.catalogue.rules import Frozen


class Titles(Frozen):
    """Patterns of ``titles.yml``; the first that matches wins, top to bottom, whatever the case."""

    ranks: tuple[str, ...]
    """Rank names, lowest first; the lowest is also what a title without a match has."""
    patterns: dict[str, tuple[str, ...]]
    functions: dict[str, tuple[str, ...]]

    @field_validator("patterns", "functions")
    @classmethod
    def _compile(cls, groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, patterns in groups.items():
            for pattern in patterns:
                try:
                    re.compile(pattern)
                except re.error as error:
                    raise ValueError(f"{name}: {pattern!r} is not a regular expression: {error}") from error
        return groups

    @model_validator(mode="after")
    def _know_every_rank(self) -> Titles:
        if unknown := set(self.patterns) - set(self.ranks):
            raise ValueError(f"patterns for ranks that do not exist: {sorted(unknown)}")
        return self

    def rank(self, title: str | None) -> int | None:
        """Rank of a title, 0 = lowest; None without a title."""
        if not title or not title.strip():
            return None
        name = _first_match(self._rank_patterns, _plain(title))
        return 0 if name is None else self.rank_of(name)

    def rank_of(self, name: str) -> int:
        """Position of a rank name, 0 = lowest.

        Raises:
            ValueError: no such rank.
        """
        if name not in self.ranks:
            raise ValueError(f"{name!r} is not a rank; ranks are {', '.join(self.ranks)}")
        return self.ranks.index(name)

    def function(self, text: str | None) -> str | None:
        """Business function that a title, or a function as a source spells it, names; None when it names none."""
        if not text:
            return None
        plain = _plain(text)
        key = plain.casefold().replace(" ", "_")
        return key if key in self.functions else _first_match(self._function_patterns, plain)

    @cached_property
    def _rank_patterns(self) -> dict[str, re.Pattern[str]]:
        return _compiled(self.patterns)

    @cached_property
    def _function_patterns(self) -> dict[str, re.Pattern[str]]:
        return _compiled(self.functions)


def _plain(text: str) -> str:
    """One space between words, and one spelling of each letter: ``ä`` may come as two characters."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _compiled(groups: dict[str, tuple[str, ...]]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile("|".join(patterns), re.IGNORECASE) for name, patterns in groups.items()}


def _first_match(groups: dict[str, re.Pattern[str]], text: str) -> str | None:
    return next((name for name, pattern in groups.items() if pattern.search(text)), None)
