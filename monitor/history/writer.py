"""Scores of everything that was heard, kept for days, so that one can ask why and try other thresholds.

Not what people said: levels, scores, events and alerts; and of what made an event or nearly did what it is
like to the model, unless words may be in it.
"""

import json
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Self

from monitor.clock import Clock, to_us
from monitor.errors import StoreError
from monitor.history import best_looks, events
from monitor.history.best_looks import BestLooks
from monitor.history.loudness import minutes
from monitor.history.pruning import forget, oldest_us, used_bytes
from monitor.history.records import ScoreRecord, cut_of, looks_of, pack_more, pack_scores, pack_spans
from monitor.logs import Lapse, get_logger
from monitor.patience import Patience, Silent
from monitor.store.codec import encode
from monitor.store.database import DamagedStore, Database
from monitor.types import (
    Alert,
    Detection,
    Findings,
    Level,
    Segment,
    Setting,
    SoundEvent,
    SoundLevel,
    SourceStatus,
)

log = get_logger()

SCHEMA = """
CREATE TABLE labels (number INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
CREATE TABLE look (
    number INTEGER PRIMARY KEY, told_at INTEGER NOT NULL, source TEXT NOT NULL, classifier TEXT NOT NULL,
    started_at INTEGER NOT NULL, segment_id TEXT, certainty TEXT, labels INTEGER NOT NULL,
    scores BLOB NOT NULL, spans BLOB NOT NULL, more TEXT);
CREATE TABLE cut (
    number INTEGER PRIMARY KEY, told_at INTEGER NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL,
    started_at INTEGER NOT NULL, duration_s REAL NOT NULL, onset_s REAL NOT NULL, floor_dbfs REAL NOT NULL,
    peak_dbfs REAL NOT NULL, speech_ratio REAL NOT NULL, ended_by TEXT NOT NULL);
CREATE TABLE level (
    number INTEGER PRIMARY KEY, told_at INTEGER NOT NULL, source TEXT NOT NULL,
    level_dbfs REAL NOT NULL, floor_dbfs REAL NOT NULL);
CREATE TABLE said (
    number INTEGER PRIMARY KEY, told_at INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    body TEXT NOT NULL);
CREATE INDEX look_told_at ON look (told_at);
CREATE INDEX cut_told_at ON cut (told_at);
CREATE INDEX level_told_at ON level (told_at);
CREATE INDEX said_told_at ON said (told_at);
CREATE INDEX said_id ON said (id)
"""
MIGRATIONS = (SCHEMA, events.SCHEMA, *best_looks.SCHEMAS, minutes.SCHEMA, best_looks.BEEPS_SCHEMA)

_INSERT = {
    "look": "INSERT INTO look VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "cut": "INSERT INTO cut VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "level": "INSERT INTO level VALUES (NULL, ?, ?, ?, ?)",
    "said": "INSERT INTO said VALUES (NULL, ?, ?, ?, ?)",
    "embedding": best_looks.INSERT,
    "background": best_looks.INSERT_BACKGROUND,
    "early": best_looks.INSERT_EARLY,
    "claimed": best_looks.CLAIM_BACKGROUND,
    "loudness": minutes.INSERT,
}
PATIENCE_S = 1.0
"""What a disk gets to open or close the file: a start must not wait for one that hangs."""
_WAITING = 20_000
_TEND_EVERY_S = 600.0
_SHED_SHARE = 0.1

Row = tuple[Any, ...]


class ScoreStore:
    """Takes in what was heard and decided. `hear` and `post` may be called from any thread: they only
    remember. `flush` writes, in one transaction, and belongs to a thread that may wait for a disk; call it
    every few seconds. Never raises for a disk: what cannot be written waits, beyond 20 000 rows the oldest is
    given up, and both are logged once and counted.

    Rows older than `keep_s` go, and beyond `max_bytes` the oldest; of what was set before, what then was in
    force stays: whoever looks back must know under which settings it was heard.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        keep_s: float = 7 * 86400.0,
        max_bytes: int = 256 * 2**20,
        best: BestLooks | None = None,
        believed_now: Callable[[], datetime] | None = None,
    ) -> None:
        """`believed_now`: the time by which rows are old, where the wall clock may be wrong."""
        self._database = Database(path, MIGRATIONS, clock, verify=False, patience_s=PATIENCE_S)
        self._clock = clock
        self._best = best
        self._believed_now = believed_now or clock.now
        self._keep = timedelta(seconds=keep_s)
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._waiting: deque[tuple[str, Row]] = deque()
        self._labels: dict[str, int] = {}
        self._open = False
        self._lapse = Lapse(
            "scores are not being kept: explain and replay will have a gap", "scores are being kept again"
        )
        self._tend_at_s = 0.0
        self.fault = ""
        """Why nothing is being kept now."""
        self.lost = 0
        """Rows given up because the disk did not take them."""

    def __enter__(self) -> Self:
        self._try(self._opened)
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what waits, and close, within 2 s."""
        with suppress(Silent):
            Patience("history", PATIENCE_S).do(self.flush)
        self._database.__exit__()
        self._open = False

    def hear(self, heard: Findings, decided_at: datetime) -> None:
        """Findings, as the tracker takes them in; `decided_at` is the `now` it is given with them, UTC."""
        decided_us = to_us(decided_at)
        for segment in heard.segments:
            self._remember("cut", _cut_row(segment, decided_us))
        if self._best is not None:
            self._best.cut(heard.segments)
        self._hear_all(heard.detections, decided_at)
        for notice in heard.notices:
            if isinstance(notice, Level):
                self._remember("level", (decided_us, notice.source, notice.level_dbfs, notice.floor_dbfs))

    def post(self, message: SoundEvent | Alert | SourceStatus | Setting, decided_at: datetime) -> None:
        """What was decided, or changes what will be: an event, an alert, a source that came or went, a
        setting."""
        if isinstance(message, Setting) and self._best is not None:
            self._best.note(message)
        kind, id = type(message).__name__, message.id if isinstance(message, SoundEvent | Alert) else ""
        self._remember("said", (to_us(decided_at), kind, id, _body(message)))
        if isinstance(message, SoundEvent | Alert):
            self._remember("event", (message, to_us(decided_at)))

    def measured(self, level: SoundLevel) -> None:
        """How loud a minute was; kept longer than the rest."""
        self._remember("loudness", minutes.row(level))

    def flush(self) -> None:
        """Write what waits; now and then forget what is old."""
        if not self._open and not self._try(self._opened):
            return
        if self._waiting:
            self._try(self._write)
        if self._clock.monotonic_s() >= self._tend_at_s:
            self._tend_at_s = self._clock.monotonic_s() + _TEND_EVERY_S
            self._try(self._tend)

    def _hear_all(self, detections: Sequence[Detection], decided_at: datetime) -> None:
        for look in looks_of(detections, decided_at):
            self._remember("look", _look_row(look))
            for table, row in self._best.rows(look) if self._best is not None else ():
                self._remember(table, row)

    def _remember(self, table: str, row: Row) -> None:
        with self._lock:
            self._waiting.append((table, row))
            self._give_up()

    def _opened(self) -> None:
        self._database.__enter__()
        self._open = True
        self._labels.clear()

    def _write(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, deque()
        batch = self._best.asked(batch) if self._best is not None else batch
        try:
            with self._database.transaction() as connection:
                for table, row in batch:
                    self._write_row(connection, table, row)
        except StoreError:
            with self._lock:
                self._waiting.extendleft(reversed(batch))
                self._give_up()
            raise

    def _write_row(self, connection: Any, table: str, row: Row) -> None:
        if table == "event":
            message, decided_us = row
            note = events.note_alert if isinstance(message, Alert) else events.note_event
            note(connection, message, decided_us)
            return
        connection.execute(_INSERT[table], self._with_labels(connection, row) if table == "look" else row)

    def _give_up(self) -> None:
        while len(self._waiting) > _WAITING:
            self._waiting.popleft()
            self.lost += 1

    def _with_labels(self, connection: Any, row: Row) -> Row:
        return (*row[:6], self._labels_number(connection, row[6]), *row[7:])

    def _labels_number(self, connection: Any, names: str) -> int:
        """The number under which this order of labels is kept: a model has one, and gives sixty scores."""
        if names not in self._labels:
            connection.execute("INSERT OR IGNORE INTO labels (names) VALUES (?)", (names,))
            found = connection.execute("SELECT number FROM labels WHERE names = ?", (names,)).fetchone()
            self._labels[names] = int(found[0])
        return self._labels[names]

    def _tend(self) -> None:
        now = self._believed_now()
        with self._database.transaction() as connection:
            forget(connection, to_us(now - self._keep))
            minutes.forget_minutes(connection, now)
            if used_bytes(connection) > self._max_bytes:
                self._shed(connection)

    def _shed(self, connection: Any) -> None:
        """The oldest tenth of the rows goes, until the rest fits."""
        while used_bytes(connection) > self._max_bytes:
            until_us = oldest_us(connection, _SHED_SHARE)
            if until_us is None:
                return
            forget(connection, until_us + 1)

    def _try(self, work: Any) -> bool:
        try:
            work()
        except StoreError as error:
            self._labels.clear()
            self._complain(error)
            return False
        if work != self._opened:  # a full disk lets a file be opened and takes nothing
            self._lapse.end(lost=self.lost)
            self.fault = ""
        return True

    def _complain(self, error: StoreError) -> None:
        """Say it once, and open the file anew before the next attempt: it may have been deleted."""
        self._lapse.begin(why=str(error))
        self.fault = str(error)
        self._database.__exit__()
        self._open = False
        if isinstance(error, DamagedStore):
            try:
                self._database.set_aside()
            except StoreError as refused:
                log.warning("the damaged history could not be set aside", why=str(refused))


def _look_row(look: ScoreRecord) -> Row:
    """Packed at once, for a look in memory is twenty times as large; the labels' names are all one string."""
    return (
        to_us(look.decided_at), look.source, look.classifier, to_us(look.started_at), look.segment_id,
        look.certainty, sys.intern(" ".join(look.scores)), pack_scores(look.scores.values()),
        pack_spans(look.spans.values()), pack_more(look),
    )  # fmt: skip


def _cut_row(segment: Segment, decided_us: int) -> Row:
    cut = cut_of(segment)
    return (
        decided_us, cut.source, cut.id, to_us(cut.started_at), cut.duration_s, cut.onset_s, cut.floor_dbfs,
        cut.peak_dbfs, cut.speech_ratio, cut.ended_by,
    )  # fmt: skip


def _body(message: SoundEvent | Alert | SourceStatus | Setting) -> str:
    if isinstance(message, SourceStatus):
        return json.dumps(
            [message.source, message.online, to_us(message.at), message.reason, message.ended_by]
        )
    if isinstance(message, Setting):
        return json.dumps([message.source, message.name, message.value])
    if isinstance(message, Alert):
        events = tuple(replace(event, description=None) for event in message.events)
        return encode(replace(message, events=events, message=""))
    return encode(replace(message, description=None))
