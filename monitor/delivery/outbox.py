"""The outbox: events and alerts from their detection to their acknowledgement, per channel, on disk.

It works in memory, and a mirror follows on disk (`delivery.mirror`). A message is handed out when it is on
disk, or when the disk has not taken it within 100 ms: an alert waits for no disk that fails, is full or falls
silent. What an earlier run left is read from the disk at the start, or as soon as the disk gives it.

Order: rows are numbered as they are put, and `waiting` hands them out by number, so every channel gets every
source's messages in order. What must not wait behind others says `Entry.urgent`; who may overtake is decided
by whoever delivers, and asks for the gravest where more waits than can be looked at.

Power cuts: an alert is flushed to the disk at once, by a thread of its own. Events and releases are not. The
reasons and the cost are in docs/decisions/outbox-durability.md.
"""

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from monitor.clock import Clock, from_us, to_us
from monitor.delivery import outbox_queries as queries
from monitor.delivery import outbox_tables as tables
from monitor.delivery.base import WHOLE_TOPIC, Addressed, Entry
from monitor.delivery.mirror import Mirror
from monitor.delivery.outbox_bounds import Bounds, OutboxCounts, worth
from monitor.delivery.outbox_queries import ClockReading, OutboxQuery
from monitor.delivery.outbox_tables import LIFE_SAFETY_WORTH, MIGRATIONS, Contents, Transaction
from monitor.errors import StoreError
from monitor.logs import get_logger
from monitor.publishers.base import topic_of
from monitor.store import codec
from monitor.store.database import Database
from monitor.types import Alert, SoundEvent

log = get_logger()
T = TypeVar("T")

KEPT_IS_LATE_AFTER_S = 2.0
"""Waited longer than this before it is handed out: late. Twice what a live one may take."""


class SqliteOutbox:
    """`Outbox` in SQLite. Every method may be called from any thread. A bug in its own reaches `failed`.

    Kept until every channel has released it, for at most `max_age_s`; alerts stay that long after delivery
    too, since a restarting house may ask for them again. Beyond `max_entries` or `max_bytes` of messages the
    least severe oldest goes first.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        failed: Callable[[BaseException], None],
        *,
        max_age_s: float = 7 * 86400.0,
        max_entries: int = 10_000,
        max_bytes: int = 64 * 2**20,
        retry_s: float = 10.0,
        found_late: Callable[[Sequence[SoundEvent]], None] | None = None,
    ) -> None:
        self._clock = clock
        self._bounds = Bounds(max_age_s, max_entries, max_bytes)
        self._mirror = Mirror(path, clock, self._meet, failed, retry_s)
        self._memory = Database(None, MIGRATIONS, clock)
        self._lock = threading.RLock()
        self._putting = threading.Lock()
        self._below = WHOLE_TOPIC
        self._first_number = 0
        self._has_met = self._is_entered = False
        self._found_late = found_late
        self._closed = False
        self._wakes: dict[str, list[Callable[[], None]]] = {}
        self.left_going_on: list[SoundEvent] = []
        """Events that an earlier run began and could not end, in their last state; known after `__enter__` if
        the disk answered by then, else `found_late` gets them. They come again at the next start unless their
        end has been put."""

    def __enter__(self) -> Self:
        """Open, within 3 s; never raises for a disk."""
        self._memory.__enter__()
        self._mirror.__enter__()
        with self._lock:
            if not self._has_met:
                # Above any number that a file could hold that was not read: they cannot be mixed up later.
                self._change(lambda ledger: tables.number_from(ledger.connection, to_us(self._clock.now())))
            self._first_number = self._ask(queries.next_number)
            self._change(lambda ledger: self._bounds.keep(ledger, self._now()))
            self.left_going_on = self._ask(lambda connection: queries.going_on(connection, codec.VERSION))
            self._is_entered = True
        return self

    def __exit__(self, *exc: object) -> None:
        """Close. A receiver that answers after this is not heard: what it has taken is delivered again."""
        with self._lock:
            self._closed = True
        self._mirror.__exit__()
        self._memory.__exit__()

    @property
    def durable(self) -> bool:
        """Whether messages are being kept on disk; for the health report."""
        return self._mirror.keeps

    def is_durable(self) -> bool:
        """`durable`, to be handed on."""
        return self.durable

    @property
    def counts(self) -> OutboxCounts:
        """Messages given up, by reason; for the health report."""
        return self._bounds.counts

    def look(self) -> None:
        """Log it when the disk has stopped answering; to be called every second."""
        self._mirror.look()

    def settle(self, within_s: float) -> bool:
        """Wait until the disk has everything, or has failed and is not due to be tried: whether it is so."""
        return self._mirror.settle(within_s)

    def put(self, message: SoundEvent | Alert, channels: Sequence[str]) -> None:
        """See `Outbox`. Safe from kill -9 when it returns, a fraction of a millisecond later; where the disk
        is slow it returns after 100 ms all the same. An alert is safe from a power cut as soon as the disk
        has flushed it, which begins at once."""
        self.put_all([(message, channels)])

    def put_all(self, messages: Sequence[Addressed]) -> None:
        """See `Outbox`. One transaction: on a busy machine a thread waits for its turn at every statement."""
        # An event that nobody gets counts, too: after a kill -9 its end goes into the history all the same.
        kept = [one for one in messages if one[1] or isinstance(one[0], SoundEvent)]
        if not kept:
            return
        flush = any(isinstance(message, Alert) for message, _ in kept)
        with self._putting, self._unseen():
            self._mirror.wait(self._change(lambda ledger: self._insert(ledger, kept), flush=flush))
        for channel in {channel for _, channels in kept for channel in channels}:
            self._wake(channel)

    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """See `Outbox`."""
        with self._lock:
            self._wakes.setdefault(channel, []).append(wake)

    def waiting(
        self,
        channel: str,
        limit: int = 100,
        *,
        skip: Collection[int] = (),
        skip_topics: Mapping[str, int] | None = None,
        topic: str | None = None,
        by_severity: bool = False,
    ) -> list[Entry]:
        """See `Outbox`. What a newer version wrote is left for it; what cannot be read is given up."""
        look = queries.most_severe if by_severity else queries.waiting
        skipped = dict(skip_topics or {})
        while True:
            wanted = OutboxQuery(channel, codec.VERSION, limit, tuple(skip), skipped, topic, self._below)
            found = self._ask(lambda connection, wanted=wanted: look(connection, wanted, self._now()))  # type: ignore[misc]
            entries = [entry for row in found if (entry := self._entry(channel, row)) is not None]
            if entries or not found:  # else all of them were given up
                return entries

    def release(self, entry: Entry, at: datetime) -> None:
        """See `Outbox`. Releasing twice is harmless."""
        channel, number = entry.channel, entry.number
        with self._lock:
            if self._closed:
                return
            if isinstance(entry.message, Alert):
                self._change(lambda ledger: tables.delivered(ledger, channel, number, to_us(at)))
            else:
                self._change(lambda ledger: tables.forget(ledger, channel, number))

    def rewind(self, channel: str, since: datetime) -> int:
        """See `Outbox`."""
        counts: list[int] = []
        self._change(lambda ledger: counts.append(tables.again(ledger, channel, to_us(since))))
        return counts[0]

    def backlog(self) -> dict[str, int]:
        """Messages that wait, by channel; for the health report."""
        return self._ask(queries.backlog)

    @contextmanager
    def _unseen(self) -> Iterator[None]:
        """What is put meanwhile is not handed out before the end: the disk is given its moment."""
        self._below = self._ask(queries.next_number)
        try:
            yield
        finally:
            self._below = WHOLE_TOPIC

    def _meet(self, found: Contents | None) -> Contents | None:
        """In the mirror's thread: take in what the file held, at the start or whenever it can first be read,
        and return what else it is to hold from now on."""
        with self._lock, self._memory.transaction() as connection:
            before = tables.everything(connection)
            if found is not None:
                tables.insert(connection, found)
            self._has_met = True
            self._mirror.begin()
            same = found is not None and not before
            contents = None if same else tables.everything(connection)
            channels = list(self._wakes)
            found_late = self._found_late if found is not None and self._is_entered else None
        for channel in channels:
            self._wake(channel)
        if found is not None and found_late is not None:
            found_late(queries.events(found.going_on, codec.VERSION))
        return contents

    def _wake(self, channel: str) -> None:
        for wake in self._wakes.get(channel, ()):
            wake()

    def _insert(self, ledger: Transaction, messages: Sequence[Addressed]) -> None:
        now = self._now()
        for message, channels in messages:
            detected_at = message.raised_at if isinstance(message, Alert) else message.at
            body = codec.encode(message)
            times_us = (to_us(detected_at), now.wall_us, now.monotonic_us)
            row = (codec.VERSION, worth(message), *times_us, body, now.boot)
            if channels:
                tables.add(ledger, row, channels, topic_of(message))
            if isinstance(message, SoundEvent):
                _note_going_on(ledger, message, body)
        self._bounds.keep_now_and_then(ledger, now, len(messages))

    def _entry(self, channel: str, row: tuple[Any, ...]) -> Entry | None:
        number, worth_kept, detected_at_us, waited_us, ahead_us, body, again = row
        try:
            message = codec.decode(body)
        except ValueError as error:
            self._change(lambda ledger: tables.forget(ledger, channel, number))
            self._say_unreadable(error)
            return None
        waited_s = max(waited_us / 1e6, 0.0)
        age_s = waited_s - ahead_us / 1e6  # below zero while its time has not come
        is_left = number < self._first_number  # of a former run: however it was dated, it waited
        late = bool(again) or is_left or age_s > KEPT_IS_LATE_AFTER_S or message.lag_s > 0
        urgent = worth_kept == LIFE_SAFETY_WORTH
        return Entry(number, channel, message, from_us(detected_at_us), late, waited_s, urgent, again)

    def _say_unreadable(self, error: ValueError) -> None:
        self.counts.unreadable += 1
        if self.counts.unreadable == 1:
            log.warning("a stored message cannot be read and is given up", error=str(error))

    def _change(self, work: Callable[[Transaction], object], *, flush: bool = False) -> int:
        """`work` in one transaction, which the disk is to follow: its number for the mirror's `wait`."""
        with self._lock:
            self._check_open()
            with self._memory.transaction() as connection:
                ledger = Transaction(connection)
                work(ledger)
            return self._mirror.accept(ledger.statements, flush=flush)

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            self._check_open()
            with self._memory.reading() as connection:
                return question(connection)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the outbox is closed")

    def _now(self) -> ClockReading:
        return ClockReading(
            self._clock.boot, round(self._clock.monotonic_s() * 1e6), to_us(self._clock.now())
        )


def _note_going_on(ledger: Transaction, event: SoundEvent, body: str) -> None:
    """In the transaction that keeps the message: what is known to go on is what receivers believe goes on."""
    if event.ended_at is None:
        tables.keep_going_on(ledger, event.id, codec.VERSION, body)
    else:
        tables.end(ledger, event.id)
