"""The demo world as a whole: same bytes, the contracts' form, planted counts, sizes, texts.

Not here: whether detectors find the cases (the answer key is measured elsewhere), the text bank itself.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from expansion_assets.settings import DEMO_PSEUDONYM_KEY
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.identity import Resolver
from expansion_assets.world import ANSWER_KEY, WORLD_FILE, World, generate

CONTRACTS = load_contracts()
ReadLanding = Callable[[Path, str], pl.DataFrame]
TRIGGERS = ("USAGE_MILESTONE", "ROLE_CHANGE", "CROSS_TEAM", "ADVANCED_TICKETS", "ADJACENT_USE")
LABELLED = Path(__file__).resolve().parents[3] / "data" / "labelled_texts.jsonl"
BODIES = (
    ("support_tickets", "body"), ("support_tickets", "subject"), ("feedback_nps", "comment"),
    ("meetings_turns", "body"), ("meetings_notes", "body"), ("crm_owner_notes", "body"),
    ("feedback_references", "body"), ("play_log", "note"),
)  # fmt: skip


def _digest(directory: Path) -> str:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return sha256(
        b"".join(str(path.relative_to(directory)).encode() + path.read_bytes() for path in files)
    ).hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(small_world: World, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", seed=3, accounts=12, months=4)
    other = generate(tmp_path / "other", seed=4, accounts=12, months=4)
    assert _digest(again.directory) == _digest(small_world.directory)
    assert _digest(other.directory) != _digest(small_world.directory)


def test_a_new_world_replaces_the_files_of_the_old_one(tmp_path: Path) -> None:
    generate(tmp_path, accounts=4, months=3)
    world = generate(tmp_path, accounts=4, months=1)
    assert len(list(tmp_path.glob("product/usage_*.parquet"))) == 1
    assert world.first_day == date(2026, 6, 1)


def _or(limit: float | None, otherwise: str) -> float:
    return float(otherwise) if limit is None else limit


@pytest.mark.parametrize("table", sorted(set(CONTRACTS) - {"identity_overrides"}))  # nobody overrides in the demo
def test_rows_keep_their_contract(world: World, table: str, read_landing: ReadLanding) -> None:
    contract = CONTRACTS[table]
    rows = read_landing(world.directory, table)
    assert set(rows.columns) == {*contract.columns, "loaded_at", "file_month"}
    for name, column in contract.columns.items():
        values = rows[name].drop_nulls()
        if column.required:
            assert len(values) == len(rows), name
        if column.allowed:
            assert set(values.unique()) <= set(column.allowed), name
        if column.type in ("number", "integer"):
            numbers = values.cast(pl.Float64)
            assert numbers.is_between(_or(column.min, "-inf"), _or(column.max, "inf")).all(), name
        if column.type in ("date", "timestamp"):
            pattern = (
                r"^\d{4}-\d\d-\d\d$" if column.type == "date" else r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
            )
            assert values.cast(pl.String).str.contains(pattern).all(), name
    assert rows.select(*contract.key, "loaded_at").is_duplicated().sum() == 0
    assert (rows["loaded_at"].str.slice(0, 7) == rows["file_month"]).all()
    assert rows["loaded_at"].is_between(pl.lit("2025-07-01T00:00:00Z"), pl.lit("2026-06-30T23:59:59Z")).all()
    assert (rows[contract.happened_at].str.slice(0, 10) <= rows["loaded_at"].str.slice(0, 10)).all()


@pytest.mark.parametrize(
    ("table", "most_days"),
    [("product_usage", 1), ("identity_logins", 3), ("product_metered_usage", 1), ("product_users", 30),
     ("identity_directory", 30), ("support_tickets", 10)],
)  # fmt: skip
@pytest.mark.parametrize("size", ["world", "small_world"])
def test_no_source_falls_silent(
    size: str, table: str, most_days: int, request: pytest.FixtureRequest, read_landing: ReadLanding
) -> None:
    world: World = request.getfixturevalue(size)
    loaded = read_landing(world.directory, table)["loaded_at"].str.slice(0, 10).str.to_date().unique().sort()
    days = [*loaded.to_list(), world.last_day]
    assert max((later - earlier).days for earlier, later in pairwise(days)) <= most_days


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_trigger_has_true_cases_over_the_year_and_decoys(world: World, trigger: str) -> None:
    true = [case for case in world.cases if case.trigger == trigger and case.is_true]
    decoys = [case for case in world.cases if case.trigger == trigger and not case.is_true]
    assert len(true) >= 8
    assert len({(case.expected_from.year, case.expected_from.month) for case in true}) >= 6
    assert len({case.decoy_kind for case in decoys}) >= 5
    assert all(
        world.first_day <= case.expected_from <= case.expected_to <= world.last_day for case in true + decoys
    )


@pytest.mark.parametrize(
    ("prefix", "count"),
    [("seats", 4), ("seats-assigned", 2), ("seats-full", 2), ("seats-before-full", 2), ("grace-end", 2), ("quota", 3),
     ("departments", 2), ("new-executive", 4), ("promotion", 3), ("renewal-contact", 3), ("champion-left", 3),
     ("same-episode", 1), ("cross-department", 8), ("cross-domain", 1), ("advanced-sole", 1),
     ("fleet", 7), ("outage", 7)],
)  # fmt: skip
def test_the_agreed_cases_are_planted(world: World, prefix: str, count: int) -> None:
    assert Counter(case.case_id.rpartition("-")[0] for case in world.cases)[prefix] == count


def test_adjacent_cases_name_different_problems(world: World) -> None:
    problems = [case.subject_key for case in world.cases if case.trigger == "ADJACENT_USE" and case.is_true]
    assert len(set(problems)) == len(problems) >= 10


def test_the_key_is_written_and_agrees(world: World) -> None:
    lines = [
        json.loads(line) for line in (world.directory / ANSWER_KEY).read_text(encoding="utf-8").splitlines()
    ]
    assert len(lines) == len(world.cases) == len({line["case_id"] for line in lines})
    assert all(
        line["is_true"] == (line["decoy_kind"] is None) == (line["play_status"] is not None) for line in lines
    )
    head = json.loads((world.directory / WORLD_FILE).read_text(encoding="utf-8"))
    assert head == {
        "seed": 7, "accounts": 60, "months": 12, "first_day": "2025-07-01", "last_day": "2026-06-30",
        "time_zone": "UTC", "is_hard": False, "version": "2",
        "key_fingerprint": Resolver(DEMO_PSEUDONYM_KEY).key_fingerprint,
    }  # fmt: skip


def test_true_cases_of_one_subject_do_not_meet(world: World) -> None:
    true = [case for case in world.cases if case.is_true]
    keys = Counter((case.account_id, case.sub_trigger, case.subject_key) for case in true)
    assert keys.most_common(1)[0][1] == 1


@pytest.mark.parametrize(("accounts", "months"), [(12, 4), (20, 6)])
def test_size_is_an_option(tmp_path: Path, accounts: int, months: int, read_landing: ReadLanding) -> None:
    world = generate(tmp_path, accounts=accounts, months=months)
    assert read_landing(tmp_path, "crm_accounts")["account_id"].n_unique() == accounts
    assert len(list(tmp_path.glob("product/usage_*.parquet"))) == months
    assert {case.trigger for case in world.cases if case.is_true} == set(TRIGGERS)
    assert any(not case.is_true for case in world.cases)


def test_a_tiny_world_plants_what_fits(tmp_path: Path) -> None:
    world = generate(tmp_path, accounts=3, months=2)
    assert len({case.account_id for case in world.cases}) <= 3
    assert not any(case.decoy_kind in ("fleet_release", "outage") for case in world.cases)


@pytest.mark.parametrize(("accounts", "months"), [(2, 12), (60, 0)])
def test_an_impossible_size_is_refused(tmp_path: Path, accounts: int, months: int) -> None:
    with pytest.raises(ValueError, match="at least 3 accounts and 1 month"):
        generate(tmp_path, accounts=accounts, months=months)


def test_no_text_is_used_twice_in_the_default_world(world: World, read_landing: ReadLanding) -> None:
    assert set(world.text_rounds.values()) == {1}
    tickets = read_landing(world.directory, "support_tickets").unique("ticket_id")
    assert tickets["body"].n_unique() == len(tickets)


def test_world_texts_share_no_eight_words_with_the_training_lines(
    world: World, read_landing: ReadLanding
) -> None:
    def grams(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[a-z0-9']+", text.lower())
        return {tuple(words[start : start + 8]) for start in range(len(words) - 7)}

    training = set().union(
        *(grams(json.loads(line)["text"]) for line in LABELLED.read_text(encoding="utf-8").splitlines())
    )
    for table, column in BODIES:
        for text in read_landing(world.directory, table)[column].drop_nulls().unique():
            assert not grams(text) & training, text
