"""The catalogue, loaded and validated: ``signals.yml``, ``segments.yml`` and ``titles.yml`` as frozen models.

Belongs here: the shape of those files, segment overrides, errors that name file, key and rule. Does not
belong here: rule values of a sub-trigger (``rules.py``), plays, gates and plans (the layers that read them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, RootModel, model_validator

from expansion_assets.catalogue.reading import CATALOGUE_DIR, CatalogueError, read_yaml, validated
from expansion_assets.catalogue.rules import RULES, Count, Days, Frozen, NewExecutiveRule, Rule, Share, strength
from expansion_assets.catalogue.titles import Titles

Category = Literal["usage", "value", "stakeholder", "growth", "commercial", "commercial_timing", "intent", "risk"]
Source = Literal[
    "product", "identity", "crm", "billing", "people", "support", "feedback", "meetings", "growth", "engagement", "text"
]
State = Literal["live", "shadow"]
Weight = Annotated[int, Field(ge=1, le=5)]
R = TypeVar("R", bound=Rule)


class Common(Frozen):
    """Numbers that all triggers share."""

    return_after_days: Days
    link_days: Days
    max_blind_days: Annotated[int, Field(ge=0)]
    fleet_min_accounts: Count
    fleet_min_share: Share
    fleet_period_end_days: Annotated[int, Field(ge=0)]


class SubTrigger(Frozen):
    """One rule of a trigger; ``rule`` is validated against its model of ``rules.py``."""

    definition: str
    subject: str
    needs: tuple[Source, ...]
    rule: dict[str, Any]
    play: str
    is_risk: bool = False
    state: State = "live"


class Trigger(Frozen):
    """One of the signals that open a play."""

    category: Category
    weight: Weight
    play: str
    definition: str
    origin: str
    needs: tuple[Source, ...]
    sub_triggers: dict[str, SubTrigger]

    @model_validator(mode="before")
    @classmethod
    def _pass_on_play(cls, values: Any) -> Any:
        # Before the fields, so that a sub-trigger without a play of its own has one for every reader.
        match values:
            case {"play": play, "sub_triggers": dict(rules)}:
                inherited = {
                    name: {"play": play, **rule} if isinstance(rule, dict) else rule for name, rule in rules.items()
                }
                return {**values, "sub_triggers": inherited}
        return values


class SupportingSignal(Frozen):
    """A threshold on one column of ``features.account_day``; opens no play."""

    category: Category
    weight: Weight
    feature: str
    threshold: float
    limit: float
    definition: str
    origin: str
    needs: tuple[Source, ...]
    state: State

    @model_validator(mode="after")
    def _is_ordered(self) -> SupportingSignal:
        if self.threshold >= self.limit:
            raise ValueError(f"threshold ({self.threshold}) must be less than limit ({self.limit})")
        return self

    def strength(self, value: float | None) -> float:
        """Return 0 below the threshold, 0.5 at it, rising to 1 at the limit (DOMAIN §5)."""
        if value is None or value < self.threshold:
            return 0.0
        return strength(value, self.threshold, self.limit)


class Signals(Frozen):
    """``signals.yml``."""

    version: str
    common: Common
    triggers: dict[str, Trigger]
    supporting: dict[str, SupportingSignal]

    @cached_property
    def live_supporting(self) -> Mapping[str, SupportingSignal]:
        """Supporting signals that count, by name; those in shadow are only recorded."""
        return {name: signal for name, signal in self.supporting.items() if signal.state == "live"}

    def sub_trigger(self, trigger: str, name: str) -> SubTrigger:
        """Definition of a sub-trigger.

        Raises:
            CatalogueError: no such trigger or sub-trigger.
        """
        try:
            return self.triggers[trigger].sub_triggers[name]
        except KeyError:
            raise CatalogueError(f"signals.yml: triggers.{trigger}.sub_triggers.{name}: no such rule") from None


class Segments(RootModel[dict[str, dict[str, dict[str, Any]]]]):
    """``segments.yml``: segment -> trigger.sub_trigger -> rule values; ``default`` lies under all of them."""


@dataclass(frozen=True)
class Rules(Generic[R]):
    """The rule of one sub-trigger in every segment."""

    default: R
    by_segment: Mapping[str, R]
    """Only segments whose rule differs from the default."""

    def of(self, segment: str | None) -> R:
        """Rule of a segment; the default for an unknown one."""
        return self.by_segment.get(segment or "", self.default)

    def most(self, value: Callable[[R], int]) -> int:
        """Largest of a value over all segments."""
        return max(map(value, (self.default, *self.by_segment.values())))


class Catalogue:
    """The trigger library: one version of signals, segments and titles.

    Raises:
        CatalogueError: naming file, key and rule.
    """

    def __init__(self, signals: Signals, segments: Segments, titles: Titles) -> None:
        """Validate every rule of every segment once."""
        self.signals = signals
        self.titles = titles
        self._segments = segments.root
        self._rules = {
            (trigger, name): self._build_rules(trigger, name, sub_trigger)
            for trigger, definition in signals.triggers.items()
            for name, sub_trigger in definition.sub_triggers.items()
        }
        known = {".".join(key) for key in self._rules}
        for segment, keys in self._segments.items():
            if strays := sorted(set(keys) - known):
                raise CatalogueError(f"segments.yml: {segment}: not a sub-trigger of signals.yml: {', '.join(strays)}")

    @property
    def version(self) -> str:
        """Version of the signal library, recorded on each firing."""
        return self.signals.version

    @property
    def common(self) -> Common:
        """Numbers that all triggers share."""
        return self.signals.common

    @cached_property
    def supporting(self) -> Mapping[str, SupportingSignal]:
        """Supporting signals by name."""
        return self.signals.supporting

    def sub_trigger(self, trigger: str, sub_trigger: str) -> SubTrigger:
        """Definition of a sub-trigger.

        Raises:
            CatalogueError: no such trigger or sub-trigger.
        """
        return self.signals.sub_trigger(trigger, sub_trigger)

    def rules(self, trigger: str, sub_trigger: str) -> Rules[Any]:
        """Rule of a sub-trigger in every segment.

        Raises:
            CatalogueError: no such trigger or sub-trigger.
        """
        self.signals.sub_trigger(trigger, sub_trigger)
        return self._rules[trigger, sub_trigger]

    def rule(self, trigger: str, sub_trigger: str, segment: str | None = None) -> Rule:
        """Validated rule values of a sub-trigger in a segment; an unknown segment has the defaults.

        Raises:
            CatalogueError: no such trigger or sub-trigger.
        """
        return self.rules(trigger, sub_trigger).of(segment)

    def _build_rules(self, trigger: str, name: str, definition: SubTrigger) -> Rules[Rule]:
        where = f"triggers.{trigger}.sub_triggers.{name}"
        if (trigger, name) not in RULES:
            raise CatalogueError(f"signals.yml: {where}: no model for this rule; add one to catalogue/rules.py")
        model, key = RULES[trigger, name], f"{trigger}.{name}"
        base = definition.rule
        self._build_rule(model, base, "signals.yml", f"{where}.rule")
        base = base | self._segments.get("default", {}).get(key, {})
        default = self._build_rule(model, base, "segments.yml", f"default.{key}")
        variants = {
            segment: self._build_rule(model, base | keys[key], "segments.yml", f"{segment}.{key}")
            for segment, keys in self._segments.items()
            if key in keys
        }
        return Rules(default, {segment: rule for segment, rule in variants.items() if rule != default})

    def _build_rule(self, model: type[Rule], values: dict[str, Any], file: str, where: str) -> Rule:
        rule = validated(model, values, file, where)
        if isinstance(rule, NewExecutiveRule):
            if rule.min_rank not in self.titles.ranks:
                raise CatalogueError(f"{file}: {where}.min_rank: {rule.min_rank!r} is not a rank of titles.yml")
            if unknown := set(rule.functions) - set(self.titles.functions):
                raise CatalogueError(f"{file}: {where}.functions: not in titles.yml: {', '.join(sorted(unknown))}")
        return rule


@lru_cache(maxsize=4)
def load_catalogue(folder: Path = CATALOGUE_DIR) -> Catalogue:
    """Load a catalogue folder once.

    Args:
        folder: Folder that holds signals.yml, segments.yml and titles.yml.

    Raises:
        CatalogueError: naming file, key and rule.
    """
    signals = validated(Signals, read_yaml(folder / "signals.yml"), "signals.yml")
    titles = validated(Titles, read_yaml(folder / "titles.yml"), "titles.yml")
    segments = validated(Segments, read_yaml(folder / "segments.yml"), "segments.yml")
    return Catalogue(signals, segments, titles)
