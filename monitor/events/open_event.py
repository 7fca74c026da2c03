"""One sound event while it is open, and for a few minutes after."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.events import certainty
from monitor.events.certainty import Witnesses
from monitor.labels import LIFE_SAFETY, VOICED
from monitor.types import Certainty, Detection, EventEnd, EventState, SoundEvent, new_id

LEAST_SCORE_CHANGE = 0.1
"""An update is published when the score rose by this, or a share of an emotion changed by this. Chosen: with
0.01 nearly every look at a sound that grows clearer would be an update; with 0.5 hardly any."""
MOST_SEGMENT_IDS = 32
"""An event keeps the ids of its first segment and of the latest 31. Chosen: rain for hours has thousands, and
every update carries them; evidence and verifiers need the latest few minutes, 31 pieces of 10 s."""
NEW_SOUND_S = 0.1
"""A sound that begins this long after the end of the last one is a repetition. Chosen: the gate closes only
after 0.8 s of quiet, so that another segment's sound is later by more; less is rounding to frames of 30
ms."""
REPEATS_AT_ONCE, REPEATS_EVERY_S = 5, 5.0
"""The first five repetitions are published at once, later ones every 5 s at most. Chosen: rules count barks
and knocks up to a few; a dog that barks for an hour would else publish thousands of updates."""
EMOTION_EVERY_S = 2.0
"""A wavering emotion of one classifier is published every 2 s at most. Chosen: looks come twice a second, and
a voice's emotion changes from look to look."""


@dataclass(frozen=True, slots=True)
class _LastReport:
    """The last report, to compare with."""

    event: SoundEvent
    times: int
    times_at: datetime
    """When a repetition was last published."""
    emotion_by: str


@dataclass(slots=True)
class OpenEvent:
    """An event and what its next report depends on. Changes with every detection; `report` returns the value
    that is published. Belongs to the tracker's thread."""

    event: SoundEvent
    """The event but for what `report` computes: state, certainty, confirmed_by, repetitions."""
    last_heard_at: datetime
    holds_until: datetime
    last_began_at: datetime
    witnesses: Witnesses = ()
    times: int = 1
    """Number of separate sounds in it."""
    emotion_by: str = ""
    reported: _LastReport | None = field(default=None, repr=False)

    @classmethod
    def beginning(cls, detection: Detection) -> "OpenEvent":
        """A new event from its first detection."""
        at = detection.started_at
        event = SoundEvent(
            id=new_id(),
            label=detection.label,
            source=detection.source,
            state="started",
            certainty="suspected",
            started_at=at,
            at=at,
            score=0.0,
            classifier=detection.classifier,
        )
        return cls(event, last_heard_at=at, holds_until=at, last_began_at=at)

    def hold(self, detection: Detection, at: datetime, hold_s: float) -> None:
        """Keep the event open: its sound lasted until `at`, and it ends `hold_s` later at the earliest."""
        self.last_heard_at = max(self.last_heard_at, at)
        self.holds_until = max(self.holds_until, at + timedelta(seconds=hold_s))
        self._change(
            started_at=min(self.event.started_at, detection.started_at),
            score=max(self.event.score, detection.score),
            segment_ids=_with_segment(self.event.segment_ids, detection.segment_id),
        )

    def count_repetition(self, detection: Detection) -> None:
        """Count the hit as a repetition if it is a separate sound after a pause; an alarm's beeps are one
        sound."""
        of_an_alarm = self.event.label in LIFE_SAFETY or detection.certainty is not None
        if of_an_alarm or detection.segment_id in self.event.segment_ids:
            return
        if (detection.started_at - self.last_heard_at).total_seconds() > NEW_SOUND_S:
            self.times += 1
            self.last_began_at = detection.started_at

    def add_evidence(self, detection: Detection) -> None:
        """Take over the measured evidence, unless the event's own is clearer."""
        if _strength(detection.evidence) >= _strength(self.event.evidence):
            best = {
                key: max(self.event.evidence[key], detection.evidence[key])
                for key in (certainty.HOUSE_RIGHT, certainty.TAUGHT_RHYTHM)
                if key in self.event.evidence and key in detection.evidence
            }
            self._change(evidence={**self.event.evidence, **detection.evidence, **best})

    def add_emotion(self, detection: Detection, *, verified: bool) -> None:
        """Take over the emotion of a voice, if there is one. A tagger's never replaces a verifier's."""
        may = verified or self.emotion_by in ("", detection.classifier)
        if detection.emotion and self.event.label in VOICED and may:
            self._change(emotion=dict(detection.emotion))
            self.emotion_by = detection.classifier

    def describe(self, description: str | None) -> None:
        """Take over a large model's description; None changes nothing."""
        if description:
            self._change(description=description)

    def transcribe(self, transcript: str | None) -> None:
        """Take over the transcript of what was said; None removes it."""
        self._change(transcript=transcript)

    def mark_muted(self) -> None:
        """Note in the evidence that it ends because its source was muted."""
        self._change(evidence={**self.event.evidence, "muted": True})

    def covers(self, detection: Detection) -> bool:
        """Whether the detection is about this event's sound: the same segment, or an overlap in time."""
        if detection.segment_id is not None and detection.segment_id in self.event.segment_ids:
            return True
        return detection.started_at <= self.last_heard_at and detection.ends_at >= self.event.started_at

    def follow_clock_back(self, now: datetime, hold_s: float) -> None:
        """The clock was set back: without this the event would stay open until the clock caught up."""
        self.last_heard_at = now
        self.holds_until = now + timedelta(seconds=hold_s)

    def end(self, ended_by: EventEnd) -> None:
        """End the event at the time when its sound was last found."""
        self._change(ended_at=max(self.event.started_at, self.last_heard_at), ended_by=ended_by)

    def has_news(self, at: datetime) -> bool:
        """Whether enough has changed since the last report to publish another."""
        last = self.reported
        if last is None:
            return True
        now = self._current(last.event.state, at)
        return (
            now.certainty != last.event.certainty
            or now.confirmed_by != last.event.confirmed_by
            or now.score >= last.event.score + LEAST_SCORE_CHANGE
            or now.description != last.event.description
            or now.transcript != last.event.transcript
            or self._emotion_is_due(last, at)
            or self._repetition_is_due(last, at)
        )

    def report(self, state: EventState, at: datetime) -> SoundEvent:
        """Return the event as it is now, and remember it as published."""
        last = self.reported
        fresh = last is None or self._repetition_is_due(last, at)
        times_at = at if last is None or fresh else last.times_at
        event = self._current(state, at)
        self.reported = _LastReport(event, self.times, times_at, self.emotion_by)
        return event

    def _current(self, state: EventState, at: datetime) -> SoundEvent:
        return replace(
            self.event,
            state=state,
            at=at,
            certainty=self._certainty,
            confirmed_by=certainty.names(self.witnesses)[1:],
            evidence=self._evidence(),
        )

    @property
    def _certainty(self) -> Certainty:
        label = self.event.label
        if certainty.held_back(label, self.event.evidence):
            return "suspected"
        return certainty.certainty(label, self.witnesses)

    def _evidence(self) -> Mapping[str, Any]:
        repeated = {"times": self.times, "last_began_at": self.last_began_at.isoformat()}
        doubts = certainty.doubts(self.witnesses)
        more = (repeated if self.times > 1 else {}) | ({"doubted_by": doubts} if doubts else {})
        return {**self.event.evidence, **more}

    def _emotion_is_due(self, last: _LastReport, at: datetime) -> bool:
        """Another classifier's emotion is due at once, a changed one of the same classifier every 2 s."""
        if self.emotion_by != last.emotion_by:
            return True
        rested = (at - last.event.at).total_seconds() >= EMOTION_EVERY_S
        return rested and _differs(self.event.emotion or {}, last.event.emotion or {})

    def _repetition_is_due(self, last: _LastReport, at: datetime) -> bool:
        if self.times == last.times:
            return False
        return self.times <= REPEATS_AT_ONCE or (at - last.times_at).total_seconds() >= REPEATS_EVERY_S

    def _change(self, **values: Any) -> None:
        self.event = replace(self.event, **values)


def _with_segment(segment_ids: tuple[str, ...], segment_id: str | None) -> tuple[str, ...]:
    """The ids with one more; of too many, the first and the latest."""
    if segment_id is None or segment_id in segment_ids:
        return segment_ids
    kept = segment_ids if len(segment_ids) < MOST_SEGMENT_IDS else (segment_ids[0], *segment_ids[2:])
    return (*kept, segment_id)


def _strength(evidence: Mapping[str, Any]) -> tuple[float, float]:
    """How clear evidence is, to compare: an alarm is found at its pitch and at its harmonics, and the
    clearest of the longest is kept."""
    return evidence.get("cycles", 0), evidence.get("snr_db", 0.0)


def _differs(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return any(
        abs(one.get(name, 0.0) - other.get(name, 0.0)) >= LEAST_SCORE_CHANGE for name in {*one, *other}
    )
