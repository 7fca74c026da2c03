"""Everything that serves one receiver, and how all of them are closed at once."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from monitor.clock import Clock
from monitor.delivery.base import Outbox
from monitor.delivery.sender import Choice, Sender
from monitor.delivery.stuck import Still
from monitor.publishers.base import ALERTS, Publisher
from monitor.runtime.threads import join_all


@dataclass(frozen=True, slots=True)
class Timeouts:
    """What receivers get at the end; what they have not acknowledged by then stays in the outbox."""

    settle_s: float
    """To acknowledge the last messages."""
    unready_s: float
    """Of that, what one gets that takes no messages now."""
    close_s: float
    """All of them together, to be closed as well. One that hangs is left behind."""


STOPPED = Timeouts(settle_s=0.5, unready_s=0.0, close_s=1.5)
"""Time limits on SIGTERM."""
ENDED = Timeouts(settle_s=2.0, unready_s=2.0, close_s=2.5)
"""Time limits when all recordings are processed, perhaps before a broker was ready. Below 3 s in all, because
SIGTERM may come meanwhile."""


class Channel:
    """A publisher and its sender."""

    def __init__(
        self,
        outbox: Outbox,
        publisher: Publisher,
        failed: Callable[[BaseException], None],
        clock: Clock,
        *,
        choice: Choice | None = None,
    ) -> None:
        self.publisher = publisher
        self._outbox = outbox
        self._settles = choice is None
        self._sender = Sender(outbox, publisher, failed, clock, choice=choice)

    def standstill(self) -> Still:
        """How it stands; from any thread."""
        still = self._sender.standstill.figures()
        if not still.alerts_only or self._outbox.waiting(self.publisher.name, 1, topic=ALERTS):
            return still
        self._sender.standstill.no_alert_waits()
        return self._sender.standstill.figures()

    def open(self) -> Self:
        """The sender first: it must not miss that its publisher is ready."""
        with ExitStack() as opening:
            opening.enter_context(self._sender)
            self.publisher.__enter__()
            opening.pop_all()
        return self

    def close(self, patience: Timeouts) -> None:
        """Deliver what can still be delivered, and close. Messages that are held for a time are not waited
        for."""
        if self._settles:
            self._sender.settle(patience.settle_s, patience.unready_s)
        self.publisher.__exit__(None, None, None)
        self._sender.__exit__()


def close_all(lines: Sequence[Channel], patience: Timeouts) -> None:
    """Close every line at the same time."""
    threads = [
        threading.Thread(
            target=line.close, args=(patience,), name=f"close-{line.publisher.name}", daemon=True
        )
        for line in lines
    ]
    for thread in threads:
        thread.start()
    join_all(threads, patience.close_s)
