"""Who is told next when nobody has said that they have heard.

`Escalation` decides and is plain: it is told the time and what was acknowledged. `Escalator` is its thread
and its memory: what is open also waits in the outbox, under a channel of its own, and so survives a kill -9.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from monitor.clock import Clock
from monitor.delivery.base import Dispatch, Outbox
from monitor.labels import SEVERITIES
from monitor.logs import get_logger
from monitor.types import ESCALATION_CHANNEL, Alert, SoundEvent

log = get_logger()

ACKNOWLEDGED_S = 600.0
"""After an acknowledgement the rule's alerts go to its first notifier only, for this long: somebody is on it,
and a smoke alarm that is still sounding must not call the neighbours every minute."""
TOLD_BEFORE = "told_before"
"""In the grounds of an alert that was passed on: who did not answer."""
MANY = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """A notifier is to be told of an alert."""

    notifier: str
    alert: Alert


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Everybody was told and nobody acknowledged: the incident is closed."""

    rule: str
    ids: frozenset[str]


@dataclass(slots=True)
class _Incident:
    """A rule's alerts that nobody has acknowledged, and how many of its notifiers have been told."""

    gravest: Alert
    wait_s: float
    due_at_s: float
    ids: set[str] = field(default_factory=set)
    told: int = 1


class Escalation:
    """The open alerts of a rule are one incident. Its first alert goes to the rule's first notifier at once,
    and each `escalate_after_s` without an acknowledgement the gravest of them to the next. Alerts that follow
    join the incident and go to whom it has reached; they do not start the wait again, or a storm would put
    off the next in line for ever. A rehearsal is an incident by itself: that somebody has answered it says
    nothing about a fire ten minutes later. An alert without `escalate_after_s` goes to all its notifiers at
    once. Not thread-safe.
    """

    def __init__(self) -> None:
        self._open: dict[str, _Incident] = {}
        self._quiet_until_s: dict[str, float] = {}

    def raised(self, alert: Alert, now_s: float) -> tuple[str, ...]:
        """Whom to tell of this alert now."""
        if alert.escalate_after_s is None or not alert.notify:
            return alert.notify
        if now_s < self._quiet_until_s.get(_incident_of(alert), now_s):
            return alert.notify[:1]
        return alert.notify[: self._join(alert, alert.escalate_after_s, now_s).told]

    def resumed(self, alert: Alert, now_s: float, waited_s: float) -> None:
        """Take up what an earlier run left open: an alert that was raised, or passed on, so long ago. Later
        ones are taken up after earlier ones. Whoever fell due meanwhile is due now."""
        if alert.escalate_after_s is None:
            return
        told = len(alert.why.get(TOLD_BEFORE, ())) + 1
        incident = self._join(alert, alert.escalate_after_s, now_s - waited_s)
        if told > incident.told:
            incident.told, incident.due_at_s = told, now_s - waited_s + incident.wait_s

    def _join(self, alert: Alert, wait_s: float, at_s: float) -> _Incident:
        incident = self._open.setdefault(_incident_of(alert), _Incident(alert, wait_s, at_s + wait_s))
        incident.ids.add(alert.id)
        if _gravity(alert) >= _gravity(incident.gravest):
            incident.gravest = alert
        return incident

    def due(self, now_s: float) -> list[Call | Unanswered]:
        """What follows from nobody having acknowledged; to be asked again until nothing does."""
        late = [incident for incident in self._open.values() if incident.due_at_s <= now_s]
        return [self._pass_on(incident, now_s) for incident in late]

    def acknowledge(self, alert_id: str | None, now_s: float) -> frozenset[str]:
        """Somebody has heard: no more calls for the incident with this alert (None: for any). Returns the ids
        of all its alerts; none when there is no such open incident."""
        answered = [
            key for key, incident in self._open.items() if alert_id is None or alert_id in incident.ids
        ]
        self._quiet_until_s = {key: until for key, until in self._quiet_until_s.items() if until > now_s}
        self._quiet_until_s |= dict.fromkeys(answered, now_s + ACKNOWLEDGED_S)
        return frozenset().union(*(self._open.pop(key).ids for key in answered))

    def is_open(self, alert: Alert) -> bool:
        """Whether this alert waits for an acknowledgement."""
        incident = self._open.get(_incident_of(alert))
        return incident is not None and alert.id in incident.ids

    def next_due_s(self) -> float | None:
        """When `due` will have something to say."""
        return min((incident.due_at_s for incident in self._open.values()), default=None)

    def _pass_on(self, incident: _Incident, now_s: float) -> Call | Unanswered:
        alert = incident.gravest
        if incident.told >= len(alert.notify):
            del self._open[_incident_of(alert)]
            return Unanswered(alert.rule, frozenset(incident.ids))
        told_before = alert.notify[: incident.told]
        incident.told += 1
        incident.due_at_s = now_s + incident.wait_s
        prefix = "" if TOLD_BEFORE in alert.why else "Nobody has answered yet: "
        why = {**alert.why, TOLD_BEFORE: list(told_before)}
        call = replace(alert, message=prefix + alert.message, why=why)
        return Call(alert.notify[len(told_before)], call)


def _incident_of(alert: Alert) -> str:
    return alert.id if alert.why.get("test") else alert.rule


def _gravity(alert: Alert) -> tuple[bool, int]:
    return alert.is_life_safety, SEVERITIES.index(alert.severity)


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
        now_s = self._clock.monotonic_s()
        for entry in self._outbox.waiting(ESCALATION_CHANNEL, limit=MANY):
            if isinstance(entry.message, Alert):
                self._escalation.resumed(entry.message, now_s, entry.waited_s)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def put_all(self, messages: Sequence[SoundEvent | Alert]) -> None:
        """Put messages into the outbox, together, for everybody who is to hear of them now. Never raises for
        a disk or a network. An acknowledgement finds them there or not yet raised, never in between."""
        with self._changed:
            self._outbox.put_all([Dispatch(each, self._whom(each), _detected_at(each)) for each in messages])
            self._changed.notify_all()

    def acknowledge(self, alert_id: str | None) -> int:
        """Somebody has heard the alert, or all of them: how many alerts that settled."""
        with self._changed:
            ids = self._escalation.acknowledge(alert_id, self._clock.monotonic_s())
            self._close(ids)
            self._changed.notify_all()
        log.info("acknowledged", alerts=len(ids))
        return len(ids)

    def _whom(self, message: SoundEvent | Alert) -> list[str]:
        if isinstance(message, SoundEvent):
            return [*self._always]
        notifiers = self._escalation.raised(message, self._clock.monotonic_s())
        waits = [ESCALATION_CHANNEL] if self._escalation.is_open(message) else []
        return [*self._always, *self._of(notifiers), *waits]

    def _run(self) -> None:
        try:
            with self._changed:
                while not self._stopping:
                    self._changed.wait(self._call_whoever_is_due())
        except Exception as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
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
                "nobody has acknowledged; telling the next", rule=step.alert.rule, notifier=step.notifier
            )
            # Kept open once more, with who was told: a restart goes on from here and not from the first.
            self._outbox.put(step.alert, [*self._of([step.notifier]), ESCALATION_CHANNEL], self._clock.now())
        else:
            log.warning("everybody was told and nobody has acknowledged", rule=step.rule)
            self._close(step.ids)

    def _close(self, ids: frozenset[str]) -> None:
        now = self._clock.now()
        for entry in self._outbox.waiting(ESCALATION_CHANNEL, limit=MANY) if ids else ():
            if entry.message.id in ids:
                self._outbox.release(entry, now)

    def _of(self, notifiers: Sequence[str]) -> list[str]:
        return [channel for notifier in notifiers for channel in self._channels.get(notifier, ())]


def _detected_at(message: SoundEvent | Alert) -> datetime:
    return message.raised_at if isinstance(message, Alert) else message.at
