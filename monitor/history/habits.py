"""How the sources usually are, kept over restarts."""

import json
from collections.abc import Iterable
from pathlib import Path

from monitor.errors import StoreError
from monitor.gate.habit import Habit
from monitor.logs import Lapse, get_logger
from monitor.store.files import write_private

log = get_logger()

FILE = "habits.json"
WRITE_EVERY_S = 3600.0


class KeptHabits:
    """The habits of all sources in one file, mode 0600, written every hour and at the end. A file that cannot
    be read or written costs what was known of the sources, is logged once, and stops nothing."""

    def __init__(self, folder: Path, sources: Iterable[str]) -> None:
        self._file = folder / FILE
        self._habits = {source: Habit() for source in sources}
        self._written_s: float | None = None
        self._lapse = Lapse(
            "how quiet the sources usually are is not being kept",
            "how quiet the sources usually are is kept again",
        )

    def of(self, source: str) -> Habit:
        """The habit of a source, which is written on while it is heard; the same one at every call."""
        return self._habits[source]

    def tend(self, now_s: float, *, last: bool) -> None:
        """Read what was kept, the first time; write when it is due. In a thread that may wait for a disk."""
        if self._written_s is None:
            self._written_s = now_s
            self._read()
        elif last or now_s - self._written_s >= WRITE_EVERY_S:
            self._written_s = now_s
            self._write()

    def _read(self) -> None:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            habits = {name: Habit.of_json(kept[name]) for name in self._habits if name in kept}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            log.warning(
                "how quiet the sources usually are must be learnt anew",
                file=str(self._file),
                reason=str(error),
            )
            return
        for name, habit in habits.items():
            self._habits[name].recall(habit)

    def _write(self) -> None:
        habits = {name: habit.as_json() for name, habit in self._habits.items() if habit.days}
        if not habits:
            return
        try:
            write_private(self._file, json.dumps(habits).encode())
        except StoreError as error:
            self._lapse.begin(file=str(self._file), reason=str(error))
        else:
            self._lapse.end()
