"""The table of the minutes: a row for each that was measured."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Any

from monitor.clock import from_us, to_us
from monitor.history.reader import History
from monitor.types import Setting, SoundLevel

SCHEMA = """
CREATE TABLE loudness (
    minute INTEGER NOT NULL, source TEXT NOT NULL, laeq_tenths INTEGER NOT NULL, covered_s INTEGER NOT NULL,
    clipped_s INTEGER NOT NULL, calibration_tenths INTEGER, PRIMARY KEY (minute, source)) WITHOUT ROWID
"""
INSERT = """
INSERT INTO loudness VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (minute, source) DO UPDATE SET
    laeq_tenths = excluded.laeq_tenths, covered_s = excluded.covered_s, clipped_s = excluded.clipped_s,
    calibration_tenths = excluded.calibration_tenths WHERE excluded.covered_s >= covered_s
"""
"""A clock that was set back brings a minute twice: the one of which more was measured stays."""
KEPT = timedelta(days=366)
MOST_ROWS = 2_000_000
"""Nearly four sources for a year, 70 MB; with more of them the oldest minutes go sooner."""
_MINUTE_US = 60_000_000


def row(level: SoundLevel) -> tuple[Any, ...]:
    """What `INSERT` takes: whole minutes since 1970, tenths of a decibel, whole seconds."""
    return (
        to_us(level.started_at) // _MINUTE_US, level.source, round(level.laeq_dbfs * 10),
        round(level.covered_s), round(level.clipped_s),
        None if level.calibration_db is None else round(level.calibration_db * 10),
    )  # fmt: skip


def forget_minutes(connection: sqlite3.Connection, now: datetime, most_rows: int = MOST_ROWS) -> None:
    """Let go what is older than a year, and beyond `most_rows` the oldest."""
    connection.execute("DELETE FROM loudness WHERE minute < ?", (to_us(now - KEPT) // _MINUTE_US,))
    connection.execute(
        "DELETE FROM loudness WHERE minute <="
        " (SELECT minute FROM loudness ORDER BY minute DESC LIMIT 1 OFFSET ?)",
        (most_rows,),
    )


def minutes(
    rows: sqlite3.Connection, since: datetime, until: datetime, source: str | None = None
) -> Iterator[SoundLevel]:
    """The minutes that began from `since` to `until`, of one source or all, in order."""
    found = rows.execute(
        "SELECT * FROM loudness WHERE minute BETWEEN ? AND ? AND source = ifnull(?, source)"
        " ORDER BY minute, source",
        (-(-to_us(since) // _MINUTE_US), to_us(until) // _MINUTE_US, source),
    )
    for minute, name, laeq, covered_s, clipped_s, calibration in found:
        yield SoundLevel(
            name, from_us(minute * _MINUTE_US), laeq / 10, covered_s, clipped_s,
            None if calibration is None else calibration / 10,
        )  # fmt: skip


def minutes_of(
    history: History, since: datetime, until: datetime, source: str | None = None
) -> list[SoundLevel]:
    """The same of a history; none where it is from before minutes were kept."""
    with history.rows() as rows:
        known = rows.execute("SELECT 1 FROM sqlite_master WHERE name = 'loudness'").fetchone()
        return list(minutes(rows, since, until, source)) if known else []


def muted_minutes(history: History, since: datetime, count: int, source: str) -> list[bool]:
    """For each of `count` minutes from `since`, whether the source was muted in some of it. Raises
    StoreError."""
    until = since + timedelta(minutes=count)
    before = [(since, one) for one in history.settings(since)]
    later = [(at, one) for at, one in history.messages(since, until, Setting) if isinstance(one, Setting)]
    told = [
        (at, bool(one.value)) for at, one in [*before, *later] if (one.source, one.name) == (source, "mute")
    ]
    muted = [False] * count
    for (begins, is_muted), (ends, _) in pairwise([*told, (until, False)]):
        first, last = ((at - since) / timedelta(minutes=1) for at in (begins, ends))
        for minute in range(int(first), ceil(last)) if is_muted and ends > begins else ():
            muted[minute] = True
    return muted
