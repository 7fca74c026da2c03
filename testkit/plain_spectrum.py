"""The arithmetic of monitor/native/spectrum.c a second time, in plain numpy: what the kernel is held to."""

import numpy as np
import numpy.typing as npt

from monitor.audio import Samples
from monitor.rhythm.spectrum import (
    BANDS,
    BINS,
    BLOCK_HOPS,
    CHANNELS,
    FIRST_BIN,
    HOP,
    LAST_BIN,
    SMOOTHED,
    WINDOW,
)

SpectrumRows = npt.NDArray[np.float32]

_LONG_WINDOW = 1024
_LONG_BELOW_BIN = 33  # 1 kHz: there a third octave is so narrow that only a longer window gets below it
_FLOOR = 1e-11  # -110 dBFS: below what 16 bits hold, so that digital silence is quiet and not tonal
_NEAR, _FAR = 4, 10  # bins to either side that count as the surroundings; the Hann lobe ends at 2
_MAX_TILT_DB = 12.0  # the empty half of a telephone band must not make the noise at its edge look like a tone
_RANGE_DB = 30.0
_FADE_DB_PER_HOP = 0.1


class _Bank:
    """The columns that one window length has in the arrays that all share: `wide`, with the surroundings of
    its bins, and `own`, the bins alone."""

    def __init__(self, window: int, first: int, end: int, before: "_Bank | None") -> None:
        self.shape = _scaled_hann(window)
        near, self.far = _NEAR * window // WINDOW, _FAR * window // WINDOW
        self.bins = end - first
        lowest, self.highest = max(1, first - self.far), min(window // 2, end - 1 + self.far)
        self.read = slice(lowest, self.highest + 1)
        # Beyond the ends of the spectrum its last bins are repeated.
        self.missing = lowest - (first - self.far), end - 1 + self.far - self.highest
        start = before.wide.stop if before else 0
        self.wide: slice[int, int, None] = slice(start, start + self.bins + 2 * self.far)
        start = before.own.stop if before else 0
        self.own: slice[int, int, None] = slice(start, start + self.bins)
        self.side = self.far - near + 1
        self.above = self.far + near

    def put_power(self, samples: Samples, power: SpectrumRows) -> None:
        """Spectral power of windows of samples into this bank's columns."""
        spectra = np.fft.rfft(samples[:, -len(self.shape) :] * self.shape)[:, self.read]
        low, high = self.missing
        wide = power[:, self.wide]
        inner = wide[:, low : wide.shape[1] - high]
        np.add(np.square(spectra.real), np.square(spectra.imag), out=inner)
        wide[:, :low] = inner[:, :1]
        wide[:, wide.shape[1] - high :] = inner[:, -1:]

    def sides(self, summed: SpectrumRows) -> tuple[SpectrumRows, SpectrumRows]:
        """Sums over the bins below and above each bin, from sums over all columns up to each."""
        first, end = self.wide.start, self.wide.stop + 1
        boxes = summed[:, first + self.side : end] - summed[:, first : end - self.side]
        return boxes[:, : self.bins], boxes[:, self.above : self.above + self.bins]


def _scaled_hann(window: int) -> Samples:
    """Hann, such that the squared spectrum of a full-scale sine, summed over `SMOOTHED` hops, is 1."""
    hann = np.hanning(window + 1)[:-1]
    return np.asarray(hann * (2 / hann.sum() / np.sqrt(SMOOTHED)), np.float32)


class PlainSpectrum:
    """Turns blocks of `BLOCK_HOPS * HOP` samples into rows of 10 ms. Remembers what overlaps and how loud
    each pitch lately was; belongs to one thread.

    Works in arrays that both windows share and that live as long as it does: at 12 rows a block, the calls
    cost more than the arithmetic.
    """

    def __init__(self) -> None:
        short = _Bank(WINDOW, FIRST_BIN, LAST_BIN + 1, None)
        self._banks = short, _Bank(_LONG_WINDOW, 2 * FIRST_BIN - 1, 2 * _LONG_BELOW_BIN, short)
        self._samples = np.zeros(_LONG_WINDOW + (BLOCK_HOPS - 1) * HOP, np.float32)
        self._windows = np.lib.stride_tricks.sliding_window_view(self._samples, _LONG_WINDOW)[::HOP]
        wide, own = self._banks[-1].wide.stop, self._banks[-1].own.stop
        self._power = np.zeros((SMOOTHED - 1 + BLOCK_HOPS, wide), np.float32)
        self._summed_db = np.zeros((BLOCK_HOPS, wide + 1), np.float32)
        self._loudest_db = np.full(own, -110, np.float32)
        self._fading_db = (
            np.float32(_FADE_DB_PER_HOP) * np.arange(1, BLOCK_HOPS + 1, dtype=np.float32)[:, None]
        )
        self._strongest_db = np.empty((BLOCK_HOPS, 2 * len(BANDS)), np.float32)
        self._per_side = np.concatenate([np.full(b.bins, 1 / b.side, np.float32) for b in self._banks])

    def rows(self, block: Samples) -> tuple[SpectrumRows, SpectrumRows]:
        """Levels in dB relative to a full-scale sine, shape (hops, BINS), and prominences in dB, shape
        (hops, CHANNELS), of one block of samples.

        A prominence is at least 0: the level over that of the bins around it, but no more than 30 dB less
        what the pitch has faded by since it was loudest. The first shows a tone in noise whatever the gain
        does, the second shows the gaps between beeps that reverberation fills with the same tone.
        """
        wide_db = self._wide_db(block)
        level_db = np.concatenate(
            [wide_db[:, b.wide][:, b.far : b.far + b.bins] for b in self._banks], axis=1
        )
        standing_out_db = level_db - self._surroundings_db(wide_db)
        np.minimum(standing_out_db, self._unfaded_db(level_db), out=standing_out_db)
        np.maximum(standing_out_db, 0, out=standing_out_db)
        return level_db[:, :BINS], self._by_channel(standing_out_db)

    def _wide_db(self, block: Samples) -> SpectrumRows:
        """Levels of all bins that are looked at: power is summed over `SMOOTHED` hops before its logarithm is
        taken, or noise would be all dips."""
        self._samples[: -len(block)] = self._samples[len(block) :]
        self._samples[-len(block) :] = block
        power = self._power
        power[: SMOOTHED - 1] = power[BLOCK_HOPS:]
        for bank in self._banks:
            bank.put_power(self._windows, power[SMOOTHED - 1 :])
        total = power[SMOOTHED - 1 :] + np.float32(_FLOOR)
        for back in range(1, SMOOTHED):
            total += power[SMOOTHED - 1 - back : -back]
        np.log10(total, out=total)
        total *= np.float32(10)
        return total

    def _surroundings_db(self, wide_db: SpectrumRows) -> SpectrumRows:
        """The mean of both sides, or, where one is far above the other, not much less than the higher."""
        np.cumsum(wide_db, axis=1, out=self._summed_db[:, 1:])
        mean_db, higher_db = (np.empty((BLOCK_HOPS, len(self._per_side)), np.float32) for _ in range(2))
        for bank in self._banks:
            below, above = bank.sides(self._summed_db)
            np.add(below, above, out=mean_db[:, bank.own])
            np.maximum(below, above, out=higher_db[:, bank.own])
        mean_db *= self._per_side / 2
        higher_db *= self._per_side
        higher_db -= np.float32(_MAX_TILT_DB / 2)
        return np.maximum(mean_db, higher_db, out=mean_db)

    def _unfaded_db(self, level_db: SpectrumRows) -> SpectrumRows:
        """30 dB less what each pitch faded by since it was loudest; that maximum sinks by 10 dB a second."""
        unfaded_db = level_db + self._fading_db
        loudest_db = self._loudest_db
        for row in unfaded_db:
            loudest_db = np.maximum(loudest_db, row)
            np.subtract(row, loudest_db, out=row)
        self._loudest_db = loudest_db - self._fading_db[-1]
        unfaded_db += np.float32(_RANGE_DB)
        return unfaded_db

    def _by_channel(self, standing_out_db: SpectrumRows) -> SpectrumRows:
        prominence_db = np.empty((BLOCK_HOPS, CHANNELS), np.float32)
        bins_db, fine_db = prominence_db[:, :BINS], standing_out_db[:, BINS:]
        bins_db[:] = standing_out_db[:, :BINS]
        # Each low bin has its own fine bin and shares one with either neighbour.
        low_db = bins_db[:, : _LONG_BELOW_BIN - FIRST_BIN]
        np.maximum(fine_db[:, 0:-2:2], fine_db[:, 2::2], out=low_db)
        np.maximum(low_db, fine_db[:, 1:-1:2], out=low_db)
        np.maximum.reduceat(bins_db, BANDS.ravel(), axis=1, out=self._strongest_db)
        prominence_db[:, BINS:] = self._strongest_db[:, ::2]
        return prominence_db
