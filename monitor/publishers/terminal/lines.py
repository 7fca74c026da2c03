"""Messages as lines for people."""

from datetime import datetime
from typing import TYPE_CHECKING

from monitor.labels import Severity, vocabulary
from monitor.types import Alert, Message, Problem, SoundEvent, SourceStatus

if TYPE_CHECKING:
    from rich.text import Text

BAR_WIDTH = 10
SHORT_ID = 6
"""Digits of an id that are shown: enough for `earwitness explain`."""
_STYLES: dict[Severity, str] = {"info": "cyan", "warning": "bold yellow", "critical": "bold white on red"}


def line_for(message: Message, *, late: bool = False) -> "Text | None":
    """What a person wants to read of a message, in local time; None when that is nothing."""
    match message:
        case SoundEvent():
            return _event_line(message, late=late)
        case Alert():
            return _alert_line(message, late=late)
        case SourceStatus(source, online, at, reason):
            words = "listening" if online else f"not listening: {why(message)}" if reason else "not listening"
            return line(at, source, words, "green" if online else "yellow")
        case Problem(source, at, kinds):
            words = f"microphone trouble: {', '.join(kinds)}" if kinds else "microphone well again"
            return line(at, source, words.replace("_", " "), "yellow" if kinds else "green")
    return None


def why(status: SourceStatus) -> str:
    """The reason without the source's name, which stands before it already."""
    return status.reason.removeprefix(f"{status.source}: ")


def line(at: datetime, place: str, words: str, style: str) -> "Text":
    """Time, place, words."""
    from rich.text import Text

    text = Text().append(f"{at.astimezone():%H:%M:%S}  ", "dim").append(f"{place:<12} ", "bold")
    return text.append(_printable(words), style)


def _event_line(event: SoundEvent, *, late: bool) -> "Text":
    name = event.label.replace("_", " ")
    if event.ended_at is not None:
        duration_s = (event.ended_at - event.started_at).total_seconds()
        text = line(event.at, event.source, f"  {name} ended after {duration_s:.1f} s", "dim")
    else:
        heard_by = " and ".join((event.classifier, *event.confirmed_by))
        text = line(event.at, event.source, f"{name:<20}", _STYLES[_severity(event.label)])
        text.append(f" {_bar(event.score)} {event.score:.2f} {event.certainty}, by {heard_by}")
    return text.append(f"  {event.id[:SHORT_ID]}" + (" (late)" if late else ""), "dim")


def _alert_line(alert: Alert, *, late: bool) -> "Text":
    words = f"ALERT {alert.rule}: {alert.message}"
    identity = f"  {alert.id[:SHORT_ID]}" + (" (late)" if late else "")
    sources = ", ".join(dict.fromkeys(event.source for event in alert.events))
    return line(alert.raised_at, sources, words, _STYLES[alert.severity]).append(identity, "dim")


def _printable(words: str) -> str:
    """Without what could steer the terminal: names and descriptions come from outside."""
    return "".join(letter if letter.isprintable() else " " for letter in words)


def _bar(score: float) -> str:
    full = round(score * BAR_WIDTH)
    return "█" * full + "░" * (BAR_WIDTH - full)


def _severity(label: str) -> Severity:
    return vocabulary()[label].severity_default
