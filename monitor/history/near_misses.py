"""What nearly was an event: a classifier's score close to what its label needs, and no event came of it."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from monitor.clock import from_us, to_us
from monitor.history.records import unpack_score_rows, unpack_spans

REACH = 0.1
"""So far below its onset a score is still near."""
_SLACK_US = 2_000_000
"""An event begins with the look that completes it, perhaps later than the first that came near."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The best look at one sound."""

    source: str
    label: str
    classifier: str
    started_at: datetime
    duration_s: float
    score: float
    onset: float
    segment_id: str | None

    @property
    def reached(self) -> bool:
        """It reached its onset, and more looks were needed."""
        return self.score >= self.onset


def near_misses(
    rows: sqlite3.Connection,
    onsets: Mapping[str, Mapping[str, float]],
    since: datetime,
    until: datetime,
    limit: int = 200,
) -> list[NearMiss]:
    """Those of a stretch of time, the latest first; `onsets` by source and label, as they hold now."""
    heard = _heard(rows, to_us(since), to_us(until))
    best: dict[tuple[str, str, Any], NearMiss] = {}
    for miss in _near(rows, onsets, to_us(since), to_us(until)):
        spans = heard.get((miss.source, miss.label), ())
        us = to_us(miss.started_at)
        end_us = us + round(miss.duration_s * 1e6)
        if any(us <= end + _SLACK_US and end_us >= start - _SLACK_US for start, end in spans):
            continue
        key = (miss.source, miss.label, miss.segment_id or us)
        if key not in best or best[key].score < miss.score:
            best[key] = miss
    return sorted(best.values(), key=lambda one: one.started_at, reverse=True)[:limit]


def _heard(
    rows: sqlite3.Connection, since_us: int, until_us: int
) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """When each sound was an event."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    hour_us = 3_600_000_000
    found = rows.execute(
        "SELECT source, label, started_at, ifnull(ended_at, ?) FROM event WHERE started_at BETWEEN ? AND ?",
        (until_us + hour_us, since_us - hour_us, until_us + hour_us),
    )
    for source, label, start, end in found:
        spans[source, label].append((start, end))
    return spans


def _near(
    rows: sqlite3.Connection, onsets: Mapping[str, Mapping[str, float]], since_us: int, until_us: int
) -> Iterator[NearMiss]:
    """Every score that came near, all looks of one source and one order of labels at once."""
    names = dict(rows.execute("SELECT number, names FROM labels"))
    groups: dict[tuple[str, int], list[tuple[Any, ...]]] = defaultdict(list)
    found = rows.execute(
        "SELECT source, labels, classifier, started_at, segment_id, scores, spans FROM look"
        " WHERE told_at BETWEEN ? AND ? AND certainty IS NULL",
        (since_us, until_us),
    )
    for source, labels, *rest in found:
        if source in onsets:
            groups[source, labels].append(tuple(rest))
    for (source, number), looks in groups.items():
        order = names[number].split()
        onset = np.array([onsets[source].get(label, 2.0) for label in order])
        scores = unpack_score_rows((look[3] for look in looks), len(order))
        for n, column in np.argwhere(scores >= onset - REACH):
            classifier, started_us, segment_id, _, packed = looks[n]
            start_s, length_s = unpack_spans(packed, len(order))[column]
            yield NearMiss(
                source, order[column], classifier, from_us(started_us + round(start_s * 1e6)), length_s,
                float(scores[n, column]), float(onset[column]), segment_id,
            )  # fmt: skip
