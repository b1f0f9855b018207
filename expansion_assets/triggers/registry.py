"""The five detectors, in the order of DOMAIN's table.

Belongs here: the one tuple that says what runs. Does not belong here: how (the trigger modules).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.triggers import adjacent_use, advanced_tickets, cross_team, role_change, usage_milestone
from expansion_assets.triggers.base import Detection, Inputs, Window

Detect = Callable[[Inputs, Window, Catalogue], Detection]


@dataclass(frozen=True, slots=True)
class Detector:
    """One trigger: what it finds in a window, and how many days before the window it must read."""

    trigger: str
    detect: Detect
    lookback_days: Callable[[Catalogue], int]


def _without_retired(detect: Detect, trigger: str, inputs: Inputs, window: Window, catalogue: Catalogue) -> Detection:
    """What a detector finds, less new firings of retired sub-triggers; what was open before is followed to its end."""
    rules = catalogue.signals.triggers[trigger].sub_triggers
    retired = {name for name, rule in rules.items() if rule.state == "retired"}
    found = detect(inputs, window, catalogue)
    starts = ("opened", "suppressed")
    gone = {event.firing_id for event in found.events if event.sub_trigger in retired and event.event_type in starts}
    return Detection(
        tuple(event for event in found.events if event.firing_id not in gone),
        tuple(line for line in found.evidence if line.firing_id not in gone),
    )


DETECTORS: tuple[Detector, ...] = tuple(
    Detector(module.TRIGGER, partial(_without_retired, module.detect, module.TRIGGER), module.lookback_days)
    for module in (usage_milestone, role_change, cross_team, advanced_tickets, adjacent_use)
)
