"""What flows from microphone to message. Read this first.

A point in time is an aware UTC `datetime`; a length of time is a `float` ending in `_s`; a level ends in
`_dbfs`; a probability is a `score`, 0-1. All of it is frozen: a change makes a new value.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from monitor.audio import Audio
from monitor.audio import Frame as Frame  # what flows first
from monitor.audio import SoundLevel as SoundLevel
from monitor.labels import DANGERS, SEVERITIES, Severity

Certainty = Literal["suspected", "confirmed"]
EventState = Literal["started", "updated", "ended"]
EventEnd = Literal["quiet", "source_lost", "shutdown", "restart"]
"""`restart`: the daemon was killed while it went on, and published this at its next start."""
SegmentEnd = Literal["silence", "length", "gap", "shutdown", "open"]
ProblemKind = Literal["digital_silence", "frozen", "clipping", "dc_offset", "dead", "hum_only"]


EXTERNAL = "external"  # in place of a classifier's name, where another device detected it
HOUSE = "house"  # in place of a source's name, where something is of the house


def new_id() -> str:
    """12 hexadecimal digits: the same in log, payload and clip name."""
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class Segment:
    """A sound cut out whole: pre-roll, the sound itself, hangover. An early look has `ended_by` "open" and
    carries the id of the segment that is still growing."""

    id: str
    source: str
    started_at: datetime  # UTC of the first sample (the pre-roll's)
    audio: Audio
    onset_s: float  # from the first sample to where the sound rose above the floor
    floor_dbfs: float
    peak_dbfs: float  # the loudest frame's RMS level
    speech_ratio: float  # share of frames since the onset in which there was voice, 0-1
    ended_by: SegmentEnd
    about: frozenset[str] | None = None  # labels that a large model is asked about; None: all

    @property
    def ends_at(self) -> datetime:
        """UTC just after the last sample."""
        return self.started_at + timedelta(seconds=self.audio.duration_s)


@dataclass(frozen=True, slots=True)
class Detection:
    """One classifier's score for a sound, of every label it knows; of gate and rhythm, of what they heard."""

    label: str
    score: float
    classifier: str  # "gate", "rhythm", "embedded", or the name of another classifier
    source: str
    started_at: datetime  # UTC of the sound's onset
    duration_s: float  # of the sound as far as it was heard
    segment_id: str | None = None
    dated: bool = False  # start and length were measured, to half a second; else it is somewhere in between
    certainty: Certainty | None = None  # given by the rhythm detector and by other devices only
    emotion: Mapping[str, float] | None = None
    description: str | None = None
    transcript: str | None = field(default=None, repr=False)  # private: never logged, published or stored
    evidence: Mapping[str, Any] = field(default_factory=dict)
    embedding: bytes | None = field(default=None, repr=False, compare=False)  # little-endian float16
    beeps: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)  # asked by the history

    @property
    def ends_at(self) -> datetime:
        """UTC at which the sound was last heard."""
        return self.started_at + timedelta(seconds=self.duration_s)


@dataclass(frozen=True, slots=True)
class SoundEvent:
    """A sound that began, may change, and always ends. A field is added here alone: storage, payloads and
    docs follow. Private ones have `repr=False`."""

    id: str
    """12 hexadecimal digits, the same through all states of an event; same id and same state: a repeat"""
    label: str
    """what it was, from [labels](labels.md)"""
    source: str
    """the source that heard it"""
    state: EventState
    """`started`, `updated` (more certain, louder, confirmed, described) or `ended`"""
    certainty: Certainty
    """`suspected` or `confirmed`"""
    started_at: datetime
    """when the sound began, from the samples"""
    at: datetime
    """how far the source had been heard when this state came about"""
    score: float
    """the highest so far, 0 to 1"""
    classifier: str
    """the classifier that found it first"""
    ended_at: datetime | None = None
    """when it was last heard; null until it has ended"""
    ended_by: EventEnd | None = None
    """`quiet`, `source_lost`, `shutdown`, or `restart` (the daemon was killed); null until then"""
    confirmed_by: tuple[str, ...] = ()
    """the classifiers that agree"""
    emotion: Mapping[str, float] | None = None
    """scores of the emotions of a voice, or null"""
    description: str | None = None
    """free text of a large model, or null"""
    transcript: str | None = field(default=None, repr=False)
    """what was said: private, for rules that ask for words, and for nobody else"""
    segment_ids: tuple[str, ...] = ()
    """the stretches of sound it was heard in, as in the log"""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """what was measured: of an alarm `pattern`, `pitch_hz`, `cycles`; of repeated sounds `times`; of what
    this house taught `learning`, `house_right` (how likely it is right), `taught_rhythm` (its share)"""
    lag_s: float = 0.0
    """how long after its sound it was decided, where that is more than 5 s; else 0"""

    @property
    def is_made_up(self) -> bool:
        """Whether a rule's test made it up: nothing was heard, and it never ends."""
        return self.evidence.get("test") is True


def listed(events: Iterable[SoundEvent]) -> list[SoundEvent]:
    """In the order in which they began; a loud noise comes after what a model named in the same segment."""
    events = list(events)
    named: dict[str, datetime] = {}
    for event in events:
        named |= {one: max(event.started_at, named.get(one, event.started_at)) for one in event.segment_ids}

    def place(event: SoundEvent) -> tuple[datetime, bool]:
        is_loud = event.label == "loud_noise"
        return max([event.started_at, *(named[one] for one in event.segment_ids if is_loud)]), is_loud

    return sorted(events, key=place)


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule's word that something matters. Sent again by the same `id` when another room joins it."""

    id: str
    rule: str
    severity: Severity
    events: tuple[SoundEvent, ...]
    raised_at: datetime
    message: str
    why: Mapping[str, Any]  # which clause matched with which value
    notify: tuple[str, ...] = ()  # names of the notifiers that the rule asks for
    escalate_after_s: float | None = None
    stale_after_s: float | None = None  # older on delivery, it informs and no longer rings
    test: bool = False  # somebody pressed the button: last in every queue, and never escalated
    update: bool = False  # sent before by this `id`, another room joined: does not ring again
    lag_s: float = 0.0  # as that of its events
    sequence: int = 0  # how often it went out before, to the receiver that gets it now

    @property
    def dangers(self) -> frozenset[tuple[str, str]]:
        """Every life danger (`fire`, `carbon monoxide`) with the source that heard it; none in a test."""
        heard = () if self.test else self.events
        return frozenset((DANGERS[one.label], one.source) for one in heard if one.label in DANGERS)

    @property
    def is_life_safety(self) -> bool:
        """Whether it is about a smoke, CO or fire alarm, and no test."""
        return bool(self.dangers)

    @property
    def is_chain_test(self) -> bool:
        """Whether it goes to brokers alone, on a topic of its own, to see that they deliver: for nobody."""
        return self.test and self.why.get("chain_test") is True

    @property
    def gravity(self) -> tuple[bool, int]:
        """Sorts alerts, the least grave first: life safety above everything, then by severity."""
        return self.is_life_safety, SEVERITIES.index(self.severity)

    def aged(self, by_s: float) -> "Alert":
        """After waiting so long (monotonic): `info` once nothing of `stale_after_s` is left."""
        if self.stale_after_s is None:
            return self
        left_s = self.stale_after_s - by_s
        severity: Severity = self.severity if left_s >= 0 else "info"
        return replace(self, severity=severity, stale_after_s=max(left_s, 0.0))


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source came or went. `reason` names the fault and the fix, without credentials."""

    source: str
    online: bool
    at: datetime
    reason: str = ""
    ended_by: EventEnd = "source_lost"  # of its open events; "quiet" when it came to its end, as a recording


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a source is and what it takes for its room's own floor; about once in ten seconds."""

    source: str
    at: datetime
    level_dbfs: float
    floor_dbfs: float


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a microphone's sound by its content; empty `kinds` means it is well again."""

    source: str
    at: datetime
    kinds: tuple[ProblemKind, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """The value in force of something that can be set from outside, to be shown there."""

    source: str  # HOUSE for a value of the house
    name: str  # `mute`, `sensitivity`, or that of the value
    value: Any  # mute: bool; sensitivity: float; of the house: text, or None for unknown

    def command(self, by: str) -> "Command":
        """What sets it."""
        if self.source == HOUSE:
            return Command("house", self.name, self.value, by)
        return Command("mute" if self.name == "mute" else "sensitivity", self.source, self.value, by)


@dataclass(frozen=True, slots=True)
class Health:
    """A snapshot of how the daemon keeps up; a tree of plain JSON values."""

    at: datetime
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LabelState:
    """Whether a label is heard right now, for its binary sensor: a state, of which only the latest counts."""

    source: str
    label: str
    on: bool
    count: int = field(default=0, compare=False)  # how often it has begun since the daemon started


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """Whether an alert waits for an acknowledgement, and the gravest of those: a state."""

    alert: Alert | None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """The latest picture of what a source heard: a state, of which only the latest counts."""

    source: str
    event_id: str
    label: str
    png: bytes


State = SourceStatus | Level | SoundLevel | Problem | Setting | LabelState | ActiveAlert | Picture | Health
Message = SoundEvent | Alert | State  # all that a publisher may be handed


@dataclass(frozen=True, slots=True)
class Findings:
    """What listening to a stretch of one source brought."""

    source: str
    until: datetime  # how far the source has been heard
    detections: tuple[Detection, ...] = ()
    segments: tuple[Segment, ...] = ()
    notices: tuple[Level | SoundLevel | Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A request or an answer from outside. Already checked for size, type and range by whoever read it."""

    name: Literal["mute", "sensitivity", "test", "ack", "nothing", "verdict", "drill", "house", "chain"]
    source: str | None = None
    value: bool | float | str | None = None  # sensitivity -1..1; ack, nothing: alert; test: rule; others: id
    by: str = ""
    word: Literal["right", "wrong", "unsure"] | None = None  # verdict: was it what it was taken for?
    label: str | None = None  # verdict, with `wrong`: what it really was; drill: which alarm
