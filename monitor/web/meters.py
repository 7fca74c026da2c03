"""Levels twice a second, while somebody looks: the daemon's own reports come every ten seconds."""

from dataclasses import dataclass, field

import numpy as np

from monitor.audio import Piece, Samples
from monitor.publishers.documents import dbfs
from monitor.types import Frame
from monitor.web.board import Board
from monitor.web.feed import Feed, FeedItem
from monitor.web.house_time import HouseTime
from monitor.web.live.bandwidth import Bandwidth

FRAMES = 17
"""Of 30 ms: half a second."""


@dataclass(slots=True)
class _SourceMeter:
    loudest_dbfs: float = -120.0
    samples: list[Samples] = field(default_factory=list)


class Meters:
    """`hear` is called in each source's own thread; while nobody looks it costs one comparison."""

    def __init__(self, feed: Feed, board: Board, time: HouseTime) -> None:
        self._feed = feed
        self._board = board
        self._time = time
        self._meters: dict[str, _SourceMeter] = {}
        self._widths: dict[str, Bandwidth] = {}

    def bandwidth_hz(self, source: str) -> float | None:
        """Where a source's sound ends, as far as it was looked at; from any thread."""
        width = self._widths.get(source)
        return width.hz if width is not None else None

    def hear(self, piece: Piece) -> None:
        """The next frames of a source."""
        if self._feed.watched:
            for frame in piece.frames():
                self._hear(frame)

    def _hear(self, frame: Frame) -> None:
        meter = self._meters.setdefault(frame.source, _SourceMeter())
        meter.loudest_dbfs = max(meter.loudest_dbfs, frame.audio.rms_dbfs)
        meter.samples.append(frame.audio.samples)
        if len(meter.samples) < FRAMES:
            return
        self._widths.setdefault(frame.source, Bandwidth()).push(np.concatenate(meter.samples))
        floor_dbfs = self._board.floor_dbfs(frame.source)
        data = {
            "source": frame.source,
            "at": self._time.iso(frame.ends_at),
            "level_dbfs": dbfs(meter.loudest_dbfs),
            "floor_dbfs": floor_dbfs,
        }
        self._meters[frame.source] = _SourceMeter()
        if floor_dbfs is not None:
            self._feed.post(FeedItem(0, "level", data))
