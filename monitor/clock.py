"""Where time comes from, how long to wait before the next attempt, and how times are worded and read."""

import random
import re
import time
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import time as day_time
from functools import cache
from pathlib import Path
from typing import Protocol

TICK_S = 0.25
"""How often time passes for events and rules while no sound comes. Longer: a sensor turns OFF late;
shorter: the decider wakes for nothing."""
CLOCK_JUMP_S = 10.0
"""Time that runs back, or between two ticks forth, by more than this means that the clock was set, or that
the machine slept. Chosen: a segment lasts 10 s at most by default, so that a source lags by less."""
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""When a recording's first sample counts as heard: results must not depend on when they are computed."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Linux: another one after every start of the machine, which is when the monotonic clock begins anew."""


class Clock(Protocol):
    """Wall-clock and monotonic time. All may be called from any thread."""

    @property
    def boot(self) -> str:
        """Since which start of the machine the monotonic clock counts; empty where that is not known."""

    def now(self) -> datetime:
        """The current time, aware, in UTC. May jump when the system clock is set."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never jumps."""


class SystemClock:
    """The machine's own clocks."""

    @property
    def boot(self) -> str:
        return _boot()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


@cache
def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def instant(text: str) -> datetime:
    """A point in time that was written down, ISO 8601. Raises ValueError, also where its zone is missing: it
    could not be compared with any other."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no zone")
    return at


def to_us(at: datetime) -> int:
    """Microseconds since 1970: exact, and sorts."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """The time that `to_us` was given."""
    return _EPOCH + timedelta(microseconds=us)


class Backoff:
    """Doubling waits between two bounds. The jitter keeps ten cameras from knocking together; what only we
    ask needs none. One thread."""

    def __init__(
        self, first_s: float, longest_s: float, rng: random.Random | None = None, *, jitter: float = 0.2
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._jitter = jitter
        self._next_s = first_s
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, guards nothing

    def next_s(self) -> float:
        """The wait before the coming attempt; the one after it will be longer."""
        wait_s = self._next_s
        self._next_s = min(self._next_s * 2, self._longest_s)
        return wait_s * self._rng.uniform(1 - self._jitter, 1 + self._jitter)

    def reset(self) -> None:
        """It worked: begin again with the shortest wait."""
        self._next_s = self._first_s


class Attempts:
    """When something that failed may be tried again, after waits of a `Backoff`. `due` from any thread, the
    rest from one."""

    def __init__(self, clock: Clock, first_s: float = 1.0, longest_s: float = 30.0) -> None:
        self._clock = clock
        self._backoff = Backoff(first_s, longest_s)
        self._retry_at_s = -float("inf")
        self._failed = 0

    def due(self) -> bool:
        """Whether the next attempt may begin."""
        return self._clock.monotonic_s() >= self._retry_at_s

    def failed(self) -> bool:
        """Note a failure; true for the first since it last worked."""
        self._retry_at_s = self._clock.monotonic_s() + self._backoff.next_s()
        self._failed += 1
        return self._failed == 1

    def worked(self) -> int:
        """Note a success, and return how many attempts failed before it."""
        self._backoff.reset()
        failed, self._failed = self._failed, 0
        return failed


def next_at(
    after: datetime, at: day_time, weekday: int | None = None, zone: tzinfo | None = None
) -> datetime:
    """The first moment after `after` at which the wall clock of a zone (None: the machine's own) shows `at`,
    on any day or on a weekday (Monday is 0); UTC. Where the clocks change it comes once a day all the same: a
    time that is left out comes an hour later, and of one that comes twice the first counts.

    >>> from zoneinfo import ZoneInfo
    >>> sunday = datetime.fromisoformat("2026-03-29T00:00+00:00")
    >>> next_at(sunday, time_of_day("2:30"), zone=ZoneInfo("Europe/Berlin")).isoformat()
    '2026-03-29T01:30:00+00:00'
    """
    day = after.astimezone(zone).date()
    for later in range(9):
        moment = datetime.combine(day + timedelta(later), at, zone).astimezone(UTC)
        if moment > after and (weekday is None or (day + timedelta(later)).weekday() == weekday):
            return moment
    raise AssertionError("a week has every weekday")


_UNITS = ((2 * 86_400, 86_400, "days"), (2 * 3600, 3600, "hours"), (60, 60, "minutes"))
"""From how many seconds on a unit is used, its length in seconds, its name."""


def length_in_words(seconds: float) -> str:
    """A length of time for the eye and for the ear, in one unit.

    >>> [length_in_words(seconds) for seconds in (40, 60, 5400, 8000, 200_000)]
    ['40 seconds', '1 minute', '90 minutes', '2 hours', '2 days']
    """
    count, name = unit_of(seconds)
    return f"{count} {name.removesuffix('s') if count == 1 else name}"


def unit_of(seconds: float) -> tuple[int, str]:
    """The same as a number and its unit, which is one of seconds, minutes, hours and days."""
    unit_s, name = next((unit[1:] for unit in _UNITS if seconds >= unit[0]), (1, "seconds"))
    return round(seconds / unit_s), name


_TIME_OF_DAY = re.compile(r"(\d{1,2})(?::(\d\d)(?::(\d\d))?)?")
_ZONED = re.compile(r"\d\d:\d\d\S*(?:Z|\+\d\d:?\d\d)", re.IGNORECASE)
_MIDNIGHT = ("24", "24:00")


def time_of_day(text: str) -> day_time:
    """`HH:MM`, or the hour alone; `24:00` is midnight. Raises ValueError with the fix.

    >>> [time_of_day(text).isoformat() for text in ("22:00", "7", "24:00")]
    ['22:00:00', '07:00:00', '00:00:00']
    """
    found = _read(text)
    if found is None:
        raise ValueError(_wrong(text, "05:30"))
    return found


def span_of_day(text: str) -> tuple[day_time, day_time]:
    """Begin and end of `HH:MM-HH:MM`; the end may lie on the next day. Raises ValueError with the fix."""
    parts = [_read(part) for part in re.split("[-\N{EN DASH}]", text)]
    begin, end = parts if len(parts) == 2 else (None, None)
    if begin is None or end is None:
        raise ValueError(_wrong(text, "22:00-07:00"))
    if begin == end:
        raise ValueError(f"{text!r} is empty; leave `between` out for the whole day")
    return begin, end


def written(at: day_time) -> str:
    """As it is kept and shown."""
    return at.isoformat() if at.second else at.isoformat("minutes")


def _read(text: str) -> day_time | None:
    if text.strip() in _MIDNIGHT:
        return day_time(0)
    match = _TIME_OF_DAY.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second = map(int, match.groups(default="0"))
    try:
        return day_time(hour, minute, second)
    except ValueError:
        return None


def _wrong(text: str, example: str) -> str:
    if _ZONED.search(text):
        return f'{text!r} names a zone; local time is meant: write for example "{example}"'
    return f'{text!r} is not a time of day; write for example "{example}"'
