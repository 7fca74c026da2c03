"""The thread that carries messages from the outbox to one publisher, and notes there what has arrived."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

from monitor.clock import Clock
from monitor.delivery.base import Entry, Outbox
from monitor.delivery.refused_topics import RefusedTopics
from monitor.delivery.stuck import Standstill
from monitor.logs import get_logger
from monitor.publishers.base import Delivered, Failed, Publisher, PublishOutcome, Refused
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
"""How much of a backlog a choice with a window of one sees at once: the most severe, and of these the
oldest."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is published as one message, and the entries that it delivers."""

    message: SoundEvent | Alert
    entries: tuple[Entry, ...]
    late: bool


class Choice(Protocol):
    """Which of the waiting entries go out now, and how they are put together. Pure: it is given the time."""

    window: int
    """Entries that may be in flight; with 1 it is shown all that waits, of very many the most severe, and may
    choose freely."""

    def batches(self, waiting: Sequence[Entry], now_s: float) -> list[Batch]:
        """What goes out at this monotonic time, in order; none while it is better to wait."""

    def delivered(self, batch: Batch, now_s: float) -> None:
        """The receiver has acknowledged a batch."""


class InOrder:
    """Everything in the order of the outbox: alerts before events, tests last, and nothing overtakes its
    like, so each source's order holds."""

    window = WINDOW

    def batches(self, waiting: Sequence[Entry], now_s: float) -> list[Batch]:
        """Each entry by itself."""
        tests_last = sorted(
            waiting, key=lambda entry: isinstance(entry.message, Alert) and entry.message.test
        )
        return [Batch(as_of_now(entry), (entry,), entry.late) for entry in tests_last]

    def delivered(self, batch: Batch, now_s: float) -> None:
        """Nothing to remember."""


def as_of_now(entry: Entry) -> SoundEvent | Alert:
    """The entry's message. An alert older than its rule's `stale_after_s` only informs, and one that was
    delivered before says how often."""
    if not isinstance(entry.message, Alert):
        return entry.message
    return replace(entry.message.aged(entry.waited_s), sequence=entry.repeats)


class Sender:
    """One publisher's deliveries, in a thread of its own named `send-<publisher>`.

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
        self._refused = RefusedTopics()
        self.standstill = Standstill(clock)
        self._connections = 0
        self._wake = threading.Event()
        self._stopping = False
        self._delivered = 0
        self._thread = threading.Thread(target=self._run, name=f"send-{self._channel}", daemon=True)

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
            log.warning(
                "the receiver still has not answered; undelivered messages are kept", channel=self._channel
            )

    @property
    def delivered(self) -> int:
        """Messages acknowledged since the start; for the health report."""
        return self._delivered

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
                pause_s = IDLE_S if self._deliver() else POLL_S
                self._wake.wait(self._until_retry_s(pause_s))
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _until_retry_s(self, pause_s: float) -> float:
        with self._lock:
            due_s = self._refused.next_due_s()
        return pause_s if due_s is None else max(0.0, min(pause_s, due_s - self._clock.monotonic_s()))

    def _deliver(self) -> bool:
        """Hand over what can be: False when something had to be left that no call will announce."""
        while not self._stopping:
            if not self._publisher.ready():
                self._stand_still()
                return False
            self._look_back()
            waiting = self._on_trial() or self._waiting()
            if waiting is None:
                return True
            batches = self._choice.batches(waiting, self._clock.monotonic_s())
            if not batches:
                if not self._in_flight:
                    self.standstill.end()  # what waits is held back on purpose
                return not waiting
            for batch in batches:
                if not self._hand_over(batch):
                    return False
        return False

    def _stand_still(self) -> None:
        if self._outbox.waiting(self._channel, limit=1):
            self.standstill.begin()
        elif not self._in_flight:
            self.standstill.end()

    def _look_back(self) -> None:
        """A new connection may take what was refused. When Home Assistant has been away, what it may have
        lost waits again."""
        since, connections = self._publisher.lost_since(), self._publisher.connections
        if since is not None or connections != self._connections:
            self._connections = connections
            with self._lock:
                self._refused.clear()
        if since is None:
            return
        count = self._outbox.rewind(self._channel, since)
        if count:
            log.info("Home Assistant was away; alerts that it may have missed are sent again", count=count)

    def _on_trial(self) -> list[Entry]:
        """One message of each refused topic that is due to be tried again."""
        with self._lock:
            due, skip = self._refused.due(self._clock.monotonic_s()), set(self._in_flight)
        found = []
        for topic in due:
            if first := self._outbox.waiting(self._channel, 1, skip=skip, topic=topic):
                found += first
            else:
                with self._lock:
                    self._refused.forget(topic)
        return found

    def _waiting(self) -> list[Entry] | None:
        """What may be handed over now; None while enough is on its way and its arrival will wake us."""
        with self._lock:
            skip, passed_over = set(self._in_flight), self._refused.passed_over()
        room = self._choice.window - len(skip)
        if skip and room < self._choice.window / 2:
            return None
        narrow = self._choice.window == 1
        return self._outbox.waiting(
            self._channel,
            MANY if narrow else room,
            skip=skip,
            skip_topics=passed_over,
            by_severity=narrow,
        )

    def _hand_over(self, batch: Batch) -> bool:
        """Whether the next may be handed over, too."""
        outcomes: list[PublishOutcome] = []

        def done(outcome: PublishOutcome) -> None:
            outcomes.append(outcome)
            self._note(batch, outcome)

        with self._lock:
            self._in_flight |= {entry.number for entry in batch.entries}
        self.standstill.begin()
        try:
            self._publisher.publish(batch.message, done, late=batch.late)
        except Exception:
            # A bug, but of one message: stopping for it would silence the alarms behind it at every start.
            log.exception("cannot be published and is given up", channel=self._channel, id=batch.message.id)
            self._settle(batch)
            self.standstill.end(more=bool(self._in_flight))
        return not any(isinstance(outcome, Failed) for outcome in outcomes)

    def _note(self, batch: Batch, outcome: PublishOutcome) -> None:
        """What became of a batch; called from any thread."""
        match outcome:
            case Delivered():
                self._settle(batch)
                self.standstill.arrived(batch.message, more=bool(self._in_flight))
            case Refused():
                self._pass_over(batch, outcome)
                self.standstill.refused(batch.message, outcome, more=bool(self._in_flight))
                self._wake.set()
            case Failed(reason):
                log.debug("not taken; tried again", channel=self._channel, id=batch.message.id, reason=reason)
                self.standstill.because(reason)
                self._leave_window(batch)

    def _settle(self, batch: Batch) -> None:
        """Released before it leaves the window, or it would be found waiting and handed over twice."""
        self._release(batch)
        with self._lock:
            self._refused.taken(batch.message)
            self._choice.delivered(batch, self._clock.monotonic_s())
            self._delivered += len(batch.entries)
        self._leave_window(batch)
        self._wake.set()

    def _pass_over(self, batch: Batch, outcome: Refused) -> None:
        oldest = batch.entries[0]
        if outcome.keep_s is not None and oldest.waited_s > outcome.keep_s and not oldest.urgent:
            what = {"channel": self._channel, "id": batch.message.id, "reason": outcome.reason}
            log.warning("given up: it has waited too long", **what)
            self._release(batch)
            with self._lock:
                self._refused.given_up(batch.message, self._clock.monotonic_s())
        else:
            with self._lock:
                for entry in batch.entries:
                    self._refused.refused(entry, self._clock.monotonic_s())
        self._leave_window(batch)

    def _release(self, batch: Batch) -> None:
        at = self._clock.now()
        for entry in batch.entries:
            self._outbox.release(entry, at)

    def _leave_window(self, batch: Batch) -> None:
        with self._lock:
            self._in_flight -= {entry.number for entry in batch.entries}
            self._lock.notify_all()
