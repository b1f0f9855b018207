"""The listener process: socket, uvicorn, signals, structured log, orderly start and stop.

Belongs here: what surrounds the application. Does not belong here: the answer to a request (``app``).

It speaks plain HTTP and binds to loopback unless told otherwise: TLS belongs to a reverse proxy in front of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from expansion_assets.sources.intake import IntakeError
from expansion_assets.sources.intake.app import build_app
from expansion_assets.sources.intake.arrivals import Arrivals
from expansion_assets.sources.intake.events import Feed
from expansion_assets.sources.intake.group_commit import GroupCommit
from expansion_assets.sources.intake.landing_log import LandingLog
from expansion_assets.sources.intake.locks import one_listener

logger = logging.getLogger("expansion_assets.intake")

HEADER_SECONDS = 5.0
"""From the first byte of a request (or the connection) to the end of its headers; uvicorn alone waits for ever."""
MAX_CONNECTIONS = 256
"""With 512 KiB a body this bounds the memory for bodies to 128 MiB; the next connection is answered 503."""
STOP_SECONDS = 10


def listen(
    landing: Path,
    feeds: Sequence[Feed],
    keys: Sequence[bytes],
    arrivals: Arrivals,
    host: str = "127.0.0.1",
    port: int = 0,
    sync: Callable[[int], None] = os.fsync,
) -> None:
    """Take events until SIGTERM or SIGINT; what was acknowledged is on disk then, as at any time.

    Args:
        landing: Root of the landing files; made if missing.
        feeds: Kinds of events.
        keys: Signing keys.
        arrivals: The clock that stamps events.
        host: Address to bind.
        port: TCP port; 0 takes a free one, which the ``started`` log line names.
        sync: Makes a file durable; only the benchmark brings another.

    Raises:
        IntakeError: another listener runs on this folder, the address is taken, or the folder cannot be written.
    """
    _log_as_json()
    with one_listener(landing), _bound(host, port) as bound:
        log = LandingLog(landing, feeds, arrivals, sync=sync)
        try:
            found = log.recover()
        except OSError as error:
            raise IntakeError(f"{landing} cannot be read and repaired: {error.strerror or error}") from error
        if not found.is_clock_plausible:
            logger.warning("landing holds arrivals over a day ahead of this clock", extra={"fields": {}})
        logger.info("recovered", extra={"fields": {
            "files": found.files, "events": found.events_known, "bytes_cut": found.bytes_cut,
            "lines_not_read": found.lines_not_read,
        }})
        try:
            _serve(feeds, keys, log, bound)
        finally:
            log.close()


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off; `socket.create_server` leaves it unnamed, and the
    # answer waits 40 ms for a delayed ACK: 340 requests a second instead of 1,500.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            bound.listen(MAX_CONNECTIONS)
        except OSError as error:
            raise IntakeError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        yield bound


def _serve(feeds: Sequence[Feed], keys: Sequence[bytes], log: LandingLog, bound: socket.socket) -> None:
    async def run() -> None:
        writer = GroupCommit(log)
        config = uvicorn.Config(
            build_app(feeds, keys, writer), http=_TimedHeaders, ws="none", lifespan="off", log_config=None,
            access_log=False, server_header=False, proxy_headers=False, limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=int(HEADER_SECONDS), timeout_graceful_shutdown=STOP_SECONDS,
        )
        host, port = bound.getsockname()[:2]
        logger.info("started", extra={"fields": {"host": host, "port": port, "routes": [feed.path for feed in feeds]}})
        try:
            await _Server(config).serve(sockets=[bound])
        finally:
            await writer.close()
        logger.info("stopped", extra={"fields": {}})

    asyncio.run(run())


class _Server(uvicorn.Server):
    """uvicorn without its second delivery of a signal: an orderly stop ends with exit code 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _TimedHeaders(H11Protocol):
    """Drops a connection that does not bring a request's headers in time: each holds one of the few places."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._clear_deadline()
        elif self._deadline is None:  # headers have begun on a connection that was kept
            self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _JsonLines(logging.Formatter):
    """One JSON object a line: time, level, what, and the fields of the call."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = getattr(record, "fields", {})
        at = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        event = record.getMessage()
        if record.exc_info and record.exc_info[0]:
            # Only the type: a message or a trace might quote what somebody sent.
            fields = {**fields, "error": record.exc_info[0].__name__}
        return json.dumps({"at": at, "level": record.levelname.lower(), "event": event.strip(), **fields})


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    for name, level in (("expansion_assets.intake", logging.INFO), ("uvicorn.error", logging.WARNING)):
        named = logging.getLogger(name)
        named.handlers, named.propagate = [handler], False
        named.setLevel(level)
