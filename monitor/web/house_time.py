"""House time: what a clock on its wall shows. The page shows no other, wherever its reader is."""

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCALTIME = Path("/etc/localtime")
_OF_MACHINES = ("localtime", "posixrules")
"""Files beside the zones that browsers do not know."""


def house_zone(environment: Mapping[str, str] = os.environ) -> ZoneInfo:
    """The zone of this machine by its name in the tz database; UTC where it has none."""
    for name in _names(environment):
        if name in _OF_MACHINES:
            continue
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(name)
    return ZoneInfo("UTC")


def _names(environment: Mapping[str, str]) -> list[str]:
    linked = str(_LOCALTIME.resolve()) if _LOCALTIME.is_symlink() else ""
    names = [environment.get("TZ", "").lstrip(":"), linked.rpartition("zoneinfo/")[2]]
    return [name.removeprefix("posix/").removeprefix("right/") for name in names]


class HouseTime:
    """Reads and writes times of one zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    @property
    def name(self) -> str:
        """As browsers know it, too."""
        return self.zone.key

    def iso(self, at: datetime) -> str:
        """RFC 3339 with the house's offset, as in `2026-01-02T03:04:05.678+01:00`."""
        return at.astimezone(self.zone).isoformat(timespec="milliseconds")

    def day(self, day: date) -> tuple[datetime, datetime]:
        """From midnight to midnight, in UTC: 23 or 25 hours where the clocks change."""
        return self._midnight(day), self._midnight(day + timedelta(days=1))

    def today(self, now: datetime) -> date:
        """The day that the house has."""
        return now.astimezone(self.zone).date()

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)
