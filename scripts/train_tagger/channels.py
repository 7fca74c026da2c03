"""What stands between a sound and the student: microphone, band limit, telephone line, level, 16 bits.

Works on spectra where it can, so that one transform serves rooms, microphones, band limits and resampling.
"""

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.train_tagger.compression import compressed
from testkit.room import mu_law

STUDENT_RATE_HZ = 16_000
COMPRESSED_SHARE = 0.1
"""Of the student's copies; encoding one costs as much as mixing two."""
Spectrum = npt.NDArray[np.complex64]
Wave = npt.NDArray[np.float32]
Rng = np.random.Generator


def microphone(rng: Rng, spectrum: Spectrum, rate_hz: int) -> Spectrum:
    """A cheap capsule's response: a smooth curve over log frequency and, at times, a steep low cut. Spectrum
    of shape (bins,)."""
    hz = np.linspace(0, rate_hz / 2, len(spectrum), dtype=np.float32)
    octaves = np.log2(np.maximum(hz, 20) / 20)
    knots_db = rng.normal(0, rng.uniform(0.5, 5), 9)
    curve = 10 ** (np.interp(octaves, np.linspace(0, 9.7, 9), knots_db) / 20)
    if rng.random() < 0.5:
        corner_hz = rng.uniform(60, 300)
        curve *= 1 / np.sqrt(1 + (corner_hz / np.maximum(hz, 1)) ** 4)
    return np.asarray(spectrum * curve, np.complex64)


def band_limit(rng: Rng, spectrum: Spectrum, rate_hz: int) -> Spectrum:
    """Nothing above a corner drawn from those that recorders and codecs have. Spectrum of shape (bins,)."""
    hz = np.linspace(0, rate_hz / 2, len(spectrum), dtype=np.float32)
    corner_hz = float(rng.choice([3400, 3900, 5500, 7000])) * rng.uniform(0.95, 1.05)
    return np.asarray(spectrum / np.sqrt(1 + (hz / corner_hz) ** 24), np.complex64)


def at_rate(spectrum: Spectrum, rate_hz: int, wanted_hz: int, samples: int) -> Wave:
    """The first `samples` of the signal at a rate `rate_hz / 2^n`, by leaving out the bins above it. Shape
    (bins,) to (samples,)."""
    keep = (len(spectrum) - 1) * wanted_hz // rate_hz
    lowered = spectrum[: keep + 1].copy()
    lowered[-max(1, keep // 50) :] *= np.linspace(1, 0, max(1, keep // 50), dtype=np.float32)
    wave = fft.irfft(lowered, 2 * keep) * np.float32(wanted_hz / rate_hz)
    return np.asarray(wave[:samples], np.float32)


def telephone(rng: Rng, spectrum: Spectrum, rate_hz: int, samples: int) -> Wave:
    """8 kHz, 300-3400 Hz and G.711 mu-law (ITU-T G.711), back at 16 kHz. Shape (bins,) to (samples,)."""
    hz = np.linspace(0, rate_hz / 2, len(spectrum), dtype=np.float32)
    line = spectrum / np.sqrt(
        (1 + (rng.uniform(150, 320) / np.maximum(hz, 1)) ** 8) * (1 + (hz / 3500) ** 40)
    )
    narrow = at_rate(line.astype(np.complex64), rate_hz, 8_000, len(spectrum))
    level = 10 ** rng.uniform(-1.6, -0.1)
    coded = mu_law(narrow / max(float(np.abs(narrow).max()), 1e-9) * level)
    wide = np.zeros(len(narrow) + 1, np.complex64)
    wide[: len(narrow) // 2 + 1] = fft.rfft(coded) * 2
    return np.asarray(fft.irfft(wide, 2 * len(narrow))[:samples], np.float32)


def student_copy(rng: Rng, spectrum: Spectrum, rate_hz: int, samples: int) -> npt.NDArray[np.int16]:
    """What the student hears of a mixture: 16 kHz, 16 bits, at any level over 60 dB. Shape (bins,) to
    (samples,)."""
    if rng.random() < 0.5:
        spectrum = microphone(rng, spectrum, rate_hz)
    line = rng.random()
    if line < 0.28:
        wave = telephone(rng, spectrum, rate_hz, samples)
    else:
        if line < 0.45:
            spectrum = band_limit(rng, spectrum, rate_hz)
        wave = at_rate(spectrum, rate_hz, STUDENT_RATE_HZ, samples)
    wave = wave / max(float(np.abs(wave).max()), 1e-9)
    if rng.random() < 0.07:
        wave = np.clip(wave * rng.uniform(1.5, 8), -1, 1)
    if rng.random() < COMPRESSED_SHARE:
        wave = compressed(rng, wave * np.float32(10 ** rng.uniform(-1.5, -0.1)), STUDENT_RATE_HZ)
        wave = wave / max(float(np.abs(wave).max()), 1e-9)
    peak_dbfs = rng.uniform(-60, -30) if rng.random() < 0.25 else rng.uniform(-30, -0.5)
    dither = rng.random(samples, np.float32) - 0.5 if rng.random() < 0.7 else 0
    return np.asarray(np.round(wave * (32767 * 10 ** (peak_dbfs / 20)) + dither), np.int16)
