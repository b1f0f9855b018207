"""Typed loader of the play catalogue: plays, gates and plans.

Belongs here: the shape of ``plays.yml``, ``gates.yml`` and ``plans.yml`` and the errors of a malformed file. Does
not belong here: the signal library (``loader.py``), or what the rules do (``readiness``, ``scan``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

CATALOGUE_DIR = Path(__file__).resolve().parent
GateSet = Literal["full", "introduction", "discovery"]
Days = Annotated[int, Field(ge=0)]
T = TypeVar("T", bound=BaseModel)
Share = Annotated[float, Field(gt=0, le=1)]


class CatalogueError(ValueError):
    """A catalogue file that cannot be used; the message names the file, the entry and the fault."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Play(_Model):
    """One play: what to do, by when (business days), and the three lines of the conversation goal."""

    key: str
    code: str
    title: str
    sla_business_days: Days
    motion: Literal["seats", "departments", "tier", "modules", "relationship", "services"]
    gates: GateSet
    question: str
    validate_: str = Field(alias="validate")
    decision: str


class GateRules(_Model):
    """Numbers of the gates (days, scores)."""

    value_proof_days: Days
    detractor_max_score: int
    detractor_days: Days
    invoice_late_days: Days
    health_red: str
    ask_cooldown_days: Days
    rejection_cooldown_days: Days
    opt_out_quiet_days: Days


class ChurnRiskRules(_Model):
    """Numbers of the churn-risk card."""

    usage_measure: str
    usage_drop_share: Share
    usage_baseline_days: Days
    usage_min_days: Days
    open_escalations: int
    min_facts: int
    champion_left_days: Days
    seat_cut_days: Days


class ScoreRules(_Model):
    """Numbers of the score (DOMAIN §5)."""

    fade_days: Days
    convergence: tuple[float, ...]
    divisor: float
    max_score: float
    hot_points: float
    hot_categories: int
    context_categories: tuple[str, ...]


class CardRules(_Model):
    """Numbers of the card's life."""

    snapshot_days_after_end: Days
    link_days: Days
    headroom_share: Share


class Gates(_Model):
    """``gates.yml``."""

    version: str
    hold_returns_after_days: Days
    sets: dict[GateSet, tuple[str, ...]]
    rules: GateRules
    goal_motions: dict[str, tuple[str, ...]]
    churn_risk: ChurnRiskRules
    score: ScoreRules
    cards: CardRules


class Stage(_Model):
    """One stage of the funnel and the business days it may take."""

    label: str
    budget_days: Days


class PlanLine(_Model):
    """One line of the scan: what was promised, and what counts as kept."""

    key: str
    title: str
    plan: str
    counts: Literal["conversations", "outcomes", "signatures"]
    period_days: Annotated[int, Field(ge=1)]
    trigger: str | None = None
    play: str | None = None
    sla_business_days: Days | None = None
    budgets: dict[str, Days] = {}

    @model_validator(mode="after")
    def _is_complete(self) -> PlanLine:
        if self.counts == "conversations" and not (self.trigger and self.play):
            raise ValueError("a line that counts conversations needs trigger and play")
        if self.counts == "outcomes" and self.sla_business_days is None:
            raise ValueError("a line that counts outcomes needs sla_business_days")
        return self


class Plans(_Model):
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


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    if not isinstance(content, dict):
        raise CatalogueError(f"{path.name}: expected a mapping at the top")
    return content


def _keyed(entries: dict[str, Any]) -> dict[str, Any]:
    return {key: {"key": key, **entry} for key, entry in entries.items()}


def _validated(path: Path, model: type[T], content: dict[str, Any]) -> T:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CatalogueError(f"{path.name}: {where or 'file'}: {first['msg']}") from error


@lru_cache
def load_plays(path: Path = CATALOGUE_DIR / "plays.yml") -> dict[str, Play]:
    """Return the plays by key.

    Raises:
        CatalogueError: When the file is missing, malformed, or has an unknown or missing field.
    """
    return {key: _validated(path, Play, entry) for key, entry in _keyed(_read(path)).items()}


@lru_cache
def load_gates(path: Path = CATALOGUE_DIR / "gates.yml") -> Gates:
    """Return gates, score and card rules.

    Raises:
        CatalogueError: When the file is missing, malformed, or has an unknown or missing field.
    """
    return _validated(path, Gates, _read(path))


@lru_cache
def load_plans(path: Path = CATALOGUE_DIR / "plans.yml") -> Plans:
    """Return the scan's lines and stages.

    Raises:
        CatalogueError: When the file is missing, malformed, or has an unknown or missing field.
    """
    content = _read(path)
    lines = content.get("lines")
    return _validated(path, Plans, {**content, "lines": _keyed(lines) if isinstance(lines, dict) else lines})
