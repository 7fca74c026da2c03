"""A line on the terminal for what is heard, as it is heard."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self

from monitor.clock import Clock
from monitor.labels import Severity, vocabulary
from monitor.publishers.base import OnCommand
from monitor.schema import Block, Slug
from monitor.types import Alert, Certainty, House, Message, Problem, SoundEvent, SourceStatus

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

BAR_WIDTH = 10
_STYLES: dict[Severity, str] = {"info": "cyan", "warning": "bold yellow", "critical": "bold white on red"}


class ConsoleConfig(Block):
    """A readable line per event on standard output."""

    type: Literal["console"]
    name: Slug = "console"
    """Names this publisher in logs and in the outbox."""

    def build(self, node: str, on_command: OnCommand, clock: Clock) -> "ConsolePublisher":
        """The publisher; nothing is opened yet."""
        return ConsolePublisher(self.name)


class ConsolePublisher:
    """See `Publisher`. Prints in the thread that publishes; colours only on a terminal."""

    def __init__(self, name: str = "console", console: "Console | None" = None) -> None:
        self.name = name
        self.on_ready: Callable[[], None] = _nothing
        self._console = console
        self._certainties: dict[str, Certainty] = {}

    def __enter__(self) -> Self:
        if self._console is None:
            from rich.console import Console

            self._console = Console(highlight=False, soft_wrap=True)
        return self

    def __exit__(self, *exc: object) -> None: ...

    def announce(self, house: House) -> None:
        """Each source says itself when it begins to listen."""

    def ready(self) -> bool:
        """Always."""
        return True

    def lost_since(self) -> datetime | None:
        """Nothing is lost on a terminal."""
        return None

    def publish(
        self, message: Message, delivered: Callable[[], None] | None = None, *, late: bool = False
    ) -> None:
        """See `Publisher`."""
        line = line_for(message, late=late) if self._is_news(message) else None
        if line is not None and self._console is not None:
            self._console.print(line)
        if delivered is not None:
            delivered()

    def _is_news(self, message: Message) -> bool:
        """An update is worth a line when it settles what was suspected, and no more than once."""
        if not isinstance(message, SoundEvent):
            return True
        before = self._certainties.get(message.id)
        if message.state == "ended":
            self._certainties.pop(message.id, None)
            return True
        self._certainties[message.id] = message.certainty
        return message.state == "started" or before != message.certainty


def line_for(message: Message, *, late: bool = False) -> "Text | None":
    """What a person wants to read of a message, in local time; None when that is nothing."""
    match message:
        case SoundEvent():
            return _event_line(message, late=late)
        case Alert():
            return _alert_line(message, late=late)
        case SourceStatus(source, online, at, reason):
            words = "listening" if online else f"not listening: {reason}" if reason else "not listening"
            return _line(at, source, words, "green" if online else "yellow")
        case Problem(source, at, kinds):
            words = f"microphone trouble: {', '.join(kinds)}" if kinds else "microphone well again"
            return _line(at, source, words.replace("_", " "), "yellow" if kinds else "green")
    return None


def _event_line(event: SoundEvent, *, late: bool) -> "Text":
    name = event.label.replace("_", " ")
    if event.ended_at is not None:
        duration_s = (event.ended_at - event.started_at).total_seconds()
        line = _line(event.at, event.source, f"  {name} ended after {duration_s:.1f} s", "dim")
    else:
        heard_by = " and ".join((event.classifier, *event.confirmed_by))
        line = _line(event.at, event.source, f"{name:<20}", _STYLES[_severity(event.label)])
        line.append(f" {_bar(event.score)} {event.score:.2f} {event.certainty}, by {heard_by}")
    return line.append(" (late)", "dim") if late else line


def _alert_line(alert: Alert, *, late: bool) -> "Text":
    words = f"ALERT {alert.rule}: {alert.message}" + (" (late)" if late else "")
    sources = ", ".join(dict.fromkeys(event.source for event in alert.events))
    return _line(alert.raised_at, sources, words, _STYLES[alert.severity])


def _line(at: datetime, source: str, words: str, style: str) -> "Text":
    from rich.text import Text

    line = Text(f"{at.astimezone():%H:%M:%S}  ", "dim")
    return line.append(f"{source:<12} ", "bold").append(_printable(words), style)


def _printable(words: str) -> str:
    """Without what could steer the terminal: names and descriptions come from outside."""
    return "".join(letter if letter.isprintable() else " " for letter in words)


def _bar(score: float) -> str:
    full = round(score * BAR_WIDTH)
    return "█" * full + "░" * (BAR_WIDTH - full)


def _severity(label: str) -> Severity:
    return vocabulary()[label].severity_default


def _nothing() -> None:
    """A terminal is always ready."""
