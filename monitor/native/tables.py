"""Constant tables and memory for the compiled transforms (monitor/native/transform.h)."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_ALIGNED = 64
"""Bytes: of the widest registers, and of a line of the caches."""


def turns(window: int) -> Floats:
    """Twiddle factors of a complex transform of half the window: e^(-2 pi i p j / n) for each p below n / 4
    and j = 1, 2, 3, real and imaginary parts in turn. Shape (3 * window / 4,)."""
    n = window // 2
    factors = np.exp(-2j * np.pi / n * np.arange(n // 4)[:, None] * np.arange(1, 4))
    return np.ascontiguousarray(factors.astype(np.complex64)).view(np.float32).ravel()


def unpack(window: int) -> Floats:
    """e^(-2 pi i k / window): what takes the halves of a real transform apart. Shape (window,)."""
    factors = np.exp(-2j * np.pi / window * np.arange(window // 2))
    return np.ascontiguousarray(factors.astype(np.complex64)).view(np.float32).ravel()


def circle(count: int) -> Floats:
    """e^(-2 pi i k / count) for each k below it, real and imaginary parts in turn. Shape (2 * count,)."""
    factors = np.exp(-2j * np.pi / count * np.arange(count))
    return np.ascontiguousarray(factors.astype(np.complex64)).view(np.float32).ravel()


def aligned_floats(count: int) -> Floats:
    """Zeros that begin where a whole register may lie; shape (count,)."""
    room = np.zeros(count + _ALIGNED // 4, np.float32)
    begin = -(room.ctypes.data // 4) % (_ALIGNED // 4)
    return room[begin : begin + count]
