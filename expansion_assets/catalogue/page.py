"""The catalogue as Markdown: what the docs site shows of the signal library.

Belongs here: one table for triggers, supporting signals and equivalents, in the reader's words. Does not belong here: a
definition, number or owner of any signal (``signals.yml``, ``segments.yml``); the docs site (``project.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from expansion_assets.catalogue.features import Feature, account_day_features
from expansion_assets.catalogue.loader import Catalogue, Exclude, Row, SubTrigger, SupportingSignal, Trigger

# Seven columns are what the docs site's page is wide enough for.
_COLUMNS = ("Signal", "Definition", "Threshold → limit", "Reads", "Weight", "Play, owner", "State")
_NUMBERS = ("threshold_", "min_", "lift_", "assigned_", "active_of_", "limit_")  # what fires, then what is strong
_WINDOWS = {"window_days": "days", "business_days": "business days", "said_days": "days"}


def catalogue_page(catalogue: Catalogue) -> str:
    """The signal library as a Markdown page: introduction, one section per category, equivalents, history."""
    signals, features, common = catalogue.signals, account_day_features(), catalogue.common.exclude
    rows: dict[str, list[tuple[str, ...]]] = {}
    for key, trigger in signals.triggers.items():
        rules = [_rule_row(catalogue, key, name, trigger, rule) for name, rule in trigger.sub_triggers.items()]
        rows.setdefault(trigger.category, []).extend(rules)
    for name, signal in signals.supporting.items():
        rows.setdefault(signal.category, []).append(_signal_row(name, signal, features, common))
    sections = [f"### {category.replace('_', ' ')}\n\n{_table(_COLUMNS, found)}" for category, found in rows.items()]
    equivalents = [
        (f"`{name}`", row.definition, f"`{row.same_as}`", row.origin) for name, row in signals.equivalents.items()
    ]
    history: list[tuple[str, Row]] = [*signals.triggers.items(), *signals.supporting.items(),
                                      *signals.equivalents.items()]
    return "\n\n".join([
        f"# Signal catalogue {catalogue.version}",
        "Rendered from `expansion_assets/catalogue/signals.yml` and `segments.yml`. A trigger (in capitals) opens a "
        "play; a supporting signal raises the score. Strength is 0.5 at the threshold and 1 at the limit. *live* "
        "counts, *shadow* is computed and recorded but shown to nobody, *retired* is neither. Signals of commercial "
        "timing and risk give context: no points, no category. [1] to [5] are the five source documents; a *prior* is "
        f"a number without a source, to be tested by validation. No supporting signal speaks of: {_excluded(common)}.",
        *sections,
        "### Counted elsewhere\n\n" + _table(("Signal", "Definition", "Counted in", "Origin"), equivalents),
        "### Versions\n\n" + _table(
            ("Signal", "Version", "Change", "Origin"),
            [(f"`{name}`", str(row.version), row.change, row.origin) for name, row in history],
        ),
    ]) + "\n"


def _rule_row(catalogue: Catalogue, key: str, name: str, trigger: Trigger, rule: SubTrigger) -> tuple[str, ...]:
    rules = catalogue.rules(key, name)
    spans = [f"{value} {unit}" for field, unit in _WINDOWS.items() if (value := getattr(rules.default, field, None))]
    fields = {field: value for field, value in rules.default if value is not None}
    numbers = [f"{field} {fields[field]}" for start in _NUMBERS for field in fields if field.startswith(start)]
    changed = [_changes(segment, rules.default, other) for segment, other in rules.by_segment.items()]
    weight = "0 (risk)" if rule.is_risk else str(trigger.weight)
    return (
        f"`{key}.{name}`", rule.definition + _left_out(trigger.exclusions), "; ".join([", ".join(numbers), *changed]),
        "; ".join([", ".join(rule.needs), *spans]), weight, f"{rule.play.replace('_', ' ')}, {trigger.owner}",
        rule.state,
    )


def _signal_row(
    name: str, signal: SupportingSignal, features: Mapping[str, Feature], common: Exclude
) -> tuple[str, ...]:
    rule, feature = signal.rules.default, features.get(signal.feature)
    unit = " %" if signal.feature.endswith("_pct") else ""
    numbers = [f"{rule.threshold:g} → {rule.limit:g}{unit}", *(
        f"{segment}: {other.threshold:g} → {other.limit:g}{unit}" for segment, other in signal.rules.by_segment.items()
    )]
    own = {column: values for column, values in signal.exclude.items() if common.get(column) != values}
    left_out = _left_out([*([_excluded(own)] if own else []), *signal.exclusions])
    notes = [
        *([f"Counts once with `{signal.same_as}`."] if signal.same_as else []),
        *([f"Composite of {', '.join(f'`{part}`' for part in signal.made_of)}: no points."] if signal.made_of else []),
    ]
    measured = f"`{signal.feature}`: {feature.description}" if feature else f"`{signal.feature}`, no longer computed."
    return (
        f"`{name}`", " ".join([signal.definition, *notes, f"Measured by {measured}"]) + left_out, "; ".join(numbers),
        "; ".join([", ".join(signal.needs) or "–", *([f"{signal.window_days} days"] if signal.window_days else [])]),
        str(signal.weight), f"playbook {signal.playbook}, {signal.owner}" if signal.playbook else signal.owner,
        signal.state,
    )


def _left_out(what: Iterable[str]) -> str:
    listed = "; ".join(what)
    return f" Left out: {listed}." if listed else ""


def _excluded(columns: Exclude) -> str:
    return "; ".join(f"{column} {' or '.join(map(str, values))}" for column, values in columns.items())


def _changes(segment: str, default: Any, other: Any) -> str:
    changed = {field: value for field, value in other if getattr(default, field) != value}
    return f"{segment}: " + ", ".join(f"{field} {value}" for field, value in changed.items())


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    names = tuple(head)
    lines = [names, ("---",) * len(names), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
