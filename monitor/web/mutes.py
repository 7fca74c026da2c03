"""Sources that are muted for a while: when each is to be heard again, also after a restart."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.clock import Clock
from monitor.logs import Lapse
from monitor.store.kept_file import KeptFile
from monitor.types import Command

FILE = "mutes.json"
LONGEST_S = 7 * 86_400
"""No mute for a while is longer."""


class Mutes:
    """`due` is asked once a second by the main thread, and `until` by the one that decides: neither waits for
    the disk. `set` and `keep` do."""

    def __init__(self, folder: Path, command: Callable[[Command], None], clock: Clock) -> None:
        self._file = KeptFile(
            folder / FILE,
            "a mute for a while may last longer",
            Lapse(
                "after a restart a mute for a while would last for good", "mutes for a while are kept again"
            ),
        )
        self._command = command
        self._clock = clock
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._is_kept = True
        self._until: dict[str, datetime] = self._file.read(_times) or {}

    def set(self, source: str, muted: bool, for_s: float | None) -> None:
        """A source was muted, for so long, or is heard again."""
        with self._lock:
            self._until.pop(source, None)
            if muted and for_s is not None:
                self._until[source] = self._clock.now() + timedelta(seconds=for_s)
            self._is_kept = False
        self.keep()

    def until(self) -> dict[str, datetime]:
        """When those that are muted for a while are heard again."""
        with self._lock:
            return dict(self._until)

    def due(self) -> None:
        """Let those be heard again whose time is over, or so far off that the clock was ahead when they were
        muted."""
        if not self._until:
            return
        now = self._clock.now()
        with self._lock:
            longest = now + timedelta(seconds=LONGEST_S)
            over = [source for source, until in self._until.items() if not now < until <= longest]
            for source in over:
                del self._until[source]
            self._is_kept = self._is_kept and not over
        for source in over:
            self._command(Command("mute", source, False, by="page"))

    def keep(self) -> None:
        """Write what is not on disk yet. In a thread that may wait for it."""
        with self._writing:
            if not self._is_kept:
                self._write()

    def _write(self) -> None:
        with self._lock:
            rows = {source: until.isoformat() for source, until in self._until.items()}
            self._is_kept = True
        if not self._file.write(rows):
            self._is_kept = False


def _times(kept: Any) -> dict[str, datetime]:
    return {source: datetime.fromisoformat(until).astimezone(UTC) for source, until in kept.items()}
