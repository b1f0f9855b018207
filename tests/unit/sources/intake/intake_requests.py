"""Requests, answers and landed lines, without a socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expansion_assets.sources.intake.signature import sign

KEY = b"a key of more than sixteen bytes"
NOON = datetime(2025, 7, 3, 12, tzinfo=UTC)
JOB_ALERTS = "/v1/job-alerts"
NOW = int(time.time())


def alert(number: int, **members: object) -> dict[str, object]:
    own = {"alert_id": f"J{number}", "account_domain": "acme.example", "move": "joined", "happened_on": "2025-07-01"}
    return own | members


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


@dataclass
class Answer:
    """What the application sent, and how much of the body it took before and after."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces_before: int = 0

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.body)


Post = Callable[..., Awaitable[Answer]]


async def post(
    app: Callable[..., Awaitable[None]],
    body: bytes | Iterable[bytes],
    path: str = JOB_ALERTS,
    signature: str | None = "own",
    kind: str = "application/json",
    headers: Sequence[tuple[str, str]] = (),
    is_length_declared: bool = False,
    is_endless: bool = False,
    method: str = "POST",
) -> Answer:
    """Send one request; a body given in pieces arrives in pieces, an endless one never ends."""
    whole = body if isinstance(body, bytes) else b""
    pieces = iter([body] if isinstance(body, bytes) else body)
    sent = [("content-type", kind), *headers]
    if signature is not None:
        sent.append(("x-expansion-signature", sign(KEY, whole, NOW) if signature == "own" else signature))
    if is_length_declared:
        sent.append(("content-length", str(len(whole))))
    answer = Answer()

    async def receive() -> dict[str, Any]:
        piece = next(pieces, None)
        if piece is None:
            if is_endless:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": b"", "more_body": False}
        if not answer.status:
            answer.pieces_before += 1
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    raw = [(name.lower().encode(), value.encode()) for name, value in sent]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http", "headers": raw,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)
    return answer


def landed(folder: Path) -> list[dict[str, Any]]:
    """Every landed event, in file order."""
    files = sorted(folder.rglob("*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").split("\n") if line]
