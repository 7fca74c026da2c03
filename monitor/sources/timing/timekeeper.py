"""When live sound was heard: sample counts tied once to the clock, their drift measured and slowly corrected.

Sound can arrive late, never early. So of all arrivals in a window the one with the least delay is the true
one, and its change from window to window is how much faster or slower than our clock the microphone runs.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import linear_regression
from typing import Self

from monitor.clock import Clock

CLOCK_SET_S = 0.5
"""The wall clock moved by more than this against the monotonic one: it was set, not slewed."""
EARLY_S = 0.25
"""Sound that comes this much before its time: older sound had been waiting somewhere."""
LATE_S = 0.5
"""Sound that stays this late for a whole window: samples were lost without a sign."""
SLEW = 0.001
"""Correction of timestamps per second of sound: ten times any crystal's drift, and inaudible to a rhythm."""

_REMEMBERED_WINDOWS = 60
_WINDOWS_FOR_DRIFT = 3


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks."""

    monotonic_s: float
    wall: datetime

    @classmethod
    def of(cls, clock: Clock) -> Self:
        """Now."""
        return cls(clock.monotonic_s(), clock.now())

    def plus(self, seconds: float) -> Self:
        """The moment so much later (or, if negative, earlier)."""
        return type(self)(self.monotonic_s + seconds, self.wall + timedelta(seconds=seconds))


class Timekeeper:
    """Says how the dates of one stretch are to be corrected. Durations and lateness in seconds; pure."""

    def __init__(self, start: Instant, window_s: float) -> None:
        self._window_s = window_s
        self._due = start
        """When the next sample is due, on both clocks, all corrections applied."""
        self._heard_s = 0.0
        self._corrected_s = 0.0
        self._windows: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED_WINDOWS)
        self._open_window_s = 0.0
        self._least_late_s = float("inf")
        self._to_slew_s = 0.0
        self.clock_offset_s = 0.0
        """How late the last window's promptest sound was against its date."""

    @property
    def due(self) -> Instant:
        """When the next sample is heard by our count."""
        return self._due

    def drift_ppm(self, windows: int = _WINDOWS_FOR_DRIFT) -> float | None:
        """How much slower (positive) or faster than our clock the source delivers; None before so many
        windows (2 at least) have been heard."""
        if len(self._windows) < windows:
            return None
        heard_s, late_s = zip(*self._windows, strict=True)
        return linear_regression(heard_s, late_s).slope * 1e6

    def restart_at(self, duration_s: float, arrived: Instant) -> Instant | None:
        """Where a new stretch begins if this sound, just arrived, cannot follow the last; else None."""
        start = arrived.plus(-duration_s)
        late_s = start.monotonic_s - self._due.monotonic_s
        if abs(self._wall_slip_s(start)) > CLOCK_SET_S:
            # By our count where that holds: only the wall clock is another one now.
            return start.plus(-late_s) if late_s >= -EARLY_S else start
        if late_s < -EARLY_S:
            return start
        if self._open_window_s >= self._window_s and self._least_late_s > LATE_S:
            return self._due.plus(self._least_late_s)
        return None

    def _wall_slip_s(self, at: Instant) -> float:
        by_wall_s = (at.wall - self._due.wall).total_seconds()
        return by_wall_s - (at.monotonic_s - self._due.monotonic_s)

    def count(self, duration_s: float, arrived: Instant) -> float:
        """Take note of sound that arrived and follows the last: by how much to date what follows it later."""
        start = arrived.plus(-duration_s)
        self._least_late_s = min(self._least_late_s, start.monotonic_s - self._due.monotonic_s)
        slip_s = self._wall_slip_s(start)
        shift_s = self._slewed(duration_s)
        wall_shift_s = max(-SLEW * duration_s, min(SLEW * duration_s, slip_s))
        self._heard_s += duration_s
        self._open_window_s += duration_s
        self._due = Instant(
            self._due.monotonic_s + duration_s + shift_s,
            self._due.wall + timedelta(seconds=duration_s + shift_s + wall_shift_s),
        )
        if self._open_window_s >= self._window_s and self._least_late_s <= LATE_S:
            self._close_window()
        return shift_s + wall_shift_s

    def skip(self, missing_s: float) -> None:
        """Move on by sound that is known to be missing before the next sound."""
        self._due = self._due.plus(missing_s)
        self._heard_s += missing_s

    def _slewed(self, duration_s: float) -> float:
        step_s = max(-SLEW * duration_s, min(SLEW * duration_s, self._to_slew_s))
        self._to_slew_s -= step_s
        self._corrected_s += step_s
        self._least_late_s -= step_s
        return step_s

    def _close_window(self) -> None:
        self.clock_offset_s = self._to_slew_s = self._least_late_s
        self._windows.append((self._heard_s, self._corrected_s + self._least_late_s))
        self._open_window_s = 0.0
        self._least_late_s = float("inf")
