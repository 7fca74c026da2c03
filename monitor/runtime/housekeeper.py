"""The thread for slow work: writing history, making clips, removing old files."""

import threading
from collections.abc import Callable
from typing import Self

EVERY_S = 2.0
LAST_S = 1.0
"""What the last time gets: a clip takes a tenth of a second, and somebody waits for the stop."""


class Housekeeper:
    """Calls `chore` every two seconds, and once more at the end; its argument is true for the last call. A
    bug in it reaches `failed`."""

    def __init__(self, chore: Callable[[bool], None], failed: Callable[[BaseException], None]) -> None:
        self._chore = chore
        self._failed = failed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        self._thread.join(LAST_S)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(EVERY_S):
                self._chore(False)
            self._chore(True)
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)
