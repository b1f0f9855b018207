"""Handing out bank texts."""

import json
from pathlib import Path

import pytest

from expansion_assets.world.streams import Streams
from expansion_assets.world.texts import TextBank


@pytest.fixture
def bank(tmp_path: Path) -> TextBank:
    rows = [{"text": f"text {number}", "topic": "ab"[number % 2]} for number in range(6)]
    (tmp_path / "tickets.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return TextBank(Streams(1), tmp_path)


def test_each_text_is_used_once_before_any_is_used_again(bank: TextBank) -> None:
    taken = [bank.take("tickets")["text"] for _ in range(6)]
    assert len(set(taken)) == 6 and bank.rounds == {"tickets": 1}
    assert bank.take("tickets")["text"] in taken
    assert bank.rounds == {"tickets": 2}


def test_a_condition_is_kept_and_an_impossible_one_is_an_error(bank: TextBank) -> None:
    assert {bank.take("tickets", lambda text: text["topic"] == "b")["topic"] for _ in range(3)} == {"b"}
    with pytest.raises(LookupError, match="no text of tickets fits"):
        bank.take("tickets", lambda text: text["topic"] == "c")
