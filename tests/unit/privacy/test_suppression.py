"""The list knows a person in every spelling, spares others, names nobody, and survives only with its key."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion_assets.privacy import SuppressionError
from expansion_assets.privacy.suppression import (
    BAR,
    Suppression,
    read_suppression,
    suppression_file,
    write_suppression,
)
from expansion_assets.settings import Settings
from expansion_assets.sources.identity import parse_address, person_key


@pytest.mark.parametrize("spelling", [
    "jane.doe@acme.com", "JANE.DOE@ACME.COM", "Jane Doe <jane.doe@acme.com>", '"Doe, Jane" <Jane.Doe+crm@acme.com>',
    "mailto:jane.doe@acme.com", " jane.doe+x@acme.com ",
])
def test_every_spelling_of_an_address_is_known(suppression: Suppression, spelling: str) -> None:
    assert suppression.has_address(spelling)
    assert suppression.masked(spelling) == suppression.pseudonymous_address("jane.doe@acme.com")


@pytest.mark.parametrize("other", ["mary.jane.doe@acme.com", "jane.doe@acme.com.au", "jane@acme.com", "doe@acme.com"])
def test_other_mailboxes_are_spared(suppression: Suppression, other: str) -> None:
    assert not suppression.has_address(other)
    assert suppression.masked(f"write to {other}, please") == f"write to {other}, please"


@pytest.mark.parametrize(("text", "expected"), [
    ("Mail JANE.DOE@acme.com.", f"Mail {BAR * 17}."),
    ("(jane.doe+q@acme.com)", f"({BAR * 19})"),
    ("<a href='mailto:jane.doe%40acme.com?x'>", f"<a href='mailto:{BAR * 19}?x'>"),
    ("?user=jane.doe@acme.com&x", f"?user={BAR * 17}&x"),
    ("line\\njane.doe@acme.com", f"line\\n{BAR * 17}"),
    ("Ask Jane Doe's team", f"Ask {BAR * 10} team"),
    ("Doe, Jane", BAR * 9),
    ("jane\n doe", BAR * 9),
    ("&lt;b&gt;Jane&nbsp;Doe", f"&lt;b&gt;{BAR * 13}"),
    ("<b>Jane Do&#101;</b>", f"<b>{BAR * 13}</b>"),
    ("Mary Jane and Doe", "Mary Jane and Doe"),
    ("Janet Doe", "Janet Doe"),
])
def test_masking_in_text(suppression: Suppression, text: str, expected: str) -> None:
    assert suppression.masked(text) == expected


def test_masking_within_json_keeps_all_else(suppression: Suppression) -> None:
    text = '{"a": 1.10, "b": "x\\njane.doe@acme.com", "c": "{\\"d\\": \\"Jane Doe\\"}"}'
    masked = suppression.masked(text)
    assert json.loads(masked)["b"] == "x\n" + BAR * 17
    assert json.loads(json.loads(masked)["c"]) == {"d": BAR * 8}
    assert masked.startswith('{"a": 1.10, "b": ')


@given(st.text(max_size=60))
def test_masking_keeps_the_length_and_is_done_once(text: str) -> None:
    empty = Suppression("a key of the tests")
    suppression = empty.with_entries(empty.names("Jane Doe", ["acme.com"]))
    around = f"{text} Jane Doe {text}"
    masked = suppression.masked_names(around)
    assert len(masked) == len(around)
    assert suppression.masked_names(masked) == masked


def test_a_stand_in_is_the_same_person_of_the_same_company(suppression: Suppression) -> None:
    stand_in = suppression.pseudonymous_address("Jane.Doe+x@acme.com")
    assert stand_in is not None and "jane" not in stand_in
    assert person_key(stand_in, suppression.key) == person_key("jane.doe@acme.com", suppression.key)
    parsed = parse_address(stand_in)
    assert parsed is not None and parsed.host == "acme.com"
    assert suppression.has_address(stand_in)
    assert suppression.masked(stand_in) == stand_in


def test_a_name_column_speaks_of_one_person_only_within_an_account(suppression: Suppression) -> None:
    assert suppression.has_name_at("JANE  DOE", ["A-1"])
    assert suppression.has_name_at("jane doe", ["acme.com"])
    assert not suppression.has_name_at("Jane Doe", ["other.com", "A-2"])


def test_one_word_is_no_full_name() -> None:
    empty = Suppression("a key of the tests")
    suppression = empty.with_entries(empty.names("Will", ["acme.com"]))
    assert suppression.masked("Will you come?") == "Will you come?"
    assert suppression.has_name_at("will", ["acme.com"])


def test_the_file_names_nobody_and_is_its_owners(suppression: Suppression, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, pseudonym_key="a key of the tests")
    write_suppression(settings, suppression)
    path = suppression_file(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "jane" not in path.read_text().lower() and "acme" not in path.read_text()
    assert read_suppression(settings) == suppression
    before = path.read_bytes()
    write_suppression(settings, suppression)
    assert path.read_bytes() == before


def test_another_key_is_refused(suppression: Suppression, tmp_path: Path) -> None:
    write_suppression(Settings(state_dir=tmp_path, pseudonym_key="a key of the tests"), suppression)
    with pytest.raises(SuppressionError, match="another EXPANSION_PSEUDONYM_KEY"):
        read_suppression(Settings(state_dir=tmp_path, pseudonym_key="another key of the tests"))


def test_a_broken_list_is_refused(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    suppression_file(settings).write_text("{}\nnot json\n")
    with pytest.raises(SuppressionError, match="not a suppression list"):
        read_suppression(settings)


def test_without_a_file_nobody_is_forgotten(tmp_path: Path) -> None:
    assert not read_suppression(Settings(state_dir=tmp_path))
