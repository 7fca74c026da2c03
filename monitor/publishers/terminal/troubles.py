"""What is still wrong, shown again: sources that do not listen, receivers that do not take everything."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.clock import length_in_words
from monitor.publishers.terminal.lines import line, why
from monitor.publishers.terminal.reminder import Reminder
from monitor.schema import ESCALATION_CHANNEL
from monitor.types import Health, SourceStatus

if TYPE_CHECKING:
    from rich.text import Text


class Troubles:
    """Remembers what was shown to be wrong and when to show it again. One thread; its time is that of the
    messages."""

    def __init__(self, but: str = "") -> None:
        """`but`: the receiver that shows them; when it can, it takes messages."""
        self._but = but
        self._silent: dict[str, tuple[str, Reminder]] = {}
        self._stuck: dict[str, Reminder] = {}

    def note(self, status: SourceStatus) -> None:
        """A source came or went. One that came to its end is no trouble."""
        if status.online or status.ended_by != "source_lost":
            self._silent.pop(status.source, None)
            return
        _, reminder = self._silent.get(status.source, ("", Reminder(status.at.timestamp())))
        self._silent[status.source] = (why(status), reminder)

    def due(self, health: Health) -> "Iterator[Text]":
        """A line for each trouble that is to be shown again now."""
        now_s = health.at.timestamp()
        for source, (reason, reminder) in self._silent.items():
            if reminder.due(now_s):
                length = length_in_words(now_s - reminder.since_s)
                yield line(health.at, source, f"still not listening, for {length}: {reason}", "bold yellow")
        waiting = health.values.get("delivery", {}).get("waiting", {})
        stuck = [name for name, count in waiting.items() if count and name != self._but]
        self._stuck = {name: self._stuck.get(name, Reminder(now_s)) for name in stuck}
        for name, reminder in self._stuck.items():
            if reminder.due(now_s):
                length = length_in_words(now_s - reminder.since_s)
                yield line(health.at, name, _stuck_words(name, waiting[name], length), "bold yellow")


def _stuck_words(name: str, count: int, length: str) -> str:
    """An alert that nobody has acknowledged was delivered all the same."""
    if name == ESCALATION_CHANNEL:
        alerts = "an alert waits" if count == 1 else f"{count} alerts wait"
        return f"{alerts} for an acknowledgement, for {length}"
    kept = "1 message is" if count == 1 else f"{count} messages are"
    return f"{kept} kept until it takes them, over MQTT until somebody subscribes; for {length} now"
