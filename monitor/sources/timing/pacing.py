"""Sound that is there at once, handed out as slowly as it would be heard."""

from threading import Event

from monitor.clock import Clock
from monitor.sources.base import PIECE_S


class Pacer:
    """Waits until a stretch of sound would have been heard. One thread waits; `stopped` from any thread."""

    def __init__(self, clock: Clock, stopped: Event, *, realtime: bool) -> None:
        self._clock = clock
        self._stopped = stopped
        self._realtime = realtime
        self._started_s = clock.monotonic_s()
        self._heard_s = 0.0
        self._due_s = 0.0

    def wait(self, duration_s: float) -> bool:
        """Let `duration_s` more be heard: whether to go on. In real time, once a piece, it waits until the
        whole piece would have been heard."""
        self._heard_s += duration_s
        if not self._realtime or self._heard_s <= self._due_s:
            return not self._stopped.is_set()
        self._due_s = self._heard_s - duration_s + PIECE_S
        return not self._stopped.wait(max(0.0, self._started_s + self._due_s - self._clock.monotonic_s()))
