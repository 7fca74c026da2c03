"""The thread for what may take its time: writing history, making clips, letting old things go."""

import threading
from collections.abc import Callable
from typing import Self

EVERY_S = 2.0


class Housekeeper:
    """Calls `chore` every two seconds, and once more at the end. A bug in it reaches `failed`."""

    def __init__(self, chore: Callable[[], None], failed: Callable[[BaseException], None]) -> None:
        self._chore = chore
        self._failed = failed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        self._thread.join(EVERY_S)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(EVERY_S):
                self._chore()
            self._chore()
        except Exception as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)
