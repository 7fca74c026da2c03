"""The outbox: events and alerts on disk from their detection to their acknowledgement, per channel.

Everything goes through one SQLite file. When the disk fails (full, read-only, damaged, deleted) what still
waits is carried over into memory, delivery goes on from there, and every
`retry_s` the outbox tries to return.

Order: rows are numbered as they are put, and `waiting` hands them out by number, so every channel gets every
source's messages in order. What must not wait behind others says `Entry.urgent`; who may overtake is decided
by whoever delivers, and asks for the gravest where more waits than can be looked at.

Power cuts: an alert is flushed to the disk at once, by a thread of its own. Events and releases are not:
kill -9 cannot lose them, a power cut can lose the newest events and can bring an acknowledged message back
(receivers drop it by its id). The reasons and the cost are in docs/decisions/outbox-durability.md.
"""

import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from monitor.clock import Clock
from monitor.delivery import outbox_tables as rows
from monitor.delivery.base import Addressed, Entry
from monitor.delivery.outbox_tables import LIFE_SAFETY_WORTH, MIGRATIONS, Contents
from monitor.errors import StoreError
from monitor.labels import SEVERITIES, vocabulary
from monitor.logs import get_logger
from monitor.publishers.base import topic_of
from monitor.store import codec
from monitor.store.database import DamagedStore, Database
from monitor.types import Alert, SoundEvent

log = get_logger()
T = TypeVar("T")

LATE_AFTER_S = 2.0
"""Waited longer than this before it is handed out: said to be late. Twice what a live one may take."""
TEST_WORTH = -1
"""The first to be shed."""
STABLE_S = 60.0
"""A disk that fails again sooner than this after a return is tried less and less often, and so said less."""
LONGEST_RETRY_S = 600.0
ROOM_BYTES = 8 * 2**20
"""What must fit on a disk that failed before it is taken again: twice what the store's log grows to. On the
few blocks that closing the store has freed it would fail again at once."""
_TEND_EVERY = 64
"""Puts between two looks at age and size; the bounds may be overshot by that many rows."""


@dataclass(slots=True)
class OutboxCounts:
    """What happened to messages other than being delivered, since the start."""

    shed: int = 0
    expired: int = 0
    unreadable: int = 0


class SqliteOutbox:
    """`Outbox` in one SQLite file. Every method may be called from any thread.

    Kept until every channel has released it, for at most `max_age_s`; alerts stay that long after delivery
    too, since a restarting house may ask for them again. Beyond `max_entries` or `max_bytes` of messages the
    least severe oldest goes first.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        max_age_s: float = 7 * 86400.0,
        max_entries: int = 10_000,
        max_bytes: int = 64 * 2**20,
        retry_s: float = 10.0,
    ) -> None:
        self._path = path
        self._clock = clock
        self._max_age_s = max_age_s
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._retry_s = retry_s
        self._lock = threading.RLock()
        self._wakes: dict[str, list[Callable[[], None]]] = {}
        self._counts = OutboxCounts()
        self._puts = 0
        self._unflushed = threading.Event()
        self._closing = False
        self._said: set[str] = set()
        self.left_going_on: list[SoundEvent] = []
        """Events that an earlier run began and could not end, as it last told them; known once entered. They
        are known again at the next start unless their end has been put."""
        self._database: Database
        self._durable = False
        self._carried: set[int] = set()
        self._carried_events: set[str] = set()
        self._closed = False
        self._retry_at_s = 0.0
        self._pause_s = retry_s
        self._returned_at_s = -STABLE_S
        self._first_number = 0

    def __enter__(self) -> Self:
        """Open; never raises for a disk."""
        with self._lock:
            try:
                self._database = self._on_disk().__enter__()
                self._durable = True
                self._first_number = self._next_number()
            except StoreError as error:
                self._begin_in_memory(Contents(), error)
                self._first_number = self._next_number()
        self._do(self._tend)
        self.left_going_on = self._going_on()
        self._flusher = threading.Thread(target=self._keep_flushing, name="outbox-flush", daemon=True)
        self._flusher.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Close. A receiver that answers after this is not heard: what it has taken is delivered again."""
        self._closing = True
        self._unflushed.set()
        self._flusher.join()
        with self._lock:
            self._return_to_disk(force=True)
            self._closed = True
            self._database.__exit__()

    @property
    def durable(self) -> bool:
        """Whether messages are being kept on disk; for the health report."""
        return self._durable

    @property
    def counts(self) -> OutboxCounts:
        """Messages given up, by reason; for the health report."""
        return self._counts

    def put(self, message: SoundEvent | Alert, channels: Sequence[str]) -> None:
        """See `Outbox`. Safe from kill -9 when it returns, a fraction of a millisecond later; an alert is
        safe from a power cut as soon as the disk has flushed it, which begins at once."""
        self.put_all([(message, channels)])

    def put_all(self, messages: Sequence[Addressed]) -> None:
        """See `Outbox`. One transaction: on a busy machine a thread waits for its turn at every statement."""
        kept = [(message, channels, self._row(message)) for message, channels in messages if channels]
        if not kept:
            return

        def insert(connection: sqlite3.Connection) -> None:
            for message, channels, row in kept:
                rows.add(connection, row, channels, topic_of(message))
                if isinstance(message, SoundEvent):
                    _note_going_on(connection, message, row[rows.BODY])
            self._tend_now_and_then(connection, len(kept))

        self._do(insert)
        for channel in {channel for _, channels, _ in kept for channel in channels}:
            for wake in self._wakes.get(channel, ()):
                wake()
        if any(isinstance(message, Alert) for message, _, _ in kept):
            self._unflushed.set()

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
        """See `Outbox`. What a newer version wrote is left for it; what cannot be read is given up, said."""
        wanted = rows.Wanted(channel, codec.VERSION, limit, tuple(skip), dict(skip_topics or {}), topic)
        look = rows.most_severe if by_severity else rows.waiting
        found = self._do(lambda connection: look(connection, wanted))
        now = self._clock.now()
        entries = [self._entry(channel, row, now) for row in found]
        readable = [entry for entry in entries if entry is not None]
        if found and not readable:  # those are gone
            return self.waiting(
                channel, limit, skip=skip, skip_topics=skip_topics, topic=topic, by_severity=by_severity
            )
        return readable

    def release(self, entry: Entry, at: datetime) -> None:
        """See `Outbox`. Releasing twice is harmless."""
        channel, number = entry.channel, entry.number
        with self._lock:
            if self._closed:
                return
            if isinstance(entry.message, Alert):
                self._do(lambda connection: rows.delivered(connection, channel, number, _us(at)))
            else:
                self._do(lambda connection: rows.forget(connection, channel, number))

    def rewind(self, channel: str, since: datetime) -> int:
        """See `Outbox`."""
        return self._do(lambda connection: rows.again(connection, channel, _us(since)))

    def backlog(self) -> dict[str, int]:
        """Messages that wait, by channel; for the health report."""
        return self._do(rows.backlog)

    def _going_on(self) -> list[SoundEvent]:
        """The events that are begun and not ended. One that cannot be read is given up."""
        found = []
        for body in self._do(lambda connection: rows.going_on(connection, codec.VERSION)):
            with suppress(ValueError):
                message = codec.decode(body)
                found += [message] if isinstance(message, SoundEvent) else []
        return found

    def _entry(self, channel: str, row: tuple[Any, ...], now: datetime) -> Entry | None:
        number, worth, detected_at_us, put_at_us, put_monotonic_us, body, again = row
        try:
            message = codec.decode(body)
        except ValueError as error:
            self._do(lambda connection: rows.forget(connection, channel, number))
            self._counts.unreadable += 1
            self._say_once("unreadable", "a stored message cannot be read and is given up", error=str(error))
            return None
        ours = number >= self._first_number
        waited_s = self._waited_s(put_at_us, put_monotonic_us, now, ours=ours)
        late = bool(again) or not ours or waited_s > LATE_AFTER_S or message.lag_s > 0
        urgent = worth == LIFE_SAFETY_WORTH
        return Entry(number, channel, message, _time(detected_at_us), late, max(waited_s, 0.0), urgent)

    def _waited_s(self, put_at_us: int, put_monotonic_us: int, now: datetime, *, ours: bool) -> float:
        """Within one run by the monotonic clock. Across restarts by whichever clock makes it younger: the
        wall clock may have been set, and the monotonic one began anew at a boot."""
        monotonic_us = self._monotonic_us()
        since_us = monotonic_us - put_monotonic_us if put_monotonic_us <= monotonic_us else monotonic_us
        return (since_us if ours else min(since_us, _us(now) - put_at_us)) / 1e6

    def _keep_flushing(self) -> None:
        """The thread that waits for the disk, so that nobody else does: alerts of a storm share a flush."""
        while self._unflushed.wait() and not self._closing:
            self._unflushed.clear()
            database = self._database
            try:
                database.flush()
            except StoreError as error:
                self._lose_disk(database, error)

    def _lose_disk(self, database: Database, error: StoreError) -> None:
        with self._lock:
            if self._durable and database is self._database:
                self._carry_over(error)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work` in one transaction, on disk if it can be had, else in memory."""
        with self._lock:
            if self._closed:
                raise StoreError("the outbox is closed")
            self._return_to_disk()
            try:
                with self._database.transaction() as connection:
                    return work(connection)
            except StoreError as error:
                if not self._durable:
                    raise
                self._carry_over(error)
            with self._database.transaction() as connection:
                return work(connection)

    def _carry_over(self, error: StoreError) -> None:
        """Leave the disk: what can still be read of it goes on from memory."""
        contents = rows.salvage(self._database)
        self._database.__exit__()
        self._begin_in_memory(contents, error)

    def _begin_in_memory(self, contents: Contents, error: StoreError) -> None:
        self._durable = False
        self._carried = {row[0] for row in contents.messages}
        self._carried_events = {row[0] for row in contents.going_on}
        now_s = self._clock.monotonic_s()
        steady = now_s - self._returned_at_s >= STABLE_S
        self._pause_s = self._retry_s if steady else min(2 * self._pause_s, LONGEST_RETRY_S)
        self._retry_at_s = now_s + self._pause_s
        self._database = Database(None, MIGRATIONS, self._clock).__enter__()
        # Numbers above any that a file could hold that was not read, so that returning cannot mix them up.
        floor = max([_us(self._clock.now()), *self._carried])
        with self._database.transaction() as connection:
            rows.number_from(connection, floor)
            rows.insert(connection, contents)
        log.warning(
            "history is not being kept: events and alerts wait in memory and are still delivered; "
            "free or repair the disk and it goes on by itself",
            why=str(error),
        )

    def _return_to_disk(self, *, force: bool = False) -> None:
        """Try the disk again when it is time. What was delivered meanwhile is taken out there, what came in
        meanwhile is written, and what could not be read when it failed waits again."""
        if self._durable or (self._clock.monotonic_s() < self._retry_at_s and not force):
            return
        self._retry_at_s = self._clock.monotonic_s() + self._pause_s
        disk = self._on_disk()
        try:
            if not force:
                disk.ask_for_room(ROOM_BYTES)
            disk.__enter__()
            self._write_back(disk)
        except DamagedStore:
            self._set_aside(disk)
        except StoreError:
            disk.__exit__()
        else:
            self._database.__exit__()
            self._database, self._durable = disk, True
            self._returned_at_s = self._clock.monotonic_s()
            log.info("history is being kept again")

    def _write_back(self, disk: Database) -> None:
        with self._database.reading() as memory:
            contents = rows.everything(memory)
        with disk.transaction() as connection:
            rows.erase(connection, self._carried)
            rows.end(connection, self._carried_events)
            rows.insert(connection, contents)
        disk.flush()

    def _set_aside(self, disk: Database) -> None:
        """The file opens but does not hold our tables; the next try begins a new one."""
        try:
            log.warning("the store was damaged; it was set aside", kept_as=str(disk.set_aside()))
        except StoreError as error:
            self._say_once("aside", "the damaged store could not be set aside", why=str(error))

    def _row(self, message: SoundEvent | Alert) -> tuple[Any, ...]:
        detected_at = message.raised_at if isinstance(message, Alert) else message.at
        times_us = (_us(detected_at), _us(self._clock.now()), self._monotonic_us())
        return (codec.VERSION, _worth(message), *times_us, codec.encode(message))

    def _tend_now_and_then(self, connection: sqlite3.Connection, puts: int) -> None:
        self._puts += puts
        if self._puts >= _TEND_EVERY:
            self._puts = 0
            self._tend(connection)

    def _tend(self, connection: sqlite3.Connection) -> None:
        """Keep to the bounds of age and size."""
        self._expire(connection)
        self._shed(connection)

    def _expire(self, connection: sqlite3.Connection) -> None:
        """Age within this run goes by the monotonic clock: a board without a battery-backed clock starts
        years ago, and what it heard before its clock was set must not be taken for old."""
        age_us = round(self._max_age_s * 1e6)
        now_us = _us(self._clock.now())
        numbers = rows.old(connection, self._first_number, self._monotonic_us(), now_us, age_us)
        lost = rows.give_up(connection, numbers)
        if lost:
            self._counts.expired += lost
            log.warning("undelivered messages grew too old and were given up", count=lost)

    def _shed(self, connection: sqlite3.Connection) -> None:
        """Beyond the bounds: delivered ones go first, then the least severe oldest, a tenth more than needed
        so that it is said once and not at every message."""
        count, size = rows.size(connection)
        if count <= self._max_entries and size <= self._max_bytes:
            return
        excess = max(count - 0.9 * self._max_entries, count * (1 - 0.9 * self._max_bytes / size), 1)
        lost = rows.give_up(connection, rows.least_worth(connection, int(excess)))
        if lost:
            self._counts.shed += lost
            log.warning("the outbox is full: the least severe oldest messages were given up", count=lost)

    def _say_once(self, about: str, message: str, **values: object) -> None:
        if about not in self._said:
            self._said.add(about)
            log.warning(message, **values)

    def _on_disk(self) -> Database:
        return Database(self._path, MIGRATIONS, self._clock)

    def _monotonic_us(self) -> int:
        return round(self._clock.monotonic_s() * 1e6)

    def _next_number(self) -> int:
        with self._database.reading() as connection:
            return rows.next_number(connection)


def _note_going_on(connection: sqlite3.Connection, event: SoundEvent, body: str) -> None:
    """In the transaction that keeps the message: what is known to go on is what receivers believe goes on."""
    if event.ended_at is None:
        rows.keep_going_on(connection, event.id, codec.VERSION, body)
    else:
        rows.end(connection, [event.id])


def _worth(message: SoundEvent | Alert) -> int:
    """How much it would hurt to lose it; less than nothing for a test."""
    if isinstance(message, SoundEvent):
        label = vocabulary().get(message.label)
        return SEVERITIES.index(label.severity_default) if label else 0
    if message.test:
        return TEST_WORTH
    if message.is_life_safety:
        return LIFE_SAFETY_WORTH
    return 3 + SEVERITIES.index(message.severity)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _us(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _time(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
