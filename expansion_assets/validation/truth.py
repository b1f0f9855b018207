"""Firings against the answer key of a planted world.

Belongs here: matching firings to cases; precision, recall and fired decoys per trigger; their file and table.
Does not belong here: reading the warehouse; planting cases (``world``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

# The text-borne triggers are as good as the tagger, which `eval` measures.
BEHAVIOURAL, LEAST = ("CROSS_TEAM", "ROLE_CHANGE", "USAGE_MILESTONE"), 0.95
Row = Mapping[str, Any]
Measures = dict[str, float | int | None]


@dataclass
class TriggerTruth:
    """What came of one trigger: a true case is found or missed, a firing matched or a false positive."""

    found: list[tuple[Row, Row]] = field(default_factory=list)
    """(case, firing) pairs."""
    missed: list[Row] = field(default_factory=list)
    false_positives: list[Row] = field(default_factory=list)
    decoys: int = 0
    """How many were planted."""
    decoys_fired: list[tuple[Row, Row]] = field(default_factory=list)
    """(decoy, first false positive in its window) pairs."""

    def measures(self) -> Measures:
        """Precision, recall (null for 0/0), number of true, found cases and fired decoys."""
        found, true = len(self.found), len(self.found) + len(self.missed)
        return {
            "precision": _share(found, found + len(self.false_positives)),
            "recall": _share(found, true),
            "true": true,
            "found": found,
            "decoys_fired": len(self.decoys_fired),
        }


def read_answer_key(path: Path) -> list[dict[str, Any]]:
    """Read an answer key of JSON lines.

    Raises:
        FileNotFoundError: there is no key, so nothing is known to be true.
    """
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def judge(firings: Iterable[Row], answer_key: Iterable[Row]) -> dict[str, TriggerTruth]:
    """Match firings to the cases of an answer key.

    A firing matches a true case when account, trigger and sub-trigger agree, the subject agrees where the
    case names one, and it opened within [expected_from, expected_to]; one firing for one case, as many pairs
    as can be. A decoy has fired when a firing that fits it in the same way matches no true case.

    Args:
        firings: Rows of triggers.firing_events; only opened ones that reach a card count (no fleet event, no
            shadow).
        answer_key: Rows with case_id, account_id, trigger, sub_trigger, subject_key, is_true, expected_from,
            expected_to (dates or ISO strings).

    Returns:
        Trigger -> verdict, for every trigger of the key or the firings, in order of name.
    """
    opened = sorted(
        (row for row in firings if _reaches_a_card(row)),
        key=lambda row: (_day(row["as_of_date"]), row["account_id"], row["sub_trigger"], row["subject_key"]),
    )
    cases = sorted(answer_key, key=lambda row: (_day(row["expected_to"]), row["case_id"]))
    truths = {}
    for trigger in sorted({row["trigger"] for row in (*opened, *cases)}):
        ours = [row for row in cases if row["trigger"] == trigger]
        truths[trigger] = _judge_trigger(
            [row for row in opened if row["trigger"] == trigger],
            [row for row in ours if row["is_true"]],
            [row for row in ours if not row["is_true"]],
        )
    return truths


def compare(firings: Iterable[Row], answer_key: Iterable[Row]) -> dict[str, Measures]:
    """Measures per trigger; see ``judge`` for what counts and ``TriggerTruth.measures`` for what they are."""
    return {trigger: truth.measures() for trigger, truth in judge(firings, answer_key).items()}


def shortfalls(truths: Mapping[str, TriggerTruth]) -> list[str]:
    """One line for each behavioural trigger whose precision or recall is known and below ``LEAST``."""
    found = []
    for trigger in BEHAVIOURAL:
        measures = truths[trigger].measures() if trigger in truths else {}
        for name in ("precision", "recall"):
            value = measures.get(name)
            if value is not None and value < LEAST:
                found.append(f"{trigger}: {name} {value:.3f} is below {LEAST}")
    return found


def write_measures(truths: Mapping[str, TriggerTruth], world: Row, path: Path) -> Path:
    """Write ``{"world": world, "triggers": {NAME: measures}}`` as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    measures = {trigger: truth.measures() for trigger, truth in truths.items()}
    path.write_text(json.dumps({"world": world, "triggers": measures}, indent=2) + "\n", encoding="utf-8")
    return path


def render(truths: Mapping[str, TriggerTruth], world: Row) -> str:
    """The world's name and size, a table of the measures, then a line for each miss, fired decoy, false positive.

    Args:
        truths: What ``judge`` said.
        world: name, accounts, months, first_day, last_day, time_zone.
    """
    days = f"{world['first_day']} to {world['last_day']}, {world['time_zone']}"
    lines = [f"{world['name']} world: {world['accounts']} accounts, {world['months']} months ({days})"]
    lines.append(f"{'trigger':<18}{'precision':>10}{'recall':>8}{'true':>6}{'found':>7}{'decoys':>8}{'fired':>7}")
    for trigger, truth in truths.items():
        row = truth.measures()
        lines.append(
            f"{trigger:<18}{_number(row['precision']):>10}{_number(row['recall']):>8}"
            f"{row['true']:>6}{row['found']:>7}{truth.decoys:>8}{row['decoys_fired']:>7}"
        )
    for trigger, truth in truths.items():
        of_decoys = {id(firing) for _, firing in truth.decoys_fired}
        lines += [f"missed          {trigger}  {_describe_case(case)}" for case in truth.missed]
        lines += [
            f"decoy fired     {trigger}  {_describe_case(case)}; opened {_day(firing['as_of_date'])}"
            for case, firing in truth.decoys_fired
        ]
        lines += [
            f"false positive  {trigger}  {_describe_firing(firing)}"
            for firing in truth.false_positives if id(firing) not in of_decoys
        ]
    return "\n".join(lines)


def _judge_trigger(firings: Sequence[Row], cases: Sequence[Row], decoys: Sequence[Row]) -> TriggerTruth:
    firing_of = _match(firings, cases)
    matched = set(firing_of.values())
    found = [(case, firings[firing_of[number]]) for number, case in enumerate(cases) if number in firing_of]
    false_positives = [firing for number, firing in enumerate(firings) if number not in matched]
    decoys_fired = []
    for decoy in decoys:
        fitting = next((firing for firing in false_positives if _fits(firing, decoy)), None)
        if fitting is not None:
            decoys_fired.append((decoy, fitting))
    return TriggerTruth(
        found=found,
        missed=[case for number, case in enumerate(cases) if number not in firing_of],
        false_positives=false_positives,
        decoys=len(decoys),
        decoys_fired=decoys_fired,
    )


def _match(firings: Sequence[Row], cases: Sequence[Row]) -> dict[int, int]:
    """Case number -> firing number, a maximum matching (augmenting paths, Kuhn 1955).

    Taking firings in turn would lose a case where one firing fits two cases and another only the first.
    """
    fitting = [[number for number, firing in enumerate(firings) if _fits(firing, case)] for case in cases]
    case_of: dict[int, int] = {}

    def assign(case: int, tried: set[int]) -> bool:
        for firing in fitting[case]:
            if firing in tried:
                continue
            tried.add(firing)
            if firing not in case_of or assign(case_of[firing], tried):
                case_of[firing] = case
                return True
        return False

    for case in range(len(cases)):
        assign(case, set())
    return {case: firing for firing, case in case_of.items()}


def _fits(firing: Row, case: Row) -> bool:
    return (
        firing["account_id"] == case["account_id"]
        and case["sub_trigger"] in (None, firing["sub_trigger"])
        and (case["subject_key"] is None or _folded(case["subject_key"]) == _folded(firing["subject_key"]))
        and _day(case["expected_from"]) <= _day(firing["as_of_date"]) <= _day(case["expected_to"])
    )


def _folded(subject_key: str) -> str:
    """Case-folded, as a key spells a department like the directory and a firing like the cleaned label."""
    return " ".join(subject_key.casefold().split())


def _reaches_a_card(event: Row) -> bool:
    return event["event_type"] == "opened" and not event.get("is_fleet_event") and not event.get("is_shadow")


def _day(value: date | str) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    return value.date() if isinstance(value, datetime) else value


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _describe_case(case: Row) -> str:
    names = ("case_id", "account_id", "sub_trigger", "subject_key", "decoy_kind")
    parts = [case.get(name) for name in names]
    window = f"{_day(case['expected_from'])}..{_day(case['expected_to'])}"
    return "  ".join([*(str(part) for part in parts if part), window])


def _describe_firing(firing: Row) -> str:
    parts = [firing["account_id"], firing["sub_trigger"], firing["subject_key"], _day(firing["as_of_date"])]
    return "  ".join(str(part) for part in parts)
