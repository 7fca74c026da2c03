"""How a source usually is: the last 14 days on which it was heard."""

import math
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from monitor.gate.level import SILENCE_DBFS

KEPT_DAYS = 14
"""Chosen: two weeks hold a holiday and both kinds of weekend."""
KNOWN_MINUTES = 360
"""So much must have been heard before a source's usual level is known. Chosen: six hours hold more than an
evening or a night alone, which are not the same; with a day a new source would have the longer limit until
tomorrow."""
MINUTE_LOOKS = 60
"""Looks, one a second, whose mean counts as one level. Chosen: a room's pauses are shorter than a minute.
With 30 a dead capsule whose level is even is not found, with 90 no dead source in time
(tests/gate/test_life.py)."""
_USUAL_SPELLS = 3
"""Chosen: a loose cable may come back once or twice by itself, a camera that gates noise every night."""


@dataclass(slots=True)
class Day:
    """One day of a source."""

    quietest_dbfs: float = 0.0
    """The mean level of its quietest minute."""
    minutes: int = 0
    spells: int = 0
    """How often it seemed dead and came to life by itself."""
    longest_s: float = 0.0
    """The longest of these spells."""


@dataclass(slots=True)
class Habit:
    """What is usual for one source. Written by the thread that hears it, read by the one that keeps it."""

    days: dict[str, Day] = field(default_factory=dict)
    """By date; the latest one that was heard comes last, whatever its date: clocks are set."""
    _power: float = 0.0
    _looks: int = 0
    _recalled: "Habit | None" = None

    def recall(self, former: "Habit") -> None:
        """Add what was known before; from any thread. It counts from the next `catch_up` on."""
        self._recalled = former

    def catch_up(self) -> None:
        """Take in what was recalled; in the thread that writes."""
        former, self._recalled = self._recalled, None
        if former is not None:
            self.days = {**former.days, **self.days}

    def add_life(self, at: datetime, level_dbfs: float) -> None:
        """A second in which the source lived."""
        self._power += 10 ** (level_dbfs / 10)
        self._looks += 1
        if self._looks < MINUTE_LOOKS:
            return
        mean_dbfs = max(SILENCE_DBFS, 10 * math.log10(self._power / self._looks))
        self._power, self._looks = 0.0, 0
        day = self._day(at)
        day.quietest_dbfs = min(day.quietest_dbfs, mean_dbfs)
        day.minutes += 1

    def add_spell(self, at: datetime, lasted_s: float) -> None:
        """It seemed dead, and came to life by itself."""
        day = self._day(at)
        day.spells += 1
        day.longest_s = max(day.longest_s, lasted_s)

    @property
    def quietest_dbfs(self) -> float | None:
        """The quietest minute; None while too little was heard to know."""
        days = list(self.days.values())
        known = sum(day.minutes for day in days) >= KNOWN_MINUTES
        return min(day.quietest_dbfs for day in days) if known else None

    @property
    def usual_spell_s(self) -> float:
        """How long spells in which it only seems dead are; 0 while there were not three of them."""
        days = list(self.days.values())
        often = sum(day.spells for day in days) >= _USUAL_SPELLS
        return max(day.longest_s for day in days) if often else 0.0

    def as_json(self) -> dict[str, Any]:
        """What `of_json` reads."""
        return {date: asdict(day) for date, day in list(self.days.items())}

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> "Habit":
        """A habit that was kept. Raises TypeError or ValueError for anything else."""
        days = {str(date): Day(**day) for date, day in dict(value).items()}
        if not all(math.isfinite(float(number)) for day in days.values() for number in asdict(day).values()):
            raise ValueError("a level or a length is not a number")
        return cls(days)

    def _day(self, at: datetime) -> Day:
        date = at.date().isoformat()
        day = self.days.pop(date, None) or Day()
        # A copy that is exchanged: who reads meanwhile sees the former days or the new ones.
        latest = list(self.days.items())[-(KEPT_DAYS - 1) :]
        self.days = {**dict(latest), date: day}
        return day
