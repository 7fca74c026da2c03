"""The thread for slow work: writing history, making clips, removing old files."""

import threading
from collections.abc import Callable
from typing import Self

from monitor.runtime.threads import closed_within

EVERY_S = 2.0
LAST_S = 1.0
"""What the last time gets: a clip takes a tenth of a second, and somebody waits for the stop."""
HUNG_S = 0.1
"""What it gets where the disk is known not to answer."""


class Housekeeper:
    """Calls `chore` every two seconds, and once more at the end; its argument is true for the last call. A
    bug in it reaches `failed`."""

    def __init__(
        self,
        chore: Callable[[bool], None],
        failed: Callable[[BaseException], None],
        answers: Callable[[], bool] = lambda: True,
    ) -> None:
        """`answers`: whether the disk does, as far as is known."""
        self._chore = chore
        self._answers = answers
        self._failed = failed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        self._thread.join(self._patience_s())

    def close_after(self, close: Callable[[], object]) -> None:
        """Close what the chores write to. Where the last one hangs, so does this: the last words over MQTT,
        which come after it, do not wait for it."""
        within_s = HUNG_S if self._thread.is_alive() else self._patience_s()
        closed_within([close], within_s, "history-close")

    def _patience_s(self) -> float:
        return LAST_S if self._answers() else HUNG_S

    def _run(self) -> None:
        try:
            while not self._stopping.wait(EVERY_S):
                self._chore(False)
            self._chore(True)
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)
