"""Events and alerts as JSON text and back, for what is kept on disk. Explicit, field by field: a stored row
never decides what is built, and a field added later is a decision made here."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from monitor.types import Alert, SoundEvent

VERSION = 1
"""Written beside every row. A newer one is left alone: an older daemon may have been put back."""


def encode(message: SoundEvent | Alert) -> str:
    """`message` as JSON. Never raises for a value found in `evidence` or `why`: what JSON cannot say becomes
    a list, a number or text (an alert must not be lost to an odd measurement)."""
    document = _alert_out(message) if isinstance(message, Alert) else _event_out(message)
    return json.dumps(document, separators=(",", ":"), default=_plain, ensure_ascii=False)


def decode(text: str) -> SoundEvent | Alert:
    """The message that `encode` wrote. Raises ValueError when the text is damaged."""
    try:
        document = json.loads(text)
        return _alert_in(document) if document["kind"] == "alert" else _event_in(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a stored message: {error}") from error


def _event_out(event: SoundEvent) -> dict[str, Any]:
    return {
        "kind": "event",
        "id": event.id,
        "label": event.label,
        "source": event.source,
        "state": event.state,
        "certainty": event.certainty,
        "started_at": event.started_at.isoformat(),
        "at": event.at.isoformat(),
        "score": event.score,
        "classifier": event.classifier,
        "ended_at": event.ended_at and event.ended_at.isoformat(),
        "ended_by": event.ended_by,
        "confirmed_by": event.confirmed_by,
        "emotion": event.emotion,
        "description": event.description,
        "segment_ids": event.segment_ids,
        "evidence": event.evidence,
    }


def _event_in(document: Mapping[str, Any]) -> SoundEvent:
    return SoundEvent(
        id=document["id"],
        label=document["label"],
        source=document["source"],
        state=document["state"],
        certainty=document["certainty"],
        started_at=_time_in(document["started_at"]),
        at=_time_in(document["at"]),
        score=document["score"],
        classifier=document["classifier"],
        ended_at=_time_in(document["ended_at"]) if document["ended_at"] else None,
        ended_by=document["ended_by"],
        confirmed_by=tuple(document["confirmed_by"]),
        emotion=document["emotion"],
        description=document["description"],
        segment_ids=tuple(document["segment_ids"]),
        evidence=document["evidence"],
    )


def _alert_out(alert: Alert) -> dict[str, Any]:
    return {
        "kind": "alert",
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "events": [_event_out(event) for event in alert.events],
        "raised_at": alert.raised_at.isoformat(),
        "message": alert.message,
        "why": alert.why,
        "notify": alert.notify,
        "escalate_after_s": alert.escalate_after_s,
        "stale_after_s": alert.stale_after_s,
    }


def _alert_in(document: Mapping[str, Any]) -> Alert:
    return Alert(
        id=document["id"],
        rule=document["rule"],
        severity=document["severity"],
        events=tuple(_event_in(event) for event in document["events"]),
        raised_at=_time_in(document["raised_at"]),
        message=document["message"],
        why=document["why"],
        notify=tuple(document["notify"]),
        escalate_after_s=document["escalate_after_s"],
        stale_after_s=document["stale_after_s"],
    )


def _time_in(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
