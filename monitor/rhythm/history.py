"""The last 10 s of prominences and levels, so that a rhythm can be examined from its end."""

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

HopRows = npt.NDArray[np.float32]
Hops = npt.NDArray[np.intp]
MeanLevels = npt.NDArray[np.float64]
HOPS = 1000
"""10 s. The longest look back is a burst of T4, 0.77 s at most, with 4.2 s of quiet on both sides: 9.2 s.
With 5 s a telephone, an oven timer and an alarm clock pass (`python scripts/bench constants`)."""
CAPACITY = -(-(HOPS + 1) // BLOCK_HOPS) * BLOCK_HOPS
"""Rows of the rings: whole blocks, and one more for the sum before the oldest hop. A source costs 1.4 MB."""
_LEVELS_BYTES, _SUMS_BYTES = 2 * BINS, 4 * CHANNELS
"""Bytes of one hop in each array."""


class LevelHistory:
    """Levels and prominences of one source by hop number; `end` is the next hop to come. Hops before `begin`
    are gone and must not be asked for. Belongs to one thread.

    Prominences are kept as integers summed up to each row, so that the mean over any stretch is one
    subtraction, exact wherever in the history it lies. The sums may wrap around; their differences do not.
    Rows lie in rings: moving them to the front would cost as much as finding them.
    """

    def __init__(self) -> None:
        self._levels = np.empty((CAPACITY, BINS), np.int16)
        self._sums = np.empty((CAPACITY, CHANNELS), np.int32)
        # Asking numpy for an address takes longer than most of what is done with it.
        self._levels_address = self._levels.ctypes.data
        self.sums_address = self._sums.ctypes.data
        """Of int32 sums, shape (CAPACITY, CHANNELS), at `row`: all prominences up to and with a hop's."""
        self.end = 0
        """Hop number after the newest row. Before hop 0 lies silence."""
        self.skip(0)

    @property
    def begin(self) -> int:
        """The oldest hop that is still kept."""
        return self.end - HOPS

    def append(self, put_rows: Callable[[int, int, int], float]) -> float:
        """Add the rows of one block. `put_rows` writes them, and its result is returned.

        It is given three addresses: of int16 levels, shape (BLOCK_HOPS, BINS), in `LEVEL_STEP_DB`; of int32
        sums, shape (BLOCK_HOPS, CHANNELS), in `PROMINENCE_STEP_DB`; and of the sums that these go on from.
        """
        at, before = self.row(self.end), self.row(self.end - 1)
        peak_db = put_rows(
            self._levels_address + at * _LEVELS_BYTES,
            self.sums_address + at * _SUMS_BYTES,
            self.sums_address + before * _SUMS_BYTES,
        )
        self.end += BLOCK_HOPS
        return peak_db

    def skip(self, hops: int) -> None:
        """Let time pass without sound: what was kept is replaced by quiet."""
        self._levels[:] = SILENCE_DB / LEVEL_STEP_DB
        self._sums[:] = 0
        self.end += hops
        self._origin = self.end
        """A hop whose row is the first: blocks never lie across the end of a ring."""

    def row(self, hop: int) -> int:
        """Where in the rings a hop lies."""
        return (hop - self._origin) % CAPACITY

    def _rows(self, first: int, end: int) -> slice | Hops:
        """Where the hops from `first` to before `end` lie."""
        at = self.row(first)
        if at + end - first <= CAPACITY:
            return slice(at, at + max(0, end - first))
        return np.arange(at, at + end - first) % CAPACITY

    def prominence_db(self, channel: int, first: int, end: int) -> MeanLevels:
        """Prominence of one channel between two hops, in dB; shape (end - first,)."""
        return np.diff(self._sums[self._rows(first - 1, end), channel]) * PROMINENCE_STEP_DB

    def rows(self, first: int, end: int) -> tuple[HopRows, HopRows]:
        """Levels and prominences of all bins between two hops, in dB; each of shape (end - first, BINS)."""
        sums = self._sums[self._rows(first - 1, end), :BINS]
        return self.level_db(first, end), np.diff(sums, axis=0) * np.float32(PROMINENCE_STEP_DB)

    def level_db(self, first: int, end: int, low: int = 0, high: int = BINS) -> HopRows:
        """Levels of bins `low` to `high` between two hops, in dB; shape (end - first, high - low)."""
        levels = self._levels[self._rows(first, end), low:high]
        return levels * np.float32(LEVEL_STEP_DB)

    def means(self, channels: Hops, firsts: Hops, ends: Hops) -> MeanLevels:
        """Mean prominence of channels over stretches of hops, in dB. The arguments are integer arrays that
        numpy broadcasts; the result has their common shape."""
        before = self._origin + 1
        last, first = (ends - before) % CAPACITY, (firsts - before) % CAPACITY
        summed = self._sums[last, channels] - self._sums[first, channels]
        return np.asarray(summed * PROMINENCE_STEP_DB / (ends - firsts))
