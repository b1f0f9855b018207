"""Why a trigger fired for an account, or why it did not, on one day.

Belongs here: the verdict on each rule, from the readings and moves that the detectors judge and from the event log.
Does not belong here: the rules (the trigger modules), why a source is blind (``readiness/coverage``), words for people
(``scan/explanation``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.triggers import adjacent_use, advanced_tickets, cross_team, role_change, usage_milestone
from expansion_assets.triggers.base import FiringEvent, Inputs, Line, Row, Window, rows_of
from expansion_assets.triggers.crossing import Watch

Verdict = Literal[
    "fired", "open", "fleet_event", "closed", "superseded", "suppressed", "grace", "met", "not_met", "no_reading",
    "nothing_known",
]
"""fired: opened on the day. open: opened before, so the same level does not fire again. closed: opened before, and its
owner has decided. superseded: opened before, and its evidence is withdrawn. suppressed: set aside, with a reason.
grace: too early in the contract. met: the condition holds, and the log has no firing of it. not_met: below the
threshold. no_reading: blind, or nothing to watch. nothing_known: no move or mention that counts."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict on one rule and subject."""

    trigger: str
    sub_trigger: str
    subject_key: str | None
    verdict: Verdict
    since: date | None = None
    """Day on which the firing opened or was suppressed."""
    reason: str | None = None
    rearm_days: int | None = None
    """Calm days in a row after which a level may fire again."""
    is_calm: bool | None = None
    lines: tuple[Line, ...] = ()
    near_misses: tuple[tuple[str, int], ...] = ()
    """What was seen and does not count: reason and number."""


Log = Mapping[str, Sequence[FiringEvent]]
"""Rows of ``triggers.firing_events`` up to the day by account, oldest first."""


def explain(
    inputs: Inputs, accounts: Collection[str], day: date, log: Log, catalogue: Catalogue
) -> dict[str, list[Explanation]]:
    """Verdicts on every rule, in the catalogue's order.

    Args:
        inputs: Frozen rows of the day and of the longest look-back (``DETECTORS``).
        accounts: Accounts to explain; all of them are read at once.
        day: Day of the verdict; nothing known after it is used.
        log: Their firing events up to the day.
        catalogue: Thresholds.

    Returns:
        Explanations by account.
    """
    window = Window(day, day + timedelta(days=1))
    found: dict[str, list[Explanation]] = {account: [] for account in accounts}
    for watch in (
        *usage_milestone.watches(inputs, window, catalogue),
        *cross_team.watches(inputs, window, catalogue),
        *advanced_tickets.watches(inputs, window, catalogue, always=accounts),
    ):
        for account, said in _levels(watch, accounts, day, log).items():
            found[account] += said
    for module, names in ((role_change, role_change.SUB_TRIGGERS), (adjacent_use, (adjacent_use.SUB_TRIGGER,))):
        misses = module.near_misses(inputs, accounts, window, catalogue)
        for name in names:
            days = catalogue.rules(module.TRIGGER, name).most(lambda rule: rule.dedupe_days)
            for account in accounts:
                missed = tuple(sorted(misses[account].get(name, {}).items()))
                nothing = Explanation(module.TRIGGER, name, None, "nothing_known", near_misses=missed)
                found[account] += _events(nothing, day, days, log.get(account, ())) or [nothing]
    order = {
        (trigger, name): place
        for place, (trigger, name) in enumerate(
            (trigger, name)
            for trigger, definition in catalogue.signals.triggers.items()
            for name in definition.sub_triggers
        )
    }
    return {
        account: sorted(
            said, key=lambda item: (order[item.trigger, item.sub_trigger], item.subject_key or "", item.since or day)
        )
        for account, said in found.items()
    }


def _levels(watch: Watch[Any], accounts: Collection[str], day: date, log: Log) -> dict[str, list[Explanation]]:
    level = watch.level
    todays = rows_of(
        watch.readings.filter(nw.col("account_id").is_in(sorted(accounts)), nw.col("as_of_date") == day)
    )
    rows = [row for row in todays if _is_told(row, level.sub_trigger, log.get(row["account_id"], ()))]
    rows.sort(key=lambda row: (row["account_id"], row["subject_key"]))
    found: dict[str, list[Explanation]] = defaultdict(list)
    for row, lines in zip(rows, watch.describe(rows) if rows else (), strict=True):
        found[row["account_id"]].append(_level(row, tuple(lines), watch, day, log.get(row["account_id"], ())))
    nothing = Explanation(level.trigger, level.sub_trigger, None, "no_reading")
    return {account: found.get(account) or [nothing] for account in accounts}


def _is_told(row: Row, sub_trigger: str, log: Sequence[FiringEvent]) -> bool:
    """A group inside the deployment scope can never fire: it is left out unless it has fired before."""
    return not row.get("is_in_scope") or _latest(log, sub_trigger, row["subject_key"]) is not None


def _level(row: Row, lines: tuple[Line, ...], watch: Watch[Any], day: date, log: Sequence[FiringEvent]) -> Explanation:
    level = watch.level
    latest = _latest(log, level.sub_trigger, row["subject_key"])
    said = Explanation(
        level.trigger, level.sub_trigger, row["subject_key"], "not_met",
        rearm_days=level.rearm_days(level.rules.of(row["segment"])), is_calm=bool(row["is_calm"]), lines=lines,
    )
    if latest is not None and latest.event_type in ("opened", "returned"):
        is_fleet = _openings(log, latest)[-1].is_fleet_event
        return replace(said, verdict=_opened(latest, day, is_fleet=is_fleet), since=latest.opened_on)
    if row["is_grace"]:
        return replace(said, verdict="grace", reason="met" if row["is_met"] else "not met")
    return replace(said, verdict="met") if row["is_met"] else said


def _events(rule: Explanation, day: date, days: int, log: Sequence[FiringEvent]) -> list[Explanation]:
    """Firings of a rule without a level that still stand for what they saw, or how they ended."""
    ours = [event for event in log if (event.trigger, event.sub_trigger) == (rule.trigger, rule.sub_trigger)]
    ended = {event.firing_id: event for event in ours if event.event_type in ("closed", "superseded")}
    return [
        Explanation(
            rule.trigger, rule.sub_trigger, event.subject_key, _fate(event, ended.get(event.firing_id), day),
            event.opened_on, (ended.get(event.firing_id) or event).reason,
        )
        for event in ours
        if event.event_type in ("opened", "suppressed")
        and event == _openings(ours, event)[-1]
        and (day - event.opened_on).days < days
    ]


def _fate(event: FiringEvent, end: FiringEvent | None, day: date) -> Verdict:
    if event.event_type == "suppressed":
        return "suppressed"
    if end is not None:
        return "superseded" if end.event_type == "superseded" else "closed"
    return _opened(event, day, is_fleet=event.is_fleet_event)


def _openings(log: Sequence[FiringEvent], firing: FiringEvent) -> list[FiringEvent]:
    """Opening or suppression of a firing; the second opening is its release from the fleet check."""
    return [
        event for event in log
        if event.firing_id == firing.firing_id and event.event_type in ("opened", "suppressed")
    ]


def _opened(event: FiringEvent, day: date, *, is_fleet: bool) -> Verdict:
    if is_fleet:
        return "fleet_event"
    return "fired" if event.opened_on == day else "open"


def _latest(log: Sequence[FiringEvent], sub_trigger: str, subject_key: str) -> FiringEvent | None:
    ours = [event for event in log if (event.sub_trigger, event.subject_key) == (sub_trigger, subject_key)]
    return ours[-1] if ours else None
