"""What the rest of the daemon needs of the outbox."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.types import Alert, SoundEvent

Addressed = tuple[SoundEvent | Alert, Sequence[str]]
"""A message, and the channels that it is for."""
WHOLE_TOPIC = 2**62
"""A number above that of every message."""


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
    repeats: int = 0
    """How often it was delivered before, and is wanted again."""


class Outbox(Protocol):
    """Events and alerts between detection and acknowledgement. Every method may be called from any thread."""

    def put(self, message: SoundEvent | Alert, channels: Sequence[str]) -> None:
        """Keep for each of the channels; on disk before it returns. Never raises for a disk: it then keeps
        in memory and logs that once."""

    def put_all(self, messages: Sequence[Addressed]) -> None:
        """The same for several, all or none of them on disk."""

    def waiting(
        self,
        channel: str,
        limit: int = 100,
        *,
        skip: Collection[int] = (),
        skip_topics: Mapping[str, int] | None = None,
        topic: str | None = None,
        by_severity: bool = False,
    ) -> list[Entry]:
        """What is still to be delivered there: alerts first, then events, each oldest first. `skip` are
        numbers that are on their way; of a topic in `skip_topics` everything up to that number is passed
        over; `topic` asks for one alone. When more than `limit` wait and `by_severity` is set, the most
        severe of them, in the order of their numbers: an alarm must be seen behind any backlog."""

    def release(self, entry: Entry, at: datetime) -> None:
        """The receiver has acknowledged it."""

    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """Call `wake` after each `put` for the channel, in the thread that put; it must not block."""

    def rewind(self, channel: str, since: datetime) -> int:
        """Alerts delivered since then wait again, marked late (the house may have lost them): how many."""
