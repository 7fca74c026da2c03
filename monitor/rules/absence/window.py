"""From when until when a sound is waited for, on a day of the house's own clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from monitor.rules.model import WEEKDAYS, Rule, UnlessHeard

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WatchWindow:
    """Begin and end, UTC."""

    begin: datetime
    end: datetime


def window_on(block: UnlessHeard, day: date, zone: tzinfo | None) -> WatchWindow:
    """The window that begins on this day. Its times are those on the wall: an hour that does not exist counts
    as the one after it; of one that comes twice, the window begins with the first and ends with the
    second, so that nobody is missed an hour early. `zone` None is the system's."""
    begins, ends = block.times
    last = day if ends > begins else day + _DAY
    return WatchWindow(_utc(day, begins, zone, fold=0), _utc(last, ends, zone, fold=1))


def window_at(rule: Rule, now: datetime, zone: tzinfo | None) -> WatchWindow | None:
    """The window that began last, over or not; None where none has begun in the last two days."""
    assert rule.unless_heard is not None
    today = now.astimezone(zone).date()
    for day in (today, today - _DAY, today - 2 * _DAY):
        if rule.weekdays and WEEKDAYS[day.weekday()] not in rule.weekdays:
            continue
        window = window_on(rule.unless_heard, day, zone)
        if window.begin <= now:
            return window
    return None


def _utc(day: date, at: time, zone: tzinfo | None, fold: int) -> datetime:
    local = datetime.combine(day, at, zone).replace(fold=fold)
    if zone is not None:
        return local.astimezone(UTC)
    return local.astimezone().astimezone(UTC)  # a naive time is the system's
