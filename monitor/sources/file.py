"""A recording as a source: any container and codec that FFmpeg reads."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field

from monitor.audio import Piece
from monitor.clock import Clock
from monitor.sources.base import AnySourceConfig, Source
from monitor.sources.recorded import RecordedSound, Recording
from monitor.sources.recording import opened
from monitor.sources.timing.framer import Framer
from monitor.sources.timing.pacing import Pacer

_YEARS = range(1900, 2200)


def _check_in_calendar(at: datetime) -> datetime:
    """In other zones, and days later, it is still a date."""
    if at.year not in _YEARS:
        raise ValueError(
            f"the year {at.year:04} is none of a recording; write for example 2026-01-31T22:00:00+01:00"
        )
    return at


class FileConfig(AnySourceConfig):
    """A recording in any format that FFmpeg reads. Of a film, the first sound track that is not silent."""

    type: Literal["file"]
    path: Path
    """Path of the file. A relative path starts at the working directory."""
    realtime: bool = False
    """true: at the speed of the recording. false: as fast as the machine can."""
    loop: bool = False
    """true: start again at the end."""
    track: Annotated[int, Field(ge=1, le=64)] | None = None
    """Number of the sound track, from 1. By default the first track that is not silent."""
    started_at: Annotated[AwareDatetime, AfterValidator(_check_in_calendar)] | None = None
    """The time of the first sample. By default the moment when the file is opened. Without `realtime`, the
    length of the recording is subtracted from that moment."""

    @property
    def is_hurried(self) -> bool:
        return not self.realtime

    @property
    def is_recorded(self) -> bool:
        return self.is_hurried or self.started_at is not None

    @property
    def origin(self) -> str:
        return f"file {self.path} {self.track or ''}".strip()

    def build(self, clock: Clock) -> "FileSource":
        return FileSource(self, clock)


class FileSource(Source):
    """Plays one recording. `frames` ends with it, unless it loops.

    Damaged places are left out and dated truly: the frame after one has `follows_gap`. Of a recording that is
    damaged or shorter than its header promises all that can be heard comes first, then SourceLost.
    """

    def __init__(self, config: FileConfig, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._clock = clock
        self._closed = Event()
        self._recording: Recording
        self._framer = Framer(self.name)

    def __enter__(self) -> Self:
        self._recording = opened(self._config.path, self._config.track).__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._framer.close()
        self._recording.__exit__(*exc)

    def close(self) -> None:
        self._closed.set()

    def pieces(self) -> Iterator[Piece]:
        """See Source.pieces; SourceLost at the end of a recording that is not whole."""
        pacer = Pacer(self._clock, self._closed, realtime=self._config.realtime)
        begins_at = self._config.started_at or self._now() + pacer.begins_in
        for piece in pacer.in_step(self._heard(begins_at), lambda: self.calm_below):
            if not pacer.wait(piece):
                return
            yield piece if self._config.started_at else pacer.dated(piece)

    @property
    def unreal_s(self) -> float:
        """How much of what was heard so far were no numbers, and is silence."""
        return self._framer.unreal_s

    def _now(self) -> datetime:
        """When a recording begins that says nothing of it: now, or, heard as fast as can be, as long ago
        as it lasts. Nothing may be dated ahead of now."""
        now = self._clock.now()
        return now if self._config.realtime else now - timedelta(seconds=self._recording.length_s)

    def _heard(self, begins_at: datetime) -> Iterator[Piece]:
        framer = self._framer = Framer(self.name)
        timeline = _Timeline(framer, begins_at)
        while True:
            for sound in self._recording.sounds():
                yield from timeline.push(sound)
            if not self._config.loop:
                break
            self._recording.rewind()
        yield from framer.finish()
        self._recording.check_whole()


class _Timeline:
    """Dates a recording's sound from its first sample on."""

    def __init__(self, framer: Framer, started_at: datetime) -> None:
        self._framer = framer
        self._started_at = started_at
        self._position_s = 0.0
        self._sample_rate_hz = 0

    def push(self, sound: RecordedSound) -> list[Piece]:
        pieces: list[Piece] = []
        self._position_s += sound.lost_s
        if sound.lost_s or sound.sample_rate_hz != self._sample_rate_hz:
            self._sample_rate_hz = sound.sample_rate_hz
            captured_at = self._started_at + timedelta(seconds=self._position_s)
            pieces = self._framer.begin(captured_at, sound.sample_rate_hz)
        self._position_s += len(sound.samples) / sound.sample_rate_hz
        return pieces + self._framer.push(sound.samples)
