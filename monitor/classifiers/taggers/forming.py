"""Detections by the dozen: every look at a sound brings one for each label that its model knows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.types import Detection


class _Unfrozen:
    """Laid out as a Detection, and not frozen: so it is written in a sixth of the time."""

    __slots__ = Detection.__slots__


def like(
    model: Detection,
    label: str,
    score: float,
    started_at: datetime,
    duration_s: float,
    emotion: Mapping[str, float] | None,
) -> Detection:
    """A detection of another label of the same look; all else is `model`'s. As `dataclasses.replace`, for
    callers that need sixty of them and have microseconds."""
    made: Any = _Unfrozen()
    made.label = label
    made.score = score
    made.classifier = model.classifier
    made.source = model.source
    made.started_at = started_at
    made.duration_s = duration_s
    made.segment_id = model.segment_id
    made.dated = model.dated
    made.certainty = model.certainty
    made.emotion = emotion
    made.description = model.description
    made.transcript = model.transcript
    made.evidence = model.evidence
    made.embedding = model.embedding
    made.beeps = model.beeps
    made.__class__ = Detection  # from here on it is frozen
    found: Detection = made
    return found
