"""Where time comes from. Only `runtime` and the sources ask; everything else is told."""

import time
from datetime import UTC, datetime
from typing import Protocol

TICK_S = 0.25
"""How often time passes for events and rules while no sound comes. Longer: a sensor turns OFF late;
shorter: the decider wakes for nothing."""


class Clock(Protocol):
    """Wall-clock and monotonic time. Both methods may be called from any thread."""

    def now(self) -> datetime:
        """The current time, aware, in UTC. May jump when the system clock is set."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never jumps."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()
