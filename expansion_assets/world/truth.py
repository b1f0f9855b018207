"""The answer key: what was planted, where, and when a detector must or must not find it.

Belongs here: the shape of a case and its file. Does not belong here: planting (``cases/``), measuring detectors.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

ANSWER_KEY = "_world/answer_key.jsonl"


@dataclass
class Case:
    """One planted case.

    A true case must open one firing of its sub-trigger (and subject, when given) within the window; a decoy must open
    no card for its account and sub-trigger within the window.
    """

    case_id: str
    account_id: str
    trigger: str
    sub_trigger: str
    subject_key: str | None
    is_true: bool
    decoy_kind: str | None
    expected_from: date
    expected_to: date
    note: str
    play_status: str | None = None
    """timely, late, missing, unlogged; open when the time for the play runs past the world's end; null for decoys."""


def write_answer_key(cases: list[Case], directory: Path) -> Path:
    """Write the key as JSON lines, ordered by trigger, truth and id."""
    path = directory / ANSWER_KEY
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(cases, key=lambda case: (case.trigger, not case.is_true, case.case_id))
    lines = [json.dumps(asdict(case), default=str, ensure_ascii=False) for case in ordered]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
