"""A small hard world in its zone, through the command line: nothing of it is missed, and nothing else fires.

Not here: the full size (``make truth``), the demo world (``test_year.py``).
"""

from __future__ import annotations

import json
from collections import Counter

import pytest

SIZE = ("--accounts", "60", "--months", "8")  # eight months to the end of June hold one clock change
BEHAVIOURAL = ("USAGE_MILESTONE", "ROLE_CHANGE", "CROSS_TEAM")


@pytest.fixture(scope="module")
def state(tmp_path_factory, command):
    folder = tmp_path_factory.mktemp("hard")
    finished = command(folder, "truth", *SIZE)
    (folder / "stdout.txt").write_text(finished.stdout)
    return folder


def test_behavioural_triggers_find_all_and_nothing_else(state):
    written = json.loads((state / "eval" / "triggers.json").read_text())
    assert (written["world"]["name"], written["world"]["time_zone"]) == ("hard", "Europe/Berlin")
    for trigger in BEHAVIOURAL:
        measures = written["triggers"][trigger]
        assert (measures["precision"], measures["recall"], measures["decoys_fired"]) == (1.0, 1.0, 0), trigger
        assert measures["true"] >= 8


def test_the_world_is_named_and_stands_apart(state):
    printed = (state / "stdout.txt").read_text()
    assert "hard world: 60 accounts, 8 months (2024-11-01 to 2025-06-30, Europe/Berlin)" in printed
    assert (state / "workspaces" / "hard_world" / "landing" / "_world" / "answer_key.jsonl").is_file()
    assert not (state / "warehouse").exists()
    assert not (state / "landing").exists()


def test_hard_cases_are_in_it(state):
    path = state / "workspaces" / "hard_world" / "landing" / "_world" / "answer_key.jsonl"
    names = Counter(json.loads(line)["case_id"].rpartition("-")[0] for line in path.read_text().splitlines())
    assert {"clock-change-seats", "midnight-use", "acquired-domain", "weekend-seats", "raise-on-the-day"} <= set(names)


def test_a_second_call_computes_nothing_anew(state, command):
    again = command(state, "truth", *SIZE).stdout
    assert "done in" not in again
    assert again.startswith("hard world: 60 accounts")


def test_a_data_set_without_a_key_is_refused_in_one_line(state, command):
    refused = command(state, "--sources", "examples/ravenstack", "truth", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: truth needs a planted world") and refused.stderr.count("\n") == 1
