"""Rule values of each sub-trigger: one frozen model per kind of rule, and which sub-trigger has which.

Belongs here: names, types, bounds of the numbers in ``signals.yml``. Does not belong here: the numbers
themselves (``signals.yml``, ``segments.yml``) and their use (``triggers/``). Days are calendar days unless
named otherwise, shares run from 0 to 1, ``limit_*`` is the value at which a firing's strength reaches 1.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Days = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]


class Frozen(BaseModel):
    """Immutable, and closed: a misspelt key is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def rising(value: Any, threshold: float, limit: float) -> Any:
    """The line through 0.5 at the threshold and 1 at the limit (DOMAIN §5), of a number or of an expression."""
    return 0.5 + 0.5 * (value - threshold) / (limit - threshold)


def strength(value: float, threshold: float, limit: float) -> float:
    """That line, held within 0.5 and 1."""
    return min(1.0, max(0.5, rising(value, threshold, limit)))


class Rule(Frozen):
    """What a rule of any sub-trigger is."""


class ThresholdRule(Rule):
    """What segments may override of a supporting signal."""

    threshold: float
    limit: float

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _require_order("threshold", self.threshold, "limit", self.limit)
        return self


class SeatsRule(Rule):
    """Active named users against contracted seats; the assigned clause is optional."""

    window_days: Days
    threshold_share: Annotated[float, Field(gt=0)]
    limit_share: Annotated[float, Field(gt=0)]
    assigned_share: Share | None = None
    active_of_assigned_share: Share | None = None
    rearm_points: Share
    rearm_seats: Count
    rearm_days: Days
    grace_days: Annotated[int, Field(ge=0)]
    regrow_users: Count
    regrow_share: Share
    projection_days: Days

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _require_order("threshold_share", self.threshold_share, "limit_share", self.limit_share)
        if (self.assigned_share is None) != (self.active_of_assigned_share is None):
            raise ValueError("assigned_share and active_of_assigned_share come together or not at all")
        return self


class QuotaRule(Rule):
    """A metered quantity against its limit within the billing period."""

    threshold_share: Share
    limit_share: Share
    rearm_share: Share
    grace_days: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _require_order("threshold_share", self.threshold_share, "limit_share", self.limit_share)
        _require_order("rearm_share", self.rearm_share, "threshold_share", self.threshold_share)
        return self


class DepartmentsRule(Rule):
    """Every licensed department works in the product daily."""

    min_departments: Count
    min_users: Count
    limit_users: Count
    business_days: Count
    rearm_days: Days
    grace_days: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _require_order("min_users", self.min_users, "limit_users", self.limit_users)
        return self


class MoveRule(Rule):
    """A move of a person, seen by one or more sources."""

    dedupe_days: Days
    limit_sources: Annotated[int, Field(gt=1)]


class NewExecutiveRule(MoveRule):
    """Someone of rank joins in a function that matters; nobody joins who has been a contact for ``contact_days``."""

    min_rank: str
    functions: tuple[str, ...]
    contact_days: Annotated[int, Field(ge=0)]


class ChampionLeftRule(MoveRule):
    """The champion leaves; a successor within ``episode_days`` belongs to the same episode."""

    episode_days: Days


class NewDepartmentRule(Rule):
    """A group outside the deployment scope uses the product."""

    min_users: Count
    limit_users: Count
    min_days: Count
    window_days: Days
    scope_days: Days
    rename_share: Share
    return_days: Days

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _require_order("min_users", self.min_users, "limit_users", self.limit_users)
        return self


class AdvancedShiftRule(Rule):
    """Support questions turn from basic to advanced, against the account's own baseline."""

    window_days: Days
    min_advanced: Count
    limit_advanced: Count
    min_requesters: Count
    sole_contact_topics: Count
    min_share: Share
    lift_points: Share
    baseline_from_days: Days
    baseline_to_days: Days
    shrink_weight: Count
    outage_min_accounts: Count
    outage_min_share: Share
    rearm_days: Days

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _require_order("min_advanced", self.min_advanced, "limit_advanced", self.limit_advanced)
        _require_order("window_days", self.window_days, "baseline_to_days", self.baseline_to_days)
        _require_order("baseline_to_days", self.baseline_to_days, "baseline_from_days", self.baseline_from_days)
        return self


class AdjacentProblemRule(Rule):
    """A customer says how a neighbouring problem is solved today."""

    known_days: Days
    said_days: Days
    dedupe_days: Days
    limit_mentions: Annotated[int, Field(gt=1)]


RULES: dict[tuple[str, str], type[Rule]] = {
    ("USAGE_MILESTONE", "seats"): SeatsRule,
    ("USAGE_MILESTONE", "seats_full"): SeatsRule,
    ("USAGE_MILESTONE", "quota"): QuotaRule,
    ("USAGE_MILESTONE", "departments"): DepartmentsRule,
    ("ROLE_CHANGE", "new_executive"): NewExecutiveRule,
    ("ROLE_CHANGE", "promotion"): MoveRule,
    ("ROLE_CHANGE", "renewal_contact"): MoveRule,
    ("ROLE_CHANGE", "champion_left"): ChampionLeftRule,
    ("CROSS_TEAM", "new_department"): NewDepartmentRule,
    ("ADVANCED_TICKETS", "advanced_shift"): AdvancedShiftRule,
    ("ADJACENT_USE", "adjacent_problem"): AdjacentProblemRule,
}
"""Model of each sub-trigger's rule; a new rule adds its model here."""


def _require_order(low_name: str, low: float, high_name: str, high: float) -> None:
    if low >= high:
        raise ValueError(f"{low_name} ({low}) must be less than {high_name} ({high})")
