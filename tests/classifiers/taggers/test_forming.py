"""Detections of one look, written sixty at a time."""

from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.classifiers.taggers.forming import like
from monitor.types import Detection

AT = datetime(2026, 1, 1, tzinfo=UTC)
FULL = Detection(
    label="speech",
    score=0.5,
    classifier="embedded",
    source="kitchen",
    started_at=AT,
    duration_s=1.0,
    segment_id="4f2a9c01b3de",
    dated=True,
    certainty="suspected",
    emotion={"calm": 0.9},
    description="a voice",
    transcript="hello",
    evidence={"times": 3},
    embedding=b"\0\1",
    beeps=lambda: b"",
)


def test_another_label_of_a_look_is_as_replaced_in_every_field():
    """`like` writes what `dataclasses.replace` would, fields that do not count in comparisons too."""
    assert all(getattr(FULL, each.name) for each in fields(Detection)), "a new field: give it a value here"
    later = AT + timedelta(seconds=2)

    written = like(FULL, "dog_bark", 0.25, later, 0.34, None)

    meant = replace(FULL, label="dog_bark", score=0.25, started_at=later, duration_s=0.34, emotion=None)
    assert [getattr(meant, each.name) for each in fields(Detection)] == [
        getattr(written, each.name) for each in fields(Detection)
    ]
    assert written == meant


def test_a_detection_so_written_is_frozen():
    """Nobody can change it afterwards: it is a Detection like any other."""
    written = like(FULL, "dog_bark", 0.25, AT, 0.34, None)

    assert type(written) is Detection
    with pytest.raises(FrozenInstanceError):
        written.score = 1.0  # type: ignore[misc]
