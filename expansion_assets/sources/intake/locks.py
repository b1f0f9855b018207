"""Locks on a landing folder, held by the operating system: they fall with the process, however it ends.

Belongs here: who may append, and a pause for those who rewrite. Does not belong here: what is written.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expansion_assets.sources.intake import IntakeError

LISTENER_LOCK = ".intake.lock"
APPEND_LOCK = ".intake.append.lock"
_POLL_S = 0.005


@contextmanager
def one_listener(landing: Path) -> Iterator[None]:
    """Be the only listener of a landing folder: two would not know what the other has stored.

    Raises:
        IntakeError: another one runs.
    """
    with _locked(landing / LISTENER_LOCK, 0) as is_mine:
        if not is_mine:
            raise IntakeError(f"another listener writes to {landing}")
        yield


@contextmanager
def appends_paused(landing: Path, wait_s: float = 5.0) -> Iterator[None]:
    """Hold while landing files must not grow: the listener itself for each write, and whoever rewrites a file.

    The listener notices a file that was replaced and goes on with the new one, so a rewrite under this lock
    (read, write beside, rename) loses no event.

    Raises:
        TimeoutError: somebody else has held it for ``wait_s`` seconds.
    """
    with _locked(landing / APPEND_LOCK, wait_s) as is_mine:
        if not is_mine:
            raise TimeoutError(f"{landing / APPEND_LOCK} has been held for over {wait_s:g} s")
        yield


@contextmanager
def _locked(path: Path, wait_s: float) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        yield _wait_for(handle, wait_s)
    finally:
        os.close(handle)


def _wait_for(handle: int, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        else:
            return True
