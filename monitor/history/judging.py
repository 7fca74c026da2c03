"""What is kept of an event beside what people say of it: its best look, before that is forgotten."""

import sqlite3

import numpy as np

from monitor.history.events import EventRow
from monitor.history.records import to_us
from monitor.history.verdicts import Judged

_LATE_US = 60_000_000
"""So much later than the sound may a classifier's answer have come."""
_MARGIN_US = 1_000_000
_LONGEST_US = 3_600_000_000
"""Of an event that goes on, this much is looked at."""


def judged(rows: sqlite3.Connection, event: EventRow) -> Judged:
    """An event as it is judged: with all scores of the look that gave its label the highest, and the
    embedding that was kept of its sound, if any. `rows` is the history's connection."""
    begin_us = to_us(event.started_at)
    end_us = to_us(event.ended_at) if event.ended_at else begin_us + _LONGEST_US
    span = (event.source, begin_us - _MARGIN_US, end_us + _LATE_US)
    labels, scores = _best_look(rows, event.label, span, end_us)
    found = rows.execute(
        "SELECT embedding FROM embedding WHERE source = ? AND told_at BETWEEN ? AND ? AND label = ?"
        " ORDER BY score DESC LIMIT 1",
        (*span, event.label),
    ).fetchone()
    return Judged(
        event.id, event.label, event.source, event.started_at, event.score, event.classifier, labels, scores,
        found[0] if found else None,
    )  # fmt: skip


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
