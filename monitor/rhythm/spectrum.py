"""How much each pitch stands out of its surroundings, every 10 ms."""

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Samples

HOP = 160
"""Samples between two spectra: 10 ms."""
WINDOW = 512
"""Samples of a spectrum: 32 ms, long enough to set a tone apart from the noise of a third octave by 12 dB at
3 kHz, short enough to see the 100 ms gaps of a carbon monoxide alarm."""
BLOCK_HOPS = 12
"""Spectra computed at once. A fixed number, so that results do not depend on how the samples arrive."""
SMOOTHED = 3
"""Spectra averaged into one row: 52 ms in all."""
HOP_S = HOP / SAMPLE_RATE_HZ
BIN_HZ = SAMPLE_RATE_HZ / WINDOW
FIRST_BIN, LAST_BIN = 10, 240
"""312 Hz to 7.5 kHz."""
BINS = LAST_BIN - FIRST_BIN + 1

_FLOOR = 1e-11  # -110 dBFS: below what 16 bits hold, so that digital silence is quiet and not tonal
_NEAR, _FAR = 4, 10  # bins to either side that count as the surroundings; the Hann lobe ends at 2
_MAX_TILT_DB = 12.0  # the empty half of a telephone band must not make the noise at its edge look like a tone
_RANGE_DB = 30.0
_FADE_DB_PER_HOP = 0.1

Rows = npt.NDArray[np.float32]


def _bands() -> npt.NDArray[np.intp]:
    """First and past-last column of half-octave bands, a third of an octave apart."""
    centres = FIRST_BIN * 2 ** np.arange(0.25, np.log2(LAST_BIN / FIRST_BIN) - 0.2, 1 / 3)
    edges = np.stack([centres * 2**-0.25, np.minimum(centres * 2**0.25 + 1, LAST_BIN)], axis=1)
    return np.asarray(np.round(edges) - FIRST_BIN, np.intp)


BANDS = _bands()
CHANNELS = BINS + len(BANDS)
"""Columns of `prominence_db`: the bins one by one, then the strongest bin of each band, for sounders whose
pitch moves."""


class Spectrum:
    """Turns blocks of `BLOCK_HOPS * HOP` samples into rows of 10 ms. Remembers what overlaps and how loud each
    pitch lately was; belongs to one thread."""

    def __init__(self) -> None:
        self._window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
        self._scale = np.float32(4 / float(self._window.sum()) ** 2)
        self._before = np.zeros(WINDOW - HOP, np.float32)
        self._power_before = np.zeros((SMOOTHED - 1, WINDOW // 2 + 1), np.float32)
        self._loudest_db = np.full(BINS, -110.0, np.float32)
        bins = np.arange(FIRST_BIN, LAST_BIN + 1)
        last = WINDOW // 2
        self._sides = [
            (np.clip(bins + a, 1, last), np.clip(bins + b + 1, 1, last + 1))
            for a, b in ((-_FAR, -_NEAR), (_NEAR, _FAR))
        ]

    def rows(self, block: Samples) -> tuple[Rows, Rows]:
        """Levels in dB relative to a full-scale sine, shape (hops, BINS), and prominences in dB, shape
        (hops, CHANNELS), of one block of samples.

        A prominence is at least 0: the level over that of the bins around it, but no more than 30 dB less
        what the pitch has faded by since it was loudest. The first shows a tone in noise whatever the gain
        does, the second shows the gaps between beeps that reverberation fills with the same tone.
        """
        samples = np.concatenate([self._before, block])
        self._before = samples[-(WINDOW - HOP) :]
        windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * self._window
        spectra = np.fft.rfft(windows)
        power = (spectra.real**2 + spectra.imag**2) * self._scale
        all_db = 10 * np.log10(self._smoothed(np.asarray(power, np.float32)) + np.float32(_FLOOR))
        level_db = np.ascontiguousarray(all_db[:, FIRST_BIN : LAST_BIN + 1], np.float32)
        prominence_db = np.minimum(level_db - self._surroundings_db(all_db), self._faded_db(level_db))
        np.maximum(prominence_db, 0, out=prominence_db)
        widest = np.maximum.reduceat(prominence_db, BANDS.ravel(), axis=1)[:, ::2]
        return level_db, np.concatenate([prominence_db, widest], axis=1)

    def _smoothed(self, power: Rows) -> Rows:
        """Means over `SMOOTHED` hops: power before logarithms, or noise would be all dips."""
        longer = np.concatenate([self._power_before, power])
        self._power_before = longer[-(SMOOTHED - 1) :]
        total = longer[SMOOTHED - 1 :].copy()
        for back in range(1, SMOOTHED):
            total += longer[SMOOTHED - 1 - back : -back]
        return np.asarray(total / np.float32(SMOOTHED), np.float32)

    def _surroundings_db(self, all_db: Rows) -> Rows:
        summed = np.zeros((len(all_db), all_db.shape[1] + 1), np.float32)
        np.cumsum(all_db, axis=1, out=summed[:, 1:])
        below, above = ((summed[:, end] - summed[:, start]) / (end - start) for start, end in self._sides)
        tilt = np.clip(above - below, -_MAX_TILT_DB, _MAX_TILT_DB)
        return np.asarray(np.maximum(below, above) - np.abs(tilt) / 2, np.float32)

    def _faded_db(self, level_db: Rows) -> Rows:
        faded = np.empty_like(level_db)
        loudest = self._loudest_db
        for i, row in enumerate(level_db):
            loudest = np.maximum(row, loudest - np.float32(_FADE_DB_PER_HOP))
            faded[i] = loudest
        self._loudest_db = loudest
        return np.asarray(level_db - faded + np.float32(_RANGE_DB), np.float32)
