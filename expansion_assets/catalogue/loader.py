"""The catalogue, loaded and validated: ``signals.yml``, ``segments.yml`` and ``titles.yml`` as frozen models.

Belongs here: the shape of those files, segment overrides, errors that name file, key and rule. Does not
belong here: rule values of a sub-trigger (``rules.py``), plays, gates and plans (the layers that read them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, PrivateAttr, RootModel, model_validator

from expansion_assets.catalogue.features import Feature, account_day_features
from expansion_assets.catalogue.reading import CATALOGUE_DIR, CatalogueError, read_yaml, validated
from expansion_assets.catalogue.rules import (
    RULES,
    Count,
    Days,
    Frozen,
    NewExecutiveRule,
    Rule,
    Share,
    ThresholdRule,
    strength,
)
from expansion_assets.catalogue.titles import Titles

Category = Literal["usage", "value", "stakeholder", "growth", "commercial", "commercial_timing", "intent", "risk"]
Source = Literal[
    "product", "identity", "crm", "billing", "people", "support", "feedback", "meetings", "growth", "engagement", "text"
]
State = Literal["live", "shadow", "retired"]
Owner = Literal["csm", "ae", "head"]
Playbook = Literal["A", "B", "C", "D"]
Exclude = dict[str, tuple[str | bool, ...]]
"""Columns of an account day, and the values that leave the day out."""
Words = Annotated[str, Field(min_length=3)]
Weight = Annotated[int, Field(ge=1, le=5)]
R = TypeVar("R", bound=Rule)


class Common(Frozen):
    """Numbers that all triggers share, and whom no supporting signal speaks of."""

    return_after_days: Days
    link_days: Days
    max_blind_days: Annotated[int, Field(ge=0)]
    fleet_min_accounts: Count
    fleet_min_share: Share
    fleet_period_end_days: Annotated[int, Field(ge=0)]
    exclude: Exclude = Field(default_factory=dict)


@dataclass(frozen=True)
class Rules(Generic[R]):
    """The rule of one sub-trigger or supporting signal in every segment."""

    default: R
    by_segment: Mapping[str, R]
    """Only segments whose rule differs from the default."""

    def of(self, segment: str | None) -> R:
        """Rule of a segment; the default for an unknown one."""
        return self.by_segment.get(segment or "", self.default)

    def most(self, value: Callable[[R], int]) -> int:
        """Largest of a value over all segments."""
        return max(map(value, (self.default, *self.by_segment.values())))


class Row(Frozen):
    """What every row of the catalogue says of itself."""

    definition: Words
    origin: Words
    version: Count
    change: Words


class SubTrigger(Frozen):
    """One rule of a trigger; ``rule`` is validated against its model of ``rules.py``."""

    definition: str
    subject: str
    needs: tuple[Source, ...]
    rule: dict[str, Any]
    play: str
    is_risk: bool = False
    state: State


class Trigger(Row):
    """One of the signals that open a play."""

    category: Category
    weight: Weight
    play: str
    needs: tuple[Source, ...]
    owner: Owner
    exclusions: tuple[str, ...] = ()
    state: State = "live"
    sub_triggers: dict[str, SubTrigger]

    @model_validator(mode="before")
    @classmethod
    def _pass_on(cls, values: Any) -> Any:
        # Before the fields, so that a sub-trigger without a play or state of its own has one for every reader.
        match values:
            case {"play": play, "sub_triggers": dict(rules)}:
                given = {"play": play, "state": values.get("state", "live")}
                inherited = {
                    name: {**given, **rule} if isinstance(rule, dict) else rule for name, rule in rules.items()
                }
                return {**values, "sub_triggers": inherited}
        return values


class SupportingSignal(Row):
    """A threshold on one column of ``features.account_day``; opens no play."""

    category: Category
    weight: Weight
    feature: str
    window_days: Days | None = None
    threshold: float
    limit: float
    needs: tuple[Source, ...]
    exclude: Exclude = Field(default_factory=dict)
    exclusions: tuple[str, ...] = ()
    owner: Owner
    playbook: Playbook | None = None
    state: State
    same_as: str | None = None
    made_of: tuple[str, ...] = ()
    _rules: Rules[ThresholdRule] = PrivateAttr()

    @model_validator(mode="after")
    def _is_whole(self) -> SupportingSignal:
        if self.threshold >= self.limit:
            raise ValueError(f"threshold ({self.threshold}) must be less than limit ({self.limit})")
        if not (self.needs or self.made_of):
            raise ValueError("needs: name the sources that must be watchable (only a signal with made_of has none)")
        self._rules = Rules(ThresholdRule(threshold=self.threshold, limit=self.limit), {})
        return self

    @property
    def rules(self) -> Rules[ThresholdRule]:
        """Threshold and limit in every segment."""
        return self._rules

    def completed(self, rules: Rules[ThresholdRule], exclude: Exclude) -> SupportingSignal:
        """The signal with what ``segments.yml`` and ``common`` add to its row."""
        copy = self.model_copy(update={"exclude": {**exclude, **self.exclude}})
        copy._rules = rules
        return copy

    def strength(self, value: float | None, segment: str | None = None) -> float:
        """Return 0 below the threshold, 0.5 at it, rising to 1 at the limit (DOMAIN §5)."""
        rule = self._rules.of(segment)
        if value is None or value < rule.threshold:
            return 0.0
        return strength(value, rule.threshold, rule.limit)

    def strength_on(self, day: Mapping[str, Any]) -> float | None:
        """Strength on an account day: None where it cannot be watched, 0 where the row leaves the account out."""
        value = day.get(self.feature)
        if value is None or not all(day.get(f"watchable_{need}") for need in self.needs):
            return None
        if any(day.get(column) in values for column, values in self.exclude.items()):
            return 0.0
        return self.strength(value, day.get("segment"))


class Equivalent(Row):
    """A name for what another row measures: the two count once."""

    same_as: str


class Signals(Frozen):
    """``signals.yml``."""

    version: str
    common: Common
    triggers: dict[str, Trigger]
    supporting: dict[str, SupportingSignal]
    equivalents: dict[str, Equivalent] = Field(default_factory=dict)

    @cached_property
    def live_supporting(self) -> Mapping[str, SupportingSignal]:
        """Supporting signals that count, by name; those in shadow are only recorded."""
        return {name: signal for name, signal in self.supporting.items() if signal.state == "live"}

    @cached_property
    def watched_supporting(self) -> Mapping[str, SupportingSignal]:
        """Supporting signals that are computed, by name: all but the retired."""
        return {name: signal for name, signal in self.supporting.items() if signal.state != "retired"}

    def live_of_playbook(self, playbook: Playbook) -> frozenset[str]:
        """Live supporting signals that speak for a playbook."""
        return frozenset(name for name, signal in self.live_supporting.items() if signal.playbook == playbook)

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
    """``segments.yml``: segment -> rule -> values; ``default`` lies under all of them.

    A rule is named trigger.sub_trigger, or as a supporting signal.
    """


class Catalogue:
    """The trigger library: one version of signals, segments and titles.

    Raises:
        CatalogueError: naming file, key and rule.
    """

    def __init__(
        self, signals: Signals, segments: Segments, titles: Titles, features: Mapping[str, Feature]
    ) -> None:
        """Validate every rule of every segment, and every column that a row names, once."""
        self.titles = titles
        self._segments = segments.root
        supporting = {
            name: signal.completed(self._build_thresholds(name, signal), signals.common.exclude)
            for name, signal in signals.supporting.items()
        }
        # Before anything reads the cached properties: a copy would take them along.
        self.signals = signals.model_copy(update={"supporting": supporting})
        _check_names(self.signals)
        _check_columns("common.exclude", signals.common.exclude, features)
        for name, signal in self.signals.watched_supporting.items():
            _check_feature(name, signal, features)
        self._rules = {
            (trigger, name): self._build_rules(trigger, name, sub_trigger)
            for trigger, definition in signals.triggers.items()
            for name, sub_trigger in definition.sub_triggers.items()
        }
        known = [".".join(key) for key in self._rules] + list(supporting)
        for segment, keys in self._segments.items():
            for stray in sorted(set(keys) - set(known)):
                raise CatalogueError(
                    f"segments.yml: {segment}.{stray}: not a sub-trigger or supporting signal of signals.yml"
                    f"{_nearest(stray, known)}"
                )

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
        model = RULES[trigger, name]
        self._build_rule(model, definition.rule, "signals.yml", f"{where}.rule")
        return self._in_segments(model, f"{trigger}.{name}", definition.rule)

    def _build_thresholds(self, name: str, signal: SupportingSignal) -> Rules[ThresholdRule]:
        return self._in_segments(ThresholdRule, name, {"threshold": signal.threshold, "limit": signal.limit})

    def _in_segments(self, model: type[R], key: str, base: dict[str, Any]) -> Rules[R]:
        base = base | self._segments.get("default", {}).get(key, {})
        default = self._build_rule(model, base, "segments.yml", f"default.{key}")
        variants = {
            segment: self._build_rule(model, base | keys[key], "segments.yml", f"{segment}.{key}")
            for segment, keys in self._segments.items()
            if key in keys
        }
        return Rules(default, {segment: rule for segment, rule in variants.items() if rule != default})

    def _build_rule(self, model: type[R], values: dict[str, Any], file: str, where: str) -> R:
        rule = validated(model, values, file, where)
        if isinstance(rule, NewExecutiveRule):
            if rule.min_rank not in self.titles.ranks:
                raise CatalogueError(f"{file}: {where}.min_rank: {rule.min_rank!r} is not a rank of titles.yml")
            if unknown := set(rule.functions) - set(self.titles.functions):
                raise CatalogueError(f"{file}: {where}.functions: not in titles.yml: {', '.join(sorted(unknown))}")
        return rule


def _check_names(signals: Signals) -> None:
    """One name, one row; what a row counts with exists, and is no equivalent itself."""
    sections: dict[str, Mapping[str, object]] = {
        "triggers": signals.triggers, "supporting": signals.supporting, "equivalents": signals.equivalents,
    }
    seen: dict[str, str] = {}
    for section, rows in sections.items():
        for name in rows:
            if name in seen:
                raise CatalogueError(f"signals.yml: {section}.{name}: the name stands under {seen[name]} already")
            if "." in name:
                raise CatalogueError(f"signals.yml: {section}.{name}: a name holds no full stop")
            seen[name] = section
    counted = [*signals.triggers, *(name for name, row in signals.watched_supporting.items() if row.same_as is None)]
    for section, name, other in [
        *(("supporting", name, row.same_as) for name, row in signals.watched_supporting.items() if row.same_as),
        *(("equivalents", name, row.same_as) for name, row in signals.equivalents.items()),
    ]:
        if other not in counted or other == name:
            raise CatalogueError(
                f"signals.yml: {section}.{name}.same_as: {other!r} is no signal that counts{_nearest(other, counted)}"
            )
    for name, row in signals.watched_supporting.items():
        for part in row.made_of:
            if part not in counted or part == name:
                raise CatalogueError(
                    f"signals.yml: supporting.{name}.made_of: {part!r} is no signal that counts"
                    f"{_nearest(part, counted)}"
                )


def _check_feature(name: str, signal: SupportingSignal, features: Mapping[str, Feature]) -> None:
    where = f"signals.yml: supporting.{name}"
    numbers = [column.name for column in features.values() if column.is_number]
    feature = features.get(signal.feature)
    if feature is None:
        raise CatalogueError(
            f"{where}.feature: {signal.feature!r} is not a column of features.account_day"
            f"{_nearest(signal.feature, numbers)}"
        )
    if not feature.is_number:
        raise CatalogueError(
            f"{where}.feature: {signal.feature} is a {feature.data_type}; a threshold needs a number"
            f"{_nearest(signal.feature, numbers)}"
        )
    if feature.windows and signal.window_days not in feature.windows:
        days = " and ".join(map(str, feature.windows))
        raise CatalogueError(f"{where}.window_days: {signal.window_days}, but {signal.feature} spans {days} days")
    _check_columns(f"supporting.{name}.exclude", signal.exclude, features)


def _check_columns(where: str, columns: Iterable[str], features: Mapping[str, Feature]) -> None:
    for column in columns:
        if column not in features:
            raise CatalogueError(
                f"signals.yml: {where}: {column!r} is not a column of features.account_day{_nearest(column, features)}"
            )


def _nearest(word: str, known: Iterable[str]) -> str:
    found = get_close_matches(word, list(known), n=3, cutoff=0.5)
    return f"; nearest: {', '.join(found)}" if found else ""


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
    return Catalogue(signals, segments, titles, account_day_features())
