"""By which time old things are let go: the wall clock, once it has been plausible for a day.

A camera without a battery for its clock, or a wrong time server, may set the clock years ahead. Everything is
then older than what is to be kept, and an hour later the clock may be right again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from monitor.clock import Clock, instant
from monitor.logs import Lapse, get_logger
from monitor.store.kept_file import KeptFile

log = get_logger()

FILE = "time.json"
"""In the state folder."""
LEAP = timedelta(days=1)
"""A clock that is this far from what it should show has leapt. Less costs a day of what is kept at most."""
HOLDS_S = 86_400.0
"""So long the daemon must have run with the new time until it is believed: by then somebody sees a wrong one,
and a time server has set it right."""
UNLIKELY = timedelta(days=60)
"""Who was switched off for longer than this has more likely a wrong clock, and people are told."""
WRITE_EVERY_S = 1800.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What the clock should show now, and what it shows instead where it has leapt."""

    believed: datetime
    leapt_to: datetime | None = None
    held_s: float = 0.0
    """Seconds that the daemon has run with the time it leapt to."""

    def after(self, passed_s: float, shown: datetime) -> "_Known":
        """So much later, while the clock shows this."""
        passed = timedelta(seconds=passed_s)
        believed = self.believed + passed
        if _is_near(shown, believed):
            return _Known(shown)
        if self.leapt_to is None or not _is_near(shown, self.leapt_to + passed):
            return _Known(believed, shown)
        held_s = self.held_s + passed_s
        return _Known(shown) if held_s >= HOLDS_S else _Known(believed, shown, held_s)


class BelievedTime:
    """What was known outlasts a restart, in one file with mode 0600; a file that cannot be read or written is
    logged once and stops nothing. `tend` and the first `now` may wait for a disk. Any thread."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = KeptFile(
            folder / FILE,
            "how far the clock may be believed must be learnt anew",
            Lapse("the time is not being kept", "the time is kept again"),
        )
        self._clock = clock
        self._lock = Lock()
        self._known: _Known | None = None
        self._seen_s = self._written_s = 0.0

    def now(self) -> datetime:
        """UTC, by which something is old. While the clock shows a time to which it leapt, the earlier one of
        that and the time it should show."""
        with self._lock:
            known = self._looked()
            return min(known.believed, known.leapt_to or known.believed)

    def tend(self, *, last: bool = False) -> None:
        """Follow the clock, and keep what is known of it every half hour, when it leaps, and the `last`
        time."""
        with self._lock:
            before, known = self._known, self._looked()
            is_news = before is None or (before.leapt_to is None) != (known.leapt_to is None)
            if is_news or last or self._seen_s - self._written_s >= WRITE_EVERY_S:
                self._written_s = self._seen_s
                self._file.write(_as_json(known))

    def notes(self) -> dict[str, str]:
        """For health: that the clock may be wrong."""
        known = self._known
        if known is None or known.leapt_to is None or abs(known.leapt_to - known.believed) < UNLIKELY:
            return {}
        why = f"it leapt by {_days(known)} days and may be wrong"
        return {"clock": f"{why}: nothing is removed for its age until the new time has held for a day"}

    def _looked(self) -> _Known:
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        before = self._known
        if before is None:
            before, self._seen_s = self._file.read(_of_json) or _Known(now), now_s
        self._known = known = before.after(now_s - self._seen_s, now)
        self._seen_s = now_s
        if known.leapt_to is not None and (before.leapt_to is None or known.held_s < before.held_s):
            log.warning(
                "the clock leapt: nothing is removed for its age until the new time has held for a day",
                days=_days(known), expected=known.believed.isoformat(), shown=now.isoformat(),
            )  # fmt: skip
        if known.leapt_to is None and before.leapt_to is not None:
            log.info("the clock is believed again", shown=now.isoformat())
        return known


def _is_near(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= LEAP


def _days(known: _Known) -> int:
    assert known.leapt_to is not None
    return round((known.leapt_to - known.believed) / timedelta(days=1))


def _as_json(known: _Known) -> dict[str, Any]:
    return {
        "believed": known.believed.isoformat(),
        "leapt_to": known.leapt_to.isoformat() if known.leapt_to else None,
        "held_s": round(known.held_s, 1),
    }


def _of_json(row: Any) -> _Known:
    leapt_to = instant(row["leapt_to"]) if row["leapt_to"] else None
    return _Known(instant(row["believed"]), leapt_to, float(row["held_s"]))
