"""What people say of what was heard: right, wrong, something else, not sure. Kept for good, in a file of its
own: scores go after days, and a verdict is worth more the older it gets."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from monitor.clock import Clock, from_us, to_us
from monitor.errors import StoreError
from monitor.logs import Lapse
from monitor.store.database import Database
from monitor.store.late_database import LateDatabase

FILE = "verdicts.db"
PATIENCE_S = 1.0
"""What a disk gets to open or close the file: a start must not wait for one that hangs."""
VerdictWord = Literal["right", "wrong", "unsure"]
WORDS: tuple[VerdictWord, ...] = ("right", "wrong", "unsure")

_MIGRATIONS = (
    """
    CREATE TABLE verdict (
        event_id TEXT PRIMARY KEY, verdict TEXT NOT NULL, label TEXT, judged_at INTEGER NOT NULL,
        judged_by TEXT NOT NULL, heard TEXT NOT NULL, source TEXT NOT NULL, started_at INTEGER NOT NULL,
        score REAL NOT NULL, classifier TEXT NOT NULL, labels TEXT, scores BLOB, embedding BLOB
    ) WITHOUT ROWID;
    CREATE INDEX verdict_heard ON verdict (heard, verdict);
    CREATE TABLE acknowledged (
        alert_id TEXT PRIMARY KEY, at INTEGER NOT NULL, acknowledged_by TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE kept (event_id TEXT PRIMARY KEY, at INTEGER NOT NULL, kept_by TEXT NOT NULL) WITHOUT ROWID
    """,
    """
    ALTER TABLE verdict ADD COLUMN trace BLOB;
    CREATE TABLE missed (
        source TEXT NOT NULL, label TEXT NOT NULL, at INTEGER NOT NULL, noted_at INTEGER NOT NULL,
        noted_by TEXT NOT NULL, trace BLOB, PRIMARY KEY (source, label, at)
    ) WITHOUT ROWID;
    CREATE TABLE asked (event_id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID
    """,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was judged, as it must outlast the history it was found in."""

    event_id: str
    heard: str
    """The label that the event had."""
    source: str
    started_at: datetime
    score: float
    classifier: str
    labels: str | None = None
    """Names of the labels that `scores` are of, in their order, with spaces between."""
    scores: bytes | None = None
    """Of the event's best look, as `pack_scores` writes them."""
    embedding: bytes | None = None
    """384 float16 of that look; none of speech."""
    trace: bytes | None = None
    """Every look at the event's label, as `pack_trace` writes them: what another onset would make of it."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A sound of which nobody was notified, though it was there."""

    source: str
    label: str
    at: datetime
    trace: bytes | None = None
    """The looks that came nearest; None where nothing was classified then: the gate had not opened."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said of an event."""

    event_id: str
    verdict: VerdictWord
    label: str | None
    """What it really was, if they said so; with `wrong` only."""
    at: datetime
    by: str
    heard: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has seen an alert."""

    alert_id: str
    at: datetime
    by: str


class Verdicts:
    """Every method may be called from any thread, and raises StoreError while the disk keeps nothing.

    Entering does not raise: the daemon listens without verdicts, and the first call after the disk has
    recovered opens them.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._database = LateDatabase(
            Database(folder / FILE, _MIGRATIONS, clock, patience_s=PATIENCE_S),
            Lapse("verdicts are not being kept", "verdicts are kept again"),
        )

    def __enter__(self) -> Self:
        with suppress(StoreError):
            self._database.opened()
        return self

    def __exit__(self, *exc: object) -> None:
        self._database.close()

    def judge(self, judged: Judged, word: VerdictWord, label: str | None, at: datetime, by: str) -> Verdict:
        """Keep what somebody says; a later word replaces an earlier one."""
        label = label if word == "wrong" else None
        row = (
            judged.event_id, word, label, to_us(at), by, judged.heard, judged.source,
            to_us(judged.started_at), judged.score, judged.classifier, judged.labels, judged.scores,
            judged.embedding, judged.trace,
        )  # fmt: skip
        with self._database.opened().transaction() as rows:
            rows.execute(
                "INSERT OR REPLACE INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row
            )
        return Verdict(judged.event_id, word, label, at, by, judged.heard, judged.source)

    def undo(self, event_id: str) -> bool:
        """Whether there was a verdict to take back."""
        with self._database.opened().transaction() as rows:
            return rows.execute("DELETE FROM verdict WHERE event_id = ?", (event_id,)).rowcount > 0

    def of(self, event_ids: Sequence[str]) -> dict[str, Verdict]:
        """The verdicts on these events."""
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT event_id, verdict, label, judged_at, judged_by, heard, source FROM verdict"
                " WHERE event_id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(event_ids)),),
            ).fetchall()
        return {
            id: Verdict(id, word, label, from_us(us), by, heard, source)
            for id, word, label, us, by, heard, source in found
        }

    def all(self) -> list[tuple[Judged, VerdictWord]]:
        """Everything that was judged right or wrong, oldest first, without embeddings and other scores."""
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT event_id, heard, source, started_at, score, classifier, trace, verdict FROM verdict"
                " WHERE verdict != 'unsure' ORDER BY judged_at"
            ).fetchall()
        return [
            (Judged(id, heard, source, from_us(us), score, classifier, trace=trace), word)
            for id, heard, source, us, score, classifier, trace, word in found
        ]

    def embedded(self, most: int) -> list[tuple[str, bytes, bool]]:
        """Label, embedding, and whether it was right, of what people judged here themselves (not over MQTT,
        where anything may answer); of each label the newest `most`."""
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT heard, embedding, verdict FROM (SELECT heard, embedding, verdict, row_number() OVER"
                " (PARTITION BY heard ORDER BY judged_at DESC) AS place FROM verdict"
                " WHERE embedding IS NOT NULL AND verdict != 'unsure' AND judged_by != 'mqtt')"
                " WHERE place <= ?",
                (most,),
            ).fetchall()
        return [(heard, embedding, word == "right") for heard, embedding, word in found]

    def judged_count(self) -> tuple[int, int]:
        """How many were judged, and when the last time: another pair means that somebody has judged."""
        with self._database.opened().reading() as rows:
            [(count, last_us)] = rows.execute("SELECT count(*), max(judged_at) FROM verdict")
        return count, last_us or 0

    def miss(self, missed: Missed, noted_at: datetime, by: str) -> None:
        """Keep that a sound was there of which nobody was notified."""
        row = (missed.source, missed.label, to_us(missed.at), to_us(noted_at), by, missed.trace)
        with self._database.opened().transaction() as rows:
            rows.execute("INSERT OR REPLACE INTO missed VALUES (?, ?, ?, ?, ?, ?)", row)

    def found(self, source: str, label: str, at: datetime) -> bool:
        """It was not missed: whether that had been said before."""
        with self._database.opened().transaction() as rows:
            gone = rows.execute(
                "DELETE FROM missed WHERE source = ? AND label = ? AND at = ?", (source, label, to_us(at))
            )
            return gone.rowcount > 0

    def missed(self) -> list[Missed]:
        """All of these, the oldest first."""
        with self._database.opened().reading() as rows:
            found = rows.execute("SELECT source, label, at, trace FROM missed ORDER BY at").fetchall()
        return [Missed(source, label, from_us(us), trace) for source, label, us, trace in found]

    def ask(self, event_id: str, at: datetime) -> None:
        """Keep that somebody was asked about an event; the first time counts."""
        with self._database.opened().transaction() as rows:
            rows.execute("INSERT OR IGNORE INTO asked VALUES (?, ?)", (event_id, to_us(at)))

    def asked(self) -> dict[str, datetime]:
        """When somebody was asked about which events."""
        with self._database.opened().reading() as rows:
            return {id: from_us(us) for id, us in rows.execute("SELECT event_id, at FROM asked")}

    def counts(self) -> dict[str, dict[str, int]]:
        """How many of each word, by the label that was heard."""
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT heard, verdict, count(*) FROM verdict GROUP BY heard, verdict"
            ).fetchall()
        counted: dict[str, dict[str, int]] = {}
        for heard, word, number in found:
            counted.setdefault(heard, dict.fromkeys(WORDS, 0))[word] = number
        return counted

    def acknowledge(self, alert_ids: Sequence[str], at: datetime, by: str) -> None:
        """Somebody has seen these alerts; the first counts."""
        with self._database.opened().transaction() as rows:
            rows.executemany(
                "INSERT OR IGNORE INTO acknowledged VALUES (?, ?, ?)",
                [(alert_id, to_us(at), by) for alert_id in alert_ids],
            )

    def acknowledged(self, alert_ids: Sequence[str]) -> dict[str, Acknowledgement]:
        """Which of these were."""
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT alert_id, at, acknowledged_by FROM acknowledged"
                " WHERE alert_id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(alert_ids)),),
            ).fetchall()
        return {id: Acknowledgement(id, from_us(us), by) for id, us, by in found}

    def first_acknowledged(self, alert_ids: Sequence[str]) -> Acknowledgement | None:
        """Who has seen any of these first."""
        return min(self.acknowledged(alert_ids).values(), key=lambda one: one.at, default=None)

    def keep(self, event_id: str, at: datetime, by: str, *, kept: bool) -> None:
        """Mark an event as one to be kept, or no longer."""
        with self._database.opened().transaction() as rows:
            if kept:
                rows.execute("INSERT OR IGNORE INTO kept VALUES (?, ?, ?)", (event_id, to_us(at), by))
            else:
                rows.execute("DELETE FROM kept WHERE event_id = ?", (event_id,))

    def kept(self, event_ids: Sequence[str]) -> set[str]:
        """Which of these are."""
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT event_id FROM kept WHERE event_id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(event_ids)),),
            ).fetchall()
        return {row[0] for row in found}
