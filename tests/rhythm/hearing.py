"""Alarms and what hears them, for the rhythm's tests."""

from collections.abc import Sequence

from monitor.audio import Samples
from monitor.rhythm.detector import RhythmDetector
from monitor.types import Detection
from testkit.builders import frames
from testkit.rhythm_sounds import LEAD_S, alarm

__all__ = ["LEAD_S", "alarm", "heard_in", "heard_with_times", "labels_of"]


def heard_in(samples: Samples) -> list[Detection]:
    """All detections of a fresh listener."""
    listener = RhythmDetector("kitchen")
    return [detection for frame in frames(samples) for detection in listener.push(frame)]


def labels_of(detections: Sequence[Detection]) -> set[str]:
    """What was heard at all."""
    return {detection.label for detection in detections}


def heard_with_times(samples: Samples) -> list[tuple[float, Detection]]:
    """Detections with the time at which they were given, in seconds after the alarm's onset."""
    listener = RhythmDetector("kitchen")
    return [
        (0.03 * (i + 1) - LEAD_S, detection)
        for i, frame in enumerate(frames(samples))
        for detection in listener.push(frame)
    ]
