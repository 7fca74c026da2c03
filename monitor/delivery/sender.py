"""The thread that carries messages from the outbox to one publisher, and notes there what has arrived."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, Self

from monitor.clock import Clock
from monitor.delivery.base import Entry, Outbox
from monitor.errors import PublishError
from monitor.logs import get_logger
from monitor.publishers.base import Publisher
from monitor.types import Alert, SoundEvent

log = get_logger()

WINDOW = 40
"""Messages that may be on their way to one publisher: twice what a broker takes at once, so that it never
waits for us. Bounds the memory that a slow broker costs."""
POLL_S = 1.0
"""How often a publisher that is not ready is asked again. It also calls: a call missed costs a second."""
IDLE_S = 30.0
STOP_S = 2.0
MANY = 1000
"""How much of a backlog a choice with a window of one sees at once: the gravest, and of these the oldest."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is published as one message, and the entries that it delivers."""

    message: SoundEvent | Alert
    entries: tuple[Entry, ...]
    late: bool


class Choice(Protocol):
    """Which of the waiting entries go out now, and how they are put together. Pure: it is told the time."""

    window: int
    """Entries that may be in flight; with 1 it is shown all that waits, of very many the gravest, and may
    choose freely."""

    def parcels(self, waiting: Sequence[Entry], now_s: float) -> list[Batch]: ...

    def delivered(self, parcel: Batch, now_s: float) -> None: ...


class InOrder:
    """Everything, in the order of detection, tests last: nothing overtakes, so each source's order holds. A
    backlog of thousands leaves within seconds (docs/guides/alerts.md), too fast for overtaking to help an
    alarm."""

    window = WINDOW

    def parcels(self, waiting: Sequence[Entry], now_s: float) -> list[Batch]:
        """Each entry by itself."""
        tests_last = sorted(
            waiting, key=lambda entry: isinstance(entry.message, Alert) and entry.message.test
        )
        return [Batch(as_of_now(entry), (entry,), entry.late) for entry in tests_last]

    def delivered(self, parcel: Batch, now_s: float) -> None:
        """Nothing to remember."""


def as_of_now(entry: Entry) -> SoundEvent | Alert:
    """The entry's message; an alert older than its rule's `stale_after_s` only informs."""
    return entry.message.aged(entry.waited_s) if isinstance(entry.message, Alert) else entry.message


class Sender:
    """One publisher's deliveries, in a thread of its own named `courier-<publisher>`.

    Entered after its outbox and before its publisher, so that no readiness is missed. Leaving it stops the
    thread within 2 s; what is not acknowledged stays in the outbox. Acknowledgements that arrive later are
    still noted there.
    """

    def __init__(
        self,
        outbox: Outbox,
        publisher: Publisher,
        failed: Callable[[BaseException], None],
        clock: Clock,
        *,
        choice: Choice | None = None,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._failed = failed
        self._clock = clock
        self._choice = choice or InOrder()
        self._channel = publisher.name
        self._lock = threading.Condition()
        self._in_flight: set[int] = set()
        self._from_start = False
        self._wake = threading.Event()
        self._stopping = False
        self._delivered = 0
        self._thread = threading.Thread(target=self._run, name=f"courier-{self._channel}", daemon=True)

    def __enter__(self) -> Self:
        self._publisher.on_ready = self._wake.set
        self._outbox.listen(self._channel, self._wake.set)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            log.warning("still talking to the receiver; what is undelivered is kept", channel=self._channel)

    @property
    def delivered(self) -> int:
        """Messages acknowledged since the start; for the health report."""
        return self._delivered

    @property
    def in_flight(self) -> int:
        """Messages handed over and not acknowledged; for the health report."""
        return len(self._in_flight)

    def settle(self, timeout_s: float, unready_s: float = 0.0) -> bool:
        """Wait until everything has arrived: whether it has. Gives up after `unready_s` if the publisher
        takes nothing by then."""
        with self._lock:
            if not self._lock.wait_for(self._idle, min(unready_s, timeout_s)):
                self._lock.wait_for(
                    lambda: self._idle() or not self._publisher.ready(), timeout_s - unready_s
                )
            return self._idle()

    def _idle(self) -> bool:
        return not self._in_flight and not self._outbox.waiting(self._channel, limit=1)

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.clear()
                settled = self._deliver()
                self._wake.wait(IDLE_S if settled else POLL_S)
        except Exception as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _deliver(self) -> bool:
        """Hand over what can be: False when something had to be left that no call will announce."""
        while self._publisher.ready() and not self._stopping:
            self._look_back()
            waiting = self._waiting()
            if waiting is None:
                return True
            parcels = self._choice.parcels(waiting, self._clock.monotonic_s())
            if not parcels:
                return not waiting
            for parcel in parcels:
                if not self._hand_over(parcel):
                    return False
        return False

    def _look_back(self) -> None:
        """When the house has been away, what it may have lost waits again."""
        since = self._publisher.lost_since()
        if since is None:
            return
        count = self._outbox.rewind(self._channel, since)
        self._from_start = True
        if count:
            log.info("the house was away; alerts it may have lost are sent again", count=count)

    def _waiting(self) -> list[Entry] | None:
        """What may be handed over now; None while enough is on its way and its arrival will wake us."""
        with self._lock:
            room = self._choice.window - len(self._in_flight)
            after = max(self._in_flight, default=0)
        if after == 0:
            self._from_start = False
        elif self._from_start or room < self._choice.window / 2:
            return None
        if self._choice.window > 1:
            return self._outbox.waiting(self._channel, after, room)
        return self._outbox.waiting(self._channel, after, MANY, by_severity=True)

    def _hand_over(self, parcel: Batch) -> bool:
        numbers = {entry.number for entry in parcel.entries}
        with self._lock:
            self._in_flight |= numbers
        try:
            self._publisher.publish(parcel.message, partial(self._arrived, parcel), late=parcel.late)
        except PublishError as error:
            log.debug("not taken; tried again", channel=self._channel, id=parcel.message.id, error=str(error))
            with self._lock:
                self._in_flight -= numbers
            self._from_start = True
            return False
        except Exception:
            # A bug, but of one message: stopping for it would silence the alarms behind it at every start.
            log.exception("cannot be published and is given up", channel=self._channel, id=parcel.message.id)
            self._arrived(parcel)
        return True

    def _arrived(self, parcel: Batch) -> None:
        """Acknowledged: called from any thread. Released before it leaves the window, or it would be found
        waiting and handed over twice."""
        at = self._clock.now()
        for entry in parcel.entries:
            self._outbox.release(entry, at)
        with self._lock:
            self._in_flight -= {entry.number for entry in parcel.entries}
            self._choice.delivered(parcel, self._clock.monotonic_s())
            self._delivered += len(parcel.entries)
            self._lock.notify_all()
        self._wake.set()
