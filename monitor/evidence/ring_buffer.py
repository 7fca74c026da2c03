"""The last minute or so of a source's sound, in memory, for clips that begin before their event."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.types import Frame

_SAME_STREAM_SAMPLES = SAMPLE_RATE_HZ // 50
"""Stamps that are off by less than 20 ms are the clock being corrected, not sound missing."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Sound with the time of its first sample."""

    started_at: datetime
    audio: Audio
    masked: tuple[tuple[float, float], ...] = ()
    """Where speech was covered, in seconds."""

    @property
    def ends_at(self) -> datetime:
        """UTC just after the last sample."""
        return self.started_at + timedelta(seconds=self.audio.duration_s)


@dataclass(frozen=True, slots=True)
class _Kept:
    captured_at: datetime
    samples: npt.NDArray[np.int16]
    follows_gap: bool


class RecentSound:
    """A ring of 16-bit frames of one source, 32 kB a second. `push` and `cut` may be called from different
    threads."""

    def __init__(self, keep_s: float) -> None:
        self._keep = timedelta(seconds=keep_s)
        self._frames: deque[_Kept] = deque()
        self._lock = Lock()

    def push(self, frame: Frame) -> None:
        """The next frame; the oldest is forgotten."""
        kept = _Kept(frame.captured_at, np.frombuffer(frame.audio.to_pcm16(), "<i2"), frame.follows_gap)
        with self._lock:
            if self._frames and frame.captured_at < self._frames[-1].captured_at:
                # The clock was set back: a clip across that moment would be put together wrongly.
                self._frames.clear()
            self._frames.append(kept)
            while frame.captured_at - self._frames[0].captured_at > self._keep:
                self._frames.popleft()

    @property
    def heard_until(self) -> datetime | None:
        """The end of the latest frame; None before the first."""
        with self._lock:
            return _end(self._frames[-1]) if self._frames else None

    def cut(self, start: datetime, end: datetime) -> Excerpt | None:
        """What was heard from `start` to `end`, as far as it is still here; None when nothing is.

        Placed sample by sample by its time: missing sound is digital silence, so that everything in it
        lies where it was.
        """
        with self._lock:
            frames = [f for f in self._frames if _end(f) > start and f.captured_at < end]
        if not frames:
            return None
        start = max(start, frames[0].captured_at)
        count = _samples(min(end, _end(frames[-1])) - start)
        samples = np.zeros(count, np.int16)
        for offset, frame in _placed(frames, start):
            begin, stop = max(0, offset), min(count, offset + len(frame.samples))
            if begin < stop:
                samples[begin:stop] = frame.samples[begin - offset : stop - offset]
        return Excerpt(start, Audio.from_pcm16(samples.tobytes()))


def _placed(frames: list[_Kept], start: datetime) -> list[tuple[int, _Kept]]:
    """Each frame with the sample at which it begins: right behind the one before unless sound is missing."""
    placed = []
    follows = _samples(frames[0].captured_at - start)
    for frame in frames:
        stamped = _samples(frame.captured_at - start)
        if frame.follows_gap or abs(stamped - follows) > _SAME_STREAM_SAMPLES:
            follows = stamped
        placed.append((follows, frame))
        follows += len(frame.samples)
    return placed


def _samples(length: timedelta) -> int:
    return round(length.total_seconds() * SAMPLE_RATE_HZ)


def _end(frame: _Kept) -> datetime:
    return frame.captured_at + timedelta(seconds=len(frame.samples) / SAMPLE_RATE_HZ)
