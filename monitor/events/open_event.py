"""One sound event while it is heard, and for a few minutes after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitor.labels import LIFE_SAFETY, VOICED
from monitor.types import Certainty, Detection, EventEnd, EventState, SoundEvent, new_id

MATERIAL = 0.1
"""A score that rose by so much is worth an update."""
SEGMENT_IDS = 32
"""An event keeps the ids of its first segment and of the latest; rain falls for hours."""
SECOND_HIT_S = (3.0, 10.0)
"""A model's second hit confirms an alarm when it comes later than one beep and sooner than a new story."""
NEW_SOUND_S = 0.1
"""A pause of so much between two segments makes the second a sound of its own."""
REPEATS_AT_ONCE, REPEATS_EVERY_S = 5, 5.0
"""The first repetitions are published each, later ones no more often: a dog can bark for an hour."""

EMOTION_EVERY_S = 2.0

_RHYTHM_NEEDS_MODEL = frozenset({"fire_alarm", "unknown_alarm"})
"""March time is also a reversing truck and a busy tone: the rhythm alone does not confirm these."""


@dataclass(slots=True)
class OpenEvent:
    """What was heard so far of one event. Changes with every detection; `snapshot` makes the value that is
    published."""

    label: str
    source: str
    classifier: str
    started_at: datetime
    last_heard_at: datetime
    last_began_at: datetime
    holds_until: datetime
    shown_times_at: datetime
    id: str = field(default_factory=new_id)
    score: float = 0.0
    times: int = 1
    listeners: list[str] = field(default_factory=list)
    """In the order in which they heard it."""
    rhythm: Certainty | None = None
    hits: list[datetime] = field(default_factory=list)
    """Of models, the last ten seconds; kept for life-safety labels only."""
    heard_twice: bool = False
    doubted_by: dict[str, float] = field(default_factory=dict)
    """Second listeners that did not hear it, with their score."""
    emotion: Mapping[str, float] | None = None
    emotion_by: str = ""
    description: str | None = None
    transcript: str | None = field(default=None, repr=False)
    segment_ids: list[str] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None
    ended_by: EventEnd | None = None
    shown: SoundEvent | None = None
    shown_times: int = 0
    shown_emotion_by: str = ""

    @classmethod
    def beginning(cls, detection: Detection) -> "OpenEvent":
        """An event of which nothing but `detection` is known."""
        at = detection.started_at
        return cls(detection.label, detection.source, detection.classifier, at, at, at, at, at)

    @property
    def certainty(self) -> Certainty:
        """`confirmed` when a model hears it, except the alarms: see the design, who decides what."""
        if self.doubted_by:
            return "suspected"
        if self.rhythm is None:
            return "confirmed" if self.heard_twice or self.label not in LIFE_SAFETY else "suspected"
        alone = self.rhythm == "confirmed" and self.label not in _RHYTHM_NEEDS_MODEL
        # No model knows a CO alarm from a smoke alarm, so none of them can confirm one.
        agreed = len(self.listeners) > 1 and self.label != "co_alarm"
        return "confirmed" if alone or agreed else "suspected"

    def heard(self, detection: Detection, at: datetime, hold_s: float) -> None:
        """The sound was heard until `at`."""
        self.started_at = min(self.started_at, detection.started_at)
        self.last_heard_at = max(self.last_heard_at, at)
        self.holds_until = max(self.holds_until, at + timedelta(seconds=hold_s))
        self.score = max(self.score, detection.score)
        self._remember_segment(detection.segment_id)

    def count_repetition(self, detection: Detection) -> None:
        """Count a hit that is a sound of its own after a pause; an alarm's beeps are one sound."""
        of_an_alarm = self.label in LIFE_SAFETY or detection.certainty is not None
        if of_an_alarm or detection.segment_id in self.segment_ids:
            return
        if (detection.started_at - self.last_heard_at).total_seconds() > NEW_SOUND_S:
            self.times += 1
            self.last_began_at = detection.started_at

    def told_by(self, detection: Detection) -> None:
        """A listener says so: a hit, a rhythm, or a second listener that agrees."""
        if detection.classifier not in self.listeners:
            self.listeners.append(detection.classifier)
        if detection.certainty is not None and self.rhythm != "confirmed":
            self.rhythm = detection.certainty
        if _strength(detection.evidence) >= _strength(self.evidence):
            self.evidence.update(detection.evidence)

    def hit_again(self, at: datetime) -> None:
        """A model's hit on an alarm: one that follows another by 3-10 s settles it."""
        soonest, latest = SECOND_HIT_S
        self.hits = [hit for hit in self.hits if abs((at - hit).total_seconds()) <= latest]
        self.heard_twice |= any(abs((at - hit).total_seconds()) >= soonest for hit in self.hits)
        self.hits.append(at)

    def forget_hits(self) -> None:
        """The hits so far were another alarm's sound."""
        self.hits.clear()
        self.heard_twice = False

    def judged(self, detection: Detection, onset: float, off: float) -> None:
        """A second listener's word: it confirms, or it doubts; never a life-safety label, nor what it has
        itself heard before. A score of exactly 0 beside an emotion: it knows emotions only."""
        name, score = detection.classifier, detection.score
        if score >= onset:
            self.doubted_by.pop(name, None)
            self.told_by(detection)
            return
        may_doubt = self.label not in LIFE_SAFETY and name not in self.listeners
        if may_doubt and score < off and (score > 0 or detection.emotion is None):
            self.doubted_by[name] = score

    def feels(self, detection: Detection, *, second: bool) -> None:
        """The emotion of a voice, if there is one. A second listener's outlasts a first one's."""
        if (
            detection.emotion
            and self.label in VOICED
            and (second or self.emotion_by in ("", detection.classifier))
        ):
            self.emotion, self.emotion_by = dict(detection.emotion), detection.classifier

    def covers(self, detection: Detection) -> bool:
        """Whether the detection is about this sound: by its segment, else by its time."""
        if detection.segment_id is not None and detection.segment_id in self.segment_ids:
            return True
        return detection.started_at <= self.last_heard_at and detection.ends_at >= self.started_at

    def follow_clock_back(self, now: datetime, hold_s: float) -> None:
        """The clock was set back: without this the event would last until the clock has caught up."""
        self.last_heard_at = now
        self.holds_until = now + timedelta(seconds=hold_s)

    def end(self, ended_by: EventEnd) -> None:
        self.ended_at, self.ended_by = max(self.started_at, self.last_heard_at), ended_by

    def worth_telling(self, at: datetime) -> bool:
        """Whether enough has changed since the last snapshot for somebody to be told."""
        shown = self.shown
        return shown is None or (
            self.certainty != shown.certainty
            or self.listeners[1:] != list(shown.confirmed_by)
            or self.score >= shown.score + MATERIAL
            or self.description != shown.description
            or self.transcript != shown.transcript
            or self._emotion_is_due(shown, at)
            or self._repetition_is_due(at)
        )

    def snapshot(self, state: EventState, at: datetime) -> SoundEvent:
        """The event as it stands, remembered as told."""
        if self._repetition_is_due(at):
            self.shown_times_at = at
        self.shown_times, self.shown_emotion_by = self.times, self.emotion_by
        self.shown = SoundEvent(
            id=self.id,
            label=self.label,
            source=self.source,
            state=state,
            certainty=self.certainty,
            started_at=self.started_at,
            at=at,
            score=self.score,
            classifier=self.classifier,
            ended_at=self.ended_at,
            ended_by=self.ended_by,
            confirmed_by=tuple(self.listeners[1:]),
            emotion=self.emotion,
            description=self.description,
            transcript=self.transcript,
            segment_ids=tuple(self.segment_ids),
            evidence=self._evidence(),
        )
        return self.shown

    def _evidence(self) -> dict[str, Any]:
        repeated = {"times": self.times, "last_began_at": self.last_began_at.isoformat()}
        doubted = {"doubted_by": dict(self.doubted_by)} if self.doubted_by else {}
        return self.evidence | (repeated if self.times > 1 else {}) | doubted

    def _emotion_is_due(self, shown: SoundEvent, at: datetime) -> bool:
        """A new listener's emotion at once; one that wavers from look to look now and then."""
        if self.emotion_by != self.shown_emotion_by:
            return True
        rested = (at - shown.at).total_seconds() >= EMOTION_EVERY_S
        return rested and _differs(self.emotion or {}, shown.emotion or {})

    def _repetition_is_due(self, at: datetime) -> bool:
        if self.times == self.shown_times:
            return False
        return self.times <= REPEATS_AT_ONCE or (at - self.shown_times_at).total_seconds() >= REPEATS_EVERY_S

    def _remember_segment(self, segment_id: str | None) -> None:
        if segment_id is not None and segment_id not in self.segment_ids:
            self.segment_ids.append(segment_id)
            if len(self.segment_ids) > SEGMENT_IDS:
                del self.segment_ids[1]


def _strength(evidence: Mapping[str, Any]) -> tuple[float, float]:
    """An alarm is found at its pitch and at its harmonics: the clearest of the longest is worth telling."""
    return evidence.get("cycles", 0), evidence.get("snr_db", 0.0)


def _differs(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return any(abs(one.get(name, 0.0) - other.get(name, 0.0)) >= MATERIAL for name in {*one, *other})
