"""What the rest of the daemon needs of the store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.types import Alert, SoundEvent


@dataclass(frozen=True, slots=True)
class Entry:
    """One event or alert that waits for one channel."""

    number: int
    """Rises with the order of detection."""
    channel: str
    message: SoundEvent | Alert
    detected_at: datetime
    late: bool
    """Left over from an earlier run, delivered before and wanted again, or has waited for seconds."""
    waited_s: float
    """Since it was put. Within one run by the monotonic clock: setting the clock makes nothing stale."""
    urgent: bool
    """An alert about smoke, carbon monoxide or fire."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One event or alert, and whom it is for."""

    message: SoundEvent | Alert
    channels: Sequence[str]
    detected_at: datetime


class Outbox(Protocol):
    """Events and alerts between detection and acknowledgement. Every method may be called from any thread."""

    def put(self, message: SoundEvent | Alert, channels: Sequence[str], detected_at: datetime) -> None:
        """Keep for each of the channels; on disk before it returns. Never raises for a disk: it then keeps
        in memory and says so once."""

    def put_all(self, dispatches: Sequence[Dispatch]) -> None:
        """The same for several, all or none of them on disk."""

    def waiting(
        self, channel: str, after: int = 0, limit: int = 100, *, by_severity: bool = False
    ) -> list[Entry]:
        """Entries not yet delivered on `channel` and numbered above `after`, oldest first. Of more than
        `limit` it returns the oldest, or with `by_severity` the gravest: a sender that chooses must see an
        alarm behind any backlog."""

    def release(self, entry: Entry, at: datetime) -> None:
        """The receiver has acknowledged it."""

    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """Call `wake` after each `put` for the channel, in the thread that put; it must not block."""

    def rewind(self, channel: str, since: datetime) -> int:
        """Alerts delivered since then wait again, marked late (the house may have lost them): how many."""
