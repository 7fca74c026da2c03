"""What a source sounds like at this moment: columns of a spectrogram, computed only while somebody looks."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Piece, Samples
from monitor.types import Frame
from monitor.web.board import Board

BANDS = 96
LOWEST_HZ = 60.0
WINDOW = 1024
"""64 ms: it parts two tones that are 31 Hz from each other, and smears a click over two columns."""
QUIETEST_DBFS, LOUDEST_DBFS = -110.0, -10.0
"""What 0 and 255 of a band stand for."""
BEHIND = 100
"""Columns that may wait for somebody whose line is slow: 3 s. Beyond that the oldest are dropped."""
TOGETHER = 2
"""Columns sent at once. 60 ms more delay, and half as many wake-ups."""

_HANN = np.hanning(WINDOW).astype(np.float32)


def _first_bins() -> npt.NDArray[np.intp]:
    """The first bin of each band; bands are equally wide in mel (O'Shaughnessy 1987)."""
    mel = np.linspace(_mel(LOWEST_HZ), _mel(SAMPLE_RATE_HZ / 2), BANDS + 1)[:-1]
    hz = 700 * (10**mel - 1)
    return np.round(hz * WINDOW / SAMPLE_RATE_HZ).astype(np.intp)


def _mel(hz: float) -> float:
    return float(np.log10(1 + hz / 700))


_FIRST_BINS = _first_bins()


def bands(samples: Samples) -> npt.NDArray[np.uint8]:
    """The loudest of each band in the last `WINDOW` samples, shape (bands,), 0-255 over the range of the
    picture."""
    spectrum = np.abs(np.fft.rfft(samples * _HANN))[: WINDOW // 2] / (WINDOW / 4)
    loudest = np.maximum.reduceat(spectrum, _FIRST_BINS)
    dbfs = 20 * np.log10(loudest + 1e-9)
    part = (dbfs - QUIETEST_DBFS) / (LOUDEST_DBFS - QUIETEST_DBFS)
    return (np.clip(part, 0, 1) * 255).astype(np.uint8)


class Viewer:
    """Somebody who looks at one source. Belongs to the web thread."""

    def __init__(self, source: str, loop: asyncio.AbstractEventLoop) -> None:
        self.source = source
        self._loop = loop
        self._columns: deque[bytes] = deque(maxlen=BEHIND)
        self._wake = asyncio.Event()

    def post(self, columns: bytes) -> None:
        """From the source's thread: never waits."""
        try:
            self._loop.call_soon_threadsafe(self._put, columns)
        except RuntimeError:  # the loop has just ended
            return

    def _put(self, columns: bytes) -> None:
        self._columns.append(columns)
        self._wake.set()

    async def take(self, timeout_s: float) -> bytes:
        """All that waits; nothing after `timeout_s` in which nothing came."""
        try:
            await asyncio.wait_for(self._wake.wait(), timeout_s)
        except TimeoutError:
            return b""
        self._wake.clear()
        columns = b"".join(self._columns)
        self._columns.clear()
        return columns


@dataclass(slots=True)
class _WatchedSource:
    """What is remembered of a source while somebody looks."""

    viewers: set[Viewer] = field(default_factory=set)
    samples: Samples = field(default_factory=lambda: np.zeros(WINDOW, np.float32))
    columns: list[bytes] = field(default_factory=list)


class Scopes:
    """`hear` is called in each source's own thread; while nobody looks at it, it costs one look-up."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._lock = Lock()
        self._watched: dict[str, _WatchedSource] = {}

    def watching(self, source: str) -> int:
        """How many look at a source; from any thread."""
        watched = self._watched.get(source)
        return len(watched.viewers) if watched is not None else 0

    def join(self, source: str, loop: asyncio.AbstractEventLoop) -> Viewer:
        """Somebody begins to look."""
        viewer = Viewer(source, loop)
        with self._lock:
            watched = self._watched.get(source, _WatchedSource())
            watched.viewers = {*watched.viewers, viewer}
            self._watched[source] = watched
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """They stop."""
        with self._lock:
            watched = self._watched[viewer.source]
            watched.viewers = watched.viewers - {viewer}
            if not watched.viewers:
                del self._watched[viewer.source]

    def hear(self, piece: Piece) -> None:
        """The next frames of a source."""
        if watched := self._watched.get(piece.source):
            for frame in piece.frames():
                self._hear(watched, frame)

    def _hear(self, watched: _WatchedSource, frame: Frame) -> None:
        watched.samples = np.concatenate([watched.samples, frame.audio.samples])[-WINDOW:]
        floor_dbfs = self._board.floor_dbfs(frame.source)
        levels = (frame.audio.rms_dbfs, -120.0 if floor_dbfs is None else floor_dbfs)
        # A column: level and floor in half decibels above -120 dBFS, then the bands, the lowest first.
        halves = bytes(int(min(max(2 * (one + 120), 0), 255)) for one in levels)
        watched.columns.append(halves + bands(watched.samples).tobytes())
        if len(watched.columns) >= TOGETHER:
            together = b"".join(watched.columns)
            watched.columns.clear()
            for viewer in watched.viewers:
                viewer.post(together)
