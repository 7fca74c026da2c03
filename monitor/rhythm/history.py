"""The last 10 s of prominences and levels, so that a rhythm can be examined from its end."""

import ctypes
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from monitor.rhythm.spectrum import (
    BINS,
    BLOCK_HOPS,
    CHANNELS,
    LEVEL_STEP_DB,
    PROMINENCE_STEP_DB,
    SILENCE_DB,
)

Rows = npt.NDArray[np.float32]
Hops = npt.NDArray[np.intp]
Means = npt.NDArray[np.float64]
HOPS = 1000
"""10 s. The longest look back is a burst of T4, 0.77 s at most, with 4.2 s of quiet on both sides: 9.2 s.
With 5 s a telephone, an oven timer and an alarm clock pass (`python scripts/bench constants`)."""
_CAPACITY = HOPS + 240
"""Room for 2.4 s more, after which the rows move to the front: a source costs 1.8 MB."""
_LEVELS_BYTES, _SUMS_BYTES = 2 * BINS, 4 * CHANNELS
"""Bytes of one hop in each array."""


class History:
    """Levels and prominences of one source by hop number; `end` is the next hop to come. Hops before `begin`
    are gone and must not be asked for. Belongs to one thread.

    Prominences are kept as integers summed from the first row on, so that the mean over any stretch is one
    subtraction, exact wherever in the history it lies. The sums may wrap around; their differences do not
    engine.
    """

    def __init__(self) -> None:
        self._levels = np.empty((_CAPACITY, BINS), np.int16)
        self._sums = np.empty((_CAPACITY + 1, CHANNELS), np.int32)
        # Asking numpy for an address takes longer than most of what is done with it.
        self._levels_address, self._sums_address = self._levels.ctypes.data, self._sums.ctypes.data
        self.end = 0
        """Hop number after the newest row. Before hop 0 lies silence."""
        self.skip(0)

    @property
    def begin(self) -> int:
        """The oldest hop that is still kept."""
        return self.end - HOPS

    def append(self, put_rows: Callable[[int, int], float]) -> float:
        """Add the rows of one block. `put_rows` writes them, and its result is returned.

        It is given two addresses: of int16 levels, shape (BLOCK_HOPS, BINS), in `LEVEL_STEP_DB`, and of int32
        sums, shape (BLOCK_HOPS, CHANNELS), in `PROMINENCE_STEP_DB`; the sums so far lie in front of them.
        """
        if self._used + BLOCK_HOPS > _CAPACITY:
            self._drop_old()
        levels = self._levels_address + self._used * _LEVELS_BYTES
        peak_db = put_rows(levels, self._sums_address + (self._used + 1) * _SUMS_BYTES)
        self._used += BLOCK_HOPS
        self.end += BLOCK_HOPS
        return peak_db

    def skip(self, hops: int) -> None:
        """Let time pass without sound: what was kept is replaced by quiet."""
        self._levels[:] = SILENCE_DB / LEVEL_STEP_DB
        self._sums[:] = 0
        self._used = HOPS
        self.end += hops

    def _drop_old(self) -> None:
        # Not by slices: they would be copied twice, by way of a megabyte of new memory.
        old = self._used - HOPS
        ctypes.memmove(self._levels_address, self._levels_address + old * _LEVELS_BYTES, HOPS * _LEVELS_BYTES)
        ctypes.memmove(self._sums_address, self._sums_address + old * _SUMS_BYTES, (HOPS + 1) * _SUMS_BYTES)
        self._used = HOPS

    def _row(self, hop: int) -> int:
        return hop - self.end + self._used

    def prominence_db(self, channel: int, first: int, end: int) -> Means:
        """Prominence of one channel between two hops, in dB; shape (end - first,)."""
        sums = self._sums[self._row(first) : self._row(end) + 1, channel]
        return np.diff(sums) * PROMINENCE_STEP_DB

    def rows(self, first: int, end: int) -> tuple[Rows, Rows]:
        """Levels and prominences of all bins between two hops, in dB; each of shape (end - first, BINS)."""
        sums = self._sums[self._row(first) : self._row(end) + 1, :BINS]
        return self.level_db(first, end), np.diff(sums, axis=0) * np.float32(PROMINENCE_STEP_DB)

    def level_db(self, first: int, end: int, low: int = 0, high: int = BINS) -> Rows:
        """Levels of bins `low` to `high` between two hops, in dB; shape (end - first, high - low)."""
        levels = self._levels[self._row(first) : self._row(end), low:high]
        return levels * np.float32(LEVEL_STEP_DB)

    def means(self, channels: Hops, firsts: Hops, ends: Hops) -> Means:
        """Mean prominence of channels over stretches of hops, in dB. The arguments are integer arrays that
        numpy broadcasts; the result has their common shape."""
        shift = self._used - self.end
        summed = self._sums[ends + shift, channels] - self._sums[firsts + shift, channels]
        return np.asarray(summed * PROMINENCE_STEP_DB / (ends - firsts))

    def sums_address(self, hop: int) -> int:
        """Address of the int32 sums of all channels up to a hop; those of later hops lie behind it, those of
        earlier hops in front."""
        return self._sums_address + self._row(hop) * _SUMS_BYTES
