"""A circuit breaker: a server that fails again and again is left alone for a while."""

import threading

from monitor.clock import Clock


class Breaker:
    """Leaves a failing server alone: after so many failures in a row every request is refused at once, until
    a single one is let through after `rest_s` to see whether it has come back. From any thread."""

    def __init__(self, failures: int, rest_s: float, clock: Clock) -> None:
        self._limit, self._rest_s, self._clock = failures, rest_s, clock
        self._failures = 0
        self._next_s = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether requests are refused."""
        return self._failures >= self._limit

    def allows(self) -> bool:
        """Whether a request may be made now."""
        with self._lock:
            if not self.is_open:
                return True
            now_s = self._clock.monotonic_s()
            if now_s < self._next_s:
                return False
            self._next_s = now_s + self._rest_s
            return True

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """The server did not answer, or not with sense."""
        with self._lock:
            self._failures += 1
            if self.is_open:
                self._next_s = self._clock.monotonic_s() + self._rest_s
