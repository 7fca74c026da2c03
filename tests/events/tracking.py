"""Detections and trackers for the tests of events."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.events.settings import Labels, LabelSettings, Thresholds
from monitor.events.tracker import Tracker
from monitor.types import Detection, SoundEvent
from testkit.builders import START, heard

QWEN = frozenset({"qwen"})


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def hit(label: str, score: float = 0.9, s: float = 0.0, **more: object) -> Detection:
    """Heard for half a second until `s`."""
    return heard(label, score, at(s - 0.5), **({"duration_s": 0.5} | more))


def beeps(label: str, certainty: str, s: float, **evidence: object) -> Detection:
    """The rhythm detector's word at `s`."""
    return heard(
        label, 0.9, at(s - 4), duration_s=4.0, classifier="rhythm", certainty=certainty, evidence=evidence
    )


def tracking(label: str = "dog_bark", verifiers: frozenset[str] = frozenset(), **settings: object) -> Tracker:
    labels: Labels = {label: LabelSettings(**settings)}
    return Tracker(Thresholds(general=labels).of, verifiers=verifiers)


def states(events: Iterable[SoundEvent]) -> list[str]:
    return [event.state for event in events]
