"""A history of many events, as the daemon would have written it."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from monitor.clock import SystemClock, to_us
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.store.codec import encode
from testkit.builders import START, alert, event

LABELS = ("dog_bark", "doorbell", "knock", "speech", "dishes", "glass_break", "footsteps", "cat")
APART_S = 5.0
_ID = "e00000000001"


def write_history(folder: Path, count: int, until: datetime, *, source: str = "hall") -> list[str]:
    """`count` events that ended, the last before `until`, five seconds apart, one in a hundred with an alert:
    their ids, oldest first. `folder` is the daemon's state."""
    ids = [f"{n:012x}" for n in range(count)]
    times = [until - timedelta(seconds=APART_S * (count - n)) for n in range(count)]
    with ScoreStore(folder / SCORES, SystemClock()) as store:
        for n in range(0, count, 100):
            about = event(LABELS[n % len(LABELS)], ids[n], times[n], source=source)
            store.post(alert(id=f"a{n:011x}", at=times[n], events=(about,)), times[n])
        store.flush()
    with closing(sqlite3.connect(folder / SCORES)) as rows, rows:
        rows.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, 'confirmed', 0.9, 'embedded', 'quiet', ?, 0)"
            " ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, ended_by = excluded.ended_by",
            (
                (id, to_us(at), to_us(at) + 2_000_000, source, LABELS[n % len(LABELS)], to_us(at))
                for n, (id, at) in enumerate(zip(ids, times, strict=True))
            ),
        )
        bodies = {label: _body(label, source) for label in LABELS}
        rows.executemany(
            "INSERT INTO said VALUES (NULL, ?, 'SoundEvent', ?, ?)",
            (
                (
                    to_us(at),
                    id,
                    bodies[LABELS[n % len(LABELS)]].replace(_ID, id).replace(_START, at.isoformat()),
                )
                for n, (id, at) in enumerate(zip(ids, times, strict=True))
            ),
        )
    return ids


_START = START.isoformat()


def _body(label: str, source: str) -> str:
    """An event as it is kept; id and times are filled in."""
    began = event(label, _ID, START, source=source)
    return encode(replace(began, state="ended", ended_at=START, ended_by="quiet"))
