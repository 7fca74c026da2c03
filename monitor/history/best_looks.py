"""Which looks are worth more than their scores: those that made an event, or nearly did.

Of these what the sound was like is kept as well (the model's embedding), so that what people say of them can
teach something later; and of every sound that is over, for that is the background which a taught sound must
stand out from. None of speech: a voice could be known again by it.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.clock import to_us
from monitor.config.capabilities import thresholds, unloaded
from monitor.config.model import Config
from monitor.events.settings import shifted
from monitor.evidence.privacy import BARS, SPOKEN, holds_words
from monitor.history.near_misses import REACH
from monitor.history.records import ScoreRecord
from monitor.types import Segment, Setting

SCHEMA = """
CREATE TABLE embedding (
    segment_id TEXT NOT NULL, label TEXT NOT NULL, told_at INTEGER NOT NULL, source TEXT NOT NULL,
    score REAL NOT NULL, embedding BLOB NOT NULL, PRIMARY KEY (segment_id, label)
) WITHOUT ROWID;
CREATE INDEX embedding_told_at ON embedding (told_at)
"""
INSERT = """
INSERT INTO embedding VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (segment_id, label) DO UPDATE SET
    told_at = excluded.told_at, score = excluded.score, embedding = excluded.embedding
    WHERE excluded.score > score
"""
"""Of a segment and a label the best look stays."""
BACKGROUND_SCHEMA = """
CREATE TABLE background (
    segment_id TEXT PRIMARY KEY, told_at INTEGER NOT NULL, source TEXT NOT NULL, label TEXT,
    embedding BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX background_told_at ON background (told_at)
"""
EARLY_SCHEMA = """
CREATE TABLE early (
    segment_id TEXT PRIMARY KEY, told_at INTEGER NOT NULL, looks INTEGER NOT NULL, embedding BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX early_told_at ON early (told_at)
"""
"""Of a sound that was looked at before it was over, the last such look, and how many there were: each of them
may be taken for a sound that is taught, and the whole sound is less like any of its parts."""
BEEPS_SCHEMA = "ALTER TABLE background ADD COLUMN beeps BLOB"
"""When, how long and at what pitch something beeps in the sound; NULL where nobody looked."""
SCHEMAS = (SCHEMA, BACKGROUND_SCHEMA, EARLY_SCHEMA)
INSERT_EARLY = "INSERT OR REPLACE INTO early VALUES (?, ?, ?, ?)"
INSERT_BACKGROUND = "INSERT OR REPLACE INTO background VALUES (?, ?, ?, ?, ?, ?)"
CLAIM_BACKGROUND = "UPDATE background SET label = ? WHERE segment_id = ?"
"""A sound is looked at by the model, and then for what the house has taught."""


SPOKEN_SEGMENTS = 1000
"""Of so many segments in which a voice was detected it is remembered until their scores have come."""
WHOLE_SEGMENTS = 1000
"""Of so many segments that are over it is remembered."""
UNASKED = 2
"""So many sounds of a source are held, 100 kB each, until they are written: more end in two seconds only if a
recording is heard faster than it was made, or a disk hangs. Those are asked for their beeps at once."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Early:
    """Looks at a sound that is not over yet."""

    looks: int
    words: float
    """The highest score of words in any of them."""
    embedding: bytes
    """Of the last."""


class BestLooks:
    """Knows what each label needs at each source. Every method may be called from any thread."""

    def __init__(self, config: Config) -> None:
        self._rows = thresholds(config, unloaded(config)[0])
        self._sensitivity = {source.name: source.sensitivity for source in config.sources}
        self._onsets: dict[str, dict[str, float]] = {}
        self._unasked, self._most_unasked = 0, UNASKED * len(config.sources)
        self._spoken: deque[str] = deque(maxlen=SPOKEN_SEGMENTS)
        self._whole: deque[str] = deque(maxlen=WHOLE_SEGMENTS)
        self._early: dict[str, _Early] = {}
        self._voice: deque[tuple[str, float]] = deque(maxlen=WHOLE_SEGMENTS)

    def follow(self, config: Config) -> None:
        """Other thresholds are in force."""
        self._rows = thresholds(config, unloaded(config)[0])
        self._onsets = {}

    def note(self, setting: Setting) -> None:
        """A sensitivity was set from outside."""
        if setting.name == "sensitivity":
            self._sensitivity[setting.source] = float(setting.value)
            self._onsets.pop(setting.source, None)

    def cut(self, segments: Iterable[Segment]) -> None:
        """Segments that will be looked at: the voice detector's word counts as much as a score."""
        cut = tuple(segments)
        self._spoken.extend(each.id for each in cut if each.speech_ratio)
        whole = [each for each in cut if each.ended_by != "open"]
        self._voice.extend((each.id, each.speech_ratio) for each in whole)
        self._whole.extend(each.id for each in whole)

    def asked(self, rows: Iterable[tuple[str, Row]]) -> deque[tuple[str, Row]]:
        """Rows as they are written: sounds of the background are asked for their beeps, half the work of a
        look. For a thread that nobody waits for."""
        self._unasked = 0
        return deque((table, _asked(table, row)) for table, row in rows)

    def rows(self, look: ScoreRecord) -> Iterator[tuple[str, Row]]:
        """What is kept of a look beside its scores: tables with their rows, to be `asked`."""
        if look.embedding is None or look.segment_id is None:
            return
        decided_us = to_us(look.decided_at)
        near = self.near(look)
        for label, score in near.items():
            yield "embedding", (look.segment_id, label, decided_us, look.source, score, look.embedding)
        if look.segment_id not in self._whole:
            self._note_early(look.segment_id, look, look.embedding)
            return
        early = self._early.pop(look.segment_id, None) if SPOKEN & look.scores.keys() else None
        onsets = self._onsets_of(look.source)
        heard = [label for label, score in look.scores.items() if score >= onsets.get(label, 2.0)]
        claimed = max(heard, key=look.scores.__getitem__, default=None)
        if not SPOKEN & look.scores.keys():  # of a taught sound: whether words are in it the model has said
            yield from [("claimed", (claimed, look.segment_id))] if claimed else []
        elif not self._holds_words(look.segment_id, words := _words(look)):
            row = (look.segment_id, decided_us, look.source, claimed, look.embedding, look.beeps)
            self._unasked += 1
            yield "background", row if self._unasked <= self._most_unasked else _asked("background", row)
            if early is not None and not self._holds_words(look.segment_id, max(words, early.words)):
                yield "early", (look.segment_id, decided_us, early.looks, early.embedding)

    def _note_early(self, segment_id: str, look: ScoreRecord, embedding: bytes) -> None:
        """Remembered until the sound is over: only then it is known that no words came."""
        if not SPOKEN & look.scores.keys():
            return
        before = self._early.pop(segment_id, _Early(0, 0.0, b""))
        self._early[segment_id] = _Early(before.looks + 1, max(before.words, _words(look)), embedding)
        if len(self._early) > WHOLE_SEGMENTS:
            del self._early[next(iter(self._early))]

    def near(self, look: ScoreRecord) -> Mapping[str, float]:
        """The labels with their scores that reached their onset or came near; none where words may be."""
        if self._is_spoken(look):
            return {}
        onsets = self._onsets_of(look.source)
        return {
            label: score for label, score in look.scores.items() if score >= onsets.get(label, 2.0) - REACH
        }

    def _holds_words(self, segment_id: str, words: float) -> bool:
        """By the bars that decide whether a clip may be kept."""
        return holds_words(words, dict(self._voice).get(segment_id, 0.0))

    def _is_spoken(self, look: ScoreRecord) -> bool:
        return look.segment_id in self._spoken or any(
            look.scores.get(label, 0.0) >= BARS.words for label in SPOKEN
        )

    def _onsets_of(self, source: str) -> Mapping[str, float]:
        known = self._onsets.get(source)
        if known is None:
            by = self._sensitivity.get(source, 0.0)
            known = {label: shifted(row, by).onset for label, row in self._rows.of(source).items()}
            self._onsets[source] = known
        return known


def _asked(table: str, row: Row) -> Row:
    return (*row[:-1], row[-1]()) if table == "background" and callable(row[-1]) else row


def _words(look: ScoreRecord) -> float:
    """The highest score of words."""
    return max(look.scores.get(label, 0.0) for label in SPOKEN)
