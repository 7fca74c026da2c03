"""How much each pitch stands out of its surroundings, every 10 ms."""

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Samples

HOP = 160
"""Samples between two rows: 10 ms."""
WINDOW = 512
"""Samples of a spectrum: 32 ms, long enough to set a tone apart from the noise of a third octave by 12 dB at
3 kHz, short enough to see the 100 ms gaps of a carbon monoxide alarm."""
SMOOTHED = 3
"""Spectra averaged into one row: 52 ms in all."""
BLOCK_HOPS = 12
"""Rows made at once. A fixed number, so that results do not depend on how the samples arrive."""
BIN_HZ = SAMPLE_RATE_HZ / WINDOW
FIRST_BIN, LAST_BIN = 10, 240
"""312 Hz to 7.5 kHz."""
BINS = LAST_BIN - FIRST_BIN + 1

Rows = npt.NDArray[np.float32]

_LONG_WINDOW = 1024
_LONG_BELOW_BIN = 33  # 1 kHz: there a third octave is so narrow that only a longer window gets below it
_FLOOR = 1e-11  # -110 dBFS: below what 16 bits hold, so that digital silence is quiet and not tonal
_NEAR, _FAR = 4, 10  # bins to either side that count as the surroundings; the Hann lobe ends at 2
_MAX_TILT_DB = 12.0  # the empty half of a telephone band must not make the noise at its edge look like a tone
_RANGE_DB = 30.0
_FADE_DB_PER_HOP = 0.1


def _bands() -> npt.NDArray[np.intp]:
    """First and past-last column of bands two thirds of an octave wide and one apart, so that any two pitches
    within a third of an octave have a band in common."""
    centres = FIRST_BIN * 2 ** np.arange(1 / 3, np.log2(LAST_BIN / FIRST_BIN) - 0.2, 1 / 3)
    edges = np.stack([centres * 2 ** (-1 / 3), np.minimum(centres * 2 ** (1 / 3) + 1, LAST_BIN)], axis=1)
    return np.asarray(np.round(edges) - FIRST_BIN, np.intp)


BANDS = _bands()
CHANNELS = BINS + len(BANDS)
"""Columns of prominence: the bins one by one, then the strongest bin of each band, for sounders whose pitch
moves."""


class Spectrum:
    """Turns blocks of `BLOCK_HOPS * HOP` samples into rows of 10 ms. Remembers what overlaps and how loud
    each pitch lately was; belongs to one thread."""

    def __init__(self) -> None:
        self._bins = _Bank(WINDOW, np.arange(FIRST_BIN, LAST_BIN + 1))
        self._low = _Bank(_LONG_WINDOW, np.arange(2 * FIRST_BIN - 1, 2 * _LONG_BELOW_BIN))

    def rows(self, block: Samples) -> tuple[Rows, Rows]:
        """Levels in dB relative to a full-scale sine, shape (hops, BINS), and prominences in dB, shape
        (hops, CHANNELS), of one block of samples.

        A prominence is at least 0: the level over that of the bins around it, but no more than 30 dB less
        what the pitch has faded by since it was loudest. The first shows a tone in noise whatever the gain
        does, the second shows the gaps between beeps that reverberation fills with the same tone.
        """
        level_db, prominence_db = self._bins.rows(block)
        _, fine_db = self._low.rows(block)
        # Each low bin has its own fine bin and shares one with either neighbour.
        low_db = np.maximum.reduce([fine_db[:, 0:-2:2], fine_db[:, 1:-1:2], fine_db[:, 2::2]])
        prominence_db[:, : low_db.shape[1]] = low_db
        strongest = np.maximum.reduceat(prominence_db, BANDS.ravel(), axis=1)[:, ::2]
        return level_db, np.concatenate([prominence_db, strongest], axis=1)


class _Bank:
    """Spectra of one window length, for a range of bins and the surroundings that they are compared with."""

    def __init__(self, window: int, bins: npt.NDArray[np.intp]) -> None:
        self._shape = np.hanning(window + 1)[:-1].astype(np.float32)
        self._scale = np.float32(4 / float(self._shape.sum()) ** 2 / SMOOTHED)
        self._before = np.zeros(window - HOP, np.float32)
        self._near, self._far = _NEAR * window // WINDOW, _FAR * window // WINDOW
        first, last = bins[0] - self._far, bins[-1] + self._far
        self._read = slice(max(1, first), min(window // 2, last) + 1)
        # Beyond the ends of the spectrum its last bins are repeated.
        self._missing = self._read.start - first, last + 1 - self._read.stop
        self._power_before = np.zeros((SMOOTHED - 1, self._read.stop - self._read.start), np.float32)
        self._loudest_db = np.full((1, len(bins)), -110.0, np.float32)
        self._fading_db = (
            np.float32(_FADE_DB_PER_HOP) * np.arange(1, BLOCK_HOPS + 1, dtype=np.float32)[:, None]
        )

    def rows(self, block: Samples) -> tuple[Rows, Rows]:
        """Levels and prominences in dB of the bank's bins, shape (hops, bins)."""
        samples = np.concatenate([self._before, block])
        self._before = samples[-len(self._before) :]
        windows = np.lib.stride_tricks.sliding_window_view(samples, len(self._shape))[::HOP] * self._shape
        spectra = np.fft.rfft(windows)[:, self._read]
        power = np.asarray((spectra.real**2 + spectra.imag**2) * self._scale, np.float32)
        wide_db = self._padded(10 * np.log10(self._smoothed(power) + np.float32(_FLOOR)))
        level_db = wide_db[:, self._far : -self._far]
        prominence_db = np.minimum(level_db - self._surroundings_db(wide_db), self._unfaded_db(level_db))
        return level_db, np.maximum(prominence_db, 0)

    def _smoothed(self, power: Rows) -> Rows:
        """Sums over `SMOOTHED` hops: power before logarithms, or noise would be all dips."""
        longer = np.concatenate([self._power_before, power])
        self._power_before = longer[-(SMOOTHED - 1) :]
        total = longer[SMOOTHED - 1 :].copy()
        for back in range(1, SMOOTHED):
            total += longer[SMOOTHED - 1 - back : -back]
        return total

    def _padded(self, level_db: Rows) -> Rows:
        low, high = self._missing
        return np.concatenate([level_db[:, :1]] * low + [level_db] + [level_db[:, -1:]] * high, axis=1)

    def _surroundings_db(self, wide_db: Rows) -> Rows:
        near, far, bins = self._near, self._far, wide_db.shape[1] - 2 * self._far
        summed = np.zeros((len(wide_db), wide_db.shape[1] + 1), np.float32)
        np.cumsum(wide_db, axis=1, out=summed[:, 1:])
        side = np.float32(1 / (far - near + 1))
        below = (summed[:, far - near + 1 : far - near + 1 + bins] - summed[:, :bins]) * side
        above = (summed[:, -bins:] - summed[:, far + near : far + near + bins]) * side
        tilt = np.minimum(np.abs(above - below), np.float32(_MAX_TILT_DB))
        return np.asarray(np.maximum(below, above) - tilt / 2, np.float32)

    def _unfaded_db(self, level_db: Rows) -> Rows:
        """30 dB less what each pitch faded by since it was loudest; that maximum sinks by 10 dB a second."""
        rising = np.concatenate([self._loudest_db, level_db + self._fading_db])
        loudest = np.maximum.accumulate(rising, axis=0)[1:] - self._fading_db
        self._loudest_db = loudest[-1:]
        return np.asarray(level_db - loudest + np.float32(_RANGE_DB), np.float32)
