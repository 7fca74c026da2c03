"""What is kept of an event beside what people say of it: its best look, before that is forgotten."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from monitor.clock import to_us
from monitor.history.events import EventRow
from monitor.history.records import unpack_scores, unpack_spans
from monitor.history.verdicts import Judged, Missed

_LATE_US = 60_000_000
"""So much later than the sound may a classifier's answer have come."""
MOST_TRACED = 200
"""Looks that are kept of an event, those with the highest scores; rain has thousands."""
_MARGIN_US = 1_000_000
MISSED_BEFORE, MISSED_AFTER = timedelta(seconds=30), timedelta(seconds=90)
"""A person who missed something names the minute, 60 s long, by a clock that may be half a minute off."""
_LONGEST_US = 3_600_000_000
"""Of an event that goes on, this much is looked at."""


def judged(rows: sqlite3.Connection, event: EventRow) -> Judged:
    """An event as it is judged: with all scores of the look that gave its label the highest, and the
    embedding that was kept of its sound, if any. `rows` is the history's connection."""
    begin_us = to_us(event.started_at)
    end_us = to_us(event.ended_at) if event.ended_at else begin_us + _LONGEST_US
    span = (event.source, begin_us - _MARGIN_US, end_us + _LATE_US)
    labels, scores = _best_look(rows, event.label, span, end_us)
    trace = label_trace(rows, event.label, event.source, begin_us - _MARGIN_US, end_us + _MARGIN_US)
    found = rows.execute(
        "SELECT embedding FROM embedding WHERE source = ? AND told_at BETWEEN ? AND ? AND label = ?"
        " ORDER BY score DESC LIMIT 1",
        (*span, event.label),
    ).fetchone()
    return Judged(
        event.id, event.label, event.source, event.started_at, event.score, event.classifier, labels, scores,
        found[0] if found else None, pack_trace(trace, begin_us) if trace else None,
    )  # fmt: skip


def missed_at(rows: sqlite3.Connection, label: str, source: str, at: datetime) -> Missed:
    """A sound that was there at that time, with the looks that came nearest to it."""
    since_us, until_us = to_us(at - MISSED_BEFORE), to_us(at + MISSED_AFTER)
    trace = label_trace(rows, label, source, since_us, until_us)
    return Missed(source, label, at, pack_trace(trace, to_us(at)) if trace else None)


def best_score(missed: Missed) -> float | None:
    """The highest score near a missed sound; None where nothing was classified."""
    if missed.trace is None:
        return None
    return max(score for _, score, _ in unpack_trace(missed.trace))


@dataclass(frozen=True, slots=True)
class TraceLook:
    """One classifier's score of one label, when its sound was last heard, and how long that was."""

    ends_us: int
    score: float
    length_s: float
    classifier: str


def label_trace(
    rows: sqlite3.Connection, label: str, source: str, begin_us: int, end_us: int
) -> list[TraceLook]:
    """Every score that classifiers gave a label at a source in a stretch of time; rhythms are none."""
    found = rows.execute(
        "SELECT names, classifier, started_at, scores, spans FROM look"
        " JOIN labels ON labels.number = look.labels WHERE source = ? AND told_at BETWEEN ? AND ?"
        " AND certainty IS NULL ORDER BY look.number",
        (source, begin_us, end_us + _LATE_US),
    )
    traced = []
    for names, classifier, started_us, scores, spans in found:
        order = names.split()
        if label not in order:
            continue
        column = order.index(label)
        start_s, length_s = unpack_spans(spans, len(order))[column]
        starts_us = started_us + round(start_s * 1e6)
        ends_us = starts_us + round(length_s * 1e6)
        if starts_us <= end_us and ends_us >= begin_us:
            traced.append(TraceLook(ends_us, unpack_scores(scores)[column], length_s, classifier))
    return traced


def pack_trace(looks: Sequence[TraceLook], begin_us: int) -> bytes:
    """For each look float32: seconds from the event's begin to its end, score, length in s; `unpack_trace`
    reads it. The classifiers' names are not kept: those of one event nearly always share one."""
    best = sorted(looks, key=lambda one: -one.score)[:MOST_TRACED]
    table = [((one.ends_us - begin_us) / 1e6, one.score, one.length_s) for one in best]
    return np.array(table, "<f4").tobytes()


def unpack_trace(data: bytes) -> list[tuple[float, float, float]]:
    """Seconds, score and length of each look, the highest score first."""
    table = np.frombuffer(data, "<f4").reshape(-1, 3).astype(float).tolist()
    return [(at_s, score, length_s) for at_s, score, length_s in table]


def _best_look(
    rows: sqlite3.Connection, label: str, span: tuple[str, int, int], end_us: int
) -> tuple[str | None, bytes | None]:
    """The names of the labels, and the packed scores."""
    found = rows.execute(
        "SELECT names, scores FROM look JOIN labels ON labels.number = look.labels"
        " WHERE source = ? AND told_at BETWEEN ? AND ? AND started_at <= ? AND certainty IS NULL",
        (*span, end_us),
    )
    best: tuple[str | None, bytes | None] = (None, None)
    highest, columns = -1, {}
    for names, scores in found:
        if names not in columns:
            order = names.split()
            columns[names] = order.index(label) if label in order else None
        if columns[names] is not None:
            score = int(np.frombuffer(scores, "<u2")[columns[names]])
            if score > highest:
                highest, best = score, (names, scores)
    return best
