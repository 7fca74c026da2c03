"""One sound event while its sound is heard, and for a few minutes after."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.events import certainty
from monitor.events.certainty import Witnesses
from monitor.labels import LIFE_SAFETY, VOICED
from monitor.types import Detection, EventEnd, EventState, SoundEvent, new_id

MATERIAL = 0.1
"""A score that rose by so much is worth an update."""
SEGMENT_IDS = 32
"""An event keeps the ids of its first segment and of the latest; rain falls for hours."""
NEW_SOUND_S = 0.1
"""A pause of so much between two segments makes the second a sound of its own."""
REPEATS_AT_ONCE, REPEATS_EVERY_S = 5, 5.0
"""The first repetitions are published each, later ones no more often: a dog can bark for an hour."""
EMOTION_EVERY_S = 2.0
"""A wavering emotion of one classifier is published no more often."""


@dataclass(frozen=True, slots=True)
class _Report:
    """What was published last."""

    event: SoundEvent
    times: int
    times_at: datetime
    """When a repetition was last published."""
    emotion_by: str


@dataclass(slots=True)
class OpenEvent:
    """An event and what is remembered of it. Changes with every detection; `report` makes the value that is
    published."""

    event: SoundEvent
    """As it stands, but for what `report` works out: state, certainty, confirmed_by, repetitions."""
    last_heard_at: datetime
    holds_until: datetime
    last_began_at: datetime
    witnesses: Witnesses = ()
    times: int = 1
    """How many sounds of their own it consists of."""
    emotion_by: str = ""
    reported: _Report | None = field(default=None, repr=False)

    @classmethod
    def beginning(cls, detection: Detection) -> "OpenEvent":
        """An event of which nothing but `detection` is known."""
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
        """The sound was there until `at`: the event lasts until `hold_s` later."""
        self.last_heard_at = max(self.last_heard_at, at)
        self.holds_until = max(self.holds_until, at + timedelta(seconds=hold_s))
        self._change(
            started_at=min(self.event.started_at, detection.started_at),
            score=max(self.event.score, detection.score),
            segment_ids=_with_segment(self.event.segment_ids, detection.segment_id),
        )

    def count_repetition(self, detection: Detection) -> None:
        """Count a hit that is a sound of its own after a pause; an alarm's beeps are one sound."""
        of_an_alarm = self.event.label in LIFE_SAFETY or detection.certainty is not None
        if of_an_alarm or detection.segment_id in self.event.segment_ids:
            return
        if (detection.started_at - self.last_heard_at).total_seconds() > NEW_SOUND_S:
            self.times += 1
            self.last_began_at = detection.started_at

    def add_evidence(self, detection: Detection) -> None:
        """Take over what was measured, unless what is known is clearer."""
        if _strength(detection.evidence) >= _strength(self.event.evidence):
            self._change(evidence={**self.event.evidence, **detection.evidence})

    def add_emotion(self, detection: Detection, *, verified: bool) -> None:
        """The emotion of a voice, if there is one. A verifier's outlasts a tagger's."""
        may = verified or self.emotion_by in ("", detection.classifier)
        if detection.emotion and self.event.label in VOICED and may:
            self._change(emotion=dict(detection.emotion))
            self.emotion_by = detection.classifier

    def describe(self, description: str | None) -> None:
        """A large model's words about it; None leaves what is known."""
        if description:
            self._change(description=description)

    def transcribe(self, transcript: str | None) -> None:
        """What was said in it."""
        self._change(transcript=transcript)

    def mark_muted(self) -> None:
        """It ends because its source was muted."""
        self._change(evidence={**self.event.evidence, "muted": True})

    def covers(self, detection: Detection) -> bool:
        """Whether the detection is about this sound: by its segment, else by its time."""
        if detection.segment_id is not None and detection.segment_id in self.event.segment_ids:
            return True
        return detection.started_at <= self.last_heard_at and detection.ends_at >= self.event.started_at

    def follow_clock_back(self, now: datetime, hold_s: float) -> None:
        """The clock was set back: without this the event would last until the clock has caught up."""
        self.last_heard_at = now
        self.holds_until = now + timedelta(seconds=hold_s)

    def end(self, ended_by: EventEnd) -> None:
        """The sound is over; when it was last heard is its end."""
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
            or now.score >= last.event.score + MATERIAL
            or now.description != last.event.description
            or now.transcript != last.event.transcript
            or self._emotion_is_due(last, at)
            or self._repetition_is_due(last, at)
        )

    def report(self, state: EventState, at: datetime) -> SoundEvent:
        """The event as it stands, remembered as published."""
        last = self.reported
        fresh = last is None or self._repetition_is_due(last, at)
        times_at = at if last is None or fresh else last.times_at
        event = self._current(state, at)
        self.reported = _Report(event, self.times, times_at, self.emotion_by)
        return event

    def _current(self, state: EventState, at: datetime) -> SoundEvent:
        return replace(
            self.event,
            state=state,
            at=at,
            certainty=certainty.certainty(self.event.label, self.witnesses),
            confirmed_by=certainty.names(self.witnesses)[1:],
            evidence=self._evidence(),
        )

    def _evidence(self) -> Mapping[str, Any]:
        repeated = {"times": self.times, "last_began_at": self.last_began_at.isoformat()}
        doubts = certainty.doubts(self.witnesses)
        more = (repeated if self.times > 1 else {}) | ({"doubted_by": doubts} if doubts else {})
        return {**self.event.evidence, **more}

    def _emotion_is_due(self, last: _Report, at: datetime) -> bool:
        """A new classifier's emotion at once; one that wavers from look to look now and then."""
        if self.emotion_by != last.emotion_by:
            return True
        rested = (at - last.event.at).total_seconds() >= EMOTION_EVERY_S
        return rested and _differs(self.event.emotion or {}, last.event.emotion or {})

    def _repetition_is_due(self, last: _Report, at: datetime) -> bool:
        if self.times == last.times:
            return False
        return self.times <= REPEATS_AT_ONCE or (at - last.times_at).total_seconds() >= REPEATS_EVERY_S

    def _change(self, **values: Any) -> None:
        self.event = replace(self.event, **values)


def _with_segment(segment_ids: tuple[str, ...], segment_id: str | None) -> tuple[str, ...]:
    """With one more segment; of too many, the first and the latest."""
    if segment_id is None or segment_id in segment_ids:
        return segment_ids
    kept = segment_ids if len(segment_ids) < SEGMENT_IDS else (segment_ids[0], *segment_ids[2:])
    return (*kept, segment_id)


def _strength(evidence: Mapping[str, Any]) -> tuple[float, float]:
    """An alarm is found at its pitch and at its harmonics: the clearest of the longest is worth reporting."""
    return evidence.get("cycles", 0), evidence.get("snr_db", 0.0)


def _differs(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return any(abs(one.get(name, 0.0) - other.get(name, 0.0)) >= MATERIAL for name in {*one, *other})
