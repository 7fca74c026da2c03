"""Past a topic that a receiver refuses: what is for it waits in the outbox, and everything else goes on."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol, Self, runtime_checkable

from monitor.delivery.base import Dispatch, Entry, Outbox
from monitor.publishers.base import Publisher
from monitor.types import Alert, House, Message, SoundEvent


@runtime_checkable
class Choosy(Publisher, Protocol):
    """A publisher whose receiver may refuse one topic and take the others."""

    @property
    def refused_topics(self) -> frozenset[str]:
        """What the receiver refuses now. After a while it is asked again."""

    def topic_of(self, message: SoundEvent | Alert) -> str:
        """Where the message is told."""

    def publish(
        self,
        message: Message,
        delivered: Callable[[], None] | None = None,
        *,
        late: bool = False,
        refused: Callable[[], None] | None = None,
    ) -> None:
        """See `Publisher`. Either `delivered` or `refused` is called, the latter once the topic of the
        message is refused: whoever handed it over has it again."""


class Detour:
    """A choosy publisher and its outbox, as its courier sees them. What is refused leaves the courier's
    window, or a few dozen refused events would hold up every alert behind them; and it is not released."""

    def __init__(self, outbox: Outbox, publisher: Choosy) -> None:
        self.name = publisher.name
        self._outbox = outbox
        self._publisher = publisher
        self._giving_back = threading.local()
        self._refused: frozenset[str] = frozenset()
        self._passed = 0
        """All that waits up to this number is refused: thousands of rows need not be read for every alert."""

    # -- the outbox ----------------------------------------------------------------------------------------

    def waiting(
        self, channel: str, after: int = 0, limit: int = 100, *, by_severity: bool = False
    ) -> list[Entry]:
        """See `Outbox`; without what is refused now, and then always the oldest."""
        refused = self._publisher.refused_topics
        if refused != self._refused:
            self._refused, self._passed = refused, 0
        if not refused:
            return self._outbox.waiting(channel, after, limit, by_severity=by_severity)
        found: list[Entry] = []
        is_from_start = after <= self._passed
        after = max(after, self._passed)
        while len(found) < limit and (entries := self._outbox.waiting(channel, after, limit)):
            found += [each for each in entries if self._publisher.topic_of(each.message) not in refused]
            after = entries[-1].number
            if is_from_start and not found:
                self._passed = after
        return found[:limit]

    def release(self, entry: Entry, at: datetime) -> None:
        """See `Outbox`; but what is only given back waits on."""
        if not getattr(self._giving_back, "now", False):
            self._outbox.release(entry, at)

    def put(self, message: SoundEvent | Alert, channels: Sequence[str], detected_at: datetime) -> None:
        """See `Outbox`."""
        self._outbox.put(message, channels, detected_at)

    def put_all(self, dispatches: Sequence[Dispatch]) -> None:
        """See `Outbox`."""
        self._outbox.put_all(dispatches)

    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """See `Outbox`."""
        self._outbox.listen(channel, wake)

    def rewind(self, channel: str, since: datetime) -> int:
        """See `Outbox`."""
        self._passed = 0
        return self._outbox.rewind(channel, since)

    # -- the publisher -------------------------------------------------------------------------------------

    @property
    def on_ready(self) -> Callable[[], None]:
        """See `Publisher`."""
        return self._publisher.on_ready

    @on_ready.setter
    def on_ready(self, call: Callable[[], None]) -> None:
        self._publisher.on_ready = call

    def __enter__(self) -> Self:
        self._publisher.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._publisher.__exit__(*exc)

    def announce(self, house: House) -> None:
        """See `Publisher`."""
        self._publisher.announce(house)

    def ready(self) -> bool:
        """See `Publisher`."""
        return self._publisher.ready()

    def lost_since(self) -> datetime | None:
        """See `Publisher`."""
        return self._publisher.lost_since()

    def publish(
        self, message: Message, delivered: Callable[[], None] | None = None, *, late: bool = False
    ) -> None:
        """See `Publisher`."""
        done = delivered or _nothing
        self._publisher.publish(message, done, late=late, refused=partial(self._give_back, done))

    def _give_back(self, done: Callable[[], None]) -> None:
        """The courier knows one way for a message to leave its window: being done. What it then releases, in
        this thread, is kept."""
        self._giving_back.now = True
        try:
            done()
        finally:
            self._giving_back.now = False


def _nothing() -> None:
    """Nobody wants to know."""
