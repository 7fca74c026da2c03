"""What lies between a sound and our samples: the room and its noise.

Samples are mono float32 in, mono float32 of the same length out, unless a docstring gives another length.
"""

import numpy as np

from monitor.audio import Samples


def impulse_response(
    rng: np.random.Generator,
    rt60_s: float,
    sample_rate_hz: int,
    direct_to_reverberant_db: float | None = None,
) -> Samples:
    """A room by its reverberation time: direct sound, then noise decaying by 60 dB in `rt60_s`; energy 1.

    Statistical model of J.-D. Polack (La transmission de l'énergie sonore dans les salles, 1988). High
    frequencies decay faster, as air and curtains take them. The direct sound stands above the rest by
    `direct_to_reverberant_db`, drawn from -6 to +6 dB (a listener beyond or within the critical distance)
    unless given.
    """
    ratio_db = rng.uniform(-6, 6) if direct_to_reverberant_db is None else direct_to_reverberant_db
    length = round(1.2 * rt60_s * sample_rate_hz)
    time_s = np.arange(length) / sample_rate_hz
    dull, bright = rng.standard_normal((2, length))
    dull = np.convolve(dull, np.ones(4) / 2, "same")
    tail = dull * 10 ** (-3 * time_s / rt60_s) + bright * 10 ** (-3 * time_s / (0.6 * rt60_s))
    tail[: round(rng.uniform(0.001, 0.008) * sample_rate_hz)] = 0
    tail *= 10 ** (-ratio_db / 20) / max(float(np.sqrt(np.sum(tail**2))), 1e-12)
    tail[0] = 1
    return np.asarray((tail / np.sqrt(np.sum(tail**2))), np.float32)


def in_room(samples: Samples, response: Samples, *, tail: bool = False) -> Samples:
    """The sound as heard through an impulse response; with `tail`, longer by the ringing after the end."""
    full = len(samples) + len(response) - 1
    size = 1 << (full - 1).bit_length()
    heard = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)
    return np.asarray(heard[: full if tail else len(samples)], np.float32)


def coloured_noise(rng: np.random.Generator, length: int, slope_db_per_octave: float = -3.0) -> Samples:
    """Gaussian noise of RMS 0.1: 0 dB per octave is white, -3 pink, -6 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequency = np.maximum(np.arange(len(spectrum)), 1)
    noise = np.fft.irfft(spectrum * frequency ** (slope_db_per_octave / 6.02), length)
    return np.asarray((0.1 * noise / max(float(np.sqrt(np.mean(noise**2))), 1e-12)), np.float32)
