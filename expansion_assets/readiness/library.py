"""The signal library as readiness reads it: weights, categories, needs and plays.

Belongs here: the few fields of ``catalogue/signals.yml`` that score, coverage and cards use. Does not belong here:
detection rules and their thresholds per segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from expansion_assets.catalogue.loader import Signals, load_catalogue
from expansion_assets.catalogue.plays_loader import CATALOGUE_DIR


@dataclass(frozen=True)
class SubTrigger:
    """One rule of a trigger and the play it opens."""

    play: str
    is_risk: bool


@dataclass(frozen=True)
class Trigger:
    """One of the five triggers."""

    key: str
    category: str
    weight: float
    needs: tuple[str, ...]
    sub_triggers: Mapping[str, SubTrigger]


@dataclass(frozen=True)
class Supporting:
    """One supporting signal: a column of ``features.account_day`` held against threshold and limit."""

    key: str
    category: str
    weight: float
    needs: tuple[str, ...]
    feature: str
    threshold: float
    limit: float

    def strength(self, value: float | None) -> float:
        """Return 0 below the threshold, 0.5 at it, rising to 1 at the limit (DOMAIN §5)."""
        if value is None or value < self.threshold:
            return 0.0
        return min(1.0, 0.5 + 0.5 * (value - self.threshold) / (self.limit - self.threshold))


@dataclass(frozen=True)
class Library:
    """Triggers and live supporting signals by key."""

    triggers: Mapping[str, Trigger]
    supporting: Mapping[str, Supporting]

    def sub_trigger(self, trigger: str, sub_trigger: str) -> SubTrigger:
        """Return a rule's play and risk flag.

        Raises:
            KeyError: When the library has no such rule.
        """
        return self.triggers[trigger].sub_triggers[sub_trigger]


def library_from(signals: Signals) -> Library:
    """Build the library from ``signals.yml``; shadow and retired signals are left out."""
    triggers = {
        key: Trigger(
            key, entry.category, entry.weight, tuple(entry.needs),
            {
                name: SubTrigger(rule.play or entry.play, rule.is_risk)
                for name, rule in entry.sub_triggers.items()
            },
        )
        for key, entry in signals.triggers.items()
    }
    supporting = {
        key: Supporting(
            key, entry.category, entry.weight, tuple(entry.needs), entry.feature, entry.threshold, entry.limit
        )
        for key, entry in signals.supporting.items() if entry.state == "live"
    }
    return Library(triggers, supporting)


@lru_cache
def load_library(folder: Path = CATALOGUE_DIR) -> Library:
    """Read the signal library from the catalogue's folder."""
    return library_from(load_catalogue(folder).signals)
