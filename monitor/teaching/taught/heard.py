"""Every sound of the last days that is over, as the history keeps it: what it was like, and what it was taken
for. None of speech."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from monitor.classifiers.taught.sound import Floats, unpacked
from monitor.clock import from_us, to_us
from monitor.teaching.taught.unnamed import Unclaimed


@dataclass(frozen=True, slots=True)
class KeptSound:
    """A sound that was heard whole: where, when, and its embedding, packed as in `sound.unpacked`."""

    segment_id: str
    at: datetime
    source: str
    label: str | None
    """The label whose onset it reached; None: no label claims it."""
    embedding: bytes
    beeps: bytes | None = None
    """Packed as in `rhythm.HeardBeeps`; None: nobody looked."""


def heard_since(rows: sqlite3.Connection, at: datetime, source: str | None = None) -> Iterator[KeptSound]:
    """What was heard whole from a moment on, at one source or all, the oldest first."""
    found = rows.execute(
        "SELECT segment_id, told_at, source, label, embedding, beeps FROM background WHERE told_at > ?"
        " AND (source = ? OR ? IS NULL) ORDER BY told_at",
        (to_us(at), source, source),
    )
    for segment_id, told_us, where, label, embedding, beeps in found:
        yield KeptSound(segment_id, from_us(told_us), where, label, embedding, beeps)


def unclaimed(rows: sqlite3.Connection) -> tuple[Floats, list[Unclaimed]]:
    """What no label claims, the oldest first: embeddings (m, n), and when and where each was heard."""
    found = rows.execute(
        "SELECT segment_id, source, told_at, embedding FROM background WHERE label IS NULL ORDER BY told_at"
    ).fetchall()
    sounds = [Unclaimed(id, source, from_us(us).astimezone()) for id, source, us, _ in found]
    return np.array([unpacked(blob) for _, _, _, blob in found], np.float32), sounds


def beeps_of(rows: sqlite3.Connection, segment_id: str) -> bytes | None:
    """What beeped in a sound, packed; None where it is not known."""
    try:
        found = rows.execute("SELECT beeps FROM background WHERE segment_id = ?", (segment_id,)).fetchone()
    except sqlite3.OperationalError:  # a history from before rhythms were taught
        return None
    return found[0] if found else None
