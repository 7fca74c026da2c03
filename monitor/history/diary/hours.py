"""For how long each sound was heard, hour by hour: at each source, and in the house."""

import csv
import hashlib
import io
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from monitor.clock import from_us, to_us
from monitor.errors import StoreError
from monitor.labels import label_name
from monitor.store.files import write_private
from monitor.types import HOUSE

_HOUR_US = 3_600_000_000
_QUARTER_US = 900_000_000
"""Of an hour: every zone is so many of them from UTC."""
_BARS = " ▁▂▃▄▅▆▇█"
TimeSpan = tuple[int, int]
"""From and until when, microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class DiaryEntry:
    """One sound in one hour."""

    hour: datetime
    """Its beginning, in the zone of the house."""
    source: str
    """`house`: wherever it was heard, counted once."""
    label: str
    minutes: float
    events: int
    """That began in it."""


def entries(
    rows: sqlite3.Connection, since: datetime, until: datetime, zone: tzinfo | None = None
) -> list[DiaryEntry]:
    """By hour, source and label; an event that goes on lasts until now (`until`)."""
    found = rows.execute(
        "SELECT label, source, started_at, ended_at FROM event"
        " WHERE started_at < ? AND coalesce(ended_at, ?) > ? ORDER BY started_at",
        (to_us(until), to_us(until), to_us(since)),
    )
    since_us, until_us = to_us(since), to_us(until)
    spans: dict[tuple[str, str], list[TimeSpan]] = defaultdict(list)
    for label, source, started_us, ended_us in found:
        start = max(started_us, since_us)
        end = min(ended_us or until_us, until_us)
        for where in (source, HOUSE):
            spans[where, label].append((start, max(start, end)))
    hours = _Hours(zone)
    return sorted(
        (entry for (where, label), own in spans.items() for entry in _of_hours(where, label, own, hours)),
        key=lambda one: (one.hour, one.source != HOUSE, one.source, one.label),
    )


def _of_hours(source: str, label: str, spans: Sequence[TimeSpan], hours: "_Hours") -> Iterator[DiaryEntry]:
    heard_us: dict[int, int] = defaultdict(int)
    begun: dict[int, int] = defaultdict(int)
    for start, _ in spans:
        begun[hours.of(start)] += 1
    for start, end in _merged(spans):
        at = start
        while at < end:
            hour = hours.of(at)
            upto = min(end, hour + _HOUR_US)
            heard_us[hour] += upto - at
            at = upto
    for hour in {*heard_us, *begun}:
        minutes = round(heard_us[hour] / 60_000_000, 2)
        yield DiaryEntry(hours.local(hour), source, label, minutes, begun[hour])


class _Hours:
    """The hours of a house by their beginnings, microseconds since 1970; each quarter is asked of the zone
    once: a busy week has seventy thousand events."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._of: dict[int, int] = {}

    def of(self, at_us: int) -> int:
        """When its hour began: in zones half an hour apart from UTC it begins at half past."""
        quarter = at_us // _QUARTER_US
        hour = self._of.get(quarter)
        if hour is None:
            quarters = self.local(quarter * _QUARTER_US).minute // 15
            hour = self._of[quarter] = (quarter - quarters) * _QUARTER_US
        return hour

    def local(self, at_us: int) -> datetime:
        """As the house's clocks show it."""
        return from_us(at_us).astimezone(self._zone)


def _merged(spans: Iterable[TimeSpan]) -> Iterator[TimeSpan]:
    """Without what is counted twice."""
    current: TimeSpan | None = None
    for start, end in sorted(spans):
        if current is not None and start <= current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current


def begun_by_hour(rows: sqlite3.Connection, since: datetime, zone: tzinfo) -> dict[str, list[int]]:
    """How many events of each label began since then, by the hour of the day in that zone: 24 counts."""
    found = rows.execute(
        "SELECT label, started_at / ? AS quarter, count(*) FROM event WHERE started_at >= ?"
        " GROUP BY label, quarter",
        (_QUARTER_US, to_us(since)),
    )
    hours: dict[str, list[int]] = {}
    for label, quarter, count in found:
        hours.setdefault(label, [0] * 24)[from_us(quarter * _QUARTER_US).astimezone(zone).hour] += count
    return hours


@dataclass(frozen=True, slots=True)
class OfDay:
    """A sound of the house, and how it lies over the hours of the day."""

    label: str
    minutes: tuple[float, ...]
    """24; the first is from midnight to one, in the zone of the entries."""
    events: int


def of_day(found: Sequence[DiaryEntry]) -> list[OfDay]:
    """Each sound of the house, the one that was heard longest first."""
    minutes: dict[str, list[float]] = defaultdict(lambda: [0.0] * 24)
    events: dict[str, int] = defaultdict(int)
    for one in found:
        if one.source == HOUSE:
            minutes[one.label][one.hour.hour] += one.minutes
            events[one.label] += one.events
    ranked = sorted(minutes, key=lambda label: -sum(minutes[label]))
    return [OfDay(label, tuple(minutes[label]), events[label]) for label in ranked]


def chart(found: Sequence[DiaryEntry]) -> Iterator[str]:
    """A line for each sound of the house: minutes in all, and how they lie over the 24 hours of the day."""
    for one in of_day(found):
        most = max(one.minutes) or 1.0
        # What was heard at all shows, however short it was.
        bars = "".join(
            _BARS[0 if minutes == 0 else max(1, round(minutes / most * 8))] for minutes in one.minutes
        )
        yield f"{label_name(one.label):24} {sum(one.minutes):8.1f} min {one.events:6d} times  |{bars}|"


def as_csv(found: Sequence[DiaryEntry]) -> bytes:
    """A row for each sound, source and hour."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["hour", "source", "label", "minutes", "events"])
    for one in found:
        table.writerow([one.hour.isoformat(), one.source, one.label, f"{one.minutes:.2f}", one.events])
    return text.getvalue().encode()


def export(found: Sequence[DiaryEntry], file: Path) -> str:
    """Write it as CSV, and beside it its SHA-256 as `sha256sum -c` reads it; returns that. Raises
    StoreError."""
    data = as_csv(found)
    digest = hashlib.sha256(data).hexdigest()
    if file.is_dir():
        raise StoreError(f"{file} is a folder; name a file")
    if not file.parent.is_dir():
        raise StoreError(f"{file}: there is no folder {file.parent}")
    write_private(file, data)
    write_private(file.with_name(file.name + ".sha256"), f"{digest}  {file.name}\n".encode())
    return digest
