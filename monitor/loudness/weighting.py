"""The A-weighting of IEC 61672-1:2013, put on the power spectrum of successive blocks."""

import ctypes
import math
from functools import cache

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.native.kernels import kernels
from monitor.native.tables import aligned_floats, turns, unpack

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
    """What the squared magnitude of each line adds to the energy of a block; shape (BLOCK / 2 + 1,). The
    kernel's transform doubles."""
    lines = np.arange(BLOCK // 2 + 1)
    weight = 10 ** (a_weighting_db(lines * SAMPLE_RATE_HZ / BLOCK) / 10) / BLOCK / 4
    weight[1:-1] *= 2  # each stands for its mirror image, too
    return weight.astype(np.float32)


def samples_for(blocks: int) -> int:
    """How many samples as many blocks take; the next begin `HOP` for each of them later."""
    return blocks * HOP + _TAPER


def whole_blocks(samples: int) -> int:
    """How many blocks lie in as many samples."""
    return max(0, (samples - _TAPER) // HOP)


def weighted_energies(samples: Samples, library: ctypes.PyDLL | None = None) -> list[float]:
    """The A-weighted energy of each whole block, in squares of full scale times samples, at 16 kHz. Those of
    successive blocks add up to that of the sound, and none depends on the others. By a compiled kernel
    (monitor/native/weighting.c)."""
    count = whole_blocks(len(samples))
    energies = np.empty(count, np.float32)
    if count:
        samples = np.ascontiguousarray(samples)
        scratch, *tables = _places()
        (library or kernels()).weigh(scratch, samples.ctypes.data, count, *tables, energies.ctypes.data)
    found: list[float] = energies.tolist()
    return found


@cache
def _places() -> tuple[int, ...]:
    """Addresses of what the kernel works in (it keeps Python's lock: one for all) and of its tables."""
    scratch = aligned_floats(kernels().weighing_bytes() // 4)
    arrays = (_window(), turns(BLOCK), unpack(BLOCK), _weights())
    _KEPT.extend((scratch, *arrays))
    return tuple(array.ctypes.data for array in (scratch, *arrays))


_KEPT: list[Samples] = []
"""The arrays live as long as what points to them."""
