"""What a publisher promises."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, Self

from monitor.types import Command, House, Message

OnCommand = Callable[[Command], None]
"""Where a publisher hands what was asked from outside; may be called from any thread, never blocks."""


class Publisher(Protocol):
    """Tells the house. It connects in the background: no method blocks on a network or raises for one."""

    name: str
    on_ready: Callable[[], None]
    """Set by whoever delivers, before entering: called from any thread when `ready` has become true."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None:
        """Say goodbye (publish `offline`) and close within 2 s."""

    def announce(self, house: House) -> None:
        """What there is to hear; remembered, and said again to whoever comes back."""

    def ready(self) -> bool:
        """Whether events and alerts can be taken now (connected, and the house is not restarting)."""

    def lost_since(self) -> datetime | None:
        """Once after each return of the house: what was delivered since this time may have been lost on it
        (120 s before it went away, or before it came back when nobody saw it go). None otherwise."""

    def publish(
        self, message: Message, delivered: Callable[[], None] | None = None, *, late: bool = False
    ) -> None:
        """Send. States (status, level, problem, setting, sounding, health) are remembered and said again
        after a reconnect: the latest wins. The ON and OFF of a binary sensor comes as `LabelState`, at once;
        the event itself comes through the outbox, perhaps late, and must not move that state. Events
        and alerts call `delivered` from any thread once the receiver has acknowledged them; `late` marks
        one that was held back or is sent again. What was taken is kept until it is acknowledged; PublishError
        says that it was not taken, and it is handed over again once `ready`."""
