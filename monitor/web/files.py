"""Which clips and pictures there are, by event. The folder is read once in a while, not at every request."""

import re
import threading
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from monitor.clock import Clock
from monitor.errors import StoreError
from monitor.evidence.clips import ClipFile, ClipFolder, Retention

FRESH_S = 2.0
"""A clip that is not shown for two seconds is no loss."""


_ONSET = re.compile(rb"onset_s=(\d{1,3}\.\d{1,9})", re.IGNORECASE)


def onset_s(clip: Path) -> float:
    """Where in a clip its event begins, from the comment that was written into it; 0 where there is none."""
    with clip.open("rb") as file:
        found = _ONSET.search(file.read(8192))
    return float(found[1]) if found else 0.0


_MASKED = re.compile(rb"masked_s=([0-9. -]{1,4000})", re.IGNORECASE)


def masked_s(clip: Path) -> str:
    """Where in a clip speech was covered, from the comment: `1.250-2.500 7.000-8.125`, or nothing."""
    with clip.open("rb") as file:
        found = _MASKED.search(file.read(8192))
    return found[1].decode().strip() if found else ""


class KeptFiles:
    """Reads the folder of evidence; from any thread."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._shelf = ClipFolder(folder, Retention(0, 0, 0))
        self._clock = clock
        self._lock = threading.Lock()
        self._by_event: dict[str, list[ClipFile]] = {}
        self._read_at_s: float | None = None

    def by_event(self) -> dict[str, list[ClipFile]]:
        """Every file, by its event."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._read_at_s is None or now_s - self._read_at_s > FRESH_S:
                self._read_at_s = now_s
                found = defaultdict(list)
                for file in (*self._shelf.files(), *self._shelf.files(locked=True)):
                    found[file.event_id].append(file)
                self._by_event = dict(found)
            return self._by_event

    def drop(self, event_ids: Collection[str]) -> int:
        """Delete every file of these events, those that were kept for good, too; how many there were. Raises
        StoreError."""
        gone = [file for id in event_ids for file in self.by_event().get(id, ())]
        with self._lock:
            self._read_at_s = None
        try:
            for file in gone:
                file.path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"a clip cannot be deleted: {error.strerror}") from error
        return len(gone)

    def lock(self, event_id: str) -> int:
        """Keep an event's files for good. Raises StoreError."""
        with self._lock:
            self._read_at_s = None
        return self._shelf.lock(event_id)
