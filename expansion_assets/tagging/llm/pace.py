"""How fast requests leave: one pace for all threads, and pauses that the endpoint asks for.

Belongs here: spacing, what rate-limit headers mean. Does not belong here: retrying (the client does, nobody else).
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

# A sliding window of one second on the other side sees jitter: 3 % of slack spares a refusal that would cost a retry.
_SLACK = 1.03
_LONGEST_PAUSE_S = 120.0
_PAUSE_WITHOUT_HEADER_S = 0.5
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Pacer:
    """Lets one request through every `1 / per_second` seconds, none during a pause; safe between threads."""

    def __init__(
        self, per_second: float | None, now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the endpoint's limit in requests a second; None means that only its pauses hold."""
        self._interval = _SLACK / per_second if per_second else 0.0
        self._now, self._sleep = now, sleep
        self._lock = threading.Lock()
        self._next = self._paused_until = float("-inf")

    def wait(self) -> None:
        """Block until a request may leave."""
        with self._lock:
            slot = max(self._now(), self._next, self._paused_until)
            self._next = slot + self._interval
        while (left := max(slot, self._paused_until) - self._now()) > 0:
            self._sleep(left)

    def heed(self, status: int, headers: Mapping[str, str]) -> None:
        """Pause for all threads when the endpoint says that a limit is reached, or is about to be."""
        pause = pause_seconds(status, headers)
        if pause > 0:
            with self._lock:
                self._paused_until = max(self._paused_until, self._now() + min(pause, _LONGEST_PAUSE_S))


def pause_seconds(status: int, headers: Mapping[str, str]) -> float:
    """Seconds to wait after an answer: `Retry-After` of a refusal, or the reset of a limit with nothing remaining."""
    if status in (429, 503):
        for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
            with suppress(ValueError):  # a date: rare, and the client that retries reads it
                if name in headers:
                    return float(headers[name]) * unit
        return _PAUSE_WITHOUT_HEADER_S
    pauses = [
        _seconds(headers.get(f"x-ratelimit-reset-{limit}", ""))
        for limit in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{limit}") == "0"
    ]
    return max(pauses, default=0.0)


def _seconds(duration: str) -> float:
    """Seconds of OpenAI's "6m0s", "20ms" or "1s"; 0 where it is none."""
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION.findall(duration))
