"""Group commit: requests that wait while the disk works share the next write and fsync.

Belongs here: who waits for what, and how much may wait. Does not belong here: files, HTTP.
There is no timer: a lone request is committed at once, and under load the batch is what arrived during the last fsync.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from expansion_assets.sources.intake.events import Feed
from expansion_assets.sources.intake.landing_log import Receipt

MAX_WAITING_BYTES = 32 << 20


class Overloaded(OSError):  # noqa: N818 - reads as the answer it becomes
    """More waits for the disk than we keep in memory."""


class Log(Protocol):
    """What a group commit needs of the landing log."""

    def commit(self, batches: Sequence[tuple[Feed, Sequence[bytes]]]) -> list[Receipt | OSError]:
        """Store events by request."""


class GroupCommit:
    """The single writer; lives in one event loop and owns one thread."""

    def __init__(self, log: Log, max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        """Write to a log; no more than ``max_waiting_bytes`` of events wait for it."""
        self._log = log
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting: list[tuple[Feed, Sequence[bytes], asyncio.Future[Receipt]]] = []
        self._waiting_bytes = 0
        self._thread = ThreadPoolExecutor(1, "intake-writer")
        self._writer: asyncio.Task[None] | None = None

    async def store(self, feed: Feed, events: Sequence[bytes]) -> Receipt:
        """Return when the events are on disk.

        Raises:
            Overloaded: too much waits already.
            OSError: the disk refused; none of the events may be taken as stored.
        """
        size = sum(map(len, events))
        if self._waiting and self._waiting_bytes + size > self._max_waiting_bytes:
            raise Overloaded("more events wait for the disk than are kept in memory")
        stored: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((feed, events, stored))
        self._waiting_bytes += size
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await stored

    async def _write(self) -> None:
        """Commit until nothing waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
            requests = [(feed, events) for feed, events, _ in batch]
            outcomes: Sequence[Receipt | BaseException]
            try:
                outcomes = await loop.run_in_executor(self._thread, self._log.commit, requests)
            except Exception as error:  # a defect of ours must not leave anybody waiting
                outcomes = [error] * len(batch)
            for (_, _, stored), outcome in zip(batch, outcomes, strict=True):
                if stored.done():
                    continue
                if isinstance(outcome, BaseException):
                    stored.set_exception(outcome)
                else:
                    stored.set_result(outcome)

    async def close(self) -> None:
        """Return when everything that waits has been answered."""
        if self._writer is not None:
            await self._writer
        self._thread.shutdown()
