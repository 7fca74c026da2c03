"""Sound that is there at once, handed out as slowly as it would be heard."""

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from threading import Event

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio, Piece
from monitor.clock import Clock
from monitor.errors import SourceLost
from monitor.sources.base import CALM_S, PIECE_S
from monitor.sources.timing.timekeeper import CLOCK_SET_S, Instant

PIECE_FRAMES = round(PIECE_S / FRAME_S)
CALM_FRAMES = round(CALM_S / FRAME_S)


class Pacer:
    """Waits until a stretch of sound would have been heard. One thread waits; `stopped` from any thread.

    In real time all pacers of a process let pieces be heard at the same instants, at most eight a second:
    many sources then cost one waking of the processor, and find its caches warm.
    """

    def __init__(self, clock: Clock, stopped: Event, *, realtime: bool) -> None:
        self._clock = clock
        self._stopped = stopped
        self._realtime = realtime
        self._began = Instant.of(clock)
        now_s = self._began.monotonic_s
        self._started_s = math.ceil(now_s / CALM_S) * CALM_S if realtime else now_s
        self.begins_in = timedelta(seconds=self._started_s - now_s)
        """When the first sample is heard, from when it was made."""
        self._heard_s = 0.0
        self._set_by_s = 0.0
        """By how much the wall clock was set since then."""

    def wait(self, piece: Piece) -> bool:
        """Let a piece be heard: whether to go on. In real time it waits until the whole piece would have been
        heard."""
        self._heard_s += len(piece) * FRAME_S
        if not self._realtime:
            return not self._stopped.is_set()
        return not self._stopped.wait(max(0.0, self._started_s + self._heard_s - self._clock.monotonic_s()))

    def dated(self, piece: Piece) -> Piece:
        """A piece that is heard now, in real time, by the wall clock as it is: one that was set meanwhile
        moves it, behind a gap. Events of sound that is hours old would end as they begin."""
        now = Instant.of(self._clock)
        by_wall_s = (now.wall - self._began.wall).total_seconds()
        slip_s = by_wall_s - (now.monotonic_s - self._began.monotonic_s)
        was_set = self._realtime and abs(slip_s - self._set_by_s) > CLOCK_SET_S
        if was_set:
            self._set_by_s = slip_s
        if not self._set_by_s:
            return piece
        captured_at = piece.captured_at + timedelta(seconds=self._set_by_s)
        return Piece(piece.source, captured_at, piece.audio, piece.follows_gap or was_set)

    def in_step(self, pieces: Iterable[Piece], calm_below: Callable[[], float]) -> Iterator[Piece]:
        """The same sound in pieces of `CALM_FRAMES`, or of `PIECE_FRAMES` where it is heard in real time and
        some of it is not below `calm_below()`."""
        for piece in in_step(pieces, CALM_FRAMES):
            if not self._realtime or loudest(piece) < calm_below():
                yield piece
            else:
                yield from in_step([piece], PIECE_FRAMES)


def loudest(piece: Piece) -> float:
    """The mean square of the loudest of its frames."""
    frames = piece.audio.samples.reshape(-1, FRAME_SAMPLES)
    return float(np.einsum("ij,ij->i", frames, frames).max()) / FRAME_SAMPLES


def in_step(pieces: Iterable[Piece], frames: int = PIECE_FRAMES) -> Iterator[Piece]:
    """The same sound in pieces of so many frames; one that is shorter comes last, and before a gap."""
    held: Piece | None = None
    try:
        for piece in pieces:
            if held is not None and piece.follows_gap:
                yield held
            elif held is not None:
                piece = _joined(held, piece)
            at = 0
            for at in range(frames, len(piece) + 1, frames):
                yield _part(piece, at - frames, at)
            held = _part(piece, at, len(piece)) if at < len(piece) else None
    except SourceLost:
        if held is not None:
            yield held
        raise
    if held is not None:
        yield held


def _joined(first: Piece, second: Piece) -> Piece:
    samples = np.concatenate((first.audio.samples, second.audio.samples))
    return Piece(first.source, first.captured_at, Audio(samples, SAMPLE_RATE_HZ), first.follows_gap)


def _part(piece: Piece, first: int, end: int) -> Piece:
    if not first and end == len(piece):
        return piece
    audio = Audio(piece.audio.samples[first * FRAME_SAMPLES : end * FRAME_SAMPLES], SAMPLE_RATE_HZ)
    captured_at = piece.captured_at + first * timedelta(seconds=FRAME_S)
    return Piece(piece.source, captured_at, audio, piece.follows_gap and not first)
