"""How tonal a sound is: the share of its power in narrow lines. It separates a sounder from a fan."""

from functools import cache

import numpy as np
import numpy.typing as npt

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples
from monitor.gate.level import RUMBLE_BELOW_HZ

Power = npt.NDArray[np.float32]

_NOISE_FLATNESS = 0.56
"""By arithmetic, exp(-gamma), gamma being Euler's constant: the spectral flatness of Gaussian noise, whose
periodogram is exponentially distributed."""
_SOUNDERS_ABOVE_HZ = 400
"""Only tones above this count. The lowest standard sounder has 520 Hz (NFPA 72, 18.4.6), 468 Hz at 10 % less;
lines below are the hum of refrigerators and fans, which the floor must follow."""
_FLATNESS_BANDS = 8
"""Flatness is taken in bands, as in MPEG-7 (ISO/IEC 15938-4, AudioSpectrumFlatness), so that the colour of a
noise has no effect. Measured: with one band, blue noise
(6 dB an octave) has a tonal share of 0.48 instead of 0.02; with 16, each has only 14 bins of a frame, and the
share of a siren or a voice falls."""
_TINY_POWER = np.float32(1e-20)
"""Added to every bin, so that digital silence has a logarithm. Chosen: far below one step of 16 bits."""


def tonal_share(block: Samples) -> float:
    """The share of a block's power, 0-1, that is in narrow lines above 400 Hz.

    `block`: whole frames at 16 kHz, shape (480 n,). About 0 for fans, rain and hum, 0.2-0.35 for a vacuum
    cleaner, 0.5-1 for alarms, sirens, bells and crying. Lines show as low spectral flatness (geometric over
    arithmetic mean of the power spectrum; Johnston 1988). It is taken twice: in frames of 30 ms, in which a
    sweep still is a line, and over the whole block, which separates the close harmonics of a horn.
    """
    high, short = _high_and_flatness(block.reshape(-1, FRAME_SAMPLES))
    _, long = _high_and_flatness(block.reshape(1, -1))
    return high * (1 - min(1.0, min(short, long) / _NOISE_FLATNESS))


def flatness(frames: Samples) -> float:
    """Spectral flatness above 400 Hz: 0 for a tone, 0.56 for noise. `frames`: shape (frames, samples)."""
    return _high_and_flatness(frames)[1]


@cache
def _hann(length: int) -> Samples:
    return np.hanning(length).astype(np.float32)


def _high_and_flatness(frames: Samples) -> tuple[float, float]:
    """The share of the power above 100 Hz that is above 400 Hz, and the flatness there, bands weighted by
    power. `frames`: shape (frames, samples)."""
    spectrum = np.fft.rfft(frames * _hann(frames.shape[1]))
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) + _TINY_POWER
    per_hz = frames.shape[1] / SAMPLE_RATE_HZ
    lowest, first = round(RUMBLE_BELOW_HZ * per_hz), round(_SOUNDERS_ABOVE_HZ * per_hz)
    width = (power.shape[1] - first) // _FLATNESS_BANDS
    bands = power[:, first : first + width * _FLATNESS_BANDS].reshape(len(power), _FLATNESS_BANDS, width)
    mean = bands.mean(axis=2)
    flat = np.exp(np.log(bands).mean(axis=2))
    high = float(mean.sum() * width / power[:, lowest:].sum())
    return high, float(flat.sum() / mean.sum())
