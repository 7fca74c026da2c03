"""How the sources usually are, kept over restarts."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monitor.gate.habit import Habit
from monitor.logs import Lapse
from monitor.store.kept_file import KeptFile

FILE = "habits.json"
WRITE_EVERY_S = 3600.0


class KeptHabits:
    """The habits of all sources in one file, mode 0600, written every hour and at the end. A file that cannot
    be read or written costs what was known of the sources, is logged once, and stops nothing."""

    def __init__(self, folder: Path, sources: Iterable[str]) -> None:
        self._file = KeptFile(
            folder / FILE,
            "how quiet the sources usually are must be learnt anew",
            Lapse(
                "how quiet the sources usually are is not being kept",
                "how quiet the sources usually are is kept again",
            ),
        )
        self._habits = {source: Habit() for source in sources}
        self._written_s: float | None = None

    def of(self, source: str) -> Habit:
        """The habit of a source, which is written on while it is heard; the same one at every call."""
        return self._habits[source]

    def tend(self, now_s: float, *, last: bool) -> None:
        """Read what was kept, the first time; write when it is due. In a thread that may wait for a disk."""
        if self._written_s is None:
            self._written_s = now_s
            for name, habit in (self._file.read(self._known) or {}).items():
                self._habits[name].recall(habit)
        elif last or now_s - self._written_s >= WRITE_EVERY_S:
            self._written_s = now_s
            self._write()

    def _known(self, kept: Any) -> dict[str, Habit]:
        return {name: Habit.of_json(kept[name]) for name in self._habits if name in kept}

    def _write(self) -> None:
        if habits := {name: habit.as_json() for name, habit in self._habits.items() if habit.days}:
            self._file.write(habits)
