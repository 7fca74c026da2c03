"""What happens, as it happens: a bounded ring, and one bounded queue for everybody who looks.

`post` is called by the thread that decides; it only remembers, and never waits for a browser or a disk.
"""

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

RING = 2000
"""What somebody who was away for a moment can catch up with; longer absences are read from the history."""
QUEUE = 500
"""What may wait for a slow reader. Beyond it they must start over, and nobody else notices."""


RESET = "reset"
"""The kind of an item that has whoever looks begin anew: they missed too much, or there is a new sound."""


@dataclass(frozen=True)
class FeedItem:
    """One message. `number` rises and is the same after a restart; 0 for states, of which only the latest
    counts and none is posted again."""

    number: int
    kind: str
    data: dict[str, Any]

    @cached_property
    def encoded(self) -> bytes:
        """As an event of a stream (HTML standard, server-sent events); made once for everybody who looks."""
        lines = [f"event: {self.kind}", f"data: {json.dumps(self.data, separators=(',', ':'))}"]
        if self.number:
            lines.insert(0, f"id: {self.number}")
        return ("\n".join(lines) + "\n\n").encode()


class Reader:
    """Somebody who looks. Belongs to the web thread."""

    def __init__(self) -> None:
        self._items: deque[FeedItem] = deque()
        self._wake = asyncio.Event()
        self.overrun = False
        """More came than they took: they must start over."""

    def put(self, item: FeedItem) -> None:
        """One more; the newest of each state is enough."""
        if not item.number:
            self._items = deque(
                other for other in self._items if other.number or _about(other) != _about(item)
            )
        if len(self._items) >= QUEUE:
            self.overrun = True
            self._items.clear()
        self._items.append(item)
        self._wake.set()

    def wake(self) -> None:
        """Return from `take`."""
        self._wake.set()

    async def take(self, timeout_s: float) -> list[FeedItem]:
        """All that waits; nothing after `timeout_s` in which nothing came."""
        try:
            await asyncio.wait_for(self._wake.wait(), timeout_s)
        except TimeoutError:
            return []
        self._wake.clear()
        items = list(self._items)
        self._items.clear()
        return items


class Feed:
    """Everybody who looks, and what they would have missed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._new: deque[FeedItem] = deque(maxlen=QUEUE)
        self._ring: deque[FeedItem] = deque(maxlen=RING)
        self._readers: set[Reader] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_woken = False
        self._last = 0

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return bool(self._readers)

    @property
    def readers(self) -> int:
        """How many look."""
        return len(self._readers)

    def wake_all(self) -> None:
        """Let everybody look at what has changed; in the web thread."""
        with self._lock:
            readers = list(self._readers)
        for reader in readers:
            reader.wake()

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """The loop whose readers are woken; None when it ends."""
        with self._lock:
            self._loop = loop

    def post(self, item: FeedItem) -> None:
        """From any thread: never waits, never raises."""
        with self._lock:
            if item.number:
                self._ring.append(item)
                self._last = max(self._last, item.number)
            if not self._readers or self._loop is None:
                return
            self._new.append(item)
            if self._is_woken:
                return
            self._is_woken = True
            loop = self._loop
        try:
            loop.call_soon_threadsafe(self._hand_out)
        except RuntimeError:  # the loop has just ended
            with self._lock:
                self._is_woken = False

    def since(self, number: int) -> tuple[list[FeedItem], bool]:
        """What was posted after `number`, and whether that is all of it: otherwise the history knows more."""
        with self._lock:
            later = [item for item in self._ring if item.number > number]
            whole = bool(self._ring) and (self._ring[0].number <= number)
        return later, whole

    def join(self) -> Reader:
        """Somebody begins to look; in the web thread."""
        reader = Reader()
        with self._lock:
            self._readers.add(reader)
        return reader

    def leave(self, reader: Reader) -> None:
        """They stop."""
        with self._lock:
            self._readers.discard(reader)

    def _hand_out(self) -> None:
        with self._lock:
            items = list(self._new)
            self._new.clear()
            self._is_woken = False
            readers = list(self._readers)
        for reader in readers:
            for item in items:
                reader.put(item)


def _about(item: FeedItem) -> tuple[Any, ...]:
    """Which state it is."""
    return (item.kind, *(item.data.get(key) for key in ("source", "name", "label")))
