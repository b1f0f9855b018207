"""Precision, recall and decoys against hand-made keys."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from expansion_assets.validation.truth import compare, judge, read_answer_key, render, shortfalls, write_measures

TRIGGER = "USAGE_MILESTONE"
WORLD = {
    "name": "hard", "accounts": 300, "months": 24, "first_day": "2023-07-01", "last_day": "2025-06-30",
    "time_zone": "Europe/Berlin",
}


def firing(
    day: int, account: str = "a", sub: str = "seats", subject: str = "seats", **row: Any
) -> dict[str, Any]:
    event = {"account_id": account, "trigger": TRIGGER, "sub_trigger": sub, "subject_key": subject}
    return event | {"event_type": "opened", "as_of_date": date(2026, 1, day), "is_fleet_event": False} | row


def case(first: int, last: int, number: int = 1, is_true: bool = True, **row: Any) -> dict[str, Any]:
    values = {
        "case_id": f"case-{number}", "account_id": "a", "trigger": TRIGGER, "sub_trigger": "seats",
        "subject_key": None, "is_true": is_true, "decoy_kind": None if is_true else "season",
        "note": "", "play_status": None,
    }
    return values | {"expected_from": f"2026-01-{first:02d}", "expected_to": f"2026-01-{last:02d}"} | row


def measures(**changed: Any) -> dict[str, Any]:
    return {"precision": 1.0, "recall": 1.0, "true": 1, "found": 1, "decoys_fired": 0} | changed


MISSED = {"precision": None, "recall": 0.0, "found": 0}
WRONG = {"precision": 0.0, "recall": 0.0, "found": 0}


@pytest.mark.parametrize(
    ("event", "truth", "expected"),
    [
        (firing(5), case(5, 9), {}),
        (firing(9), case(5, 9), {}),
        (firing(9, as_of_date=datetime(2026, 1, 9)), case(5, 9), {}),
        (firing(4), case(5, 9), WRONG),
        (firing(10), case(5, 9), WRONG),
        (firing(5, account="b"), case(5, 9), WRONG),
        (firing(5, sub="seats_full"), case(5, 9), WRONG),
        (firing(5), case(5, 9, subject_key="seats"), {}),
        (firing(5), case(5, 9, subject_key="api_calls"), WRONG),
        (firing(5, subject="department:hr ops"), case(5, 9, subject_key="department:HR  Ops"), {}),
        (firing(5, event_type="suppressed"), case(5, 9), MISSED),
        (firing(5, event_type="closed"), case(5, 9), MISSED),
        (firing(5, is_fleet_event=True), case(5, 9), MISSED),
        (firing(5, is_shadow=True), case(5, 9), MISSED),
    ],
)
def test_what_matches(event: dict[str, Any], truth: dict[str, Any], expected: dict[str, Any]) -> None:
    assert compare([event], [truth]) == {TRIGGER: measures(**expected)}


@pytest.mark.parametrize(
    ("event", "decoys_fired"),
    [
        (firing(5), 1),
        (firing(10), 0),
        (firing(5, account="b"), 0),
        (firing(5, sub="quota"), 0),
        (firing(5, is_fleet_event=True), 0),
    ],
)
def test_a_decoy_fires_in_its_window(event: dict[str, Any], decoys_fired: int) -> None:
    verdict = compare([event], [case(1, 9, is_true=False)])[TRIGGER]
    assert (verdict["decoys_fired"], verdict["recall"], verdict["true"]) == (decoys_fired, None, 0)


def test_a_firing_of_a_true_case_sets_no_decoy_off() -> None:
    key = [case(4, 6, 1), case(1, 9, 2, is_true=False)]
    assert compare([firing(5)], key) == {TRIGGER: measures()}
    assert compare([firing(5), firing(8)], key) == {TRIGGER: measures(precision=0.5, decoys_fired=1)}


def test_one_firing_finds_one_case_only() -> None:
    assert compare([firing(5)], [case(1, 9, 1), case(1, 9, 2)]) == {TRIGGER: measures(recall=0.5, true=2)}
    assert compare([firing(5), firing(6)], [case(1, 9)]) == {TRIGGER: measures(precision=0.5)}


def test_pairs_are_as_many_as_can_be() -> None:
    # The early firing fits both cases, the late one only the case that ends first by name and date.
    key = [case(1, 9, 1), case(1, 9, 2, subject_key="x")]
    events = [firing(3, subject="x"), firing(5, subject="y")]
    assert compare(events, key) == {TRIGGER: measures(true=2, found=2)}


def test_triggers_are_judged_apart() -> None:
    other = case(1, 9, trigger="CROSS_TEAM", sub_trigger="seats")
    verdicts = compare([firing(5)], [other])
    assert verdicts["CROSS_TEAM"] == measures(**MISSED)
    assert verdicts[TRIGGER] == measures(precision=0.0, recall=None, true=0, found=0)


def test_a_behavioural_trigger_below_the_line_is_named() -> None:
    key = [case(day, day, number=day) for day in range(1, 21)]
    assert shortfalls(judge([firing(day) for day in range(2, 21)], key)) == []  # 19 of 20
    assert shortfalls(judge([firing(day) for day in range(3, 21)], key)) == [f"{TRIGGER}: recall 0.900 is below 0.95"]
    assert shortfalls(judge([firing(1), firing(2)], key[:1])) == [f"{TRIGGER}: precision 0.500 is below 0.95"]
    text_borne = {"trigger": "ADJACENT_USE"}
    assert shortfalls(judge([firing(9, **text_borne)], [case(1, 2, **text_borne)])) == []


def test_the_file_holds_the_world_and_the_measures(tmp_path: Path) -> None:
    path = write_measures(judge([], [case(1, 9)]), WORLD, tmp_path / "eval" / "triggers.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written == {"world": WORLD, "triggers": {TRIGGER: measures(**MISSED)}}


def test_the_key_is_read_from_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "key.jsonl"
    path.write_text(json.dumps(case(1, 9)) + "\n\n", encoding="utf-8")
    assert read_answer_key(path) == [case(1, 9)]


def test_the_table_names_its_world_and_what_went_wrong() -> None:
    key = [case(1, 9, 1), case(20, 22, 2), case(25, 28, 3, is_true=False)]
    table = render(judge([firing(5), firing(26), firing(15, account="b")], key), WORLD).splitlines()
    assert table[0] == "hard world: 300 accounts, 24 months (2023-07-01 to 2025-06-30, Europe/Berlin)"
    assert table[2].split() == [TRIGGER, "0.33", "0.50", "2", "1", "1", "1"]
    assert table[3:] == [
        f"missed          {TRIGGER}  case-2  a  seats  2026-01-20..2026-01-22",
        f"decoy fired     {TRIGGER}  case-3  a  seats  season  2026-01-25..2026-01-28; opened 2026-01-26",
        f"false positive  {TRIGGER}  b  seats  seats  2026-01-15",
    ]
