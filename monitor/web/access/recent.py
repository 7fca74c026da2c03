"""What was just read of a file, so that a crowd of requests does not ask the disk for each."""

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

from monitor.clock import Clock

FRESH_S = 2.0
"""A file that somebody deletes or replaces meanwhile is noticed so much later."""
MOST = 1000

T = TypeVar("T")


class NotAtOnce(Exception):
    """It would have to be read first, and a disk can hang: ask again in a thread that may wait."""


class Recent:
    """Values for `FRESH_S` after they were read, until `forget`. From any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[Hashable, tuple[float, object]] = {}
        self._turn = 0

    def get(self, name: Hashable, read: Callable[[], T], *, at_once: bool) -> T:
        """The value of that name; as `read` returns it, where it is not known. None is not kept: whoever
        asks for what there is not could push the rest out. Raises NotAtOnce, and what `read` does."""
        with self._lock:
            turn = self._turn
            read_s, value = self._known.get(name, (float("-inf"), None))
        if self._clock.monotonic_s() - read_s < FRESH_S:
            return value  # type: ignore[return-value]
        if at_once:
            raise NotAtOnce
        fresh = read()
        with self._lock:
            # What was read before a change must not be kept after it.
            if turn == self._turn and fresh is not None:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[name] = (self._clock.monotonic_s(), fresh)
        return fresh

    def forget(self) -> None:
        """Everything: something has just changed."""
        with self._lock:
            self._turn += 1
            self._known.clear()
