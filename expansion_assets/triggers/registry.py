"""The five detectors, in the order of DOMAIN's table.

Belongs here: the one tuple that says what runs. Does not belong here: how (the trigger modules).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.triggers import adjacent_use, advanced_tickets, cross_team, role_change, usage_milestone
from expansion_assets.triggers.base import Detection, Inputs, Window


@dataclass(frozen=True, slots=True)
class Detector:
    """One trigger: what it finds in a window, and how many days before the window it must read."""

    trigger: str
    detect: Callable[[Inputs, Window, Catalogue], Detection]
    lookback_days: Callable[[Catalogue], int]


DETECTORS: tuple[Detector, ...] = tuple(
    Detector(module.TRIGGER, module.detect, module.lookback_days)
    for module in (usage_milestone, role_change, cross_team, advanced_tickets, adjacent_use)
)
