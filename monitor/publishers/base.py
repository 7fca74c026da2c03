"""What a publisher promises."""

from collections.abc import Callable
from typing import Protocol, Self

from monitor.types import Command, House, Message

OnCommand = Callable[[Command], None]
"""Where a publisher hands what was asked from outside; may be called from any thread, never blocks."""


class Publisher(Protocol):
    """Tells the house. It connects in the background: no method blocks on a network or raises for one."""

    name: str

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None:
        """Say goodbye (publish `offline`) and close within 2 s."""

    def announce(self, house: House) -> None:
        """What there is to hear; remembered, and said again to whoever comes back."""

    def ready(self) -> bool:
        """Whether events and alerts can be taken now (connected, and the house is not restarting)."""

    def publish(
        self, message: Message, delivered: Callable[[], None] | None = None, *, late: bool = False
    ) -> None:
        """Send. States (status, level, problem, setting, and the ON/OFF of an event) are remembered and said
        again after a reconnect: the latest wins. Events and alerts call `delivered` from any thread once the
        receiver has acknowledged them; `late` marks one that was held back or is sent again."""
