"""Is this a fan or a sounder? How much of a sound's power stands in narrow lines."""

from functools import cache

import numpy as np
import numpy.typing as npt

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples

Power = npt.NDArray[np.float32]

_NOISE_FLATNESS = 0.56
"""exp(-gamma): the flatness of the periodogram of Gaussian noise, whose bins are exponentially spread."""
_SOUNDERS_ABOVE_HZ = 400
"""Sounders, sirens and horns are all higher; what hums below is a machine."""
_BANDS = 8
"""Flatness is taken band by band, as in MPEG-7 (ISO/IEC 15938-4, AudioSpectrumFlatness), so that the colour
of a noise, which is the room's and the microphone's, counts for nothing."""
_TINY = np.float32(1e-20)


def tonal_share(block: Samples) -> float:
    """The share of the power of a block (whole frames, at 16 kHz) that is in lines above 400 Hz, 0-1.

    Around 0 for fans, rain and hum, 0.2-0.35 for a vacuum cleaner, 0.5-1 for alarms, sirens, bells and
    crying. Lines show as low spectral flatness (Johnston 1988: geometric over arithmetic mean of the power
    spectrum) in frames of 30 ms, where a sweep still is a line, or in the block as a whole, where the close
    harmonics of a horn come apart.
    """
    high, short = _high_and_flatness(block.reshape(-1, FRAME_SAMPLES))
    _, long = _high_and_flatness(block.reshape(1, -1))
    return high * (1 - min(1.0, min(short, long) / _NOISE_FLATNESS))


def flatness(frames: Samples) -> float:
    """Spectral flatness above 400 Hz of sound of shape (frames, samples): 0 for a tone, 0.56 for noise."""
    return _high_and_flatness(frames)[1]


@cache
def _hann(length: int) -> Samples:
    return np.hanning(length).astype(np.float32)


def _high_and_flatness(frames: Samples) -> tuple[float, float]:
    """The share of power above 400 Hz, and the flatness there, bands weighted by their power."""
    spectrum = np.fft.rfft(frames * _hann(frames.shape[1]))
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) + _TINY
    per_hz = frames.shape[1] / SAMPLE_RATE_HZ
    lowest, first = round(100 * per_hz), round(_SOUNDERS_ABOVE_HZ * per_hz)
    width = (power.shape[1] - first) // _BANDS
    bands = power[:, first : first + width * _BANDS].reshape(len(power), _BANDS, width)
    mean = bands.mean(axis=2)
    flat = np.exp(np.log(bands).mean(axis=2))
    high = float(mean.sum() * width / power[:, lowest:].sum())
    return high, float(flat.sum() / mean.sum())
