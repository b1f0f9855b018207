"""The Dagster UI as a user meets it: started by ``ui``, asked over GraphQL, looked at in headless Chromium.

Belongs here: processes, requests, waiting. Does not belong here: what a test expects.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from expansion_assets.settings import PROJECT_DIR

STARTUP_SECONDS = 120
_PAGE_SECONDS = 90
_CHROMIUM = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1600,1200",
    "--virtual-time-budget=20000",
]
_LOADED = """{ workspaceOrError { ... on Workspace { locationEntries {
  loadStatus locationOrLoadError { __typename } } } } }"""


class Ui:
    """A served UI."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Data of a GraphQL request; an error in the answer raises AssertionError."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def is_loaded(self) -> bool:
        """Whether the one code location has loaded; a location that cannot load raises AssertionError."""
        try:
            entries = self.ask(_LOADED)["workspaceOrError"]["locationEntries"]
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        found = [(entry["loadStatus"], (entry["locationOrLoadError"] or {}).get("__typename")) for entry in entries]
        assert ("LOADED", "PythonError") not in found
        return found == [("LOADED", "RepositoryLocation")]

    def page(self, path: str, folder: Path) -> str:
        """Document of a page once it has settled; its screenshot is ``folder/page.png``."""
        folder.mkdir()
        target = [f"--user-data-dir={folder / 'profile'}", f"--screenshot={folder / 'page.png'}", "--dump-dom"]
        command = [*_CHROMIUM, *target, f"{self.url}{path}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=_PAGE_SECONDS, check=True).stdout


@contextmanager
def started(log: Path, env: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m expansion_assets`` beside the test, in a process group of its own that ends with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "expansion_assets", *arguments], cwd=PROJECT_DIR, env=env, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )
        try:
            yield process
        finally:
            # `dagster dev` leaves children behind when it is asked to end, and ignores SIGTERM in the background.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def served(state: Path, env: dict[str, str]) -> Iterator[Ui]:
    """The UI and daemon on a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log, ui = state / "ui.log", Ui(f"http://127.0.0.1:{port}")
    with started(log, env, "ui", "--port", str(port)) as process:

        def is_up() -> bool:
            assert process.poll() is None, log.read_text()[-3000:]
            return ui.is_loaded()

        wait_until(is_up, STARTUP_SECONDS)
        yield ui


@contextmanager
def held(lock_file: Path) -> Iterator[None]:
    """Hold the run lock of a warehouse, as another run would."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def wait_until(is_done: Callable[[], Any], seconds: float) -> Any:
    """First truthy answer; AssertionError when the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := is_done()):
        assert time.monotonic() < deadline, f"{is_done.__name__}: not within {seconds:.0f} s"
        time.sleep(0.5)
    return found
