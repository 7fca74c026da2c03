"""Waiting, but not for ever, for what may never answer: a dying disk, a network drive, a driver."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from monitor.errors import StoreError

T = TypeVar("T")


class Silent(StoreError):
    """No answer in time. The work goes on by itself, and may still succeed."""


class Patience:
    """Work in a thread of its own, one piece at a time, that is waited for so long. From one thread."""

    def __init__(self, name: str, within_s: float) -> None:
        self._name = name
        self._within_s = within_s
        self._outcome: _Handover | None = None

    def do(
        self,
        work: Callable[[], T],
        late: Callable[[BaseException], None] | None = None,
        *,
        more_s: float = 0.0,
    ) -> T:
        """What `work` returns or raises. Raises Silent when that takes too long, and at once while earlier
        work still hangs; `late` is given what is raised after that, in the work's thread. This work gets so
        much more time."""
        # Not by the thread, which lives for a moment after its work is done.
        if self._outcome is not None and not self._outcome.is_over:
            raise Silent(f"{self._name}: no answer")
        outcome = self._outcome = _Handover(late)
        threading.Thread(target=outcome.run, args=(work,), name=self._name, daemon=True).start()
        return cast(T, outcome.taken(self._name, self._within_s + more_s))


class _Handover:
    """What came of some work, handed to whoever waits for it, or else to `late`."""

    def __init__(self, late: Callable[[BaseException], None] | None) -> None:
        self._late = late
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._is_left = False
        self.is_over = False
        """The work has ended, and what was to be done about its error, too."""
        self._value: Any = None
        self._error: BaseException | None = None

    def run(self, work: Callable[[], Any]) -> None:
        try:
            self._value = work()
        except BaseException as error:  # noqa: BLE001 - it is raised by whoever waits
            self._error = error
        with self._lock:
            is_left = self._is_left
            self.is_over = not is_left
            self._done.set()
        if is_left and self._error is not None and self._late is not None:
            self._late(self._error)
        self.is_over = True

    def taken(self, name: str, within_s: float) -> Any:
        self._done.wait(within_s)
        with self._lock:
            self._is_left = not self._done.is_set()
        if self._is_left:
            raise Silent(f"{name}: no answer in {within_s:g} s")
        if self._error is not None:
            raise self._error
        return self._value
