"""The compiled spectrum does what its plain twin in numpy does."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.audio import Samples
from monitor.rhythm.history import LevelHistory
from monitor.rhythm.spectrum import BINS, BLOCK, BLOCK_HOPS, Spectrum
from monitor.synthesis.alarms import played
from testkit.alarms import any_sounder, temporal_four
from testkit.plain_spectrum import PlainSpectrum

LEVEL_WITHIN_DB = 1 / 128
"""Two of the steps in which levels are kept."""
PROMINENCE_WITHIN_DB = 0.005
"""What single precision makes of sums over all bins."""
ROUNDING = 3e-7
"""Of the peak amplitude: what single precision leaves in every bin of a transform."""


def _sounds(seed: int, level_dbfs: float) -> Samples:
    """Noise with an alarm in it, an offset, a moment of silence and one of sound far beyond full scale."""
    rng = np.random.default_rng(seed)
    alarm = played(any_sounder(rng), temporal_four(1), 16_000)
    samples = rng.standard_normal(len(alarm)) * 10 ** (level_dbfs / 20) + alarm + rng.uniform(-0.1, 0.1)
    samples[8000:12_000] = 0
    samples[20_000:24_000] *= 16
    return np.asarray(samples, np.float32)


def _rounding_db(level_db: NDArray[np.float32], peak: float) -> NDArray[np.float64]:
    """How far single precision may move a level, shape as `level_db` (hops, bins), in sound with this `peak`:
    its offset and whatever lies outside these bins round, too."""
    below_peak_db = 20 * np.log10(max(peak, 1e-9)) - level_db.astype(np.float64)
    return np.asarray(20 * np.log10(1 + ROUNDING * 10 ** (below_peak_db / 20)))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(-100, 0))
def test_rows_are_those_of_plain_numpy(seed: int, level_dbfs: float) -> None:
    """Levels and prominences of every bin, hop for hop; the highest prominence is returned."""
    kernel, plain, history, block = Spectrum(), PlainSpectrum(), LevelHistory(), np.zeros(BLOCK, np.float32)
    samples = _sounds(seed, level_dbfs)
    for start in range(0, len(samples) - BLOCK + 1, BLOCK):
        block[:] = samples[start : start + BLOCK]
        peak_db = history.append(partial(kernel.put_rows, block.ctypes.data))
        level_db, prominence_db = plain.rows(block)

        kept_db, kept_prominence_db = history.rows(history.end - BLOCK_HOPS, history.end)
        rounding_db = _rounding_db(
            level_db, float(np.abs(samples[max(0, start - BLOCK) : start + BLOCK]).max())
        )
        assert (np.abs(kept_db - level_db) <= LEVEL_WITHIN_DB + rounding_db).all()
        apart_db = np.abs(kept_prominence_db - prominence_db[:, :BINS])
        assert (apart_db <= PROMINENCE_WITHIN_DB + rounding_db).all()
        assert peak_db == pytest.approx(float(kept_prominence_db.max()), abs=1e-6)


def test_bands_follow_their_strongest_bin() -> None:
    """A band's prominence is that of its strongest bin, hop for hop."""
    kernel, plain, history, block = Spectrum(), PlainSpectrum(), LevelHistory(), np.zeros(BLOCK, np.float32)
    rng = np.random.default_rng(7)
    for _ in range(20):
        block[:] = rng.standard_normal(BLOCK) * 0.1
        history.append(partial(kernel.put_rows, block.ctypes.data))
        _, prominence_db = plain.rows(block)
        for channel in range(BINS, prominence_db.shape[1]):
            kept_db = history.prominence_db(channel, history.end - BLOCK_HOPS, history.end)
            assert kept_db == pytest.approx(prominence_db[:, channel], abs=PROMINENCE_WITHIN_DB)


def test_levels_beyond_any_microphone_are_kept_as_the_highest() -> None:
    """16 bits hold 120 dBFS; what is above stays there and does not wrap around."""
    kernel, history, block = Spectrum(), LevelHistory(), np.full(BLOCK, 1e10, np.float32)
    block[::2] = 0

    for _ in range(3):
        history.append(partial(kernel.put_rows, block.ctypes.data))

    assert history.level_db(0, history.end).max() <= 120
