"""One classifier's scores for one stretch of sound, as they are kept for days: small, and complete enough to
decide everything again."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.types import Certainty, Detection, Segment, SegmentEnd

_STEP = 65535
_SPAN_UNITS = 10_000
_SPANS = 255


Span = tuple[float, float]
"""Where in a look a label was heard: seconds from the look's start, and for how long."""


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """Every score that a classifier gave at once, and when the tracker took it in."""

    source: str
    decided_at: datetime
    """The tracker's `now` when it took them in, UTC."""
    classifier: str
    started_at: datetime
    segment_id: str | None
    scores: Mapping[str, float]
    """By label, to 1/65535."""
    spans: Mapping[str, Span]
    """By label, to 0.1 ms: a model that hears in windows says in which one each label was loudest."""
    certainty: Certainty | None = None
    emotion: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By label."""
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By label."""
    embedding: bytes | None = field(default=None, repr=False, compare=False)
    beeps: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)
    """What it sounds like, as `Detection` has it; None when read back, for few looks keep it."""

    @property
    def ends_at(self) -> datetime:
        """Where the last of its labels ends."""
        return self.started_at + timedelta(seconds=max(sum(span) for span in self.spans.values()))

    def detections(self) -> list[Detection]:
        """As the tracker was given them, without descriptions: free text may quote what people said, and is
        not kept."""
        return [
            Detection(
                label=label,
                score=score,
                classifier=self.classifier,
                source=self.source,
                started_at=self.started_at + timedelta(seconds=self.spans[label][0]),
                duration_s=self.spans[label][1],
                segment_id=self.segment_id,
                certainty=self.certainty,
                emotion=self.emotion.get(label),
                evidence=self.evidence.get(label, {}),
            )
            for label, score in self.scores.items()
        ]


@dataclass(frozen=True, slots=True)
class SegmentRecord:
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


def cut_of(segment: Segment) -> SegmentRecord:
    """The segment without its sound."""
    return SegmentRecord(
        id=segment.id,
        source=segment.source,
        started_at=segment.started_at,
        duration_s=segment.audio.duration_s,
        onset_s=segment.onset_s,
        floor_dbfs=segment.floor_dbfs,
        peak_dbfs=segment.peak_dbfs,
        speech_ratio=segment.speech_ratio,
        ended_by=segment.ended_by,
    )


def looks_of(detections: Iterable[Detection], decided_at: datetime) -> Iterator[ScoreRecord]:
    """Detections that the tracker took in together, grouped by classifier and segment."""
    groups: dict[tuple[Any, ...], dict[str, Detection]] = {}
    for one in detections:
        key = (one.source, one.classifier, one.segment_id, one.certainty)
        group = groups.setdefault(key, {})
        if one.label in group:
            group = groups.setdefault((*key, len(groups)), {})
        group[one.label] = one
    for group in groups.values():
        yield _look(list(group.values()), decided_at)


def _look(group: list[Detection], decided_at: datetime) -> ScoreRecord:
    first = group[0]
    started_at = min(one.started_at for one in group)
    return ScoreRecord(
        source=first.source,
        decided_at=decided_at,
        classifier=first.classifier,
        started_at=started_at,
        segment_id=first.segment_id,
        scores={one.label: one.score for one in group},
        spans={one.label: ((one.started_at - started_at).total_seconds(), one.duration_s) for one in group},
        certainty=first.certainty,
        emotion={one.label: one.emotion for one in group if one.emotion},
        evidence={one.label: one.evidence for one in group if one.evidence},
        embedding=first.embedding,
        beeps=first.beeps,
    )


def pack_spans(spans: Iterable[Span]) -> bytes:
    """The different spans, 0.1 ms as the unit, then, unless there is but one, a byte for each label that says
    which is its own."""
    which: dict[Span, int] = {}
    own = [which.setdefault(span, len(which)) for span in spans]
    if len(which) > _SPANS:
        raise ValueError(f"a look has {len(which)} different spans; the format allows {_SPANS}")
    units = np.round(np.array(list(which)).reshape(-1) * _SPAN_UNITS)
    return (
        bytes([len(which)])
        + np.clip(units, 0, 2**31 - 1).astype("<i4").tobytes()
        + (bytes(own) if len(which) > 1 else b"")
    )


def unpack_spans(data: bytes, count: int) -> list[Span]:
    """The spans that `pack_spans` wrote, one for each of `count` labels."""
    end = 1 + 8 * data[0]
    pairs = np.frombuffer(data[1:end], "<i4").reshape(-1, 2) / _SPAN_UNITS
    return [(float(pairs[own, 0]), float(pairs[own, 1])) for own in data[end:] or bytes(count)]


def pack_scores(scores: Iterable[float]) -> bytes:
    """Two bytes a score, 0-1."""
    return np.round(np.clip(list(scores), 0, 1) * _STEP).astype("<u2").tobytes()


def unpack_scores(data: bytes) -> list[float]:
    """The scores that `pack_scores` wrote."""
    return [float(step) / _STEP for step in np.frombuffer(data, "<u2")]


def unpack_score_rows(packed: Iterable[bytes], count: int) -> NDArray[np.float64]:
    """The same of many looks with as many labels, shape (looks, count)."""
    return np.frombuffer(b"".join(packed), "<u2").reshape(-1, count) / _STEP


def pack_more(look: ScoreRecord) -> str | None:
    """Emotion and evidence as JSON; None when there are none, as nearly always."""
    more = {"emotion": look.emotion, "evidence": look.evidence}
    kept = {key: {label: dict(v) for label, v in value.items()} for key, value in more.items() if value}
    return json.dumps(kept, default=str, separators=(",", ":")) if kept else None
