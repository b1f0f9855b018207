"""Feeds of the project's own contracts, and an application on the test's landing folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.intake.app import Limits, build_app
from expansion_assets.sources.intake.arrivals import Arrivals
from expansion_assets.sources.intake.events import Feed, feeds_of
from expansion_assets.sources.intake.group_commit import GroupCommit
from expansion_assets.sources.intake.landing_log import LandingLog
from expansion_assets.sources.mapping import own_mapping
from tests.unit.sources.intake.intake_requests import KEY, NOON, NOW, Post, post


@pytest.fixture(scope="session")
def feeds() -> tuple[Feed, ...]:
    return feeds_of(own_mapping(load_contracts(), date(2025, 7, 1), None).tables)


@pytest.fixture(scope="session")
def alerts(feeds: tuple[Feed, ...]) -> Feed:
    return feeds[0]


@pytest.fixture
def open_log(tmp_path: Path, feeds: tuple[Feed, ...]) -> Callable[..., LandingLog]:
    """A recovered log on the test's folder; keywords as of LandingLog."""

    def build(now: Callable[[], datetime] = lambda: NOON, **keywords: Any) -> LandingLog:
        log = LandingLog(tmp_path, feeds, Arrivals("UTC", now=now), **keywords)
        log.recover()
        return log

    return build


@pytest.fixture
def run(open_log: Callable[..., LandingLog], feeds: tuple[Feed, ...]) -> Callable[..., Any]:
    """Run ``scenario(post)`` against a fresh application on the test's landing folder."""

    def runner(
        scenario: Callable[[Post], Awaitable[Any]],
        limits: Limits | None = None,
        keys: Sequence[bytes] = (KEY,),
        log: LandingLog | None = None,
        max_waiting_bytes: int = 1 << 20,
    ) -> Any:
        async def main() -> Any:
            writer = GroupCommit(log or open_log(), max_waiting_bytes)
            app = build_app(feeds, keys, writer, limits, now=lambda: float(NOW))
            try:
                return await scenario(lambda *arguments, **keywords: post(app, *arguments, **keywords))
            finally:
                await writer.close()

        return asyncio.run(main())

    return runner
