"""The bank of customer texts of the demo world: shape, truth labels, variety.

Here: what can be proven of the files alone. Not here: how the world draws from them (``test_world``), nor how
well the tagger reads them (``make eval``).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
BANK = ROOT / "expansion_assets" / "world" / "texts"
LABELLED = ("labelled_texts.jsonl", "labelled_holdout.jsonl")

LABELS = {"advanced_intent", "basic_intent", "adjacent_use", "role_change", "cross_team", "usage_limit"}
BASIC_TOPICS = {
    "login", "billing", "permissions", "approvals", "notifications", "inbox",
    "forms", "export", "mobile", "performance", "setup", "search",
}  # fmt: skip
ADVANCED_TOPICS = {
    "api", "webhooks", "automation", "integration", "bulk", "sso_scim",
    "data_export", "custom_fields", "branching", "audit",
}  # fmt: skip
PROBLEM_KEYS = {
    "reporting", "data_sync", "project_tracking", "feedback_surveys", "document_signing", "scheduling",
    "invoicing", "access_management", "training", "forecasting", "asset_inventory", "customer_messaging",
    "contract_management", "expense_tracking", "other",
}  # fmt: skip
DECOY_KINDS = {"negated", "hypothetical", "quoted", "vendor_side", "replaced", "figurative"}
ANY_KIND = {"ticket", "nps", "turn", "note"}

# file: (least rows, kinds allowed, labels allowed, labels every row has)
FILES: dict[str, tuple[int, set[str], set[str], set[str]]] = {
    "tickets_basic": (320, {"ticket"}, {"basic_intent", "usage_limit"}, {"basic_intent"}),
    "tickets_outage": (30, {"ticket"}, {"basic_intent"}, {"basic_intent"}),
    "tickets_advanced": (90, {"ticket"}, {"advanced_intent", "usage_limit"}, {"advanced_intent"}),
    "adjacent": (45, ANY_KIND, {"adjacent_use", "advanced_intent", "basic_intent"}, {"adjacent_use"}),
    "adjacent_decoys": (30, ANY_KIND, {"basic_intent"}, set()),
    "nps": (150, {"nps"}, {"advanced_intent", "basic_intent"}, set()),
    "turns": (160, {"turn"}, LABELS - {"adjacent_use"}, set()),
    "notes": (60, {"note"}, set(), set()),
    "reviews": (30, {"review"}, set(), set()),
}
KIND_FIELDS = {
    "ticket": {"subject", "topic"},
    "nps": {"score"},
    "turn": {"speaker_side"},
    "note": set(),
    "review": set(),
}
FILE_FIELDS = {"adjacent": {"problem_key", "tool", "quote"}, "adjacent_decoys": {"decoy_kind"}}

Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """Rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def whole(row: Row) -> str:
    """Subject and text as one string, as a tagger would read it."""
    return f"{row.get('subject', '')} {row['text']}".strip()


def shingles(text: str, size: int = 8) -> set[tuple[str, ...]]:
    """All sequences of ``size`` lower-cased word tokens in ``text``."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


@pytest.fixture(scope="module")
def bank() -> dict[str, list[Row]]:
    """File stem to its rows."""
    return {name: read(BANK / f"{name}.jsonl") for name in FILES}


def rows_of(bank: dict[str, list[Row]]) -> Iterator[Row]:
    """Every row of every file."""
    return (row for rows in bank.values() for row in rows)


def test_every_file_is_under_test() -> None:
    assert {path.stem for path in BANK.glob("*.jsonl")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_rows_have_the_declared_shape(bank: dict[str, list[Row]], name: str) -> None:
    least, kinds, allowed, required = FILES[name]
    assert len(bank[name]) >= least
    for row in bank[name]:
        assert row["kind"] in kinds, row
        assert required <= set(row["labels"]) <= allowed, row
        assert len(set(row["labels"])) == len(row["labels"]), row
        own = KIND_FIELDS[row["kind"]] | FILE_FIELDS.get(name, set())
        fields = {"text_key", "kind", "text", "labels"} | own
        assert fields <= set(row) <= fields | {"speaker_side"}, row
        assert all(row[field] not in ("", None) for field in fields), row
        assert row["text"] == row["text"].strip(), row


@pytest.mark.parametrize(
    ("name", "topics"),
    [("tickets_basic", BASIC_TOPICS), ("tickets_advanced", ADVANCED_TOPICS), ("tickets_outage", {"outage"})],
)
def test_topics_are_complete_and_known(bank: dict[str, list[Row]], name: str, topics: set[str]) -> None:
    assert {row["topic"] for row in bank[name]} == topics


@pytest.mark.parametrize("name", ["adjacent", "adjacent_decoys"])
def test_tickets_outside_the_ticket_files_use_its_topics(bank: dict[str, list[Row]], name: str) -> None:
    assert {row["topic"] for row in bank[name] if row["kind"] == "ticket"} <= BASIC_TOPICS | ADVANCED_TOPICS


def test_nps_scores_are_whole_and_cover_the_scale(bank: dict[str, list[Row]]) -> None:
    scores = [row["score"] for row in rows_of(bank) if row["kind"] == "nps"]
    assert all(type(score) is int for score in scores)
    assert set(scores) == set(range(11))


def test_speaker_sides(bank: dict[str, list[Row]]) -> None:
    sides = Counter(row["speaker_side"] for row in rows_of(bank) if "speaker_side" in row)
    assert set(sides) == {"customer", "vendor"}
    assert all(not row["labels"] for row in bank["turns"] if row["speaker_side"] == "vendor")
    assert {row["speaker_side"] for row in bank["adjacent"] if row["kind"] == "turn"} == {"customer"}
    decoys = [row for row in bank["adjacent_decoys"] if row["decoy_kind"] == "vendor_side"]
    assert {row["speaker_side"] for row in decoys} == {"vendor"}


def test_adjacent_quotes_stand_in_their_text_once(bank: dict[str, list[Row]]) -> None:
    assert [row["text_key"] for row in bank["adjacent"] if row["text"].count(row["quote"]) != 1] == []


def test_adjacent_covers_the_taxonomy_and_the_kinds(bank: dict[str, list[Row]]) -> None:
    per_key = Counter(row["problem_key"] for row in bank["adjacent"])
    assert set(per_key) <= PROBLEM_KEYS
    assert sum(count >= 3 for count in per_key.values()) >= 10
    assert {row["kind"] for row in bank["adjacent"]} == ANY_KIND


def test_decoys_cover_every_polarity(bank: dict[str, list[Row]]) -> None:
    assert {row["decoy_kind"] for row in bank["adjacent_decoys"]} == DECOY_KINDS


def test_keys_and_texts_are_unique(bank: dict[str, list[Row]]) -> None:
    for value in (lambda row: row["text_key"], lambda row: row["text"].casefold()):
        counted = Counter(value(row) for row in rows_of(bank))
        assert [key for key, count in counted.items() if count > 1] == []


def test_no_two_texts_share_eight_words(bank: dict[str, list[Row]]) -> None:
    owner: dict[tuple[str, ...], str] = {}
    shared = [
        (row["text_key"], owner[words], " ".join(words))
        for row in rows_of(bank)
        for words in shingles(whole(row))
        if owner.setdefault(words, row["text_key"]) != row["text_key"]
    ]
    assert shared == []


@pytest.mark.parametrize("name", LABELLED)
def test_no_text_shares_eight_words_with_a_labelled_line(bank: dict[str, list[Row]], name: str) -> None:
    path = ROOT / "data" / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    labelled = set().union(*(shingles(whole(row)) for row in read(path)))
    shared = [row["text_key"] for row in rows_of(bank) if shingles(whole(row)) & labelled]
    assert shared == []
