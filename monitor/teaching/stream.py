"""What a house heard in its last days, label by label: every sound that is an event, or nearly was one."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from monitor.clock import from_us, to_us
from monitor.events.defaults import Hysteresis
from monitor.events.source_tracker import SourceTracker
from monitor.history.records import unpack_score_rows, unpack_spans
from monitor.teaching.evidence import Look, evidence, logit, probability
from monitor.types import Detection

LOWER_LOGITS = 1.0
"""So far below its onset a sound is still looked at. Further down nobody has judged anything, and a fit says
nothing there."""
_HOLD_ON_S = 3600.0


@dataclass(frozen=True, slots=True)
class LabelledSound:
    """One sound of a label at a source."""

    source: str
    label: str
    started_at: datetime
    ended_at: datetime
    x: float
    """Its evidence, logits above the onset in force."""
    score: float

    @property
    def is_event(self) -> bool:
        """Whether it reached its onset."""
        return self.x >= 0

    def overlaps(self, source: str, since: datetime, until: datetime) -> bool:
        """Whether it was heard at a source in some of that time."""
        return self.source == source and self.started_at <= until and self.ended_at >= since


Stretches = Mapping[tuple[str, str], Sequence[Detection]]
"""By source and label the detections of some days that came near their onset, in the order they were taken
in."""


def near_looks(
    rows: sqlite3.Connection,
    needs: Mapping[str, Mapping[str, Hysteresis]],
    since: datetime,
    until: datetime,
    dating: Collection[str],
    verifiers: Collection[str],
) -> Stretches:
    """The detections of the history that can matter, by source and label. `rows` is its connection.

    `needs`: the thresholds in force by source and label. `dating` names the classifiers that measure lengths,
    `verifiers` those that judge what others have found.
    """
    names = dict(rows.execute("SELECT number, names FROM labels"))
    groups: dict[tuple[str, int], list[tuple[Any, ...]]] = defaultdict(list)
    found = rows.execute(
        "SELECT source, labels, number, classifier, started_at, segment_id, scores, spans FROM look"
        " WHERE told_at BETWEEN ? AND ? AND certainty IS NULL"
        " AND source IN (SELECT value FROM json_each(?)) ORDER BY number",
        (to_us(since), to_us(until), json.dumps(list(needs))),
    )
    for source, labels, *rest in found:
        if rest[1] not in verifiers:
            groups[source, labels].append(tuple(rest))
    near: dict[tuple[str, str], list[tuple[int, Detection]]] = defaultdict(list)
    for (source, number), looks in groups.items():
        order = names[number].split()
        floors = np.array([_floor(needs[source].get(label)) for label in order])
        scores = unpack_score_rows((look[4] for look in looks), len(order))
        for row, column in np.argwhere(scores >= floors):
            count, classifier, started_us, segment_id, _, spans = looks[row]
            start_s, length_s = unpack_spans(spans, len(order))[column]
            one = Detection(
                label=order[column], score=float(scores[row, column]), classifier=classifier, source=source,
                started_at=from_us(started_us + round(start_s * 1e6)), duration_s=length_s,
                segment_id=segment_id, dated=classifier in dating,
            )  # fmt: skip
            near[source, one.label].append((count, one))
    return {key: [one for _, one in sorted(each, key=lambda it: it[0])] for key, each in near.items()}


def _floor(row: Hysteresis | None) -> float:
    """A score below which a look changes nothing, even with a lower onset."""
    return 2.0 if row is None else probability(logit(row.off) - LOWER_LOGITS)


def sounds(detections: Sequence[Detection], row: Hysteresis) -> list[LabelledSound]:
    """The events that these detections of one label at one source make, and those that they would make with
    an onset `LOWER_LOGITS` lower; in the order of time."""
    events = _events(detections, row, row.onset)
    near = [
        one
        for one in _events(detections, lowered(row, LOWER_LOGITS), row.onset)
        if not any(one.overlaps(each.source, each.started_at, each.ended_at) for each in events)
    ]
    return sorted([*events, *near], key=lambda one: one.started_at)


def with_onset(detections: Sequence[Detection], row: Hysteresis, x: float) -> list[LabelledSound]:
    """The events that they make with an onset so many logits higher."""
    return _events(detections, lowered(row, -x), row.onset)


def lowered(row: Hysteresis, logits: float) -> Hysteresis:
    """The row with onset and off lowered, as a `labels:` block with another onset does."""
    onset = probability(logit(row.onset) - logits)
    return replace(row, onset=onset, off=min(probability(logit(row.off) - logits), onset))


def _events(detections: Sequence[Detection], row: Hysteresis, base: float) -> list[LabelledSound]:
    """The tracker's own, so that what is counted is what would be published; `base` is the onset in force."""
    if not detections:
        return []
    tracker = SourceTracker({detections[0].label: row})
    spans: dict[str, tuple[datetime, datetime]] = {}
    for one in detections:
        now = one.ends_at
        for event in tracker.report(now):
            spans[event.id] = (event.started_at, event.ended_at or event.at)
        if one.score >= tracker.floors[one.label]:
            tracker.take(one, now)
    over = detections[-1].ends_at + timedelta(seconds=_HOLD_ON_S)
    for event in [*tracker.report(detections[-1].ends_at), *tracker.report(over)]:
        spans[event.id] = (event.started_at, event.ended_at or event.at)
    return [_sound(detections, start, end, row, base) for start, end in sorted(spans.values())]


def _sound(
    detections: Sequence[Detection], start: datetime, end: datetime, row: Hysteresis, base: float
) -> LabelledSound:
    own = [one for one in detections if one.started_at <= end and one.ends_at >= start]
    found = evidence([look_of(one, start) for one in own], row.hits, row.within_s)
    score = max(one.score for one in own)
    first = own[0]
    return LabelledSound(first.source, first.label, start, end, logit(found) - logit(base), score)


def look_of(one: Detection, start: datetime) -> Look:
    """A detection as evidence is counted from."""
    return Look((one.ends_at - start).total_seconds(), one.score, one.duration_s if one.dated else 0.0)
