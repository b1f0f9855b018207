"""How fast requests leave: one pace for all threads, and pauses that the endpoint asks for.

Belongs here: the limit, what rate-limit headers mean. Does not belong here: retrying (the client does, nobody else).
"""

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress

# A sliding window of one second on the other side sees jitter: 3 % of slack spares a refusal that would cost a retry.
_SLACK = 1.03
_LONGEST_PAUSE_S = 120.0
_PAUSE_WITHOUT_HEADER_S = 0.5
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Pacer:
    """Lets through what a limit allows in any stretch of time, and nothing during a pause; safe between threads.

    A log of departures, not a fixed beat: a thread that wakes late costs no turn, for the next may follow closer.
    """

    def __init__(
        self, per_second: float | None, now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the endpoint's limit in requests a second; None means that only its pauses hold."""
        self._most = max(1, int(per_second)) if per_second else 0
        self._stretch = _SLACK * self._most / per_second if per_second else 0.0
        self._closest = self._stretch / (2 * self._most) if self._most else 0.0
        self._now, self._sleep = now, sleep
        self._lock = threading.Lock()
        self._left: deque[float] = deque(maxlen=self._most or 1)
        self._paused_until = float("-inf")

    def wait(self) -> None:
        """Block until a request may leave."""
        while True:
            with self._lock:
                now = self._now()
                free = self._paused_until
                if self._most and self._left:
                    is_full = len(self._left) == self._most
                    free = max(free, self._left[-1] + self._closest, self._left[0] + self._stretch if is_full else free)
                if now >= free:
                    self._left.append(now)
                    return
            self._sleep(free - now)

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
