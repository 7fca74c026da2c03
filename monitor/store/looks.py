"""What one listener said of one stretch of sound, as it is kept for days: small, and complete enough to
decide everything again."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from monitor.types import Certainty, Detection, SegmentEnd

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 65535


@dataclass(frozen=True, slots=True)
class Look:
    """Every score that a listener gave at once, and when the tracker was told."""

    source: str
    told_at: datetime
    """The time that the tracker was told with it (`now`)."""
    classifier: str
    started_at: datetime
    duration_s: float
    segment_id: str | None
    scores: Mapping[str, float]
    """By label, to 1/65535."""
    certainty: Certainty | None = None
    emotion: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By label."""
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By label."""

    def detections(self) -> list[Detection]:
        """As the tracker was given them, without descriptions: free text may quote what people said, and is
        not kept."""
        return [
            Detection(
                label=label,
                score=score,
                classifier=self.classifier,
                source=self.source,
                started_at=self.started_at,
                duration_s=self.duration_s,
                segment_id=self.segment_id,
                certainty=self.certainty,
                emotion=self.emotion.get(label),
                evidence=self.evidence.get(label, {}),
            )
            for label, score in self.scores.items()
        ]


@dataclass(frozen=True, slots=True)
class Cut:
    """A segment or an early look without its sound."""

    id: str
    source: str
    started_at: datetime
    duration_s: float
    onset_s: float
    floor_dbfs: float
    peak_dbfs: float
    speech_ratio: float
    ended_by: SegmentEnd

    @property
    def ends_at(self) -> datetime:
        """UTC just after the last sample."""
        return self.started_at + timedelta(seconds=self.duration_s)


def looks_of(detections: Iterable[Detection], told_at: datetime) -> Iterator[Look]:
    """Detections that were told together, put together by listener and stretch of sound."""
    groups: dict[tuple[Any, ...], dict[str, Detection]] = {}
    for one in detections:
        key = (one.source, one.classifier, one.segment_id, one.started_at, one.duration_s, one.certainty)
        group = groups.setdefault(key, {})
        if one.label in group:
            group = groups.setdefault((*key, len(groups)), {})
        group[one.label] = one
    for group in groups.values():
        yield _look(list(group.values()), told_at)


def _look(group: list[Detection], told_at: datetime) -> Look:
    first = group[0]
    return Look(
        source=first.source,
        told_at=told_at,
        classifier=first.classifier,
        started_at=first.started_at,
        duration_s=first.duration_s,
        segment_id=first.segment_id,
        scores={one.label: one.score for one in group},
        certainty=first.certainty,
        emotion={one.label: one.emotion for one in group if one.emotion},
        evidence={one.label: one.evidence for one in group if one.evidence},
    )


def pack_scores(scores: Iterable[float]) -> bytes:
    """Two bytes a score, 0-1."""
    return np.round(np.clip(list(scores), 0, 1) * _STEP).astype("<u2").tobytes()


def unpack_scores(data: bytes) -> list[float]:
    """The scores that `pack_scores` wrote."""
    return [float(step) / _STEP for step in np.frombuffer(data, "<u2")]


def pack_more(look: Look) -> str | None:
    """Emotion and evidence as JSON; None when there are none, as nearly always."""
    more = {"emotion": look.emotion, "evidence": look.evidence}
    kept = {key: {label: dict(v) for label, v in value.items()} for key, value in more.items() if value}
    return json.dumps(kept, default=str, separators=(",", ":")) if kept else None


def to_us(at: datetime) -> int:
    """Microseconds since 1970: exact, and sorts."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """The time that `to_us` was given."""
    return _EPOCH + timedelta(microseconds=us)
