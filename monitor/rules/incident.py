"""An alert that was raised, or that waits to be raised."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from monitor.labels import DANGERS, SEVERITIES, Severity, vocabulary
from monitor.rules.history import Match
from monitor.rules.message import alert_message
from monitor.rules.model import LIFE_SAFETY_COOLDOWN_S, SAME_MOMENT_S, Clause, Rule
from monitor.types import Alert, SoundEvent, new_id

CLOCK_SKEW_S = 60.0
"""The clocks of sources may differ by this; an alert further in the future is from before the clock was set
back."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One alert and its state. `waits_until` None: it was raised."""

    alert: Alert
    times: int
    then: str | None
    waits_until: datetime | None = None
    waits_for: Literal["verify", "cooldown"] | None = None
    demoted: bool = False
    """Lowered by `demote_while`: whatever is heard of it counts as suspected."""

    def about(self, event: SoundEvent) -> bool:
        """Whether the event is part of it."""
        return any(other.id == event.id for other in self.alert.events)

    def refreshed(self, event: SoundEvent) -> "Incident":
        """With the event as it is now."""
        return self.with_events([event if other.id == event.id else other for other in self.alert.events])

    def corroborated(self, event: SoundEvent) -> "Incident":
        """With another event of the same sound or danger: an update of an alert that was raised."""
        joined = self.with_events([*self.alert.events, event])
        return replace(joined, alert=replace(joined.alert, update=self.waits_until is None))

    def with_events(self, events: Sequence[SoundEvent]) -> "Incident":
        """The same alert, about these events."""
        events = as_suspected(events) if self.demoted else events
        alert = replace(
            self.alert,
            events=tuple(events),
            message=alert_message(events, times=self.times, then=self.then),
            why={**self.alert.why, **grounds(events)},
        )
        return replace(self, alert=alert)

    def raised(self, at: datetime, **why: Any) -> "Incident":
        """Raised now, after it has waited."""
        alert = replace(self.alert, raised_at=at, why={**self.alert.why, **why})
        return replace(self, alert=alert, waits_until=None, waits_for=None)

    def may_include(self, event: SoundEvent) -> bool:
        """Whether `event` belongs to this: another microphone hears it begin within a second, or, for a
        life danger, any microphone hears the same danger while the alert is raised and its sound lasts. No
        event joins an alert whose sounds have ended."""
        alike = [other for other in self.alert.events if _same_kind(other, event)]
        if event.label in DANGERS and self.waits_until is None and any(one.ended_at is None for one in alike):
            return True
        if any(other.source == event.source for other in alike):
            return False
        return any(_same_moment(other, event) for other in alike)

    def names(self, event: SoundEvent) -> bool:
        """Whether the alert names this sound or danger in this room already."""
        return any(_same_kind(one, event) and one.source == event.source for one in self.alert.events)

    def is_near(self, now: datetime, within_s: float) -> bool:
        """Whether it was raised, or began to wait, not longer ago (or ahead) than that."""
        return abs((now - self.alert.raised_at).total_seconds()) <= within_s

    def has_waited(self, now: datetime) -> bool:
        """Whether it waits, and has for long enough; also when the clock was set back behind its beginning,
        for nobody knows how long it has waited then."""
        if self.waits_until is None:
            return False
        ahead_s = (self.alert.raised_at - now).total_seconds()
        return now >= self.waits_until or ahead_s > CLOCK_SKEW_S

    def cools(self, at: datetime, cooldown_s: float) -> bool:
        """Whether this alert's cool-down lasts at that time."""
        since_s = (at - self.alert.raised_at).total_seconds()
        return self.waits_until is None and -CLOCK_SKEW_S <= since_s < cooldown_s

    def swallows(self, later: "Incident") -> bool:
        """Whether a cool-down after this alert may hold back a later one: not a more severe one, nor a life
        danger, or a room of it, that this alert does not name."""
        return later.alert.dangers <= self.alert.dangers and rank(later) <= rank(self)

    def cooldown_s(self, rule: Rule) -> float:
        """How long an alert like this is kept back after another of the rule."""
        return min(rule.cooldown_s, LIFE_SAFETY_COOLDOWN_S) if self.alert.is_life_safety else rule.cooldown_s

    @property
    def doubted(self) -> bool:
        """Whether the large model did not hear it."""
        return any("doubted_by" in event.evidence for event in self.alert.events)

    def verified(self, verifiers: frozenset[str] | None) -> bool:
        """Whether one of the verifiers (None: any other classifier) has heard it too."""
        heard_by = {name for event in self.alert.events for name in (event.classifier, *event.confirmed_by)}
        confirmed = any(event.confirmed_by for event in self.alert.events)
        return not self.doubted and (confirmed if verifiers is None else bool(heard_by & verifiers))

    @property
    def ongoing(self) -> bool:
        """Whether any of its sounds is still heard."""
        return any(event.ended_at is None for event in self.alert.events)


def new_incident(
    rule: Rule, clause: Clause, match: Match, at: datetime, why: dict[str, Any], *, demoted: bool = False
) -> Incident:
    """The alert that the match asks for, as if raised at `at`. `demoted`: a severity lower, and suspected."""
    events = as_suspected(match.events) if demoted else match.events
    of_labels = [vocabulary()[event.label].severity_default for event in events]
    gravest: Severity = max(of_labels, key=SEVERITIES.index)
    severity = rule.severity or gravest
    if demoted:
        severity = SEVERITIES[max(SEVERITIES.index(severity) - 1, 0)]
    times = len(match.heard) if clause.count > 1 else 1
    then = match.followed.events[0].label if match.followed else None
    alert = Alert(
        id=new_id(),
        rule=rule.name,
        severity=severity,
        events=tuple(events),
        raised_at=at,
        message=alert_message(events, times=times, then=then),
        why=why | grounds(events),
        notify=rule.notify,
        escalate_after_s=rule.escalate_after_s,
        stale_after_s=rule.stale_after_s,
    )
    return Incident(alert, times, then, demoted=demoted)


def as_suspected(events: Sequence[SoundEvent]) -> list[SoundEvent]:
    """The events, none of them confirmed."""
    return [replace(event, certainty="suspected") for event in events]


def grounds(events: Sequence[SoundEvent]) -> dict[str, Any]:
    """What an alert stands on: for each label the surest event's score, certainty and classifiers; and how
    many microphones heard it."""
    surest: dict[str, SoundEvent] = {}
    for event in sorted(events, key=lambda event: (event.certainty == "confirmed", event.score)):
        surest[event.label] = event
    heard = {
        label: {
            "score": round(surest[label].score, 3),
            "certainty": surest[label].certainty,
            "by": [surest[label].classifier, *surest[label].confirmed_by],
        }
        | {key: value for key in _OF_HOUSE if (value := surest[label].evidence.get(key)) is not None}
        for label in dict.fromkeys(event.label for event in events)
    }
    return {"heard": heard, "corroboration": corroboration(events)}


_OF_HOUSE = ("learning", "house_right", "taught_rhythm")
"""What this house has taught: where it keeps a sound suspected, and how much of its rhythm was heard."""


def corroboration(events: Sequence[SoundEvent]) -> int:
    """How many microphones heard the same sound, at most."""
    return max(len({other.source for other in events if _same_sound(event, other)}) for event in events)


def rank(incident: Incident) -> int:
    """Higher is more severe."""
    return SEVERITIES.index(incident.alert.severity)


def _same_moment(one: SoundEvent, other: SoundEvent) -> bool:
    return abs((one.started_at - other.started_at).total_seconds()) <= SAME_MOMENT_S


def _same_sound(one: SoundEvent, other: SoundEvent) -> bool:
    return _same_kind(one, other) and (one.label in DANGERS or _same_moment(one, other))


def _same_kind(one: SoundEvent, other: SoundEvent) -> bool:
    """The same label, or another alarm of the same danger."""
    return DANGERS.get(one.label, one.label) == DANGERS.get(other.label, other.label)
