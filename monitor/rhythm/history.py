"""The last seconds of prominences and levels, kept so that a rhythm can be looked at from its end."""

import numpy as np
import numpy.typing as npt

from monitor.rhythm.spectrum import BINS, CHANNELS, Rows

Hops = npt.NDArray[np.intp]
HOPS = 1000
"""10 s: the longest cycle, with tolerance, and what must be quiet around it."""
_CAPACITY = HOPS + HOPS // 2
"""Half a window of room: rows move to the front every 5 s, and a source costs 4 MB instead of 10."""


class History:
    """Rows by hop number, `end` being the next to come. Nothing before `begin` may be asked for."""

    def __init__(self) -> None:
        self._level_db = np.full((_CAPACITY, BINS), -110, np.float32)
        self._prominence_db = np.zeros((_CAPACITY, CHANNELS), np.float32)
        # Sums from the first row on, so that the mean over any stretch is one subtraction.
        self._sums = np.zeros((_CAPACITY + 1, CHANNELS), np.float64)
        self._used = HOPS
        self.end = 0
        """Hop number after the newest row. Before hop 0 lies silence."""

    @property
    def begin(self) -> int:
        """The oldest hop that is still kept."""
        return self.end - HOPS

    def append(self, level_db: Rows, prominence_db: Rows) -> None:
        """Add the rows of one block."""
        rows = len(level_db)
        if self._used + rows > _CAPACITY:
            self._drop_old()
        at = slice(self._used, self._used + rows)
        self._level_db[at], self._prominence_db[at] = level_db, prominence_db
        sums = self._sums[self._used + 1 : self._used + rows + 1]
        np.cumsum(prominence_db, axis=0, dtype=np.float64, out=sums)
        sums += self._sums[self._used]
        self._used += rows
        self.end += rows

    def skip(self, hops: int) -> None:
        """Let time pass unheard: what was kept is replaced by quiet."""
        self._level_db[:] = -110
        self._prominence_db[:] = 0
        self._sums[:] = 0
        self._used = HOPS
        self.end += hops

    def _drop_old(self) -> None:
        kept = slice(self._used - HOPS, self._used)
        self._level_db[:HOPS] = self._level_db[kept]
        self._prominence_db[:HOPS] = self._prominence_db[kept]
        sums = self._sums[self._used - HOPS : self._used + 1]
        self._sums[: HOPS + 1] = sums - sums[0]
        self._used = HOPS

    def _row(self, hop: int) -> int:
        return hop - self.end + self._used

    def prominence_db(self, channel: int, first: int, end: int) -> npt.NDArray[np.float32]:
        """One channel between two hops."""
        return self._prominence_db[self._row(first) : self._row(end), channel]

    def level_db(self, first: int, end: int) -> Rows:
        """All bins between two hops."""
        return self._level_db[self._row(first) : self._row(end)]

    def means(self, channels: Hops, firsts: Hops, ends: Hops) -> npt.NDArray[np.float64]:
        """Mean prominence of channels over stretches of hops; the arguments are broadcast."""
        shift = self._used - self.end
        summed = self._sums[ends + shift, channels] - self._sums[firsts + shift, channels]
        return np.asarray(summed / (ends - firsts))

    def all_means(self, firsts: Hops, ends: Hops) -> npt.NDArray[np.float64]:
        """Mean prominence of every channel over stretches of hops, shape (stretches, CHANNELS)."""
        shift = self._used - self.end
        summed = self._sums[ends + shift] - self._sums[firsts + shift]
        return np.asarray(summed / (ends - firsts)[:, None])
