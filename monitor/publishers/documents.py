"""Messages as JSON documents: the same words on MQTT and in a file."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

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

QUIETEST_DBFS = -120.0
"""Digital silence is -inf dBFS, which JSON and Home Assistant's numbers do not know."""

EVENT_NAMES = {"at": "detected_at"}
"""Fields that have another name outside."""
_UNPUBLISHED = frozenset({"classifier"})
"""Fields of an event that stay inside, beside the private ones (`repr=False`)."""


def document(message: Message, delivered_at: datetime, *, late: bool = False) -> dict[str, Any]:
    """Any message with its `type` in front: the content of a line of JSON."""
    match message:
        case SoundEvent():
            return {"type": "event"} | event_document(message, delivered_at, late=late)
        case Alert():
            return {"type": "alert"} | alert_document(message, delivered_at, late=late)
        case SourceStatus(source, online, at, reason):
            return {"type": "status", "source": source, "online": online, "at": iso(at), "reason": reason}
        case Level(source, at):
            levels = {"level_dbfs": dbfs(message.level_dbfs), "floor_dbfs": dbfs(message.floor_dbfs)}
            return {"type": "level", "source": source, "at": iso(at)} | levels
        case SoundLevel():
            return {"type": "sound_level", "source": message.source} | minute_document(message)
        case Problem(source, at, kinds):
            return {"type": "problem", "source": source, "at": iso(at), "kinds": list(kinds)}
        case Setting(source, name, value):
            return {"type": "setting", "source": source, "name": name, "value": value}
        case LabelState(source, label, on, count):
            return {"type": "sounding", "source": source, "label": label, "on": on, "count": count}
        case Picture(source, event_id, label):
            return {"type": "picture", "source": source, "event_id": event_id, "label": label}
        case ActiveAlert():
            return {"type": "active_alert"} | active_alert_document(message)
        case Health():
            return {"type": "health"} | health_document(message)


def event_document(event: SoundEvent, delivered_at: datetime, *, late: bool) -> dict[str, Any]:
    """The event as on `<source>/event`: its public fields, and when it was delivered; `event_type` is what
    Home Assistant's event entity reads."""
    return {
        "event_type": event.label,
        **{EVENT_NAMES.get(name, name): _field(getattr(event, name)) for name in event_fields()},
        "delivered_at": iso(delivered_at),
        "late": late,
    }


def event_fields() -> tuple[str, ...]:
    """The fields of an event that are published; `detected_at` is `at`."""
    return tuple(one.name for one in fields(SoundEvent) if one.repr and one.name not in _UNPUBLISHED)


def _field(value: Any) -> Any:
    match value:
        case datetime():
            return iso(value)
        case float():
            return _plain(round(value, 4))
        case tuple():
            return list(value)
        case _:
            return _plain(value)


def alert_document(alert: Alert, delivered_at: datetime, *, late: bool) -> dict[str, Any]:
    """The alert as published on `alert`."""
    return {
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "message": alert.message,
        "test": alert.test,
        "update": alert.update,
        "event_ids": _distinct(event.id for event in alert.events),
        "labels": _distinct(event.label for event in alert.events),
        "sources": _distinct(event.source for event in alert.events),
        "raised_at": iso(alert.raised_at),
        "delivered_at": iso(delivered_at),
        "late": late,
        "sequence": alert.sequence,
        "why": _plain(alert.why),
    }


def active_alert_document(active: ActiveAlert) -> dict[str, Any]:
    """The gravest alert that nobody has acknowledged, and how many there are; nulls when there is none."""
    alert = active.alert
    return {
        "id": alert.id if alert else None,
        "rule": alert.rule if alert else None,
        "severity": alert.severity if alert else None,
        "message": alert.message if alert else None,
        "raised_at": iso(alert.raised_at) if alert else None,
        "count": active.count,
    }


def health_document(health: Health) -> dict[str, Any]:
    """The snapshot with its time."""
    return {"at": iso(health.at)} | dict(_plain(health.values))


def encoded(value: Any) -> bytes:
    """`value` as compact JSON in UTF-8. Text that UTF-8 cannot encode (half of a surrogate pair, which may
    come from outside) becomes a question mark: no text may keep an alert from being sent."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="replace")


def iso(at: datetime) -> str:
    """UTC with milliseconds, as in `2026-01-02T03:04:05.678+00:00`."""
    return at.isoformat(timespec="milliseconds")


def minute_document(level: SoundLevel) -> dict[str, Any]:
    """How loud a minute was; `laeq_dba` is null where nobody has calibrated the source."""
    return {
        "started_at": iso(level.started_at),
        "laeq_dbfs": dbfs(level.laeq_dbfs),
        "laeq_dba": None if level.laeq_dba is None else round(level.laeq_dba, 1),
        "covered_s": round(level.covered_s),
        "clipped_s": round(level.clipped_s),
    }


def dbfs(level_dbfs: float) -> float:
    """One decimal, and always a number."""
    return round(max(level_dbfs, QUIETEST_DBFS), 1) if level_dbfs == level_dbfs else QUIETEST_DBFS


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _plain(value: Any) -> Any:
    """`value` with nothing in it that JSON cannot hold."""
    match value:
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case datetime():
            return iso(value)
        case float() if not math.isfinite(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case _ if hasattr(value, "tolist"):  # a measurement straight from numpy
            return _plain(value.tolist())
        case _:
            return str(value)
