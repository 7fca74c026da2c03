"""The last seconds of prominences and levels, kept so that a rhythm can be looked at from its end."""

import numpy as np
import numpy.typing as npt

from monitor.rhythm.spectrum import BINS, CHANNELS, Rows

Hops = npt.NDArray[np.intp]
Means = npt.NDArray[np.float64]
HOPS = 1000
"""10 s: the longest cycle, with tolerance, and what must be quiet around it."""
_CAPACITY = HOPS + 240
"""Room for 2.4 s more, after which the rows move to the front: a source costs 1.8 MB."""
_PROMINENCE_STEP_DB = 1 / 4096
_LEVEL_STEP_DB = 1 / 256
_HIGHEST_DB = 120.0


class History:
    """Rows by hop number, `end` being the next to come. Nothing before `begin` may be asked for.

    Prominences are kept as integers summed from the first row on, so that the mean over any stretch is one
    subtraction, exact wherever in the history it lies. The sums may wrap around; their differences do not
    engine.
    """

    def __init__(self) -> None:
        self._levels = np.empty((_CAPACITY, BINS), np.int16)
        self._sums = np.empty((_CAPACITY + 1, CHANNELS), np.int32)
        self.end = 0
        """Hop number after the newest row. Before hop 0 lies silence."""
        self.skip(0)

    @property
    def begin(self) -> int:
        """The oldest hop that is still kept."""
        return self.end - HOPS

    def append(self, level_db: Rows, prominence_db: Rows) -> None:
        """Add the rows of one block. Levels above 120 dBFS are kept as 120."""
        rows = len(level_db)
        if self._used + rows > _CAPACITY:
            self._drop_old()
        levels = np.minimum(level_db, np.float32(_HIGHEST_DB))
        levels *= np.float32(1 / _LEVEL_STEP_DB)
        self._levels[self._used : self._used + rows] = levels
        steps = np.empty((rows + 1, CHANNELS), np.int32)
        steps[0] = self._sums[self._used]
        np.multiply(prominence_db, np.float32(1 / _PROMINENCE_STEP_DB), out=steps[1:], casting="unsafe")
        self._sums[self._used + 1 : self._used + rows + 1] = _running_sums(steps)[1:]
        self._used += rows
        self.end += rows

    def skip(self, hops: int) -> None:
        """Let time pass unheard: what was kept is replaced by quiet."""
        self._levels[:] = -110 / _LEVEL_STEP_DB
        self._sums[:] = 0
        self._used = HOPS
        self.end += hops

    def _drop_old(self) -> None:
        self._levels[:HOPS] = self._levels[self._used - HOPS : self._used]
        self._sums[: HOPS + 1] = self._sums[self._used - HOPS : self._used + 1]
        self._used = HOPS

    def _row(self, hop: int) -> int:
        return hop - self.end + self._used

    def prominence_db(self, channel: int, first: int, end: int) -> Means:
        """One channel between two hops."""
        sums = self._sums[self._row(first) : self._row(end) + 1, channel]
        return np.diff(sums) * _PROMINENCE_STEP_DB

    def rows(self, first: int, end: int) -> tuple[Rows, Rows]:
        """All levels and the bins' prominences between two hops."""
        sums = self._sums[self._row(first) : self._row(end) + 1, :BINS]
        return self.level_db(first, end), np.diff(sums, axis=0) * np.float32(_PROMINENCE_STEP_DB)

    def level_db(self, first: int, end: int, low: int = 0, high: int = BINS) -> Rows:
        """Some bins between two hops."""
        levels = self._levels[self._row(first) : self._row(end), low:high]
        return levels * np.float32(_LEVEL_STEP_DB)

    def means(self, channels: Hops, firsts: Hops, ends: Hops) -> Means:
        """Mean prominence of channels over stretches of hops; the arguments are broadcast."""
        shift = self._used - self.end
        summed = self._sums[ends + shift, channels] - self._sums[firsts + shift, channels]
        return np.asarray(summed * _PROMINENCE_STEP_DB / (ends - firsts))

    def all_means(self, first: int, end: int, ends: range) -> Means:
        """Mean prominence of every channel from hop `first` to `end`, counted from each of `ends`; shape
        (ends, CHANNELS)."""
        at = slice(self._row(ends.start), self._row(ends.stop), ends.step)
        summed = self._sums[at.start + end : at.stop + end : at.step]
        summed = summed - self._sums[at.start + first : at.stop + first : at.step]
        return np.asarray(summed * (_PROMINENCE_STEP_DB / (end - first)))


def _running_sums(rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Each row with all before it, in place: by doubling, for few rows sooner done than by `np.cumsum`."""
    width = 1
    while width < len(rows):
        rows[width:] += rows[:-width]
        width *= 2
    return rows
