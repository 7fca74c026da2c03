"""Which time of day rules go by, and whether it is the one that was meant."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from monitor.config.model import Config

_ZONES = Path("/usr/share/zoneinfo")
_POSIX = re.compile(r"(<[\w+-]{3,}>|[A-Za-z]{3,})[+-]?\d{1,2}(:\d\d){0,2}\S*")
"""`CET-1CEST`: a zone that brings its offset (POSIX.1-2017, 8.3)."""


def zone_problem(environment: Mapping[str, str] = os.environ) -> str:
    """What is wrong with `TZ`; empty when nothing is. The C library takes a zone that it does not know for
    UTC, without a word."""
    name = environment.get("TZ", "").removeprefix(":")
    folder = Path(environment.get("TZDIR", _ZONES))
    if not name or _POSIX.fullmatch(name) or (folder / name).is_file():
        return ""
    if not folder.is_dir():
        return f"times count as UTC: TZ is {name!r}, and this machine has no time zones; install tzdata"
    known = [str(each.relative_to(folder)) for each in folder.glob("*/*") if each.is_file()]
    return f"times count as UTC: TZ is {name!r}, which is no time zone here{_nearest(name, known)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def zone_words(now: datetime | None = None) -> str:
    """The zone as the C library has it, and what its clock shows: `CET (UTC+01:00), now 14:05`."""
    at = (now or datetime.now(UTC)).astimezone()
    offset = at.strftime("%z")
    return f"{at:%Z} (UTC{offset[:3]}:{offset[3:]}), now {at:%H:%M}"


def goes_by_the_clock(config: Config) -> bool:
    """Whether some rule asks for a time of day or a weekday."""
    return any(rule.between or rule.weekdays for rule in config.rules)
