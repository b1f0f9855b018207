"""Arrival times: when an event became known, and to which day's file it goes.

Belongs here: stamps. Does not belong here: files; what a day is (``clock``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from expansion_assets import clock

TICK = timedelta(microseconds=1)


class Arrivals:
    """Stamps that only grow, so that of two versions of a row the later arrival is the later version.

    The real clock may stand or step back; a stamp is then one microsecond after the last.
    """

    def __init__(
        self,
        timezone: str,
        frozen_day: date | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(tz=UTC),
    ) -> None:
        """Start a clock.

        Args:
            timezone: Workspace time zone; says in which day a stamp falls.
            frozen_day: The day on which *today* stands still (demo world, a data set that has ended): events arrive
                on it, at the real time of day. None is the real calendar.
            now: The real clock, aware.
        """
        self._timezone = timezone
        self._frozen_day = frozen_day
        self._now = now
        self._last = datetime.min

    def continue_after(self, last: datetime) -> bool:
        """Take up after the newest stamp on disk (naive UTC).

        Returns:
            False when that stamp is over a day ahead of our clock: one of both is wrong, and the clock is believed.
        """
        if last > self._present() + timedelta(days=1):
            return False
        self._last = max(self._last, last)
        return True

    def take(self, count: int) -> tuple[date, list[datetime]]:
        """Return the next ``count`` stamps (naive UTC) and the workspace day in which all of them fall.

        The loader looks for a row in the file of its day, so a run of stamps must not cross midnight: it starts there.
        """
        first = max(self._present(), self._last + TICK)
        day = clock.day_of(first, self._timezone)
        if clock.day_of(first + count * TICK, self._timezone) != day:
            first = clock.as_of_end(day, self._timezone)
            day = clock.day_of(first, self._timezone)
        stamps = [first + number * TICK for number in range(count)]
        self._last = stamps[-1] if stamps else self._last
        return day, stamps

    def _present(self) -> datetime:
        now = self._now()
        if self._frozen_day is not None:
            now = datetime.combine(self._frozen_day, now.astimezone(ZoneInfo(self._timezone)).timetz())
        return now.astimezone(UTC).replace(tzinfo=None)
