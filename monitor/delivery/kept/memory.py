"""What a receiver must know again after a restart, in a file of its own."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from monitor.config.model import Config
from monitor.logs import Lapse
from monitor.publishers.base import Memory, memory_file
from monitor.publishers.frigate import FrigateConfig
from monitor.store.kept_file import KeptFile


class Watched(Protocol):
    """Rows of somebody who knows no threads."""

    on_change: Callable[[], None]

    def rows(self) -> Mapping[str, Any]:
        """See `Memory`."""

    def found(self, rows: Mapping[str, Any]) -> None:
        """See `Memory`."""


class Signalled:
    """Such rows as a `Memory`."""

    def __init__(self, rows: Watched) -> None:
        self.changed = Event()
        self._rows = rows
        rows.on_change = self.changed.set

    def rows(self) -> Mapping[str, Any]:
        """See `Memory`."""
        return self._rows.rows()

    def found(self, rows: Mapping[str, Any]) -> None:
        """See `Memory`."""
        self._rows.found(rows)


class KeptMemory:
    """The rows of one receiver, mode 0600. A file that cannot be read or written is logged once, and stops
    nothing. In the thread of its writer."""

    def __init__(self, folder: Path, name: str, memory: Memory) -> None:
        self._file = _file(folder, name)
        self._memory = memory
        self.changed = memory.changed

    def read(self) -> list[None]:
        """Hand back what was kept."""
        self._file.read(lambda rows: self._memory.found(dict(rows)))
        return []

    def write(self) -> bool:
        """Keep what there is now: whether the disk took it."""
        self.changed.clear()
        return self._file.write(dict(self._memory.rows()))


def video_of(config: Config, folder: Path, event_id: str) -> str | None:
    """Where a browser finds an event's video in Frigate; None where there is none. Reads a small file for
    each Frigate."""
    blocks = [block for block in config.publishers if isinstance(block, FrigateConfig)]
    found = (_file(folder, block.name).read(partial(_page, event_id)) for block in blocks)
    return next((page for page in found if page), None)


def _page(event_id: str, rows: Any) -> str | None:
    return str(rows[event_id][1]) if event_id in rows else None


def _file(folder: Path, name: str) -> KeptFile:
    lapse = Lapse(f"{name} will have forgotten after a restart", f"{name} remembers again")
    return KeptFile(folder / memory_file(name), f"{name} begins without what it remembered", lapse)
