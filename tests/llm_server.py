"""A chat endpoint on loopback that answers well or misbehaves as told, and remembers what arrived.

It speaks just enough of OpenAI's protocol for the real client: chat completions, files and batches.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
KEY = "a-key-for-tests"


@dataclass
class Arrived:
    """One request as it came."""

    path: str
    body: Json
    at: float
    is_accepted: bool = True
    """Not turned away by the limit."""

    @property
    def texts(self) -> list[Json]:
        """The texts it carries: the first JSON document of the first user message."""
        content = next(message["content"] for message in self.body["messages"] if message["role"] == "user")
        return json.JSONDecoder().raw_decode(content)[0]["texts"]


def tags_for(text: str) -> list[Json]:
    """A crude reader: a sentence with "API" is a wish, one with "Excel" a neighbouring problem."""
    tags = []
    for sentence in text.replace("\n", ". ").split(". "):
        tag = {"quote": sentence.strip(" .") or text, "polarity": "affirmed", "intent": "declared", "probability": 0.9}
        if "API" in sentence:
            tags.append({"label": "advanced_intent"} | tag)
        if "Excel" in sentence:
            tags.append({"label": "adjacent_use", "problem": "reporting", "tool": "Excel"} | tag)
    return tags


@dataclass
class LlmServer:
    """The endpoint. `script` says how the next requests are met; then it answers well."""

    script: deque[str] = field(default_factory=deque)
    always: str = "well"
    latency: float = 0.0
    limit: int | None = None
    """Requests accepted in any second."""
    read: Callable[[str], list[Json]] = tags_for
    arrived: list[Arrived] = field(default_factory=list)
    refused_by_limit: int = 0
    batches: dict[str, Json] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    batch_status: str = "completed"
    """What a poll of a batch says."""
    jobs_to_drop: int = 0
    """Batches that are made although the connection drops before the answer."""
    statuses: dict[str, int] = field(default_factory=dict)
    """How a path of files and batches begins, behind /v1/ -> the HTTP status that it fails with."""
    turns_down: str | None = None
    """What a request in a batch must not hold, lest it fails with HTTP 400."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted: deque[float] = deque()
        self._http = _Http(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    @property
    def texts_sent(self) -> list[str]:
        """Ids of all texts that were taken in, in order, repeats included."""
        return [text["id"] for request in self.arrived if request.is_accepted for text in request.texts]

    def will(self, *behaviours: str) -> None:
        self.script.extend(behaviours)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def next_behaviour(self) -> str:
        with self._lock:
            return self.script.popleft() if self.script else self.always

    def is_over_limit(self) -> bool:
        with self._lock:
            now = time.monotonic()
            while self._accepted and self._accepted[0] <= now - 1:
                self._accepted.popleft()
            if self.limit is not None and len(self._accepted) >= self.limit:
                self.refused_by_limit += 1
                return True
            self._accepted.append(now)
            return False

    def completion(self, body: Json, behaviour: str = "well") -> Json:
        """A chat completion for a request body."""
        request = Arrived("", body, 0.0)
        answered = [{"id": text["id"], "tags": self.read(text["text"])} for text in request.texts]
        finish, refusal, content = "stop", None, ""
        if behaviour == "invent":
            tag = {"label": "advanced_intent", "quote": "we never said this", "polarity": "affirmed",
                   "probability": 0.9}
            answered = [entry | {"tags": [*entry["tags"], tag]} for entry in answered]
        elif behaviour == "obey":  # does what its first text says: marks everybody, with the order itself as proof
            order = request.texts[0]["text"]
            said = [{"label": label, "quote": order, "polarity": "affirmed", "probability": 1.0}
                    for label in ("expanding", "advanced_intent", "role_change")]
            answered = [{"id": text["id"], "tags": said} for text in request.texts] + [{"id": "x", "tags": said}]
        elif behaviour == "leave_out":
            answered = answered[:-1]
        elif behaviour == "bad_tag":
            broken = [{"label": "astrology", "quote": "x"}, {"label": "advanced_intent"}, "no object"]
            answered = [entry | {"tags": broken + entry["tags"]} for entry in answered]
        elif behaviour == "strangers":
            answered = [{"id": "nobody", "tags": []}, *answered, *[entry | {"tags": []} for entry in answered]]
        content = json.dumps({"texts": answered}, ensure_ascii=False)
        if behaviour == "fenced":
            content = f"Here you are:\n```json\n{content}\n```\nAnything else?"
        elif behaviour == "think":
            content = f'<think>They want {{"texts": []}}, I guess.</think>\n{content}'
        elif behaviour == "invalid":
            content = '{"texts": [{"id": "x", "tags": '
        elif behaviour == "prose":
            content = "I would rather talk about the weather."
        elif behaviour == "truncate":
            content, finish = content[: len(content) // 2], "length"
        elif behaviour == "refuse":
            content, refusal = "", "I cannot help with that."
        elif behaviour == "filter":
            content, finish = "", "content_filter"
        elif behaviour == "empty_refusal":
            refusal = ""
        message: Json = {"role": "assistant", "content": content, "refusal": refusal}
        if "tools" in body and behaviour not in ("prose", "refuse"):
            call = {"name": body["tools"][0]["function"]["name"], "arguments": content}
            message |= {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
        said = 3_000 if behaviour == "long" else 10
        tokens = {"prompt_tokens": 100, "completion_tokens": said, "total_tokens": 100 + said}
        return {
            "id": f"chatcmpl-{uuid.uuid4().hex[:8]}", "object": "chat.completion", "created": 1,
            "model": body.get("model", ""), "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            "usage": None if behaviour == "no_usage" else tokens,
        }


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _handler(server: LlmServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else head and body of an answer wait 40 ms for each other

        def log_message(self, *args: Any) -> None:
            pass

        def reply(self, status: int, body: Json | bytes, headers: Iterable[tuple[str, str]] = ()) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            if not any(name == "Content-Type" for name, _ in headers):
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def fail(self, status: int, code: str = "fault", headers: Iterable[tuple[str, str]] = ()) -> None:
            self.reply(status, {"error": {"message": "secret inside", "type": code, "code": code}}, headers)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                return self.fail(401, "invalid_api_key")
            if self.path != "/v1/chat/completions":
                return _serve_batches(server, self, data)
            body = json.loads(data)
            is_over = server.is_over_limit()
            server.arrived.append(Arrived(self.path, body, time.monotonic(), not is_over))
            if is_over:
                return self.fail(429, "rate_limit_exceeded", [("Retry-After", "0.2")])
            behaviour = server.next_behaviour()
            time.sleep(server.latency)
            if behaviour == "hang":
                return time.sleep(1.0)
            if behaviour == "drop":
                return self.hang_up()
            if behaviour == "drop_midway":
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "5000")
                self.end_headers()
                self.wfile.write(b'{"id": ')
                return self.hang_up()
            if behaviour.isdigit():
                return self.fail(int(behaviour))
            if behaviour.startswith("429 after "):
                return self.fail(429, "rate_limit_exceeded", [("Retry-After", behaviour.split()[-1])])
            if behaviour == "no_credit":
                return self.fail(429, "insufficient_quota")
            if behaviour == "html":
                return self.reply(200, b"<html>Welcome to the hotel</html>", [("Content-Type", "text/html")])
            if behaviour == "exhausted":
                headers = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "300ms")]
                return self.reply(200, server.completion(body), headers)
            return self.reply(200, server.completion(body, behaviour))

        def do_GET(self) -> None:
            _serve_batches(server, self, b"")

        def hang_up(self) -> None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(2)

    return Handler


def _serve_batches(server: LlmServer, http: Any, data: bytes) -> None:
    """Files and batches, as much as a client needs that submits, polls and collects."""
    path = http.path.split("?")[0].removeprefix("/v1/").split("/")
    if server.always.isdigit():
        return http.fail(int(server.always))
    status = next((status for begin, status in server.statuses.items() if "/".join(path).startswith(begin)), None)
    if status is not None:
        return http.fail(status)
    if path == ["files"]:
        boundary = b"--" + http.headers["Content-Type"].split("boundary=")[1].strip('"').encode()
        parts = [part.split(b"\r\n\r\n", 1) for part in data.split(boundary) if b"\r\n\r\n" in part]
        (content,) = (body.removesuffix(b"\r\n") for head, body in parts if b"filename=" in head)
        file_id = f"file-{len(server.files)}"
        server.files[file_id] = content
        return http.reply(200, {"id": file_id, "object": "file", "bytes": len(content), "created_at": 1,
                                "filename": "texts.jsonl", "purpose": "batch", "status": "processed"})
    if path[0] == "files" and path[2:] == ["content"]:
        return http.reply(200, server.files[path[1]], [("Content-Type", "application/octet-stream")])
    if path == ["batches"] and data:
        asked = json.loads(data)
        batch_id = f"batch_{len(server.batches)}"
        server.batches[batch_id] = {
            "id": batch_id, "object": "batch", "endpoint": asked["endpoint"], "created_at": 1, "status": "validating",
            "completion_window": "24h", "input_file_id": asked["input_file_id"], "metadata": asked.get("metadata"),
        }
        if server.jobs_to_drop:
            server.jobs_to_drop -= 1
            return http.hang_up()
        return http.reply(200, server.batches[batch_id])
    if path == ["batches"]:
        return http.reply(200, {"object": "list", "data": list(server.batches.values()), "has_more": False})
    if path[0] == "batches" and path[1] in server.batches:
        batch = server.batches[path[1]] | {"status": server.batch_status}
        if server.batch_status in ("completed", "expired"):
            batch |= _processed(server, batch)
        return http.reply(200, batch)
    return http.fail(404)


def _processed(server: LlmServer, batch: Json) -> Json:
    """Answer a batch's requests: what the script lets fail goes to the error file; an expired one stops half-way."""
    lines = [json.loads(line) for line in server.files[batch["input_file_id"]].splitlines()]
    if server.batch_status == "expired":
        lines = lines[: len(lines) // 2]
    done, failed = [], []
    for line in reversed(lines):  # in any order
        is_turned_down = server.turns_down is not None and server.turns_down in json.dumps(line["body"])
        behaviour = "400" if is_turned_down else server.next_behaviour()
        if behaviour.isdigit():
            failed.append(_line(line["custom_id"], int(behaviour), {}))
        else:
            answer = _line(line["custom_id"], 200, server.completion(line["body"], behaviour))
            done.append(answer[: len(answer) // 2] if behaviour == "break" else answer)
    made: Json = {}
    for name, content in (("output_file_id", done), ("error_file_id", failed)):
        if content:
            made[name] = f"file-{len(server.files)}"
            server.files[made[name]] = "".join(line + "\n" for line in content).encode()
    return made


def _line(request_id: str, status: int, body: Json) -> str:
    """A line of an answered batch, in raw UTF-8."""
    return json.dumps({"custom_id": request_id, "response": {"status_code": status, "body": body}}, ensure_ascii=False)
