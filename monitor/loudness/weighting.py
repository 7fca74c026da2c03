"""The A-weighting of IEC 61672-1:2013, put on the power spectrum of successive blocks."""

import math

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Samples

BLOCK = 4096
"""Samples of one spectrum. Lines are 3.9 Hz apart: below 40 Hz, where A falls by 15 dB an octave, wider ones
would count a tone as up to 3 dB too loud."""
HOP = 3584
"""Samples from one block to the next, 224 ms."""
_TAPER = BLOCK - HOP
_POLES_HZ = (20.6, 107.7, 737.9, 12194.0)
"""f1 to f4 of IEC 61672-1, annex E."""


def a_weighting_db(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The design goal of A at these frequencies, relative to 1 kHz; -inf at 0 Hz. Same shape."""
    with np.errstate(divide="ignore"):
        gain: npt.NDArray[np.float64] = 20 * np.log10(_gain(hz)) - 20 * math.log10(float(_gain(1000.0)))
    return gain


def _gain(hz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    f1, f2, f3, f4 = (pole**2 for pole in _POLES_HZ)
    square = np.square(np.asarray(hz, np.float64))
    return np.asarray(
        f4 * square**2 / ((square + f1) * np.sqrt((square + f2) * (square + f3)) * (square + f4))
    )


def _window() -> Samples:
    """Flat, and at both ends a quarter of a sine wave. Where two blocks overlap the squares add up to 1: the
    energy of every sample counts once."""
    rising = np.sin(np.pi / 2 * (np.arange(_TAPER) + 0.5) / _TAPER)
    return np.concatenate([rising, np.ones(BLOCK - 2 * _TAPER), rising[::-1]]).astype(np.float32)


def _weights() -> Samples:
    """What each line's squared real and imaginary part adds to the energy of a block; shape (BLOCK + 2,)."""
    lines = np.arange(BLOCK // 2 + 1)
    weight = 10 ** (a_weighting_db(lines * SAMPLE_RATE_HZ / BLOCK) / 10) / BLOCK
    weight[1:-1] *= 2  # each stands for its mirror image, too
    return np.repeat(weight, 2).astype(np.float32)


_WINDOW, _WEIGHTS = _window(), _weights()


def samples_for(blocks: int) -> int:
    """How many samples as many blocks take; the next begin `HOP` for each of them later."""
    return blocks * HOP + _TAPER


def whole_blocks(samples: int) -> int:
    """How many blocks lie in as many samples."""
    return max(0, (samples - _TAPER) // HOP)


def weighted_energies(samples: Samples) -> list[float]:
    """The A-weighted energy of each whole block, in squares of full scale times samples, at 16 kHz. Those of
    successive blocks add up to that of the sound."""
    windowed = np.empty(BLOCK, np.float32)  # one for all: what stays in the cache costs half
    energies: list[float] = []
    for begin in range(0, whole_blocks(len(samples)) * HOP, HOP):
        np.multiply(samples[begin : begin + BLOCK], _WINDOW, out=windowed)
        lines = np.fft.rfft(windowed).astype(np.complex64, copy=False).view(np.float32)
        np.multiply(lines, lines, out=lines)
        energies.append(float(lines @ _WEIGHTS))
    return energies
