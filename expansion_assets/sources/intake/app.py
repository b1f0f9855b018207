"""The HTTP side: bounds, refusals, answers.

Belongs here: status codes, limits on size and time, log lines. Does not belong here: sockets and signals (``server``).

Cheap questions come first, so that a stranger costs little: content type, declared length and the form of the
signature are judged before the body is read; the body is read up to its bound and never beyond; it is parsed only when
it is proven. Log lines hold counts and reasons: no addresses, no header, nothing of a body.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from expansion_assets.sources.intake.events import BadEvents, Feed, TooManyEvents, parse_events
from expansion_assets.sources.intake.group_commit import GroupCommit, Overloaded
from expansion_assets.sources.intake.landing_log import Receipt
from expansion_assets.sources.intake.signature import HEADER, Claim, NotSigned

logger = logging.getLogger("expansion_assets.intake")

MAX_BODY_BYTES = 512 << 10
"""A thousand events of 500 bytes; a job alert has about 300."""
BODY_SECONDS = 10.0
"""From the first to the last byte of a body."""
LINGER_BYTES, LINGER_SECONDS = 4 << 20, 2.0
"""What is read and thrown away after a refusal, so that a client that is still sending can read the answer."""
UNHEALTHY_SECONDS = 30.0
"""How long ``/healthz`` tells of a failed write."""
_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_DOCUMENT = frozenset({"application/json"})


@dataclass(frozen=True)
class Limits:
    """Bounds of one request."""

    body_bytes: int = MAX_BODY_BYTES
    body_seconds: float = BODY_SECONDS


class _Refusal(Exception):  # noqa: N818 - an answer, not an error
    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


class _Gone(Exception):  # noqa: N818 - the client left
    pass


class _Health:
    """When the disk last refused."""

    def __init__(self) -> None:
        self._failed_at: float | None = None

    def note_failure(self) -> None:
        self._failed_at = time.monotonic()

    @property
    def is_good(self) -> bool:
        return self._failed_at is None or time.monotonic() - self._failed_at > UNHEALTHY_SECONDS


def build_app(
    feeds: Sequence[Feed],
    keys: Sequence[bytes],
    writer: GroupCommit,
    limits: Limits | None = None,
    now: Callable[[], float] = time.time,
) -> Starlette:
    """Return the application.

    Args:
        feeds: One POST route each.
        keys: Signing keys, any of which proves a request.
        writer: Stores events.
        limits: Bounds of a request.
        now: Unix seconds, for the age of a signature.
    """
    health = _Health()

    async def healthz(_: Request) -> JSONResponse:
        if health.is_good:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "the disk refused a write"}, status_code=503)

    routes = [
        Route(feed.path, _FeedEndpoint(feed, keys, writer, limits or Limits(), now, health), methods=["POST"])
        for feed in feeds
    ]
    return Starlette(routes=[Route("/healthz", healthz), *routes])


class _FeedEndpoint:
    """One POST route as a plain ASGI application: it alone sees a body piece by piece."""

    def __init__(
        self,
        feed: Feed,
        keys: Sequence[bytes],
        writer: GroupCommit,
        limits: Limits,
        now: Callable[[], float],
        health: _Health,
    ) -> None:
        self._feed, self._keys, self._writer = feed, keys, writer
        self._limits, self._now, self._health = limits, now, health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        body = _Body(receive, self._limits)
        try:
            receipt = await self._store(Headers(scope=scope), body)
        except _Gone:
            self._log("disconnected", started, body)
        except _Refusal as refusal:
            self._log("refused", started, body, status=refusal.status, reason=refusal.reason)
            await _answer(send, refusal.status, {"error": refusal.message}, unread=None if body.is_read else body)
        except Exception as error:  # the type says enough; a message might quote the body
            self._log("failed", started, body, status=500, reason=type(error).__name__)
            await _answer(send, 500, {"error": "internal error"}, unread=None if body.is_read else body)
        else:
            self._log("stored", started, body, accepted=receipt.accepted, duplicates=receipt.duplicates)
            await _answer(send, 200, {"accepted": receipt.accepted, "duplicates": receipt.duplicates})

    async def _store(self, headers: Headers, body: _Body) -> Receipt:
        is_lines = _is_lines(headers)
        body.check_declared(headers.get("content-length"))
        try:
            signatures = headers.getlist(HEADER)
            claim = Claim(signatures[0] if len(signatures) == 1 else None, self._now())
            raw = await body.read()
            claim.verify(self._keys, raw)
        except NotSigned as error:
            raise _Refusal(401, "not_signed", str(error)) from None
        try:
            events = parse_events(raw, self._feed, is_lines=is_lines)
        except TooManyEvents as error:
            raise _Refusal(413, "too_many_events", str(error)) from None
        except BadEvents as error:
            raise _Refusal(400, "bad_events", str(error)) from None
        try:
            return await self._writer.store(self._feed, events)
        except Overloaded:
            raise _Refusal(503, "overloaded", "busy: send again") from None
        except OSError as error:
            self._health.note_failure()
            logger.error("disk", extra={"fields": {"table": self._feed.table, "errno": error.errno}})
            raise _Refusal(503, "disk", "not stored: send again") from None

    def _log(self, event: str, started: float, body: _Body, **fields: object) -> None:
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        own = {"table": self._feed.table, "bytes": body.bytes_read, "ms": milliseconds}
        logger.info(event, extra={"fields": own | fields})


def _is_lines(headers: Headers) -> bool:
    kind, _, parameters = headers.get("content-type", "").lower().partition(";")
    kind, charset = kind.strip(), parameters.strip().removeprefix("charset=").strip('"')
    is_known = kind in _LINES | _DOCUMENT and charset in ("", "utf-8")
    if not is_known or headers.get("content-encoding", "identity").lower() != "identity":
        raise _Refusal(415, "content_type", "send application/json or application/x-ndjson, UTF-8, not compressed")
    return kind in _LINES


class _Body:
    """A request's body, bounded in bytes and seconds whatever the sender declared."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self.bytes_read = 0
        self.is_read = False

    def check_declared(self, length: str | None) -> None:
        if length is not None and (not length.isdecimal() or int(length[:12]) > self._limits.body_bytes):
            raise self._too_large()

    async def read(self) -> bytes:
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while not self.is_read:
                    pieces.append(await self._next())
                    if self.bytes_read > self._limits.body_bytes:
                        raise self._too_large()
        except TimeoutError:
            message = f"the body took more than {self._limits.body_seconds:g} s"
            raise _Refusal(408, "too_slow", message) from None
        return b"".join(pieces)

    async def discard(self) -> None:
        """Read on for a bounded while and keep nothing."""
        bound = self.bytes_read + LINGER_BYTES
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.is_read and self.bytes_read < bound:
                    await self._next()
        except (TimeoutError, _Gone):
            return

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece: bytes = message.get("body", b"")
        self.bytes_read += len(piece)
        self.is_read = not message.get("more_body", False)
        return piece

    def _too_large(self) -> _Refusal:
        return _Refusal(413, "too_large", f"a body has at most {self._limits.body_bytes} bytes")


async def _answer(send: Send, status: int, content: dict[str, object], unread: _Body | None = None) -> None:
    """Send an answer; with an unread body the connection ends behind it."""
    payload = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    if unread is not None:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if unread is not None:
        await send({"type": "http.response.body", "body": payload, "more_body": True})
        await unread.discard()
        payload = b""
    await send({"type": "http.response.body", "body": payload})
