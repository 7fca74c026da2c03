"""The thread that reads a kept file at the start, and writes it whenever it has changed."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, Self, TypeVar

READ_S = 1.0
"""What a start gives the disk to hand out what was kept."""
WRITE_S = 1.0
AGAIN_S = 2.0
"""So soon a disk that took nothing is asked again: what it did not take would not outlast a kill."""

T = TypeVar("T")


class Kept(Protocol[T]):
    """Something with a file. `changed` is set while something is to be written."""

    changed: threading.Event

    def read(self) -> list[T]:
        """Find again what was kept; returns what holds since then."""

    def write(self) -> bool:
        """Keep on disk what holds now: whether the disk took it. Raises for no disk."""


class KeptWriter(Generic[T]):
    """Reads and writes `kept` in a thread of its own, open inside the `with` block: nobody who decides waits
    for a disk. `late` is given what the disk handed out only after a second; a bug reaches `failed`."""

    def __init__(
        self,
        kept: Kept[T],
        late: Callable[[Sequence[T]], None],
        failed: Callable[[BaseException], None],
        name: str = "settings",
    ) -> None:
        self._kept = kept
        self._late = late
        self._failed = failed
        self._read = threading.Event()
        self._is_late = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"{name}-kept", daemon=True)

    def __enter__(self) -> Self:
        """Begin, and wait until what was kept is known, for a second at most."""
        self._thread.start()
        self._is_late = not self._read.wait(READ_S)
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what is not written yet; a disk that does not answer is left."""
        self._closing = True
        self._kept.changed.set()
        self._thread.join(WRITE_S)

    def _run(self) -> None:
        try:
            found = self._kept.read()
            self._read.set()
            if self._is_late and found:
                self._late(found)
            self._write_what_changes()
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _write_what_changes(self) -> None:
        is_kept = True
        while (self._kept.changed.wait(None if is_kept else AGAIN_S) or not is_kept) and not self._closing:
            is_kept = self._kept.write()
        self._kept.write()
