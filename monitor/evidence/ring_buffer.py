"""The last minute or so of a source's sound, in memory, for clips that begin before their event."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Audio, Piece

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
class _KeptPiece:
    captured_at: datetime
    samples: npt.NDArray[np.int16]
    follows_gap: bool


class RecentSound:
    """A ring of 16-bit pieces of one source, 32 kB a second. `push` and `cut` may be called from different
    threads."""

    def __init__(self, keep_s: float) -> None:
        self._keep = timedelta(seconds=keep_s)
        self._pieces: deque[_KeptPiece] = deque()
        self._lock = Lock()

    def push(self, piece: Piece) -> None:
        """The next frames; the oldest are forgotten."""
        kept = _KeptPiece(piece.captured_at, np.frombuffer(piece.audio.to_pcm16(), "<i2"), piece.follows_gap)
        with self._lock:
            if self._pieces and piece.captured_at < self._pieces[-1].captured_at:
                # The clock was set back: a clip across that moment would be put together wrongly.
                self._pieces.clear()
            self._pieces.append(kept)
            while piece.captured_at - self._pieces[0].captured_at > self._keep:
                self._pieces.popleft()

    @property
    def heard_until(self) -> datetime | None:
        """The end of the latest piece; None before the first."""
        with self._lock:
            return _end(self._pieces[-1]) if self._pieces else None

    def cut(self, start: datetime, end: datetime) -> Excerpt | None:
        """What was heard from `start` to `end`, as far as it is still here; None when nothing is.

        Placed sample by sample by its time: missing sound is digital silence, so that everything in it
        lies where it was.
        """
        with self._lock:
            pieces = [one for one in self._pieces if _end(one) > start and one.captured_at < end]
        if not pieces:
            return None
        start = max(start, pieces[0].captured_at)
        count = _samples(min(end, _end(pieces[-1])) - start)
        samples = np.zeros(count, np.int16)
        for offset, piece in _placed(pieces, start):
            begin, stop = max(0, offset), min(count, offset + len(piece.samples))
            if begin < stop:
                samples[begin:stop] = piece.samples[begin - offset : stop - offset]
        return Excerpt(start, Audio.from_pcm16(samples.tobytes()))


def _placed(pieces: list[_KeptPiece], start: datetime) -> list[tuple[int, _KeptPiece]]:
    """Each piece with the sample at which it begins: right behind the one before unless sound is missing."""
    placed = []
    follows = _samples(pieces[0].captured_at - start)
    for piece in pieces:
        stamped = _samples(piece.captured_at - start)
        if piece.follows_gap or abs(stamped - follows) > _SAME_STREAM_SAMPLES:
            follows = stamped
        placed.append((follows, piece))
        follows += len(piece.samples)
    return placed


def _samples(length: timedelta) -> int:
    return round(length.total_seconds() * SAMPLE_RATE_HZ)


def _end(piece: _KeptPiece) -> datetime:
    return piece.captured_at + timedelta(seconds=len(piece.samples) / SAMPLE_RATE_HZ)
