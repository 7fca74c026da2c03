"""What is printed of a recording: a row for each event and alert, with times from its start."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from monitor.clock import BEGINNING
from monitor.types import Alert, Message, SoundEvent, listed

ResultRow = dict[str, Any]


class AnalysisResults:
    """Collects events and alerts by id: an event is a row once, with its last word."""

    def __init__(self) -> None:
        self._events: dict[str, tuple[SoundEvent, float]] = {}
        self._alerts: dict[str, tuple[Alert, float]] = {}

    def note(self, messages: Iterable[Message], heard_s: float) -> None:
        """Take in what was published when `heard_s` of the recording had been heard."""
        for message in messages:
            if isinstance(message, SoundEvent):
                _, decided_s = self._events.get(message.id, (message, heard_s))
                self._events[message.id] = (message, decided_s)
            elif isinstance(message, Alert):
                _, decided_s = self._alerts.get(message.id, (message, heard_s))
                self._alerts[message.id] = (message, decided_s)

    def rows(self, file: str) -> Iterator[ResultRow]:
        """Everything that `earwitness analyze --format jsonl` prints: events by their start, alerts by their
        decision; a loud noise comes after what a model named in the same segment."""
        rows: list[tuple[float, ResultRow]] = []
        for event in listed(event for event, _ in self._events.values()):
            begins_s = max([_seconds(event.started_at), *(at_s for at_s, _ in rows[-1:])])
            rows.append((begins_s, event_row(file, *self._events[event.id])))
        for alert, decided_s in self._alerts.values():
            row = alert_row(file, alert, decided_s)
            rows.append((row["decided_s"], row))
        return (row for _, row in sorted(rows, key=lambda pair: pair[0]))


def event_row(file: str, event: SoundEvent, decided_s: float) -> ResultRow:
    """An event; times in seconds from the file's start."""
    return {
        "type": "event",
        "file": file,
        "source": event.source,
        "label": event.label,
        "start_s": _seconds(event.started_at),
        "end_s": _seconds(event.ended_at or event.at),
        "decided_s": round(decided_s, 3),
        "score": round(event.score, 4),
        "certainty": event.certainty,
        "classifier": event.classifier,
        "confirmed_by": list(event.confirmed_by),
        "emotion": _rounded(event.emotion),
    }


def alert_row(file: str, alert: Alert, decided_s: float) -> ResultRow:
    """An alert; times in seconds from the file's start: of its first sound, and of its decision."""
    return {
        "type": "alert",
        "file": file,
        "rule": alert.rule,
        "severity": alert.severity,
        "start_s": _seconds(min(event.started_at for event in alert.events)),
        "decided_s": round(decided_s, 3),
        "labels": sorted({event.label for event in alert.events}),
        "message": alert.message,
        "why": dict(alert.why),
    }


def _seconds(at: datetime) -> float:
    """From the start of the recording; a sound whose first samples are older than it begins there."""
    return max(0.0, round((at - BEGINNING).total_seconds(), 3))


def _rounded(emotion: Mapping[str, float] | None) -> dict[str, float] | None:
    return {label: round(score, 4) for label, score in emotion.items()} if emotion else None
