"""A bounded queue between two threads; when full it drops the oldest least urgent item and counts it."""

import threading
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from monitor.clock import Clock
from monitor.logs import get_logger

T = TypeVar("T")
log = get_logger()


@dataclass(frozen=True, slots=True)
class MailboxFigures:
    """A snapshot of a mailbox for health."""

    waiting: int
    oldest_s: float
    """How long the first item has waited."""
    stuck_s: float
    """How long items have waited while nothing was taken."""
    taken: int
    dropped: int


@dataclass(slots=True)
class _Queued(Generic[T]):
    item: T
    urgency: int
    worth: int
    put_at_s: float
    about: Hashable


class Mailbox(Generic[T]):
    """First in, first out, except for items that may overtake; `put` never blocks. All methods may be called
    from any thread."""

    def __init__(self, name: str, capacity: int, clock: Clock) -> None:
        self._name = name
        self._capacity = capacity
        self._clock = clock
        self._letters: deque[_Queued[T]] = deque()
        self._newest: dict[Hashable, _Queued[T]] = {}
        self._in_hand: list[T] = []
        self._changed = threading.Condition()
        self._closed = False
        self._overflowing = False
        self._taken = 0
        self._taken_at_s = clock.monotonic_s()
        self._dropped = 0

    def put(
        self,
        item: T,
        urgency: int = 0,
        *,
        overtaking: int = 0,
        worth: int | None = None,
        about: Hashable = None,
    ) -> bool:
        """Add `item`; returns False when it, or an older one, was dropped: the oldest of the least `worth`,
        which is the urgency unless it is given. `overtaking`, at most `urgency`: the item goes before the
        items at the end of the queue that are less urgent than this. `about`: an item with an equal `about`
        that still waits is replaced."""
        worth = urgency if worth is None else worth
        with self._changed:
            if about is not None and (waiting := self._newest.get(about)) is not None:
                waiting.item, waiting.urgency = item, max(waiting.urgency, urgency)
                waiting.worth = max(waiting.worth, worth)
                return True
            letter = _Queued(item, urgency, worth, self._clock.monotonic_s(), about)
            self._letters.insert(self._place(overtaking), letter)
            if about is not None:
                self._newest[about] = letter
            fits = len(self._letters) <= self._capacity
            if not fits:
                self._drop_one()
            self._changed.notify()
            return fits

    def take(self, limit: int, timeout_s: float | None = None) -> list[T]:
        """Up to `limit` items, oldest first; waits for the first one. Empty after the time-out, or when
        the mailbox was closed and nothing is left."""
        with self._changed:
            self._in_hand = []
            self._changed.wait_for(lambda: self._letters or self._closed, timeout_s)
            count = min(limit, len(self._letters))
            items = [self._taken_out(self._letters.popleft()) for _ in range(count)]
            if count:
                self._taken += count
                self._taken_at_s = self._clock.monotonic_s()
            if not self._letters and self._overflowing:
                self._overflowing = False
                log.info("fast enough again", queue=self._name, dropped=self._dropped)
            self._in_hand = items
            return items

    def unfinished(self) -> list[T]:
        """What waits, and what was taken last: whoever takes again is done with what it had."""
        with self._changed:
            return [*self._in_hand, *(letter.item for letter in self._letters)]

    def close(self) -> None:
        """Wake whoever waits; what is left can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def finished(self) -> bool:
        """Closed, and nothing is left."""
        with self._changed:
            return self._closed and not self._letters

    def figures(self) -> MailboxFigures:
        """A snapshot for the health message."""
        with self._changed:
            now_s = self._clock.monotonic_s()
            oldest_s = now_s - self._letters[0].put_at_s if self._letters else 0.0
            stuck_s = min(oldest_s, now_s - self._taken_at_s)
            return MailboxFigures(len(self._letters), oldest_s, stuck_s, self._taken, self._dropped)

    def _taken_out(self, letter: _Queued[T]) -> T:
        self._newest.pop(letter.about, None)
        return letter.item

    def _place(self, overtaking: int) -> int:
        """Behind the last one that is not less urgent than that."""
        place = len(self._letters)
        for letter in reversed(self._letters):
            if letter.urgency >= overtaking:
                break
            place -= 1
        return place

    def _drop_one(self) -> None:
        least = min(letter.worth for letter in self._letters)
        for index, letter in enumerate(self._letters):
            if letter.worth == least:
                del self._letters[index]
                self._newest.pop(letter.about, None)
                break
        self._dropped += 1
        if not self._overflowing:
            self._overflowing = True
            log.warning("too slow; the oldest of the least urgent items are dropped", queue=self._name)
