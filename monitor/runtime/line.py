"""Everything that serves one receiver, and how all of them are closed at once."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Self

from monitor.clock import Clock
from monitor.publishers.base import Publisher
from monitor.runtime.courier import Choice, Courier
from monitor.runtime.threads import join_all
from monitor.store.base import Outbox

SETTLE_S = 0.5
"""What a receiver gets, on an orderly stop, to acknowledge the last messages."""
CLOSE_S = 1.5
"""What all receivers get together to be closed. One that hangs is left behind: it may not hold up the stop,
and what it did not acknowledge stays in the outbox."""


class Line:
    """A publisher and its courier. Open from entering to `close`."""

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
        self._settles = choice is None
        self._courier = Courier(outbox, publisher, failed, clock, choice=choice)

    def __enter__(self) -> Self:
        """The courier first: it must not miss that its publisher is ready."""
        with ExitStack() as opening:
            opening.enter_context(self._courier)
            self.publisher.__enter__()
            opening.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        """Tell what can still be told, and take leave. What is chosen by its time is not waited for."""
        if self._settles:
            self._courier.settle(SETTLE_S)
        self.publisher.__exit__(None, None, None)
        self._courier.__exit__()


def close_all(lines: Sequence[Line]) -> None:
    """Close every line at the same time, within CLOSE_S for all together."""
    threads = [
        threading.Thread(target=line.__exit__, name=f"close-{line.publisher.name}", daemon=True)
        for line in lines
    ]
    for thread in threads:
        thread.start()
    join_all(threads, CLOSE_S)
