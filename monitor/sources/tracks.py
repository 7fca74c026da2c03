"""Which of several sound tracks is listened to: the one that carries sound."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.audio import Samples
from monitor.logs import get_logger

log = get_logger()

SILENT_S = 3.0
"""A track that has carried nothing for so long gives way to one that carries sound."""
_MOVES = 3 / 32768
"""Digital silence and its dither stay below three steps of 16 bits."""


def moves(samples: Samples) -> bool:
    """Whether this is sound at all: more than digital silence and its dither."""
    return bool(len(samples)) and float(np.ptp(samples)) > _MOVES


class TrackChoice:
    """Chooses among the tracks of one stream while they arrive. Pure.

    The first that decodes is listened to; one that is silent, or does not decode, gives way to another that
    is not. A camera's back channel, which is listed as a track and never sends, is thus no hindrance.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._current: int | None = None
        self._moved_at_s: float | None = None

    def hears(self, index: int, samples: Samples, at_s: float) -> bool:
        """Whether this sound of that track is the one to listen to; `at_s` on the monotonic clock."""
        if self._current is None:
            self._current = index
        sounds = moves(samples)
        if index == self._current:
            if sounds:
                self._moved_at_s = at_s
            return True
        silent = self._moved_at_s is None or at_s - self._moved_at_s >= SILENT_S
        if not (sounds and silent):
            return False
        log.info("another sound track carries the sound", source=self._source, track=index + 1)
        self._current, self._moved_at_s = index, at_s
        return True


def chosen_tracks(tracks: Sequence[Any], wanted: int | None) -> list[Any]:
    """The audio tracks that can be decoded; of these the one counted from 1 where one is wanted."""
    decodable = [track for track in tracks if track.codec_context is not None]
    if wanted is None:
        return decodable
    return [track for track in decodable if track is tracks[wanted - 1]] if wanted <= len(tracks) else []
