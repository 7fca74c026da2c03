"""A line on the terminal for what is heard, as it is heard."""

import io
import os
import queue
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TextIO

from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.publishers.base import DELIVERED, Failed, OnCommand, OnOutcome, ignore
from monitor.publishers.local import Local
from monitor.publishers.terminal.lines import line_for
from monitor.publishers.terminal.troubles import Troubles
from monitor.schema import Slug, Switched
from monitor.types import Alert, Certainty, Health, Message, Problem, SoundEvent, SourceStatus

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.console import Console
    from rich.text import Text

log = get_logger()

WAITING = 200
"""What may wait for a terminal that is held (Ctrl-S) or a pipe that nobody reads. Beyond it events and alerts
stay in the outbox, and the others are counted."""
KNOWN = 500
"""Events of which the terminal remembers what it showed."""
STOP_S = 0.5
"""How long leaving waits for the last lines; a thread that hangs in a held terminal ends with the process."""


class ConsoleConfig(Switched):
    """A readable line per event on standard output."""

    type: Literal["console"]
    name: Slug = "console"
    """Name of this publisher in logs and in the outbox."""

    def build(self, node: str, on_command: OnCommand, clock: Clock) -> "ConsolePublisher":
        """The publisher; nothing is opened yet."""
        return ConsolePublisher(self.name)


class _Item(NamedTuple):
    """A message, what to call once it was shown, and whether it comes late."""

    message: Message
    done: OnOutcome
    late: bool


class ConsolePublisher(Local):
    """See `Publisher`. Prints in a thread of its own, so that nobody who decides or delivers ever waits for a
    terminal; an event or alert is acknowledged once it was written. Colours only on a terminal."""

    def __init__(self, name: str = "console", console: "Console | None" = None) -> None:
        super().__init__(name)
        self._console = console
        self._certainties: dict[str, Certainty] = {}
        self._troubles = Troubles(name)
        self._items: queue.Queue[_Item | None] = queue.Queue(WAITING)
        self._is_held = False
        self._unshown = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._print_all, name=name, daemon=True)

    def __enter__(self) -> Self:
        if self._console is None:
            from rich.console import Console

            self._console = Console(file=screen(sys.stdout), highlight=False, soft_wrap=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._items.full():
            self._items.put_nowait(None)
            self._thread.join(STOP_S)

    def ready(self) -> bool:
        """Whether the terminal takes lines, or can be expected to."""
        self._is_held = self._items.full()
        return not self._is_held

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """See `Publisher`. An event or alert that finds no room has failed."""
        if not isinstance(message, SoundEvent | Alert | SourceStatus | Problem | Health):
            return
        try:
            self._items.put_nowait(_Item(message, done, late))
        except queue.Full:
            self._is_held = True
            if isinstance(message, SoundEvent | Alert):
                done(Failed("the terminal is held and takes no more lines"))
                return
            with self._lock:
                self._unshown += not isinstance(message, Health)

    def _print_all(self) -> None:
        while (item := self._items.get()) is not None:
            try:
                self._print(item)
            except Exception:  # of one line: the thread goes on
                log.exception("cannot be shown and is given up", publisher=self.name)
            item.done(DELIVERED)
            if self._is_held:
                self._is_held = False
                self.on_ready()

    def _print(self, item: _Item) -> None:
        assert self._console is not None
        for line in self._lines(item):
            self._console.print(line)

    def _lines(self, item: _Item) -> "Iterator[str | Text]":
        with self._lock:
            unshown, self._unshown = self._unshown, 0
        if unshown:
            yield f"({unshown} lines about sources were not shown while the terminal was held)"
        if isinstance(item.message, Health):
            yield from self._troubles.due(item.message)
            return
        if isinstance(item.message, SourceStatus):
            self._troubles.note(item.message)
        for message in (*_what_led_to(item.message), item.message):
            line = line_for(message, late=item.late) if self._is_news(message) else None
            if line is not None:
                yield line

    def _is_news(self, message: Message) -> bool:
        """An event that was not shown, its end, and once an update that settles what was suspected."""
        if not isinstance(message, SoundEvent):
            return True
        before = self._certainties.pop(message.id, None)
        self._certainties[message.id] = message.certainty
        if len(self._certainties) > KNOWN:
            del self._certainties[next(iter(self._certainties))]
        return message.state == "ended" or before != message.certainty


def _what_led_to(message: Message) -> tuple[SoundEvent, ...]:
    """An alert overtakes its own events on their way here; on the screen cause comes before effect."""
    if not isinstance(message, Alert) or message.test:
        return ()
    return tuple(event for event in message.events if event.ended_at is None)


class _Descriptor(io.RawIOBase):
    """Writes where `out` writes, by its descriptor. A thread that hangs in a write would otherwise hold the
    lock of `sys.stdout`, which Python takes at its exit, and end that with a fatal error.

    A line that cannot be written (a closed pipe, a full disk) is lost, and that is logged once; other
    publishers and notifiers get everything.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_failing = False

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether people look at it."""
        return self._out.isatty()

    def fileno(self) -> int:
        """That of `out`."""
        return self._out.fileno()

    def write(self, data: "ReadableBuffer") -> int:
        """Write all of it; blocks while the terminal is held."""
        rest = bytes(data)
        length = len(rest)
        try:
            while rest:
                rest = rest[os.write(self.fileno(), rest) :]
            self._is_failing = False
        except OSError as error:
            if not self._is_failing:
                self._is_failing = True
                log.warning(
                    "standard output accepts no lines; alerts and events are still sent", reason=str(error)
                )
        return length


def screen(out: TextIO) -> TextIO:
    """`out` without its lock; a letter that its encoding lacks is shown as `?`."""
    raw: Any = _Descriptor(out)  # TextIOWrapper writes to it, although a buffer is what its type asks for
    return io.TextIOWrapper(raw, out.encoding, "replace", write_through=True)
