"""What publishers on this machine share: nobody has to be connected to, and nothing is lost on the way."""

from collections.abc import Callable
from datetime import datetime

from monitor.publishers.base import House, noop


class Local:
    """The parts of `Publisher` that are about a receiver far away."""

    connections = 0

    def __init__(self, name: str) -> None:
        self.name = name
        self.on_ready: Callable[[], None] = noop

    def announce(self, house: House) -> None:
        """A terminal or a file needs no introduction."""

    def ready(self) -> bool:
        """Always: whether a line can be written shows when it is."""
        return True

    def lost_since(self) -> datetime | None:
        """What was written stays."""
        return None
