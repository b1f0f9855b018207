"""Typed loader of the play catalogue: plays, gates and plans.

Belongs here: the shape of ``plays.yml``, ``gates.yml`` and ``plans.yml`` and the errors of a malformed file. Does
not belong here: the signal library (``loader.py``), or what the rules do (``readiness``, ``scan``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from expansion_assets.catalogue.reading import CATALOGUE_DIR, read_yaml, validated
from expansion_assets.catalogue.rules import Frozen, Share

GateSet = Literal["full", "introduction", "discovery"]
DaysFromZero = Annotated[int, Field(ge=0)]


class Play(Frozen):
    """One play: what to do, by when (business days), and the three lines of the conversation goal."""

    key: str
    code: str
    title: str
    sla_business_days: DaysFromZero
    motion: Literal["seats", "departments", "tier", "modules", "relationship", "services"]
    gates: GateSet
    question: str
    validate_: str = Field(alias="validate")
    decision: str


class GateRules(Frozen):
    """Numbers of the gates (days, scores)."""

    value_proof_days: DaysFromZero
    detractor_max_score: int
    detractor_days: DaysFromZero
    invoice_late_days: DaysFromZero
    health_red: str
    ask_cooldown_days: DaysFromZero
    rejection_cooldown_days: DaysFromZero
    opt_out_quiet_days: DaysFromZero


class ChurnRiskRules(Frozen):
    """Numbers of the churn-risk card."""

    usage_measure: str
    usage_drop_share: Share
    usage_baseline_days: DaysFromZero
    usage_min_days: DaysFromZero
    open_escalations: int
    min_facts: int
    champion_left_days: DaysFromZero
    seat_cut_days: DaysFromZero


class ScoreRules(Frozen):
    """Numbers of the score (DOMAIN §5)."""

    fade_days: DaysFromZero
    convergence: tuple[float, ...]
    divisor: float
    max_score: float
    hot_points: float
    hot_categories: int
    context_categories: tuple[str, ...]


class CardRules(Frozen):
    """Numbers of the card's life."""

    snapshot_days_after_end: DaysFromZero
    headroom_share: Share


class Gates(Frozen):
    """``gates.yml``."""

    version: str
    hold_returns_after_days: DaysFromZero
    sets: dict[GateSet, tuple[str, ...]]
    rules: GateRules
    goal_motions: dict[str, tuple[str, ...]]
    churn_risk: ChurnRiskRules
    score: ScoreRules
    cards: CardRules


class Stage(Frozen):
    """One stage of the funnel and the business days it may take."""

    label: str
    budget_days: DaysFromZero


class PlanLine(Frozen):
    """One line of the scan: what was promised, and what counts as kept."""

    key: str
    title: str
    plan: str
    counts: Literal["conversations", "outcomes", "signatures"]
    period_days: Annotated[int, Field(ge=1)]
    trigger: str | None = None
    play: str | None = None
    sla_business_days: DaysFromZero | None = None
    budgets: dict[str, DaysFromZero] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_complete(self) -> PlanLine:
        if self.counts == "conversations" and not (self.trigger and self.play):
            raise ValueError("a line that counts conversations needs trigger and play")
        if self.counts == "outcomes" and self.sla_business_days is None:
            raise ValueError("a line that counts outcomes needs sla_business_days")
        return self


class Plans(Frozen):
    """``plans.yml``: stages in funnel order, lines in page order."""

    version: str
    stages: dict[str, Stage]
    lines: dict[str, PlanLine]

    @model_validator(mode="after")
    def _budgets_are_stages(self) -> Plans:
        for key, line in self.lines.items():
            if unknown := set(line.budgets) - set(self.stages):
                raise ValueError(f"line {key}: budgets for unknown stages {sorted(unknown)}")
        return self

    def budget(self, line: PlanLine, stage: str) -> int:
        """Business days that a stage may take in a line."""
        return line.budgets.get(stage, self.stages[stage].budget_days)

    def line_rows(self, plays: Mapping[str, Play] | None = None) -> list[dict[str, Any]]:
        """Return the lines that count cards, as rows of ``control.plan_lines``.

        Args:
            plays: Plays by key; None reads ``plays.yml``.
        """
        plays = load_plays() if plays is None else plays
        return [
            {
                "line_key": line.key, "trigger": line.trigger, "play": line.play,
                "sla_business_days": plays[line.play].sla_business_days if line.play else line.sla_business_days,
                "period_days": line.period_days,
            }
            for line in self.lines.values() if line.counts != "signatures"
        ]

    @property
    def outcome_sla_business_days(self) -> int:
        """Business days from a conversation to its logged outcome."""
        found = [line.sla_business_days for line in self.lines.values() if line.counts == "outcomes"]
        return found[0] if found and found[0] is not None else self.stages["done_not_logged"].budget_days


def _keyed(entries: dict[str, Any]) -> dict[str, Any]:
    return {key: {"key": key, **entry} for key, entry in entries.items()}


@lru_cache
def load_plays(path: Path = CATALOGUE_DIR / "plays.yml") -> dict[str, Play]:
    """Return the plays by key.

    Raises:
        CatalogueError: When the file is missing, malformed, or has an unknown or missing field.
    """
    return {key: validated(Play, entry, path.name, key) for key, entry in _keyed(read_yaml(path)).items()}


@lru_cache
def load_gates(path: Path = CATALOGUE_DIR / "gates.yml") -> Gates:
    """Return gates, score and card rules.

    Raises:
        CatalogueError: When the file is missing, malformed, or has an unknown or missing field.
    """
    return validated(Gates, read_yaml(path), path.name)


@lru_cache
def load_plans(path: Path = CATALOGUE_DIR / "plans.yml") -> Plans:
    """Return the scan's lines and stages.

    Raises:
        CatalogueError: When the file is missing, malformed, or has an unknown or missing field.
    """
    content = read_yaml(path)
    lines = content.get("lines")
    keyed = _keyed(lines) if isinstance(lines, dict) else lines
    return validated(Plans, {**content, "lines": keyed}, path.name)
