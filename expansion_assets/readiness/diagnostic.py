"""The readiness diagnostic: per trigger and source *watchable*, *one clean-up away* or *blind*, and the smallest fix.

Belongs here: states, freshness, match rate, months of history, ARR covered, and which fix would newly cover which
accounts. Does not belong here: which columns a trigger needs (``needs.py``), what is wrong with a table and how that is
said (``fixes.py``), SQL, pages.

A fix counts an account only when it is all that stands between the account and the trigger. Nothing is estimated: what
nobody can know before the data is there (whether a missing file names the account) is marked *at most*.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

from expansion_assets.catalogue.loader import Signals
from expansion_assets.readiness.fixes import DataSet, Problems, Steps, TableFacts, is_of_table, sentence
from expansion_assets.readiness.needs import Need, Watch, needs_of, unmet

Row = dict[str, Any]
ALL_SOURCES = "all"
"""Source of the row that stands for a trigger as a whole."""
WATCHABLE, ONE_CLEAN_UP, BLIND = "watchable", "one_clean_up", "blind"
MOST_STEPS = 2


@dataclass
class _Tally:
    """Accounts and their ARR."""

    accounts: int = 0
    arr: Decimal = Decimal(0)
    unknown: int = 0

    def add(self, group: Mapping[str, Any]) -> None:
        self.accounts += group["accounts"]
        self.arr += Decimal(str(group["arr"] or 0))
        self.unknown += group["accounts_arr_unknown"]


@dataclass
class _Trigger:
    """What one day says of one trigger."""

    needs: tuple[Need, ...]
    watched: _Tally = field(default_factory=_Tally)
    by_source: dict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    gains: dict[Steps, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    lacking: dict[str, dict[Steps, _Tally]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(_Tally)))

    @property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(watch.source for need in self.needs for watch in need.watches))

    def watches(self, source: str) -> list[Watch]:
        return [watch for need in self.needs for watch in need.watches if watch.source == source]


def build_diagnostic(
    groups: Iterable[Mapping[str, Any]],
    history: Iterable[Mapping[str, Any]],
    landing_status: Iterable[Mapping[str, Any]],
    match_rates: Iterable[Mapping[str, Any]],
    signals: Signals,
    data_set: DataSet,
    days: Iterable[date],
) -> tuple[list[Row], list[Row]]:
    """Say for each day what each trigger sees through each source, and what would let it see more.

    Args:
        groups: Accounts of each day with equal flags (``store.readiness.account_groups``): ``as_of_date``, the flags of
            all watches, ``was_<flag>`` (the flag on the source's last fresh day, null when it is fresh or nobody
            knows), ``currency`` (one per day), ``accounts``, ``arr``, ``accounts_arr_unknown``.
        history: Rows of ``readiness.source_history`` of the days.
        landing_status: Rows of ``raw.landing_status``.
        match_rates: Rows of ``features.match_rate_day`` of the days.
        signals: Signal library.
        data_set: Contracts and mapping.
        days: Days to judge.

    Returns:
        Rows of ``readiness.diagnostic`` and of ``readiness.fixes``.
    """
    by_day: dict[date, list[Mapping[str, Any]]] = defaultdict(list)
    for group in groups:
        by_day[group["as_of_date"]].append(group)
    facts = TableFacts(history, landing_status, match_rates)
    rows: list[Row] = []
    fixes: list[Row] = []
    for as_of in days:
        found, fixed = _day(as_of, by_day[as_of], Problems(as_of, facts, data_set), signals)
        rows += found
        fixes += fixed
    return rows, fixes


def _day(
    as_of: date, groups: list[Mapping[str, Any]], problems: Problems, signals: Signals
) -> tuple[list[Row], list[Row]]:
    total = _Tally()
    for group in groups:
        total.add(group)
    currency = groups[0]["currency"] if groups else None
    triggers = {key: _Trigger(needs_of(key, trigger)) for key, trigger in signals.triggers.items()}
    opened: dict[Steps, _Tally] = defaultdict(_Tally)
    opens: dict[Steps, dict[str, None]] = defaultdict(dict)
    for group in groups:
        gained: dict[Steps, None] = {}
        for key, trigger in triggers.items():
            for steps in _judge(trigger, group, problems):
                gained[steps] = None
                opens[steps][key] = None
        for steps in gained:
            opened[steps].add(group)
    same = {"as_of_date": as_of, "currency": currency}
    rows = [
        {**same, **row} for key, trigger in triggers.items() for row in _trigger_rows(key, trigger, total, problems)
    ]
    ranked = sorted(opened, key=lambda steps: (len(steps), *_rank(opened[steps], steps)))
    fixes = [
        {
            **same, "fix_rank": rank, "steps": len(steps), "fix": sentence(steps),
            "fix_kind": steps[0].kind if len(steps) == 1 else "several",
            "source_tables": "|".join(dict.fromkeys(step.table for step in steps)),
            "triggers": "|".join(key for key in triggers if key in opens[steps]),
            "accounts_gained": opened[steps].accounts, "arr_gained": float(opened[steps].arr),
            "accounts_arr_unknown": opened[steps].unknown, "is_at_most": any(step.is_at_most for step in steps),
            "is_clean_up": all(step.is_clean_up for step in steps),
        }
        for rank, steps in enumerate(ranked, start=1)
    ]
    return rows, fixes


def _judge(trigger: _Trigger, group: Mapping[str, Any], problems: Problems) -> list[Steps]:
    """Count a group of accounts; returns the fixes, of the fewest steps, that would open the trigger for it."""
    for source in trigger.sources:
        if all(watch.is_met(group) for watch in trigger.watches(source)):
            trigger.by_source[source].add(group)
        else:
            # The denominator of a source that is not there at all is not judged: one problem at a time.
            own = next(watch for watch in trigger.watches(source) if not watch.is_met(group))
            trigger.lacking[source][problems.steps(own, group)].add(group)
    missing = unmet(trigger.needs, group)
    if not missing:
        trigger.watched.add(group)
        return []
    ways = [[problems.steps(watch, group) for watch in need.watches] for need in missing]
    # A need that waits for another one counts when its whole table fails it: that is known before the accounts match.
    for need in trigger.needs:
        if need.after and need not in missing and not need.is_met(group):
            ways += [[steps] for watch in need.watches if is_of_table(steps := problems.steps(watch, group))]
    unions = {tuple(sorted({step for steps in way for step in steps})): None for way in product(*ways)}
    fewest = min(map(len, unions))
    smallest = sorted((steps for steps in unions if len(steps) == fewest), key=sentence)
    for steps in smallest:
        trigger.gains[steps].add(group)
    return smallest if fewest <= MOST_STEPS else []


def _rank(tally: _Tally, steps: Steps) -> tuple[Decimal, int, bool, str]:
    """The most ARR first, then the most accounts, then clean-ups before new data."""
    return -tally.arr, -tally.accounts, not all(step.is_clean_up for step in steps), sentence(steps)


def _trigger_rows(key: str, trigger: _Trigger, total: _Tally, problems: Problems) -> list[Row]:
    if not total.accounts:
        for source in (*trigger.sources, ALL_SOURCES):
            trigger.lacking[source][problems.no_accounts()].add({"accounts": 0, "arr": 0, "accounts_arr_unknown": 0})
    rows = [_row(key, ALL_SOURCES, trigger, trigger.watched, total, problems)]
    rows += [_row(key, source, trigger, trigger.by_source[source], total, problems) for source in trigger.sources]
    return rows


def _row(key: str, source: str, trigger: _Trigger, watched: _Tally, total: _Tally, problems: Problems) -> Row:
    is_all = source == ALL_SOURCES
    singles: dict[Steps, _Tally] = {
        steps: tally for steps, tally in trigger.gains.items()
        if len(steps) == 1 and (is_all or problems.source_of(steps[0]) == source)
    }
    cleanups = {steps: tally for steps, tally in singles.items() if steps[0].is_clean_up}
    gaining: dict[Steps, _Tally] = singles or (trigger.gains if is_all else {})
    smallest = min(map(len, gaining), default=0)
    best = min((steps for steps in gaining if len(steps) == smallest), key=lambda s: _rank(gaining[s], s), default=None)
    gained = gaining[best] if best is not None else _Tally()
    if best is None and (is_all or watched.accounts < total.accounts or not total.accounts):
        # It would not be enough, yet it is the first thing to do here.
        own = trigger.lacking[source]
        best = min(own, key=lambda steps: _rank(own[steps], steps), default=None)
    if total.accounts and watched.accounts == total.accounts:
        state = WATCHABLE
    elif cleanups:
        state = ONE_CLEAN_UP
    else:
        state = WATCHABLE if watched.accounts else BLIND
    # Where another source sees every account already, there is nothing to mend.
    shown = None if total.accounts and total.accounts in (watched.accounts, trigger.watched.accounts) else best
    return {
        "trigger": key, "source": source, "state": state,
        "accounts_watchable": watched.accounts, "accounts_total": total.accounts,
        "arr_covered": float(watched.arr), "arr_total": float(total.arr), "accounts_arr_unknown": total.unknown,
        **({} if is_all else problems.measures(trigger.watches(source))),
        "is_alternative": not is_all and any(
            len({watch.source for watch in need.watches}) > 1 for need in trigger.needs
            for watch in need.watches if watch.source == source
        ),
        "fix": sentence(shown) if shown else None,
        "fix_kind": None if not shown else shown[0].kind if len(shown) == 1 else "several",
        "fix_steps": len(shown) if shown else 0,
        "is_fix_enough": bool(shown) and smallest == 1,
        "is_at_most": bool(shown) and any(step.is_at_most for step in shown or ()),
        "accounts_gained": gained.accounts if shown else 0, "arr_gained": float(gained.arr) if shown else 0.0,
    }
