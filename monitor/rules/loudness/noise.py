"""How loud it has been at one source, as far as one rule has to know."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.clock import instant
from monitor.rules.model import LevelAbove
from monitor.types import SoundLevel

HYSTERESIS_DB = 3.0
"""So far below the rule's level a minute counts as quiet: half the energy. Music at the limit does not begin
anew with every song."""
QUIET_MINUTES = 5
"""As many quiet minutes on end, or the rule's own time if that is shorter, and the noise is over."""
MISSED_SHARE = 10
"""One minute in so many may be quieter, or not measured: the pause between two songs is part of a party."""
LONGEST_PAUSE_MINUTES = 15
"""Not measured for longer than this and than the rule's own time, what comes is another noise."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute that was measured."""

    started_at: datetime
    dba: float
    clipped: bool = False


@dataclass(frozen=True, slots=True)
class Noise:
    """The latest minutes, oldest first, and whether their noise has had its alert."""

    minutes: tuple[Minute, ...] = ()
    goes_on: bool = False
    """An alert was raised, and it has not been quiet since."""
    quiet: int = 0
    """Minutes on end that were quiet."""
    raised_at: datetime | None = None
    """The latest alert."""

    def then(self, level: SoundLevel, block: LevelAbove) -> "Noise":
        """With the next minute. After long without any, or where the clock was set, it begins anew."""
        assert level.laeq_dba is not None
        earliest = level.started_at - (block.minutes - 1) * _MINUTE
        known = tuple(one for one in self.minutes if earliest <= one.started_at < level.started_at)
        apart = abs(level.started_at - self.minutes[-1].started_at) if self.minutes else _MINUTE
        was = Noise() if apart > max(block.minutes, LONGEST_PAUSE_MINUTES) * _MINUTE else self
        quiet = was.quiet + 1 if level.laeq_dba < block.above_dba - HYSTERESIS_DB else 0
        minute = Minute(level.started_at, round(level.laeq_dba, 1), level.clipped_s > 0)
        is_over = quiet >= min(QUIET_MINUTES, block.minutes)
        return replace(was, minutes=(*known, minute), quiet=quiet, goes_on=was.goes_on and not is_over)

    def lasts(self, block: LevelAbove) -> bool:
        """Whether it is loud now, was so the rule's time ago, and between with few exceptions."""
        loud = [one.started_at for one in self.minutes if one.dba >= block.above_dba]
        if len(loud) < block.minutes - block.minutes // MISSED_SHARE:
            return False
        last = self.minutes[-1].started_at
        return loud[-1] == last and loud[0] == last - (block.minutes - 1) * _MINUTE

    @property
    def mean_dba(self) -> float:
        """LAeq over the minutes."""
        return 10 * math.log10(sum(10 ** (one.dba / 10) for one in self.minutes) / len(self.minutes))

    @property
    def clipped(self) -> bool:
        """Whether it was louder than was measured."""
        return any(one.clipped for one in self.minutes)

    def row(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "minutes": [[one.started_at.isoformat(), one.dba, one.clipped] for one in self.minutes],
            "goes_on": self.goes_on,
            "quiet": self.quiet,
            "raised_at": self.raised_at.isoformat() if self.raised_at else None,
        }


def noise_of(row: Mapping[str, Any]) -> Noise:
    """What `row` gave. Raises KeyError, TypeError or ValueError for anything else."""
    raised_at = row["raised_at"]
    return Noise(
        tuple(_minute(each) for each in row["minutes"]),
        bool(row["goes_on"]),
        int(row["quiet"]),
        instant(raised_at) if raised_at else None,
    )


def _minute(row: Sequence[Any]) -> Minute:
    started_at, dba, clipped = row
    return Minute(instant(started_at), float(dba), bool(clipped))
