"""A listener as a process of its own, under load and killed in the middle of it, again and again.

What was acknowledged is in landing exactly once, whatever was killed when; what is forged or too large is not there;
and the raw layer knows each row from its arrival on.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import queue
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.intake.app import MAX_BODY_BYTES
from expansion_assets.sources.intake.signature import HEADER, sign
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.report import Window
from expansion_assets.sources.versions import create_raw_tables

ROOT = Path(__file__).resolve().parents[2]
KEY = "a signing key that only this test knows"
EVENTS, CONNECTIONS, KILLS = 3000, 6, 4
PATHS = {"people_job_alerts": "/v1/job-alerts", "crm_contact_role_changes": "/v1/contact-role-changes"}
PATIENCE_S = 60


class Listener:
    """``make listen`` without make."""

    def __init__(self, landing: Path, **variables: str) -> None:
        self.landing, self.variables, self.port = landing, variables, 0
        self.process: subprocess.Popen[bytes] | None = None
        self.log = landing.parent / "listener.log"

    def start(self) -> Listener:
        own = {name: value for name, value in os.environ.items() if not name.startswith("EXPANSION_")}
        own |= {"EXPANSION_ENVIRONMENT": "production", "EXPANSION_LANDING": str(self.landing), "PYTHONPATH": str(ROOT),
                "EXPANSION_WEBHOOK_SECRETS": f"{KEY}, and the one that it replaces",
                "EXPANSION_PSEUDONYM_KEY": "a pseudonym key of this test"} | self.variables
        size = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "expansion_assets", "listen", "--port", str(self.port)], cwd=ROOT, env=own,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            lines = self.log.read_bytes()[size:].decode().split("\n")
            for found in (json.loads(line) for line in lines[:-1] if line.startswith("{")):
                if found["event"] == "started":
                    self.port = found["port"]
                    return self
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def stop(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def post(self, body: bytes, path: str = PATHS["people_job_alerts"], **headers: str | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            return post(connection, body, path, **headers)
        finally:
            connection.close()


def post(connection: http.client.HTTPConnection, body, path: str, signature: str | None = "own") -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"}
    if signature == "own":
        signature = sign(KEY.encode(), body, int(time.time()))
    if signature:
        headers[HEADER] = signature
    connection.request("POST", path, body, headers, encode_chunked=not isinstance(body, bytes))
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    found = Listener(tmp_path / "landing")
    yield found
    if found.process is not None and found.process.poll() is None:
        found.stop(signal.SIGKILL)


def event(table: str, number: int) -> dict[str, object]:
    if table == "people_job_alerts":
        return {"alert_id": f"J{number}", "account_domain": "acme.example", "move": "joined",
                "person_name": "Zoë Ånström", "happened_on": "2026-01-01"}
    return {"change_id": f"C{number}", "account_id": "A1", "move": "left", "changed_at": "2026-01-01T08:00:00Z"}


def landed(landing: Path) -> dict[str, list[str]]:
    """Arrivals of each whole landed line, by event id; half a line at the end of a file does not count."""
    found: dict[str, list[str]] = {}
    for path in landing.rglob("*.jsonl"):
        for line in path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]:
            row = json.loads(line)
            found.setdefault(row.get("alert_id") or row.get("change_id"), []).append(row["loaded_at"])
    return found


class Load:
    """Several connections that send everything until it is acknowledged, and forgeries in between."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.todo: queue.Queue[tuple[str, list[int]]] = queue.Queue()
        self.first_sent: dict[str, datetime] = {}
        self.acknowledged: dict[str, datetime] = {}
        self.accepted, self.duplicates, self.lost_answers = 0, 0, 0
        self.forgeries: Counter[int] = Counter()
        self.errors: list[BaseException] = []
        self._lock = threading.Lock()
        dice = random.Random(20250703)
        numbers = iter(range(EVENTS))
        while chunk := list(itertools.islice(numbers, dice.randint(1, 12))):
            self.todo.put((dice.choice(list(PATHS)), chunk))
        self._dice = dice
        self._threads = [threading.Thread(target=self._guarded, daemon=True) for _ in range(CONNECTIONS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE_S)
        assert not self.errors, self.errors
        assert not any(thread.is_alive() for thread in self._threads)

    def wait_for(self, acknowledged: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while len(self.acknowledged) < acknowledged and time.monotonic() < deadline and not self.errors:
            time.sleep(0.001)

    def _guarded(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.errors.append(error)

    def _work(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while True:
            try:
                table, numbers = self.todo.get_nowait()
            except queue.Empty:
                return
            sent = [event(table, number) for number in numbers]
            ids = [str(one.get("alert_id") or one.get("change_id")) for one in sent]
            now = datetime.now(UTC).replace(tzinfo=None)
            with self._lock:
                for one in ids:
                    self.first_sent.setdefault(one, now)
                again = list(self.acknowledged)[-2:] if self._dice.random() < 0.1 else []
                forge = self._dice.random() < 0.1
            sent += [event(table, int(one[1:])) for one in again if one[0] == ids[0][0]]
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.listener.port, timeout=20)
                if forge:
                    self._forge(connection, table)
                status, content = post(connection, json.dumps(sent).encode(), PATHS[table])
            except (OSError, http.client.HTTPException):  # killed: nobody knows what was stored, so it is sent again
                connection = None
                with self._lock:
                    self.lost_answers += 1
                self.todo.put((table, numbers))
                time.sleep(0.01)
                continue
            assert status == 200, (status, content)
            counts = json.loads(content)
            assert counts["accepted"] + counts["duplicates"] == len(sent)
            with self._lock:
                self.accepted += counts["accepted"]
                self.duplicates += counts["duplicates"]
                self.acknowledged |= dict.fromkeys(ids, datetime.now(UTC).replace(tzinfo=None))

    def _forge(self, connection: http.client.HTTPConnection, table: str) -> None:
        body = json.dumps(event(table, 10**6)).encode()
        stale = sign(KEY.encode(), body, int(time.time()) - 301)
        # Without a signature a refusal ends the connection; these bodies are read, so it goes on.
        for signature in (sign(b"the key of somebody else altogether", body, int(time.time())),
                          sign(KEY.encode(), body + b" ", int(time.time()))):
            self.forgeries[post(connection, body, PATHS[table], signature)[0]] += 1
        for signature in (None, stale):
            self.forgeries[self.listener.post(body, PATHS[table], signature=signature)[0]] += 1


def too_large(listener: Listener) -> list[int]:
    """Answers to oversized bodies: with a length, in chunks without one, both properly signed."""
    body = b" " * MAX_BODY_BYTES + json.dumps(event("people_job_alerts", 10**6)).encode()
    header = sign(KEY.encode(), body, int(time.time()))
    chunks = (body[place : place + 65_536] for place in range(0, len(body), 65_536))
    return [listener.post(body)[0], listener.post(chunks, signature=header)[0]]  # type: ignore[arg-type]


def test_every_acknowledged_event_is_in_landing_exactly_once_whatever_is_killed(listener):
    listener.start()
    load = Load(listener)
    load.start()
    for kill in range(1, KILLS + 1):
        load.wait_for(EVENTS * kill // (KILLS + 1))
        acknowledged = list(load.acknowledged)
        listener.stop(signal.SIGKILL)
        on_disk = landed(listener.landing)
        assert len(acknowledged) >= EVENTS * kill // (KILLS + 1)
        assert {one: len(on_disk[one]) for one in acknowledged} == dict.fromkeys(acknowledged, 1)
        listener.start()
    load.finish()
    assert too_large(listener) == [413, 413]
    assert listener.stop(signal.SIGTERM) == 0

    assert load.lost_answers >= KILLS  # each kill really met requests on their way
    assert load.duplicates > 0
    assert set(load.forgeries) == {401}
    on_disk = landed(listener.landing)
    assert set(on_disk) == set(load.acknowledged)
    assert len(load.acknowledged) == EVENTS
    assert {len(arrivals) for arrivals in on_disk.values()} == {1}
    _assert_loaded(listener.landing, on_disk, load)


def _assert_loaded(landing: Path, on_disk: dict[str, list[str]], load: Load) -> None:
    contracts = load_contracts()
    first = min(load.first_sent.values()).date()
    end = max(load.acknowledged.values()).date() + timedelta(days=1)
    midnights = [datetime.combine(day, datetime.min.time()) for day in (first, end)]
    window = Window(first, end, *midnights)
    known: dict[str, datetime] = {}
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        create_raw_tables(connection, contracts)
        for table in PATHS:
            mapping = own_mapping(contracts, first, None).tables[table]
            report = load_table(connection, contracts[table], mapping, landing, window, window.known_before)
            assert (report.rows_quarantined, report.status) == (0, "loaded")
            rows = connection.execute(f"select row_key, known_from from raw.{table} where known_to is null").fetchall()
            assert len(rows) == report.rows_loaded
            known |= dict(rows)
    assert known == {one: datetime.fromisoformat(at[0].removesuffix("Z")) for one, at in on_disk.items()}
    # Arrival is the instant of storing: after the first sending, before the acknowledgement.
    assert all(load.first_sent[one] <= at <= load.acknowledged[one] for one, at in known.items())


def test_idle_and_slow_clients_lose_their_place_and_hold_up_nobody(listener):
    listener.start()
    silent = [socket.create_connection(("127.0.0.1", listener.port), timeout=PATIENCE_S) for _ in range(20)]
    for number, one in enumerate(silent[10:]):
        one.sendall(b"POST /v1/job-alerts HTTP/1.1\r\nHost: x\r\n" if number % 2 else b"P")
    slow = socket.create_connection(("127.0.0.1", listener.port), timeout=PATIENCE_S)
    header = sign(KEY.encode(), b"{}", int(time.time()))
    slow.sendall(b"POST /v1/job-alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                 + f"{HEADER}: {header}\r\n\r\n{{".encode())
    assert listener.post(json.dumps(event("people_job_alerts", 1)).encode())[0] == 200
    for one in silent:
        with contextlib.suppress(ConnectionResetError):
            assert one.recv(1000) == b""
        one.close()
    assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
    slow.close()
    assert listener.post(json.dumps(event("people_job_alerts", 2)).encode())[0] == 200
    assert set(landed(listener.landing)) == {"J1", "J2"}


def test_a_stop_answers_what_it_has_begun(listener):
    """A request whose body is still on its way when the signal comes is stored and acknowledged."""
    listener.start()
    body = json.dumps(event("people_job_alerts", 1)).encode()
    header = sign(KEY.encode(), body, int(time.time()))
    with socket.create_connection(("127.0.0.1", listener.port), timeout=PATIENCE_S) as begun:
        begun.sendall(f"POST /v1/job-alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{HEADER}: {header}"
                      f"\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert begun.recv(1000).startswith(b"HTTP/1.1 100 ")  # the listener is waiting for the body now
        assert listener.process is not None
        listener.process.send_signal(signal.SIGINT)
        begun.sendall(body)
        assert begun.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert listener.process.wait(PATIENCE_S) == 0
    assert set(landed(listener.landing)) == {"J1"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"EXPANSION_WEBHOOK_SECRETS": ""}, "no signing key"),
        ({"EXPANSION_WEBHOOK_SECRETS": "too short"}, "fewer than 16 bytes"),
        ({"EXPANSION_SOURCES": "examples/ravenstack"}, "maps none of the tables"),
    ],
)
def test_a_listener_that_cannot_work_says_so_in_one_line(listener, variables, message):
    listener.variables = variables
    with pytest.raises(AssertionError, match=f"^error: [^\n]*{message}[^\n]*\n$"):
        listener.start()
    assert listener.process is not None
    assert listener.process.returncode == 1


def test_a_folder_has_one_listener(listener):
    listener.start()
    second = Listener(listener.landing)
    second.log = listener.log.with_name("second.log")
    with pytest.raises(AssertionError, match=r"^error: another listener writes to [^\n]*\n$"):
        second.start()


def test_the_example_of_the_readme_works(listener):
    listener.start()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [example] = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "v1/job-alerts" in code]
    assert len(example.strip().splitlines()) <= 6
    code = example.replace("http://127.0.0.1:8400", f"http://127.0.0.1:{listener.port}")
    run: Callable[[], str] = lambda: subprocess.run(  # noqa: E731
        [sys.executable, "-c", code], env=os.environ | {"EXPANSION_WEBHOOK_SECRET": KEY}, check=True, text=True,
        capture_output=True, timeout=PATIENCE_S,
    ).stdout
    assert '"accepted": 1' in run()
    assert '"duplicates": 1' in run()
    assert len(landed(listener.landing)) == 1
