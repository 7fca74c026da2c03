"""The thread and the memory of escalation: what is open also waits in the outbox, under a channel of its own,
and so survives a kill -9."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Self

from monitor.clock import Clock
from monitor.delivery.base import Addressed, Outbox
from monitor.delivery.escalation import Call, Escalation, Unanswered
from monitor.logs import get_logger
from monitor.schema import ESCALATION_CHANNEL
from monitor.types import Alert, SoundEvent

log = get_logger()

MANY = 1000


class Escalator:
    """Puts events and alerts into the outbox for whoever is to hear them, and passes an alert on while nobody
    answers.

    `always` are the channels that get all of them, `channels` the outbox channels of each notifier. Methods
    may be called from any thread; its own is named `escalate`.
    """

    def __init__(
        self,
        outbox: Outbox,
        always: Sequence[str],
        channels: Mapping[str, Sequence[str]],
        failed: Callable[[BaseException], None],
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._always = tuple(always)
        self._channels = channels
        self._failed = failed
        self._clock = clock
        self._escalation = Escalation()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="escalate", daemon=True)

    def __enter__(self) -> Self:
        """Take up what an earlier run left open."""
        self.resume()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def resume(self) -> None:
        """Take up what an earlier run left open, at the start or when a slow disk has given it."""
        with self._changed:
            now_s = self._clock.monotonic_s()
            for entry in self._outbox.waiting(ESCALATION_CHANNEL, limit=MANY):
                if isinstance(entry.message, Alert):
                    self._escalation.resumed(entry.message, now_s, entry.waited_s)
            self._changed.notify_all()

    def put_all(self, messages: Sequence[SoundEvent | Alert]) -> None:
        """Put messages into the outbox, together, for everybody who is to get them now. Never raises for
        a disk or a network. An acknowledgement finds them there or not yet raised, never in between."""
        with self._changed:
            self._outbox.put_all([one for each in messages for one in self._addressed(each)])
            self._changed.notify_all()

    def acknowledge(self, alert_id: str | None) -> frozenset[str]:
        """Somebody has heard the alert, or all of them: the ids of the alerts whose calls that ended."""
        with self._changed:
            ids = self._escalation.acknowledge(alert_id, self._clock.monotonic_s())
            self._close(ids)
            self._changed.notify_all()
        return ids

    def _addressed(self, message: SoundEvent | Alert) -> list[Addressed]:
        """The message with everybody who gets it now, and what is kept because of it."""
        now_s = self._clock.monotonic_s()
        if isinstance(message, SoundEvent):
            known = self._escalation.ended(message, now_s) if message.ended_at is not None else []
            return [(message, self._always), *((alert, [ESCALATION_CHANNEL]) for alert in known)]
        alert = replace(message, update=not self._escalation.rings(message, now_s))
        notifiers = self._escalation.raised(alert, now_s)
        waits = [ESCALATION_CHANNEL] if self._escalation.is_open(alert) else []
        return [(alert, [*self._always, *self._of(notifiers), *waits])]

    def _run(self) -> None:
        try:
            with self._changed:
                while not self._stopping:
                    self._changed.wait(self._call_whoever_is_due())
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _call_whoever_is_due(self) -> float | None:
        """Seconds until somebody else is; None while nothing is open."""
        now_s = self._clock.monotonic_s()
        while steps := self._escalation.due(now_s):
            for step in steps:
                self._take(step)
        due_s = self._escalation.next_due_s()
        return None if due_s is None else due_s - now_s

    def _take(self, step: Call | Unanswered) -> None:
        if isinstance(step, Call):
            log.warning(
                "nobody has acknowledged; the next is notified", rule=step.alert.rule, notifier=step.notifier
            )
            # Stored again, with the notifiers that had it: a restart continues here and not at the first.
            self._outbox.put(step.alert, [*self._of([step.notifier]), ESCALATION_CHANNEL])
        else:
            log.warning("everybody was notified and nobody has acknowledged", rule=step.rule)
            self._close(step.ids)

    def _close(self, ids: frozenset[str]) -> None:
        now = self._clock.now()
        for entry in self._outbox.waiting(ESCALATION_CHANNEL, limit=MANY) if ids else ():
            if entry.message.id in ids:
                self._outbox.release(entry, now)

    def _of(self, notifiers: Sequence[str]) -> list[str]:
        return [channel for notifier in notifiers for channel in self._channels.get(notifier, ())]
