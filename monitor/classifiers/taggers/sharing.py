"""Work that is more than one thread should do alone, shared with one other."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class SecondThread:
    """Helps whoever calls it. It sleeps unless it is asked, and is not there where there is one processor."""

    def __init__(self, processors: int | None = None) -> None:
        """`processors`: by default those that this process may use."""
        self._several = (processors or _usable()) > 1
        self._executor: ThreadPoolExecutor | None = None

    def share(self, do: Callable[[T], None], items: Sequence[T], *, alone: bool = False) -> None:
        """Call `do` with every item, in this thread and, unless `alone`, in the other, and return once all
        are done. What it raises goes to the caller, when neither is at work any more."""
        left = deque(items)

        def work() -> None:
            while left:
                try:
                    item = left.popleft()
                except IndexError:  # the other took the last one
                    return
                do(item)

        is_shared = not alone and len(items) > 1
        helping = self._second().submit(work) if is_shared and self._several else None
        try:
            work()
        finally:
            if helping and not helping.cancel():
                helping.exception()
        if helping and not helping.cancelled():
            helping.result()

    def close(self) -> None:
        """End the thread; `share` may follow again."""
        if self._executor:
            self._executor.shutdown()
            self._executor = None

    def _second(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "share")
        return self._executor


def _usable() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
