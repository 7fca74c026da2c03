"""Which notifier is called next when nobody has acknowledged. Plain: it is given the time."""

from dataclasses import dataclass, field, replace

from monitor.labels import DANGERS
from monitor.language.words import say
from monitor.types import Alert, SoundEvent

ACKNOWLEDGED_S = 600.0
"""After an acknowledgement the rule's alerts go to its first notifier only, for this long."""
DANGER_OVER_S = 120.0
"""The acknowledgement of a life danger covers the rooms heard so far until this long after its last sound: an
alarm that pauses must not call the neighbours every minute, and the next fire must."""
LATE_AFTER_S = 2.0
"""Whoever is called so much later than due is called late: nobody passed on while the daemon was away."""
NOTIFIED_BEFORE = "told_before"
"""In the grounds of an alert that was passed on: who did not answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """A notifier is to get an alert."""

    notifier: str
    alert: Alert


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Every notifier had the alert and nobody acknowledged it: the incident is closed."""

    rule: str
    ids: frozenset[str]


@dataclass(slots=True)
class _Unacknowledged:
    """A rule's alerts that nobody has acknowledged, and how many of its notifiers had them."""

    gravest: Alert
    wait_s: float
    due_at_s: float
    ids: set[str] = field(default_factory=set)
    dangers: set[tuple[str, str]] = field(default_factory=set)
    sounding: set[str] = field(default_factory=set)
    """Ids of its life-safety events that have not ended."""
    going_on: set[str] = field(default_factory=set)
    """Ids of all its events that were not seen to end by themselves."""
    over: set[str] = field(default_factory=set)
    """Ids of those that went on when it was raised and fell quiet since."""
    notified: int = 1

    def note(self, alert: Alert) -> None:
        """What its sounds do: one that fell quiet is in an alert that was kept since, and perhaps not yet in
        one that comes after."""
        for event in alert.events:
            if event.id not in self.over and event.ended_at is None:
                self.going_on.add(event.id)
            elif event.ended_by == "quiet" and event.id in self.going_on:
                self.going_on.discard(event.id)
                self.over.add(event.id)

    def quiet(self, event: SoundEvent) -> None:
        """One of its sounds has fallen quiet."""
        self.going_on.discard(event.id)
        self.over.add(event.id)
        events = tuple(event if one.id == event.id else one for one in self.gravest.events)
        self.gravest = replace(self.gravest, events=events)


@dataclass(slots=True)
class _Covered:
    """What an acknowledgement covers."""

    dangers: set[tuple[str, str]]
    sounding: set[str]
    until_s: float

    def covers(self, alert: Alert, now_s: float) -> bool:
        """Whether somebody is on it: no life danger in another room, and not too long ago."""
        return (bool(self.sounding) or now_s < self.until_s) and alert.dangers <= self.dangers


IncidentKey = tuple[str, frozenset[str]]
"""The rule, and which life dangers the alert is about."""


class Escalation:
    """The open alerts of a rule about the same life danger (or about none) are one incident. Its first alert
    goes to the rule's first notifier at once, and each `escalate_after_s` without an acknowledgement the
    gravest of them to the next. Alerts that follow join the incident and go to whom it has reached; they do
    not start the wait again, or a storm would put off the next in line for ever. A later room of an
    acknowledged danger is a new incident. A test goes to the first notifier and is never open. An alert
    without `escalate_after_s` goes to all its notifiers at once. Not thread-safe.
    """

    def __init__(self) -> None:
        self._open: dict[IncidentKey, _Unacknowledged] = {}
        self._acknowledged: dict[IncidentKey, _Covered] = {}

    def raised(self, alert: Alert, now_s: float) -> tuple[str, ...]:
        """The notifiers that get this alert now."""
        if alert.escalate_after_s is None or not alert.notify:
            return alert.notify
        if alert.test or self._is_covered(alert, now_s):
            return alert.notify[:1]
        return alert.notify[: self._join(alert, alert.escalate_after_s, now_s).notified]

    def rings(self, alert: Alert, now_s: float) -> bool:
        """Whether an alert that is about to be `raised` rings: an update does not, unless it is about a room
        for which somebody must answer anew."""
        escalates = alert.escalate_after_s is not None and bool(alert.notify)
        answered = self._acknowledged.get(_key(alert))
        is_covered = answered is not None and answered.covers(alert, now_s)
        return not alert.update or (escalates and not is_covered and not self.is_open(alert))

    def ended(self, event: SoundEvent, now_s: float) -> list[Alert]:
        """A sound is over: once all of an acknowledged danger's are, its acknowledgement soon ends. Returns
        the open alerts that know it now, to be kept: after a restart the next in line is told, too. What was
        cut short may sound on, and is never called over."""
        known = []
        for incident in self._open.values():
            incident.sounding.discard(event.id)
            if event.ended_by == "quiet" and event.id in incident.going_on:
                incident.quiet(event)
                known.append(incident.gravest)
        for answer in self._acknowledged.values():
            if event.id in answer.sounding:
                answer.sounding.discard(event.id)
                answer.until_s = now_s + DANGER_OVER_S
        return known

    def _is_covered(self, alert: Alert, now_s: float) -> bool:
        answer = self._acknowledged.get(_key(alert))
        if answer is None or not answer.covers(alert, now_s):
            return False
        answer.sounding |= _sounding(alert)
        return True

    def resumed(self, alert: Alert, now_s: float, waited_s: float) -> None:
        """Take up what an earlier run left open: an alert that was raised, or passed on, so long ago. Later
        ones are taken up after earlier ones. Whoever fell due meanwhile is due now."""
        if alert.escalate_after_s is None:
            return
        notified = len(alert.why.get(NOTIFIED_BEFORE, ())) + 1
        incident = self._join(alert, alert.escalate_after_s, now_s - waited_s)
        if notified > incident.notified:
            incident.notified, incident.due_at_s = notified, now_s - waited_s + incident.wait_s

    def _join(self, alert: Alert, wait_s: float, at_s: float) -> _Unacknowledged:
        incident = self._open.setdefault(_key(alert), _Unacknowledged(alert, wait_s, at_s + wait_s))
        incident.ids.add(alert.id)
        incident.dangers |= alert.dangers
        incident.sounding |= _sounding(alert)
        incident.note(alert)
        if alert.gravity >= incident.gravest.gravity:
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
        closed = {key: self._open.pop(key) for key in answered}
        for key, incident in closed.items():
            self._remember(key, incident, now_s)
        return frozenset().union(*(incident.ids for incident in closed.values()))

    def _remember(self, key: IncidentKey, incident: _Unacknowledged, now_s: float) -> None:
        """The answer covers what it answers, and what an answer before it still covers."""
        before = self._acknowledged.pop(key, None)
        still = before if before and (before.sounding or now_s < before.until_s) else None
        until_s = now_s + (DANGER_OVER_S if incident.dangers else ACKNOWLEDGED_S)
        answer = _Covered(incident.dangers, incident.sounding, until_s)
        if still is not None:
            answer.dangers |= still.dangers
            answer.sounding |= still.sounding
        self._acknowledged[key] = answer

    def is_open(self, alert: Alert) -> bool:
        """Whether this alert waits for an acknowledgement."""
        incident = self._open.get(_key(alert))
        return incident is not None and alert.id in incident.ids

    def next_due_s(self) -> float | None:
        """When `due` will next return something."""
        return min((incident.due_at_s for incident in self._open.values()), default=None)

    def _pass_on(self, incident: _Unacknowledged, now_s: float) -> Call | Unanswered:
        alert = incident.gravest
        if incident.notified >= len(alert.notify):
            del self._open[_key(alert)]
            return Unanswered(alert.rule, frozenset(incident.ids))
        had_it = alert.notify[: incident.notified]
        incident.notified += 1
        overdue_s = now_s - incident.due_at_s
        incident.due_at_s = now_s + incident.wait_s
        why = {**alert.why, NOTIFIED_BEFORE: list(had_it)}
        lag_s = overdue_s if overdue_s > LATE_AFTER_S else alert.lag_s
        call = replace(alert, message=_told(incident), why=why, update=False, lag_s=round(lag_s, 1))
        return Call(alert.notify[len(had_it)], call)


def _told(incident: _Unacknowledged) -> str:
    """What the next in line is told: that nobody has answered, and that the sound has ended where it has. An
    earlier run may have told it."""
    alert = incident.gravest
    is_first = NOTIFIED_BEFORE not in alert.why
    message = say("notice.nobody_yet", text=alert.message) if is_first else alert.message
    ended = say("notice.ended_since")
    is_over = bool(incident.over) and not incident.going_on
    return message + ended if is_over and not message.endswith(ended) else message


def _key(alert: Alert) -> IncidentKey:
    return alert.rule, frozenset(danger for danger, _ in alert.dangers)


def _sounding(alert: Alert) -> set[str]:
    return {event.id for event in alert.events if event.label in DANGERS and event.ended_at is None}
