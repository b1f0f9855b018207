"""The pace of requests, on a clock that moves only when somebody sleeps."""

import pytest

from expansion_assets.tagging.llm.pace import Pacer, pause_seconds


class Clock:
    def __init__(self):
        self.at = 0.0

    def now(self):
        return self.at

    def sleep(self, seconds):
        self.at += seconds


def departures(per_second, count, late=()):
    clock = Clock()
    pacer = Pacer(per_second, clock.now, clock.sleep)
    left = []
    for number in range(count):
        clock.at += 0.3 if number in late else 0.0
        pacer.wait()
        left.append(clock.at)
    return left


@pytest.mark.parametrize("late", [(), (25, 26, 60)])
def test_never_more_than_the_limit_in_any_second_and_nearly_all_of_it(late):
    left = departures(20, 200, late)
    assert all(later - earlier > 1 for earlier, later in zip(left, left[20:], strict=False))
    assert left[-1] - left[0] <= 200 / 20 * 1.05, "late departures are caught up with"


def test_a_slow_limit_spaces_single_requests():
    assert departures(0.5, 3) == pytest.approx([0, 2.06, 4.12])


def test_without_a_limit_only_pauses_hold():
    assert departures(None, 5) == [0] * 5
    clock = Clock()
    pacer = Pacer(None, clock.now, clock.sleep)
    pacer.heed(429, {"retry-after": "7"})
    pacer.heed(200, {})
    pacer.wait()
    assert clock.at == 7


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (200, {}, 0), (200, {"retry-after": "9"}, 0), (429, {"retry-after": "9"}, 9),
        (503, {"retry-after": "0.5"}, 0.5),
        (429, {"retry-after-ms": "250", "retry-after": "1"}, 0.25), (429, {}, 0.5),
        (429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.5),
        (200, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        (200, {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}, 0),
        (200, {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        (200, {"x-ratelimit-remaining-tokens": "0"}, 0),
    ],
)
def test_what_an_endpoint_asks_for(status, headers, seconds):
    assert pause_seconds(status, headers) == pytest.approx(seconds)
