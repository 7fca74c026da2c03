"""Between a library's thread that hears and ours that listens: bounded, and it forgets nothing in silence."""

from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import Generic, TypeVar

from monitor.sources.timing.timekeeper import Instant

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arrival(Generic[T]):
    """A block of sound, when its last sample arrived, and whether blocks before it found the inbox full."""

    block: T
    at: Instant
    follows_gap: bool


class Inbox(Generic[T]):
    """Blocks in order of arrival. Every method may be called from any thread."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._arrivals: deque[Arrival[T]] = deque()
        self._changed = Condition()
        self._gap = False
        self._ended = False
        self._error: Exception | None = None
        self.overflows = 0
        """Blocks that found the inbox full."""

    def put(self, block: T, at: Instant, patience_s: float) -> None:
        """Keep a block. When there is no room for it in that time it is dropped, counted, and the next one
        that is kept follows a gap."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, patience_s):
                self._gap = True
                self.overflows += 1
                return
            if self._ended:
                return
            self._arrivals.append(Arrival(block, at, self._gap))
            self._gap = False
            self._changed.notify_all()

    def end(self, error: Exception) -> None:
        """Nothing more comes: `get` raises this after the last block. The first reason stands."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def close(self) -> None:
        """Close it: `get` returns None from now on."""
        with self._changed:
            self._ended = True
            self._arrivals.clear()
            self._changed.notify_all()

    def get(self, timeout_s: float) -> Arrival[T] | None:
        """The next block, waiting for it; None once closed. Raises what `end` gave, or TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(self._has_news, timeout_s):
                raise TimeoutError
            if self._ended:
                return None
            if self._arrivals:
                self._changed.notify_all()
                return self._arrivals.popleft()
            assert self._error is not None
            raise self._error

    def _has_room(self) -> bool:
        return len(self._arrivals) < self._capacity or self._ended

    def _has_news(self) -> bool:
        return bool(self._arrivals) or self._ended or self._error is not None
