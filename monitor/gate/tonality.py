"""How tonal a sound is: the share of its power in narrow lines. It separates a sounder from a fan."""

import ctypes
from functools import cache

import numpy as np

from monitor.audio import FRAME_SAMPLES, Samples
from monitor.native.kernels import kernels
from monitor.native.tables import aligned_floats, circle

BLOCK_SAMPLES = 10 * FRAME_SAMPLES
"""What `tonal_share` looks at."""
_NOISE_FLATNESS = 0.56
"""By arithmetic, exp(-gamma), gamma being Euler's constant: the spectral flatness of Gaussian noise, whose
periodogram is exponentially distributed."""


class Tonality(ctypes.Structure):
    """What the kernel needs (struct Tonality in monitor/native/tonality.c): tables, memory for its steps, and
    the flatness of noise.

    `tonal_share`, which the kernel finds, is the share of a block's power, 0-1, in narrow lines: about
    0 for fans, rain and hum, 0.2-0.35 for a vacuum cleaner, 0.5-1 for alarms, sirens, bells and crying. Lines
    show as low spectral flatness (geometric over arithmetic mean of the power spectrum; Johnston 1988). It is
    taken twice: in frames of 30 ms, in which a sweep still is a line, and over the whole block, which
    separates the close harmonics of a horn.

    Only tones above 400 Hz count. The lowest standard sounder has 520 Hz (NFPA 72, 18.4.6), 468 Hz at 10 %
    less; lines below are the hum of refrigerators and fans, which the floor must follow. Flatness is taken in
    eight bands, as in MPEG-7 (ISO/IEC 15938-4, AudioSpectrumFlatness), so that the colour of a noise has no
    effect. Measured: with one band, blue noise (6 dB an octave) has a tonal share of 0.48 instead of 0.02;
    with 16, each has only 14 bins of a frame, and the share of a siren or a voice falls.
    """

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("short_shape", "long_shape", "circle", "scratch")),
        ("noise_flatness", ctypes.c_double),
    ]
    arrays: tuple[Samples, ...]


def flatness(samples: Samples) -> float:
    """Spectral flatness of frames above 400 Hz: 0 for a tone, 0.56 for noise. `samples`: whole frames at
    16 kHz, shape (480 n,)."""
    frames = np.ascontiguousarray(samples)
    count = len(frames) // FRAME_SAMPLES
    return float(kernels().flatness(ctypes.addressof(tonality()), frames.ctypes.data, count))


@cache
def tonality() -> Tonality:
    """Shared by all sources: one call after the other uses it, for the kernels keep Python's lock."""
    arrays = (
        np.hanning(FRAME_SAMPLES).astype(np.float32),
        np.hanning(BLOCK_SAMPLES).astype(np.float32),
        circle(BLOCK_SAMPLES),
        aligned_floats(kernels().tonality_bytes() // 4),
    )
    tables = Tonality(*(array.ctypes.data for array in arrays), _NOISE_FLATNESS)
    tables.arrays = arrays  # they live as long as what points to them
    return tables
