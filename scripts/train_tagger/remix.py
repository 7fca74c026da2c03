"""Sound that nobody named, as varied as can be had: any recording slowed, quickened, reversed, ground to
grains or filtered, alone or two at once. It teaches what the teachers say of sound, and no label.
"""

import numpy as np
import numpy.typing as npt
from scipy import fft

Wave = npt.NDArray[np.float32]
Rng = np.random.Generator

SLOWEST, QUICKEST = 0.6, 1.6


def remixed(rng: Rng, wave: Wave, rate_hz: int) -> Wave:
    """The wave changed in none, one or several ways; its length changes with its speed. Shape (samples,)."""
    if rng.random() < 0.5:
        wave = at_speed(wave, float(np.exp(rng.uniform(np.log(SLOWEST), np.log(QUICKEST)))))
    if rng.random() < 0.1:
        wave = np.ascontiguousarray(wave[::-1])
    if rng.random() < 0.1:
        wave = grains(rng, wave, rate_hz)
    if rng.random() < 0.2:
        wave = filtered(rng, wave)
    return wave


def at_speed(wave: Wave, speed: float) -> Wave:
    """Played so many times as fast, pitch and all. Shape (samples,)."""
    count = max(2, int(len(wave) / speed))
    at = np.linspace(0, len(wave) - 1, count)
    if speed > 1:  # what would fold back is taken out first
        spectrum = fft.rfft(wave)
        spectrum[int(len(spectrum) / speed) :] = 0
        wave = fft.irfft(spectrum, len(wave))
    return np.interp(at, np.arange(len(wave)), wave).astype(np.float32)


def grains(rng: Rng, wave: Wave, rate_hz: int) -> Wave:
    """Cut into pieces of 50-400 ms that are put together again in another order, without clicks. Shape
    (samples,)."""
    size = int(rng.uniform(0.05, 0.4) * rate_hz)
    count = len(wave) // size
    if count < 3:
        return wave
    fade = np.hanning(max(3, size // 5))[: size // 10]
    shape = np.ones(size, np.float32)
    shape[: len(fade)], shape[size - len(fade) :] = fade, fade[::-1]
    pieces = wave[: count * size].reshape(count, size) * shape
    return np.ascontiguousarray(pieces[rng.permutation(count)]).reshape(-1)


def filtered(rng: Rng, wave: Wave) -> Wave:
    """One half or octave taken out, or a peak put in, anywhere on the scale. Shape (samples,)."""
    spectrum = fft.rfft(wave)
    octave = np.log2(np.maximum(np.arange(len(spectrum)) / len(spectrum), 2**-9))
    centre, width = rng.uniform(-8, 0), rng.uniform(0.3, 2)
    gain_db = rng.uniform(-25, 15) * np.exp(-(((octave - centre) / width) ** 2))
    return np.asarray(fft.irfft(spectrum * 10 ** (gain_db / 20), len(wave)), np.float32)
