"""A row for every event, so that a list of them is one question: what was heard, where, when, with which
alerts, and what people say of it."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from monitor.clock import from_us, to_us
from monitor.labels import SEVERITIES
from monitor.types import Alert, Certainty, EventEnd, SoundEvent

SCHEMA = """
CREATE TABLE event (
    id TEXT PRIMARY KEY, started_at INTEGER NOT NULL, ended_at INTEGER, source TEXT NOT NULL,
    label TEXT NOT NULL, certainty TEXT NOT NULL, score REAL NOT NULL, classifier TEXT NOT NULL,
    ended_by TEXT, told_at INTEGER NOT NULL, severity INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX event_started_at ON event (started_at, id);
CREATE INDEX event_label ON event (label, started_at);
CREATE INDEX event_source ON event (source, started_at);
CREATE INDEX event_severity ON event (severity, started_at) WHERE severity > 0;
CREATE TABLE alert_event (event_id TEXT NOT NULL, alert_id TEXT NOT NULL, PRIMARY KEY (event_id, alert_id))
    WITHOUT ROWID;
INSERT INTO event
    SELECT json_extract(body, '$.id'),
        strftime('%s', json_extract(body, '$.started_at')) * 1000000,
        strftime('%s', json_extract(body, '$.ended_at')) * 1000000,
        json_extract(body, '$.source'), json_extract(body, '$.label'), json_extract(body, '$.certainty'),
        json_extract(body, '$.score'), json_extract(body, '$.classifier'), json_extract(body, '$.ended_by'),
        told_at, 0
    FROM said WHERE number IN (SELECT max(number) FROM said WHERE kind = 'SoundEvent' GROUP BY id);
INSERT OR IGNORE INTO alert_event
    SELECT json_extract(one.value, '$.id'), said.id
    FROM said, json_each(said.body, '$.events') AS one WHERE kind = 'Alert';
UPDATE event SET severity = coalesce((
    SELECT max(CASE json_extract(body, '$.severity')
        WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END)
    FROM alert_event JOIN said ON said.id = alert_event.alert_id AND kind = 'Alert'
    WHERE event_id = event.id), 0)
"""
"""Added to a history that has none; what is in it already is taken in."""

Cursor = tuple[int, str]
"""Microseconds and id of the last event of a page."""
JudgedFilter = Literal["right", "wrong", "unsure", "none", "any"]


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as a list shows it."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    source: str
    label: str
    certainty: Certainty
    score: float
    classifier: str
    ended_by: EventEnd | None
    severity: str | None
    """The gravest of its alerts."""

    @property
    def cursor(self) -> Cursor:
        """Where the next page begins."""
        return to_us(self.started_at), self.id


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; everything empty means all."""

    since: datetime | None = None
    until: datetime | None = None
    labels: Sequence[str] = ()
    sources: Sequence[str] = ()
    severities: Sequence[str] = ()
    certainty: str | None = None
    judged: JudgedFilter | None = None
    kept: bool = False
    """Only those whose clip somebody wants to keep."""
    ids: Sequence[str] = field(default=())


def note_event(connection: sqlite3.Connection, event: SoundEvent, decided_us: int) -> None:
    """The latest state of an event."""
    connection.execute(
        "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (id) DO UPDATE SET"
        " ended_at = excluded.ended_at, certainty = excluded.certainty, score = excluded.score,"
        " ended_by = excluded.ended_by, told_at = excluded.told_at",
        (
            event.id, to_us(event.started_at), event.ended_at and to_us(event.ended_at), event.source,
            event.label, event.certainty, event.score, event.classifier, event.ended_by, decided_us,
        ),
    )  # fmt: skip


def note_alert(connection: sqlite3.Connection, alert: Alert, decided_us: int) -> None:
    """An alert about events; it may be posted before them. What a rule's test makes up is no event."""
    rank = SEVERITIES.index(alert.severity) + 1
    for event in alert.events:
        if event.is_made_up:
            continue
        known = connection.execute("SELECT 1 FROM event WHERE id = ?", (event.id,)).fetchone()
        if not known:
            note_event(connection, event, decided_us)
        connection.execute("INSERT OR IGNORE INTO alert_event VALUES (?, ?)", (event.id, alert.id))
        connection.execute("UPDATE event SET severity = max(severity, ?) WHERE id = ?", (rank, event.id))


def forget_events(connection: sqlite3.Connection, before_us: int) -> None:
    """Those whose last state was decided before then."""
    connection.execute(
        "DELETE FROM alert_event WHERE event_id IN (SELECT id FROM event WHERE told_at < ?)", (before_us,)
    )
    connection.execute("DELETE FROM event WHERE told_at < ?", (before_us,))


_COLUMNS = "id, started_at, ended_at, source, label, certainty, score, classifier, ended_by, severity"


def events(
    connection: sqlite3.Connection,
    wanted: EventFilter,
    *,
    before: Cursor | None = None,
    limit: int = 50,
    newest_first: bool = True,
) -> list[EventRow]:
    """One page of events. `verdicts` must be attached where the filter asks for what people said."""
    where, values = _conditions(wanted)
    if before is not None:
        where.append("(started_at, id) < (?, ?)" if newest_first else "(started_at, id) > (?, ?)")
        values += before
    order = "DESC" if newest_first else "ASC"
    sql = (
        f"SELECT {_COLUMNS} FROM event WHERE {' AND '.join(where) or '1'}"  # noqa: S608 - words of ours
        f" ORDER BY started_at {order}, id {order} LIMIT ?"
    )
    return [_row(row) for row in connection.execute(sql, (*values, limit))]


def alerts_of(connection: sqlite3.Connection, event_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The alerts of each event, in their last state: id, rule, severity and time."""
    rows = connection.execute(
        "SELECT event_id, alert_id, json_extract(body, '$.rule'), json_extract(body, '$.severity'),"
        " json_extract(body, '$.raised_at'), max(number)"
        " FROM alert_event JOIN said ON said.id = alert_id AND kind = 'Alert'"
        " WHERE event_id IN (SELECT value FROM json_each(?)) GROUP BY event_id, alert_id ORDER BY number",
        (json.dumps(list(event_ids)),),
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for event_id, alert_id, rule, severity, raised_at, _ in rows:
        alert = {"id": alert_id, "rule": rule, "severity": severity}
        found.setdefault(event_id, []).append({**alert, "raised_at": datetime.fromisoformat(raised_at)})
    return found


def _conditions(wanted: EventFilter) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    for sql, at in (("started_at >= ?", wanted.since), ("started_at < ?", wanted.until)):
        if at is not None:
            where.append(sql)
            values.append(to_us(at))
    ranks = [SEVERITIES.index(one) + 1 for one in wanted.severities]
    lists: list[tuple[str, Sequence[Any]]] = [
        ("label", wanted.labels), ("source", wanted.sources), ("severity", ranks), ("id", wanted.ids),
    ]  # fmt: skip
    for column, allowed in lists:
        if allowed:
            where.append(f"{column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - words of ours
            values.append(json.dumps(list(allowed)))
    if wanted.certainty:
        where.append("certainty = ?")
        values.append(wanted.certainty)
    if wanted.judged is not None:
        where.append(_JUDGED[wanted.judged])
    if wanted.kept:
        where.append("id IN (SELECT event_id FROM verdicts.kept)")
    return where, values


_JUDGED = {
    "right": "id IN (SELECT event_id FROM verdicts.verdict WHERE verdict = 'right')",
    "wrong": "id IN (SELECT event_id FROM verdicts.verdict WHERE verdict = 'wrong')",
    "unsure": "id IN (SELECT event_id FROM verdicts.verdict WHERE verdict = 'unsure')",
    "any": "id IN (SELECT event_id FROM verdicts.verdict)",
    "none": "id NOT IN (SELECT event_id FROM verdicts.verdict)",
}


def _row(row: tuple[Any, ...]) -> EventRow:
    id, started_us, ended_us, source, label, certainty, score, classifier, ended_by, severity = row
    return EventRow(
        id, from_us(started_us), None if ended_us is None else from_us(ended_us), source, label, certainty,
        score, classifier, ended_by, SEVERITIES[severity - 1] if severity else None,
    )  # fmt: skip
