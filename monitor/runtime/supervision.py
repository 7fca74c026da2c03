"""One source under watch: a thread that hangs in it is left behind, and a new one listens."""

import threading
from collections.abc import Callable

from monitor.logs import get_logger
from monitor.runtime.capture import CaptureThread
from monitor.runtime.health import standing_still

log = get_logger()

MOST_LEFT_BEHIND = 3
"""Threads that may hang in one source at once. A driver that swallows every thread gets no more of them: the
source stays offline until one comes back."""


class SupervisedSource:
    """Holds the capture thread of one source. `tend` belongs to the main thread.

    A read that never returns (a dead network file system, a driver) cannot be interrupted from outside, and
    restarting the daemon for it would take every other room down, too.
    """

    def __init__(self, new_thread: Callable[[], CaptureThread]) -> None:
        self._new_thread = new_thread
        self._left_behind: list[threading.Thread] = []
        self.thread = new_thread()

    def start(self) -> None:
        """Begin to listen."""
        self.thread.start()

    def tend(self) -> None:
        """Once a second or so: replace a thread that hangs."""
        self._left_behind = [thread for thread in self._left_behind if thread.is_alive()]
        reason = standing_still(self.thread)
        if not reason or len(self._left_behind) >= MOST_LEFT_BEHIND:
            return
        log.error("a source hangs; it is opened again", reason=reason)
        self.thread.abandon(reason)
        self._left_behind.append(self.thread)
        self.thread = self._new_thread()
        self.thread.start()
