"""The landing side of the listener: appends that survive a kill, and the memory of what was stored.

Belongs here: files of a day, repair after a crash, duplicates. Does not belong here: HTTP, who waits for what.

**What holds.** A commit is one ``write`` of whole lines to a file opened for append, then one ``fsync``; only then are
its events reported as stored. A kill leaves whole lines, or one torn line at the end that nobody was told of: opening a
file cuts that tail. A write or fsync that fails is cut back at once, and the events are reported as not stored.

**Readers.** A reader may meet a line that is still being written. The raw loader reads the file of a day again with
every run of that day and the torn line is whole then; a run of a day that has ended never meets one, because an event
goes to the file of the day in which it arrived. Who cannot live with that takes ``locks.appends_paused``.

**Memory.** What was stored is known by a digest of its content, rebuilt from the landing files at start (no journal
that could disagree with them), newest first up to ``SEEN_LIMIT``. An event sent again after half a million others is
stored again: the loader makes a second version of the same row of it, equal in content. Nothing counts twice.
"""

from __future__ import annotations

import json
import mmap
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from expansion_assets.sources.intake.arrivals import Arrivals
from expansion_assets.sources.intake.events import Feed
from expansion_assets.sources.intake.locks import appends_paused

SEEN_LIMIT = 500_000
"""Digests kept, about 60 MB; thousands of times the alerts of a large book within a sender's three days of retries."""
_STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
_STAMP_BYTES = len("2026-06-30T12:00:00.000000Z")
_IS_STAMP = re.compile(rb"20[0-9]{2}-(?:0[1-9]|1[0-2])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z")


@dataclass(frozen=True)
class Receipt:
    """What became of one request's events; all of them are on disk."""

    accepted: int
    duplicates: int


@dataclass(frozen=True)
class Recovery:
    """What a start found on disk."""

    files: int
    events_known: int
    bytes_cut: int
    lines_not_read: int
    is_clock_plausible: bool


class LandingLog:
    """Stores events; one per landing folder (``locks.one_listener``), used by one thread at a time."""

    def __init__(
        self,
        landing: Path,
        feeds: Sequence[Feed],
        arrivals: Arrivals,
        seen_limit: int = SEEN_LIMIT,
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        """Describe a log; :meth:`recover` comes before the first :meth:`commit`.

        Args:
            landing: Root of the landing files.
            feeds: Kinds of events.
            arrivals: The clock that stamps them.
            seen_limit: Digests kept.
            sync: Makes a file durable; only the benchmark and tests of a failing disk bring another.
        """
        self._landing = landing
        self._feeds = tuple(feeds)
        self._arrivals = arrivals
        self._seen = _Seen(seen_limit)
        self._sync = sync
        self._files: dict[Feed, _DayFile] = {}

    def recover(self) -> Recovery:
        """Cut torn tails and learn what is stored.

        Raises:
            OSError: the folder cannot be read or repaired.
        """
        with appends_paused(self._landing):
            files = [(path, feed) for feed in self._feeds for path in self._landing.glob(feed.file_of("*"))]
            bytes_cut = sum(_cut_torn_tail(path, self._sync) for path, _ in files)
            newest, known, not_read = self._learn(sorted(files, key=lambda file: file[0].stem[-10:], reverse=True))
        is_plausible = newest is None or self._arrivals.continue_after(newest)
        return Recovery(len(files), known, bytes_cut, not_read, is_plausible)

    def _learn(self, newest_first: Iterable[tuple[Path, Feed]]) -> tuple[datetime | None, int, int]:
        newest = b""  # as text: of one width, so that it sorts as time does; parsing half a million took 10 s
        runs: list[deque[bytes]] = []
        room, not_read = self._seen.limit, 0
        for path, feed in newest_first:
            if room <= 0:
                break
            run: deque[bytes] = deque(maxlen=room)
            with path.open("rb") as handle:
                for line in handle:
                    found = _parse_landed(line, feed)
                    if found is None:
                        not_read += 1
                        continue
                    content, stamp = found
                    run.append(_digest(feed, content))
                    newest = max(newest, stamp)
            runs.append(run)
            room -= len(run)
        for run in reversed(runs):
            self._seen.add(run)
        return _time_of(newest), len(self._seen), not_read

    def commit(self, batches: Sequence[tuple[Feed, Sequence[bytes]]]) -> list[Receipt | OSError]:
        """Store the events of several requests with one write and one fsync per feed.

        Args:
            batches: Canonical events (``events.parse_events``) by request.

        Returns:
            Per request its receipt, or the reason why none of its events may be taken as stored.
        """
        try:
            with appends_paused(self._landing):
                return self._commit(batches)
        except OSError as error:
            return [error] * len(batches)

    def _commit(self, batches: Sequence[tuple[Feed, Sequence[bytes]]]) -> list[Receipt | OSError]:
        fresh: dict[bytes, tuple[Feed, bytes]] = {}
        receipts: list[Receipt] = []
        for feed, events in batches:
            before = len(fresh)
            for event in events:
                digest = _digest(feed, event)
                if digest not in self._seen:
                    fresh.setdefault(digest, (feed, event))
            accepted = len(fresh) - before
            receipts.append(Receipt(accepted, len(events) - accepted))
        day, stamps = self._arrivals.take(len(fresh))
        lines: dict[Feed, list[bytes]] = {}
        digests: dict[Feed, list[bytes]] = {}
        for (digest, (feed, event)), stamp in zip(fresh.items(), stamps, strict=True):
            lines.setdefault(feed, []).append(_landed_line(event, feed, stamp))
            digests.setdefault(feed, []).append(digest)
        failed: dict[Feed, OSError] = {}
        for feed in lines:
            try:
                self._file(feed, day).append(b"".join(lines[feed]))
            except OSError as error:
                failed[feed] = error
            else:
                self._seen.add(digests[feed])
        # A duplicate of an event of this very commit stands or falls with it: both are of one feed, hence of one file.
        return [failed.get(feed) or receipt for (feed, _), receipt in zip(batches, receipts, strict=True)]

    def _file(self, feed: Feed, day: date) -> _DayFile:
        path = self._landing / feed.file_of(day.isoformat())
        current = self._files.get(feed)
        if current is None or current.path != path:
            if current is not None:
                current.close()
            current = self._files[feed] = _DayFile(path, self._sync)
        return current

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


class _DayFile:
    """One landing file under append."""

    def __init__(self, path: Path, sync: Callable[[int], None]) -> None:
        self.path = path
        self._sync = sync
        self._handle: BinaryIO | None = None
        self._cut_to: int | None = None

    def append(self, lines: bytes) -> None:
        """Make whole lines durable, or leave the file as it was and raise OSError."""
        handle = self._opened()
        size = os.fstat(handle.fileno()).st_size
        try:
            written = handle.write(lines)
            if written != len(lines):
                raise OSError(f"only {written} of {len(lines)} bytes were written")
            self._sync(handle.fileno())
        except OSError:
            # Dropped in any case: after a failed fsync a file's pages may count as clean.
            self.close()
            self._cut_to = size
            self._cut_back()
            raise

    def _cut_back(self) -> None:
        """Take out what a failed append left; while that fails, too, nothing is appended behind it."""
        if self._cut_to is not None and self.path.stat().st_size > self._cut_to:
            os.truncate(self.path, self._cut_to)
        self._cut_to = None

    def _opened(self) -> BinaryIO:
        if self._handle is not None and _is_same_file(self._handle, self.path):
            return self._handle
        self.close()
        is_new = not self.path.exists()
        if is_new:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        else:
            self._cut_back()
            _cut_torn_tail(self.path, self._sync)
        # Names and addresses of people: not for everybody on the machine.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._handle = os.fdopen(descriptor, "wb", buffering=0)
        if is_new:
            for folder in (self.path.parent, self.path.parent.parent):
                _sync_folder(folder)  # else a power cut could take the file's very name
        return self._handle

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


class _Seen:
    """The newest ``limit`` digests."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._known: set[bytes] = set()
        self._order: deque[bytes] = deque()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._known

    def __len__(self) -> int:
        return len(self._known)

    def add(self, digests: Iterable[bytes]) -> None:
        for digest in digests:
            if digest not in self._known:
                self._known.add(digest)
                self._order.append(digest)
        while len(self._order) > self.limit:
            self._known.discard(self._order.popleft())


def _digest(feed: Feed, event: bytes) -> bytes:
    return blake2b(event, digest_size=16, key=feed.table.encode()).digest()


def _landed_line(event: bytes, feed: Feed, stamp: datetime) -> bytes:
    arrival = f"{json.dumps(feed.loaded_at)}:\"{stamp.strftime(_STAMP)}\"}}\n".encode()
    return event[:-1] + (b"," if event != b"{}" else b"") + arrival


def _parse_landed(line: bytes, feed: Feed) -> tuple[bytes, bytes] | None:
    """The event of a landed line as it was stored, and its stamp; None when it is not a line of ours."""
    opening = f'{json.dumps(feed.loaded_at)}:"'.encode()
    start = len(line) - len(opening) - _STAMP_BYTES - len(b'"}\n')
    if start > 0 and line.startswith(opening, start):
        stamp = line[start + len(opening) : start + len(opening) + _STAMP_BYTES]
        return (line[:start].removesuffix(b",") + b"}", stamp) if _IS_STAMP.fullmatch(stamp) else None
    # Written anew by somebody, in other spacing: as long as it says the same, it is the same event.
    try:
        event = json.loads(line)
        stamp = event.pop(feed.loaded_at).encode()
        text = json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return (text.encode(), stamp) if _IS_STAMP.fullmatch(stamp) else None
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None


def _time_of(stamp: bytes) -> datetime | None:
    try:
        return datetime.strptime(stamp.decode(), _STAMP)
    except ValueError:  # none, or a 31st of February that somebody wrote by hand
        return None


def _is_same_file(handle: BinaryIO, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(handle.fileno())
    return (there.st_ino, there.st_dev) == (mine.st_ino, mine.st_dev)


def _cut_torn_tail(path: Path, sync: Callable[[int], None]) -> int:
    """Cut what follows the last line end, and zero bytes that a power cut leaves; returns the bytes cut."""
    with path.open("r+b") as handle:
        size = os.fstat(handle.fileno()).st_size
        if size == 0:
            return 0
        with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
            end = size
            while end and content[end - 1] == 0:
                end -= 1
            end = content.rfind(b"\n", 0, end) + 1
        if end < size:
            handle.truncate(end)
            sync(handle.fileno())
        return size - end


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
