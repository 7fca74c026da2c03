"""What made sounds are put together from: tones, strikes, noise, and ways to set them in time."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from monitor.audio import Samples

Signal = npt.NDArray[np.float64]
"""Mono sound while it is made, shape (samples,)."""
Rng = np.random.Generator


def warble(rng: Rng, sample_rate_hz: int, duration_s: float) -> Samples:
    """Two or three pitches by turns, as of an electronic telephone bell."""
    t = times(duration_s, sample_rate_hz)
    pitches_hz = rng.uniform(600, 1400) * np.array([1.0, rng.uniform(1.15, 1.35), rng.uniform(1.3, 1.6)])
    turn = (t * rng.uniform(10, 34)).astype(int) % int(rng.integers(2, 4))
    return finished(
        eased(harmonic(rng, pitches_hz[turn], sample_rate_hz, 6, rng.uniform(0.8, 2)), sample_rate_hz)
    )


def buzz(rng: Rng, sample_rate_hz: int, duration_s: float) -> Samples:
    """A mains buzzer or a vibrating motor: many harmonics of a low pitch."""
    t = times(duration_s, sample_rate_hz)
    pitch_hz = np.full(len(t), float(rng.choice([50, 60, 100, 120])) * rng.uniform(0.97, 2.2))
    return finished(eased(harmonic(rng, pitch_hz, sample_rate_hz, 60, rng.uniform(0.1, 0.8)), sample_rate_hz))


def chime_partials(rng: Rng) -> list[tuple[float, float]]:
    """Ratio and level of the partials of a chime bar."""
    upper = rng.choice([2.0, 2.76, 3.0, 4.0]), rng.uniform(3.5, 5.5)
    return [
        (1.0, 1.0),
        (upper[0], rng.uniform(0.1, 0.6)),
        (upper[1], rng.uniform(0.02, 0.4)),
        (8.9, rng.uniform(0, 0.1)),
    ]


def struck(
    rng: Rng, pitch_hz: float, partials: Sequence[tuple[float, float]], decay_s: float, sample_rate_hz: int
) -> Signal:
    """Something hit once: partials (ratio, level) whose higher ones fade sooner."""
    t = times(min(decay_s * 5, 3.0), sample_rate_hz)
    tone = np.zeros(len(t))
    for ratio, level in partials:
        if ratio * pitch_hz < 0.45 * sample_rate_hz:
            fade = np.exp(-t * max(ratio, 0.5) ** 0.5 / decay_s)
            tone += level * fade * np.sin(2 * np.pi * ratio * pitch_hz * t + rng.uniform(0, 6.28))
    return eased(tone, sample_rate_hz, 0.002)


def blow(rng: Rng, body_hz: float, ratios: Sequence[float], decay_s: float, sample_rate_hz: int) -> Signal:
    """A dull hit on wood: low modes and a touch of noise."""
    modes = struck(rng, body_hz, [(r, rng.uniform(0.3, 1) / r**0.5) for r in ratios], decay_s, sample_rate_hz)
    touch = (
        noise(rng, 0.02, sample_rate_hz, 200, rng.uniform(1500, 7000))
        * np.linspace(1, 0, int(0.02 * sample_rate_hz)) ** 2
    )
    return summed(unit(modes), rng.uniform(0.05, 0.5) * unit(touch))


def click(rng: Rng, sample_rate_hz: int) -> Signal:
    """A few milliseconds of a small hard thing touching another."""
    duration_s = 0.03
    low_hz = rng.uniform(500, 3000)
    burst = noise(
        rng, duration_s, sample_rate_hz, low_hz, min(low_hz * rng.uniform(2, 6), 0.45 * sample_rate_hz)
    )
    return unit(burst * np.exp(-times(duration_s, sample_rate_hz) / rng.uniform(0.001, 0.006)))


def harmonic(
    rng: Rng, pitch_hz: npt.NDArray[np.floating], sample_rate_hz: int, orders: int, loss: float
) -> Signal:
    """Harmonics of a moving pitch, the n-th at n^-loss; those above 0.45 of the rate are left out. `pitch_hz`
    and result have the shape (samples,)."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    top_hz = float(np.max(pitch_hz))
    tone = np.zeros(len(phase))
    for n in range(1, orders + 1):
        if n * top_hz < 0.45 * sample_rate_hz:
            tone += rng.uniform(0.5, 1) * np.sin(n * phase + rng.uniform(0, 6.28)) / n**loss
    return tone


def noise(rng: Rng, duration_s: float, sample_rate_hz: int, low_hz: float, high_hz: float) -> Signal:
    """Gaussian noise with only the bins between two frequencies left."""
    n = int(duration_s * sample_rate_hz)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / sample_rate_hz)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    return np.fft.irfft(spectrum, n)


def times(duration_s: float, sample_rate_hz: int) -> Signal:
    """Seconds from the start, one for each sample."""
    return np.arange(int(duration_s * sample_rate_hz)) / sample_rate_hz


def unit(signal: Signal) -> Signal:
    """Peak 1.0."""
    return signal / max(float(np.abs(signal).max(initial=0)), 1e-9)


def eased(signal: npt.NDArray[np.floating], sample_rate_hz: int, ramp_s: float = 0.005) -> Signal:
    """A signal of shape (samples,) with its ends ramped, so that starting and stopping does not click."""
    ramp = np.linspace(0, 1, max(2, min(int(ramp_s * sample_rate_hz), len(signal) // 2)))
    eased = signal.astype(np.float64)
    eased[: len(ramp)] *= ramp
    eased[-len(ramp) :] *= ramp[::-1]
    return eased


def summed(a: Signal, b: Signal) -> Signal:
    """Both at once, as long as the longer."""
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    total = longer.copy()
    total[: len(shorter)] += shorter
    return total


def overlaid(parts: Sequence[npt.NDArray[np.floating]], step_s: float, sample_rate_hz: int) -> Signal:
    """Parts of shape (samples,), begun `step_s` apart, each ringing on into the next."""
    starts = [int(n * step_s * sample_rate_hz) for n in range(len(parts))]
    total = np.zeros(max(start + len(part) for start, part in zip(starts, parts, strict=True)))
    for start, part in zip(starts, parts, strict=True):
        total[start : start + len(part)] += part
    return total


def spaced(
    rng: Rng, parts: Sequence[Signal], step_s: float, unevenness: float, sample_rate_hz: int
) -> Signal:
    """Parts in uneven time: steps vary by `unevenness` of their length."""
    steps_s = step_s * np.clip(rng.normal(1, unevenness, len(parts)), 0.3, 3)
    starts = (np.concatenate([[0], np.cumsum(steps_s)[:-1]]) * sample_rate_hz).astype(int)
    total = np.zeros(max(start + len(part) for start, part in zip(starts, parts, strict=True)))
    for start, part in zip(starts, parts, strict=True):
        total[start : start + len(part)] += part
    return total


def repeated(part: npt.NDArray[np.floating], count: int, gap_s: float, sample_rate_hz: int) -> Signal:
    """The part, shape (samples,), `count` times with silence between."""
    gap = np.zeros(int(gap_s * sample_rate_hz))
    return np.concatenate([piece for n in range(count) for piece in ((gap, part) if n else (part,))]).astype(
        np.float64
    )


def finished(signal: npt.NDArray[np.floating]) -> Samples:
    """Peak 1.0, float32. A signal of shape (samples,) with a peak of 1.0, as float32."""
    return (signal / max(float(np.abs(signal).max(initial=0)), 1e-9)).astype(np.float32)
