"""What the API answers with: events, alerts and the rest as models, times in house time."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from monitor.history.events import EventRow, alerts_of
from monitor.history.verdicts import Acknowledgement, Verdict, Verdicts
from monitor.publishers.documents import dbfs, minute_document
from monitor.types import (
    ActiveAlert,
    Alert,
    Health,
    LabelState,
    Level,
    Message,
    Picture,
    Problem,
    Setting,
    SoundEvent,
    SoundLevel,
    SourceStatus,
)
from monitor.web.files import KeptFiles
from monitor.web.house_time import HouseTime
from monitor.web.model import Model


class Shelf(Protocol):
    """Where all that belongs to an event is looked up, beside the history."""

    verdicts: Verdicts
    files: KeptFiles
    time: HouseTime


class VerdictView(Model):
    """What somebody said of an event."""

    verdict: Literal["right", "wrong", "unsure"]
    label: str | None
    """What it really was."""
    at: str
    by: str


class AlertView(Model):
    """An alert as far as a list shows it."""

    id: str
    rule: str
    severity: Literal["info", "warning", "critical"]
    raised_at: str
    acknowledged_at: str | None = None
    acknowledged_by: str | None = None


class EventView(Model):
    """An event as a list shows it."""

    id: str
    label: str
    source: str
    started_at: str
    ended_at: str | None
    """None while it goes on."""
    ended_by: str | None
    certainty: Literal["suspected", "confirmed"]
    score: float
    classifier: str
    severity: Literal["info", "warning", "critical"] | None
    """The gravest of its alerts; None without an alert."""
    alerts: list[AlertView] = []
    verdict: VerdictView | None = None
    kept: bool = False
    """Whether somebody wants its clip kept for good."""
    clip: bool = False
    picture: bool = False
    video: str | None = None
    """Its address in Frigate; only where one event is asked for."""


class EventPage(Model):
    """One page of events, newest first."""

    events: list[EventView]
    next: str | None
    """What to send as `before` for the next page; None on the last."""


def verdict_view(verdict: Verdict, time: HouseTime) -> VerdictView:
    """As it is shown."""
    return VerdictView(verdict=verdict.verdict, label=verdict.label, at=time.iso(verdict.at), by=verdict.by)


def alert_view(alert: Mapping[str, Any], seen: Acknowledgement | None, time: HouseTime) -> AlertView:
    """As it is shown."""
    return AlertView(
        id=alert["id"],
        rule=alert["rule"],
        severity=alert["severity"],
        raised_at=time.iso(alert["raised_at"]),
        acknowledged_at=time.iso(seen.at) if seen else None,
        acknowledged_by=seen.by if seen else None,
    )


def event_views(shelf: Shelf, rows: sqlite3.Connection, shown: Sequence[EventRow]) -> list[EventView]:
    """The events with all that belongs to them: five questions, however many events."""
    if not shown:
        return []
    ids = [row.id for row in shown]
    alerts = alerts_of(rows, ids)
    seen = shelf.verdicts.acknowledged([alert["id"] for each in alerts.values() for alert in each])
    verdicts, kept = shelf.verdicts.of(ids), shelf.verdicts.kept(ids)
    files = shelf.files.by_event()
    return [
        event_view(
            row,
            shelf.time,
            alerts=[alert_view(each, seen.get(each["id"]), shelf.time) for each in alerts.get(row.id, [])],
            verdict=verdicts.get(row.id),
            kept=row.id in kept,
            files={file.path.suffix[1:] for file in files.get(row.id, [])},
        )
        for row in shown
    ]


def event_view(
    row: EventRow,
    time: HouseTime,
    *,
    alerts: list[AlertView],
    verdict: Verdict | None,
    kept: bool,
    files: set[str],
) -> EventView:
    """As a list shows it."""
    return EventView(
        id=row.id,
        label=row.label,
        source=row.source,
        started_at=time.iso(row.started_at),
        ended_at=time.iso(row.ended_at) if row.ended_at else None,
        ended_by=row.ended_by,
        certainty=row.certainty,
        score=round(row.score, 4),
        classifier=row.classifier,
        severity=row.severity,
        alerts=alerts,
        verdict=verdict_view(verdict, time) if verdict else None,
        kept=kept,
        clip=bool(files & {"flac", "opus"}),
        picture="png" in files,
    )


def fresh_view(event: SoundEvent, time: HouseTime) -> EventView:
    """An event that the history does not know, or not yet."""
    row = EventRow(
        event.id, event.started_at, event.ended_at, event.source, event.label, event.certainty, event.score,
        event.classifier, event.ended_by, None,
    )  # fmt: skip
    return event_view(row, time, alerts=[], verdict=None, kept=False, files=set())


def feed_data(message: Message, time: HouseTime) -> dict[str, Any]:
    """What the feed says of a message: enough to show it, or to know that it must be looked up."""
    match message:
        case SoundEvent():
            return {
                "id": message.id, "state": message.state, "label": message.label, "source": message.source,
                "started_at": time.iso(message.started_at), "ended_at": _iso(message.ended_at, time),
                "ended_by": message.ended_by, "certainty": message.certainty,
                "score": round(message.score, 4), "classifier": message.classifier,
            }  # fmt: skip
        case Alert():
            return {
                "id": message.id, "rule": message.rule, "severity": message.severity,
                "message": message.message, "raised_at": time.iso(message.raised_at),
                "event_ids": [event.id for event in message.events],
            }  # fmt: skip
        case SourceStatus(source, online, at, reason):
            return {"source": source, "online": online, "at": time.iso(at), "reason": reason}
        case Level(source, at, level_dbfs, floor_dbfs):
            levels = {"level_dbfs": dbfs(level_dbfs), "floor_dbfs": dbfs(floor_dbfs)}
            return {"source": source, "at": time.iso(at), **levels}
        case SoundLevel(source):
            return {"source": source, **minute_document(message)}
        case Problem(source, at, kinds):
            return {"source": source, "at": time.iso(at), "kinds": list(kinds)}
        case Setting(source, name, value):
            return {"source": source, "name": name, "value": value}
        case LabelState(source, label, on):
            return {"source": source, "label": label, "on": on}
        case Picture(source, event_id):
            return {"source": source, "event_id": event_id}
        case ActiveAlert(alert, count):
            return {"id": alert.id if alert else None, "count": count}
        case Health(at):
            return {"at": time.iso(at)}


def _iso(at: datetime | None, time: HouseTime) -> str | None:
    return time.iso(at) if at else None
