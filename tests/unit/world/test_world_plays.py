"""The play log as planted: what each play status means in the files."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from expansion_assets.world import Case, World

ReadLanding = Callable[[Path, str], pl.DataFrame]
STATUSES = {"timely", "late", "missing", "unlogged", "rejected", "too_early", "open"}


@pytest.fixture(scope="module")
def log(world: World, read_landing: ReadLanding) -> pl.DataFrame:
    return read_landing(world.directory, "play_log")


@pytest.fixture(scope="module")
def held(world: World, read_landing: ReadLanding) -> pl.DataFrame:
    meetings = read_landing(world.directory, "crm_meetings")
    return meetings.filter((pl.col("status") == "held") & (pl.col("is_external") == "true"))


def _types(log: pl.DataFrame, case: Case) -> set[str]:
    until = (case.expected_to + timedelta(days=70)).isoformat()
    own = log.filter(
        (pl.col("account_id") == case.account_id) & (pl.col("trigger") == case.trigger)
        & pl.col("at").str.slice(0, 10).is_between(pl.lit(case.expected_from.isoformat()), pl.lit(until))
    )  # fmt: skip
    return set(own["event_type"])


def _meetings(held: pl.DataFrame, case: Case, start: date, days: int) -> int:
    window = (
        pl.col("held_at")
        .str.slice(0, 10)
        .is_between(pl.lit(start.isoformat()), pl.lit((start + timedelta(days=days)).isoformat()))
    )
    return held.filter((pl.col("account_id") == case.account_id) & window).height


def _with(world: World, status: str) -> list[Case]:
    return [case for case in world.cases if case.play_status == status]


def test_every_status_occurs_and_only_true_cases_have_one(world: World) -> None:
    assert {case.play_status for case in world.cases if case.is_true} == STATUSES
    assert {case.play_status for case in world.cases if not case.is_true} == {None}


def test_timely_and_late_plays_are_logged(world: World, log: pl.DataFrame) -> None:
    for case in _with(world, "timely") + _with(world, "late"):
        assert {"delivered", "acknowledged", "accepted", "outreach_sent", "conversation_held"} <= _types(
            log, case
        ), case


def test_unlogged_plays_were_held_but_say_nothing(
    world: World, log: pl.DataFrame, held: pl.DataFrame
) -> None:
    for case in _with(world, "unlogged"):
        assert _meetings(held, case, case.expected_from + timedelta(days=1), 16) >= 1, case
        assert not _types(log, case) & {"conversation_held", "outcome_logged"}, case


def test_missing_plays_have_no_meeting_at_all(world: World, log: pl.DataFrame, held: pl.DataFrame) -> None:
    for case in _with(world, "missing"):
        assert not _types(log, case) & {"conversation_held", "outcome_logged", "accepted"}, case
        assert _meetings(held, case, case.expected_to + timedelta(days=1), 45) == 0, case


def test_rows_speak_for_an_account_and_trigger_never_for_a_card(log: pl.DataFrame) -> None:
    assert log["card_id"].null_count() == len(log)
    reviews = log.filter(pl.col("event_type") == "review_signed")
    assert reviews["account_id"].null_count() == len(reviews)
    assert log.filter(pl.col("event_type") != "review_signed")["trigger"].null_count() == 0


def test_two_monthly_reviews_were_skipped(world: World, log: pl.DataFrame) -> None:
    signed = log.filter(pl.col("event_type") == "review_signed")["at"].str.slice(0, 7)
    months = [f"{2025 + (6 + step) // 12}-{(6 + step) % 12 + 1:02d}" for step in range(1, world.months)]
    assert [month for month in months if month not in set(signed)] == ["2025-11", "2026-03"]
