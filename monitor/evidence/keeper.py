"""Evidence of events by choice: clips and pictures. By default nothing of a sound is kept."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Annotated, Self

from pydantic import Field

from monitor.audio import Piece
from monitor.errors import StoreError
from monitor.evidence.clips import ClipFolder, ClipFormat, Retention, encoded
from monitor.evidence.privacy import HearsVoice, Words, masked, speech_spans
from monitor.evidence.ring_buffer import Excerpt, RecentSound
from monitor.evidence.spectrogram import spectrogram_png
from monitor.logs import Lapse, get_logger
from monitor.patience import Patience
from monitor.schema import Block, Seconds, SoundLabel
from monitor.types import Findings, SoundEvent

log = get_logger()

_PATIENCE = timedelta(seconds=10)
"""How long a source may lag behind a clip's end before the clip is made without the rest."""
OPEN_S = 1.0
"""Longest wait for the disk to list what is kept: a start must not wait for a disk that hangs."""
_SLACK_S = 30.0
"""Sound is remembered for this much longer than the longest clip, because events may come late."""
_WAITING = 64
_HEARD_OUT = timedelta(seconds=3)
_SWEEP_EVERY = timedelta(minutes=10)


class EvidenceConfig(Block):
    """What is kept of events, besides the events themselves. By default nothing is kept."""

    clips: bool = False
    """true: keep the sound of events."""
    pictures: bool = False
    """true: draw a spectrogram of events. It is kept beside the clip, and shown as the source's image.
    Speech can be recovered from a spectrogram, so the settings on speech also apply to it."""
    labels: tuple[SoundLabel, ...] = ()
    """Only events with these labels. Empty: all events."""
    clip_format: ClipFormat = "flac"
    """`flac` is lossless. `opus` needs a sixth of its size."""
    pre_roll_s: Annotated[Seconds, Field(le=30)] = 5.0
    """How much sound from before the event is kept."""
    post_roll_s: Annotated[Seconds, Field(le=30)] = 5.0
    """How much sound from after the end of the event is kept."""
    longest_s: Annotated[Seconds, Field(ge=1, le=120)] = 30.0
    """At most this much of an event is kept."""
    no_speech: bool = True
    """true: parts with speech are not kept."""
    mask_speech: bool = False
    """With `no_speech`: keep the clip, but with noise in place of the speech. Otherwise no clip is kept."""
    keep_days: Annotated[float, Field(gt=0)] = 14.0
    """Older files are removed."""
    keep_mb: Annotated[int, Field(ge=1)] = 1000
    """When the files are larger than this, the oldest are removed."""
    keep_per_label: Annotated[int, Field(ge=0)] = 3
    """So many of the latest events of each label are kept for longer than `keep_days`."""

    @property
    def wanted(self) -> bool:
        """Anything at all is to be kept."""
        return self.clips or self.pictures


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """What was kept of an event."""

    event: SoundEvent
    clip: Path | None
    picture: bytes | None
    """PNG."""
    withheld: str = ""
    """Why nothing was: `speech`, `lost` (the sound is gone) or `disk`."""


class EvidenceKeeper:
    """Makes clips and pictures of events, when all of their sound has been heard.

    `push` takes all frames of a source, in its own thread; `hear` and `note` take what was heard and
    decided, in any thread; these only remember. `due` cuts, draws, encodes and writes, a few tenths of a
    second for each event, and belongs to a thread of its own. Never raises for a disk: it says so once and
    goes on.

    `new_detector` makes a detector of voice, for one clip.
    """

    def __init__(
        self,
        config: EvidenceConfig,
        folder: Path,
        new_detector: Callable[[], HearsVoice],
        believed_now: Callable[[], datetime] | None = None,
    ) -> None:
        """`believed_now`: the time by which files are old, where the wall clock may be wrong."""
        self._config = config
        self._believed_now = believed_now
        self._new_detector = new_detector
        self._keep_s = config.pre_roll_s + config.longest_s + config.post_roll_s + _SLACK_S
        retention = Retention(config.keep_days * 86400, config.keep_mb * 2**20, config.keep_per_label)
        self._shelf = ClipFolder(folder, retention)
        self._lock = Lock()
        self._sources: dict[str, _SourceMemory] = {}
        self._waiting: dict[str, SoundEvent] = {}
        self._done: deque[str] = deque(maxlen=4 * _WAITING)
        self._sweep_at: datetime | None = None
        self._lapse = Lapse("clips and pictures cannot be kept", "clips and pictures are kept again")
        self._logged: set[tuple[str, str, str]] = set()
        self.passed_over = 0
        """Events of which nothing was kept because too many came at once."""

    def __enter__(self) -> Self:
        if self._config.wanted:
            self._try(lambda: Patience("evidence", OPEN_S).do(self._shelf.open))
        return self

    def __exit__(self, *exc: object) -> None:
        """What waits is let go: its sound was in memory only."""
        with self._lock:
            self._waiting.clear()
            self._sources.clear()

    def push(self, piece: Piece) -> None:
        """The next frames of a source."""
        if self._config.wanted:
            self._source(piece.source).recent.push(piece)

    def hear(self, heard: Findings) -> None:
        """Classifiers' scores: where words may be."""
        if self._config.wanted and self._config.no_speech:
            with self._lock:
                words = self._source(heard.source).words
                words.hear(heard)
                words.forget(heard.until - timedelta(seconds=2 * self._keep_s))

    def note(self, event: SoundEvent) -> None:
        """An event began, changed or ended."""
        labels = self._config.labels
        if not self._config.wanted or (labels and event.label not in labels):
            return
        with self._lock:
            if event.id in self._done:
                return
            self._waiting[event.id] = event
            if len(self._waiting) > _WAITING:
                self._pass_over()

    def due(self, now: datetime, *, last: bool = False) -> list[StoredEvidence]:
        """Keep what can be kept now, and let go what is old. Call it once a second or so.

        The `last` time events are not waited for, for their sound is in memory only: of each, what was heard
        so far is kept.
        """
        if not self._config.wanted:
            return []
        with self._lock:
            ready = [event for event in self._waiting.values() if last or self._is_heard(event, now)]
            for event in ready:
                del self._waiting[event.id]
                self._done.append(event.id)
        made = [self._make(event) for event in ready]
        for kept in made:
            self._say_withheld(kept)
        if made or self._sweep_at is None or now >= self._sweep_at:
            self._sweep_at = now + _SWEEP_EVERY
            by = now if self._believed_now is None else self._believed_now()
            self._try(lambda: self._shelf.sweep(by))
        return made

    def _say_withheld(self, kept: StoredEvidence) -> None:
        """Once for each source, label and reason: somebody talks all evening, and each word is an event."""
        why = (kept.event.source, kept.event.label, kept.withheld)
        if kept.withheld and why not in self._logged:
            self._logged.add(why)
            source, label, reason = why
            line = "no clip and no picture; the next ones for this reason are not logged"
            log.info(line, source=source, label=label, event_id=kept.event.id, because=reason)

    def lock(self, event_id: str) -> int:
        """Keep what there is of an event for good: how many files. Raises StoreError."""
        return self._shelf.lock(event_id)

    def _source(self, name: str) -> "_SourceMemory":
        found = self._sources.get(name)
        return found or self._sources.setdefault(name, _SourceMemory(RecentSound(self._keep_s)))

    def _pass_over(self) -> None:
        oldest = next(iter(self._waiting))
        del self._waiting[oldest]
        self._done.append(oldest)
        self.passed_over += 1
        if self.passed_over == 1:
            log.warning("too many events at once; some are not kept", waiting=_WAITING)

    def _window(self, event: SoundEvent) -> tuple[datetime, datetime]:
        """From pre-roll to post-roll; an event that goes on is cut at the longest."""
        longest = event.started_at + timedelta(seconds=self._config.longest_s)
        end = min(event.ended_at or longest, longest)
        before, after = (timedelta(seconds=s) for s in (self._config.pre_roll_s, self._config.post_roll_s))
        return event.started_at - before, end + after

    def _is_heard(self, event: SoundEvent, now: datetime) -> bool:
        """All of the window has been heard, and the classifiers have had time to answer for its end."""
        end = self._window(event)[1] + (_HEARD_OUT if self._config.no_speech else timedelta())
        until = self._source(event.source).recent.heard_until
        return (until is not None and until >= end) or now >= end + _PATIENCE

    def _make(self, event: SoundEvent) -> StoredEvidence:
        cutout = self._source(event.source).recent.cut(*self._window(event))
        if cutout is None:
            return StoredEvidence(event, None, None, "lost")
        allowed = self._without_speech(event, cutout) if self._config.no_speech else cutout
        if allowed is None:
            return StoredEvidence(event, None, None, "speech")
        picture = _picture(event, allowed) if self._config.pictures else None
        clip = None
        try:
            if picture:
                self._shelf.put(event, "png", picture)
            if self._config.clips:
                clip = self._shelf.put(event, self._config.clip_format, self._encoded(event, allowed))
        except StoreError as error:
            self._lapse.begin(why=str(error))
            return StoredEvidence(event, None, picture, "disk")
        if clip is not None or picture:
            self._lapse.end()
        return StoredEvidence(event, clip, picture)

    def _without_speech(self, event: SoundEvent, cutout: Excerpt) -> Excerpt | None:
        with self._lock:
            words = self._source(event.source).words.between(cutout.started_at, cutout.ends_at)
        spans = speech_spans(cutout, words, self._new_detector())
        if spans and not self._config.mask_speech:
            return None
        covered = tuple((begin_s, end_s) for begin_s, end_s in spans)
        return replace(cutout, audio=masked(cutout.audio, spans), masked=covered)

    def _encoded(self, event: SoundEvent, cutout: Excerpt) -> bytes:
        tags = {
            "title": f"{event.label} ({event.source})",
            "date": cutout.started_at.isoformat(),
            "onset_s": f"{_onset_s(event, cutout):.6f}",
            "event": event.id,
        }
        if cutout.masked:
            tags["masked_s"] = " ".join(f"{begin_s:.3f}-{end_s:.3f}" for begin_s, end_s in cutout.masked)
        return encoded(cutout.audio, self._config.clip_format, tags)

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (StoreError, OSError) as error:
            self._lapse.begin(why=str(error))


class _SourceMemory:
    """What is remembered of one source."""

    def __init__(self, recent: RecentSound) -> None:
        self.recent = recent
        self.words = Words()


def _picture(event: SoundEvent, cutout: Excerpt) -> bytes:
    at = event.started_at.astimezone()
    return spectrogram_png(
        cutout.audio,
        title=f"{event.label}  {event.score:.2f}  {event.source}  {at:%Y-%m-%d %H:%M:%S}",
        onset_s=_onset_s(event, cutout),
        duration_s=((event.ended_at or cutout.ends_at) - event.started_at).total_seconds(),
    )


def _onset_s(event: SoundEvent, cutout: Excerpt) -> float:
    return max(0.0, (event.started_at - cutout.started_at).total_seconds())
