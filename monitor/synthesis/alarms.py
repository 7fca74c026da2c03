"""Alarm sounders, and the rhythms they are driven with, made from arithmetic alone.

Timings: ISO 8201 and NFPA 72 (temporal-three), NFPA 720 and UL 2034 (temporal-four), UL 217 (low-frequency
square wave, low-battery signal). Neither ISO 8201 nor UL 2034 fixes a pitch, so neither does this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitor.audio import Samples

Rhythm = Sequence[tuple[float, float]]
"""Pulses in order: seconds on, then seconds off."""

PEAK = 0.5
"""Largest magnitude of what `played` returns."""


def temporal_three(
    cycles: int, *, on_s: float = 0.5, off_s: float = 0.5, pause_s: float = 1.5
) -> list[tuple[float, float]]:
    """T3, the evacuation signal of smoke and fire alarms (ISO 8201): three pulses and a pause."""
    return [(on_s, off_s), (on_s, off_s), (on_s, pause_s)] * cycles


def temporal_four(
    bursts: int, *, on_s: float = 0.1, off_s: float = 0.1, pause_s: float = 5.0
) -> list[tuple[float, float]]:
    """T4, the carbon monoxide signal: four short pulses and a pause, which may stretch to a minute after the
    first four minutes of an alarm."""
    return [*[(on_s, off_s)] * 3, (on_s, pause_s)] * bursts


def steady_pulses(pulses: int, *, on_s: float = 0.5, off_s: float = 0.5) -> list[tuple[float, float]]:
    """Pulse after pulse without a pause: march time at the default 0.5 s."""
    return [(on_s, off_s)] * pulses


def with_tolerance(
    rhythm: Rhythm, rng: np.random.Generator, tolerance: float = 0.1
) -> list[tuple[float, float]]:
    """The rhythm of one imperfect device: its ons, its short offs and its pauses are each wrong by one factor
    within `tolerance` (0.1 is the standards' ±10 %), the same in every cycle as an oscillator's error is."""
    all_off_s = [off_s for _, off_s in rhythm]
    longest_gap_s = (min(all_off_s) + max(all_off_s)) / 2
    on, gap, pause = rng.uniform(1 - tolerance, 1 + tolerance, 3)
    return [(on_s * on, off_s * (gap if off_s <= longest_gap_s else pause)) for on_s, off_s in rhythm]


@dataclass(frozen=True, slots=True)
class Sounder:
    """What makes the tone. Frequencies in Hz; `harmonics` are the amplitudes of 2f, 3f, … relative to f."""

    pitch_hz: float
    harmonics: tuple[float, ...] = ()
    other_pitch_hz: float | None = None
    """The second tone, or the far end of the sweep."""
    motion: Literal["fixed", "two_tone", "swept"] = "fixed"
    motion_rate_hz: float = 2.0
    """Alternations or sweeps a second."""
    drift: float = 0.0
    """Relative change of pitch over a minute of sounding, as a battery sags and a piezo warms."""
    rise_s: float = 0.004
    """Raised-cosine attack and decay of a pulse."""

    def frequency_hz(self, time_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The instantaneous fundamental at times since the signal began."""
        base = self.pitch_hz * (1 + self.drift * time_s / 60)
        if self.motion == "fixed" or self.other_pitch_hz is None:
            return base
        turn = time_s * self.motion_rate_hz % 1
        share = (turn >= 0.5).astype(float) if self.motion == "two_tone" else turn
        return base * (self.other_pitch_hz / self.pitch_hz) ** share

    def wave(self, start_s: float, duration_s: float, sample_rate_hz: int) -> npt.NDArray[np.float64]:
        """One pulse beginning `start_s` into the signal, band-limited, of unit fundamental."""
        length = round(duration_s * sample_rate_hz)
        # A sweep restarts with each pulse: sounders are switched at the supply.
        since_s = start_s if self.motion == "fixed" else 0.0
        frequency = self.frequency_hz(since_s + np.arange(length) / sample_rate_hz)
        phase = 2 * np.pi * np.cumsum(frequency) / sample_rate_hz
        wave = np.zeros(length)
        for order, amplitude in enumerate((1.0, *self.harmonics), start=1):
            audible = order * frequency < 0.48 * sample_rate_hz
            wave += amplitude * audible * np.sin(order * phase)
        return wave * _edges(length, round(self.rise_s * sample_rate_hz))


def _edges(length: int, rise: int) -> npt.NDArray[np.float64]:
    rise = max(1, min(rise, length // 2))
    gain = np.ones(length)
    gain[:rise] = 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)
    gain[length - rise :] = gain[:rise][::-1]
    return gain


def piezo(pitch_hz: float = 3200.0, second: float = 0.05, third: float = 0.02) -> Sounder:
    """The disc of a household alarm: nearly a sine, weak harmonics."""
    return Sounder(pitch_hz, harmonics=(second, third))


def square_520_hz(pitch_hz: float = 520.0) -> Sounder:
    """The low-frequency sounder for sleeping rooms (UL 217, NFPA 72 18.4.5): a square wave, odd harmonics."""
    return Sounder(pitch_hz, harmonics=tuple(1 / n if n % 2 else 0.0 for n in range(2, 15)))


def any_sounder(rng: np.random.Generator) -> Sounder:
    """One of the sounders found in homes: mostly piezo discs near 3-3.5 kHz, some 520 Hz square waves,
    now and then another pitch, two tones or a sweep."""
    kind = rng.choice(["piezo", "square", "any", "two_tone", "swept"], p=[0.6, 0.15, 0.1, 0.075, 0.075])
    disc = piezo(rng.uniform(2800, 3600), *10 ** (rng.uniform(-40, -15, 2) / 20))
    disc = replace(disc, drift=rng.uniform(-0.01, 0.01), rise_s=rng.uniform(0.002, 0.012))
    if kind == "square":
        return replace(square_520_hz(rng.uniform(468, 572)), rise_s=rng.uniform(0.002, 0.012))
    if kind == "any":
        return replace(disc, pitch_hz=float(np.exp(rng.uniform(np.log(600), np.log(4500)))))
    if kind == "piezo":
        return disc
    return moving_sounder(rng, "two_tone" if kind == "two_tone" else "swept")


def moving_sounder(rng: np.random.Generator, motion: Literal["two_tone", "swept"]) -> Sounder:
    """A sounder of two tones, or one that sweeps, within a third of an octave, 2-8 times a second."""
    pitch_hz = rng.uniform(800, 3200)
    other_hz = pitch_hz * rng.uniform(1.06, 1.25)
    rate_hz = rng.uniform(2, 8)
    return Sounder(pitch_hz, (0.1, 0.05), other_hz, motion, rate_hz, rise_s=0.005)


def played(sounder: Sounder, rhythm: Rhythm, sample_rate_hz: int, *, tail: bool = True) -> Samples:
    """The rhythm sounded: mono float32, largest magnitude `PEAK`. Without `tail` it ends with the last on."""
    starts_s = np.concatenate([[0.0], np.cumsum([on + off for on, off in rhythm])])
    total_s = starts_s[-1] if tail else starts_s[-2] + rhythm[-1][0]
    out = np.zeros(round(total_s * sample_rate_hz) + 1)
    for start_s, (on_s, _) in zip(starts_s, rhythm, strict=False):
        wave = sounder.wave(start_s, on_s, sample_rate_hz)
        first = round(start_s * sample_rate_hz)
        out[first : first + len(wave)] += wave[: len(out) - first]
    return (out * (PEAK / max(float(np.abs(out).max()), 1e-9))).astype(np.float32)


def smoke_alarm(rng: np.random.Generator, sample_rate_hz: int, cycles: int = 3) -> Samples:
    """A T3 alarm of some make, within the standard's tolerance; about 4 s a cycle."""
    return played(any_sounder(rng), with_tolerance(temporal_three(cycles), rng), sample_rate_hz)


def co_alarm(
    rng: np.random.Generator, sample_rate_hz: int, bursts: int = 3, *, once_a_minute: bool = False
) -> Samples:
    """A T4 alarm of some make, within the standard's tolerance; a burst each 5.7 s, or 60 s late in it."""
    pause_s = 59.3 if once_a_minute else 5.0
    rhythm = with_tolerance(temporal_four(bursts, pause_s=pause_s), rng)
    return played(any_sounder(rng), rhythm, sample_rate_hz)


def march_time_alarm(rng: np.random.Generator, sample_rate_hz: int, pulses: int = 12) -> Samples:
    """An older fire alarm: even pulses, 0.25-0.6 s on and as long off (march time)."""
    on_s = float(rng.choice([0.25, 0.5, rng.uniform(0.3, 0.6)]))
    return played(any_sounder(rng), steady_pulses(pulses, on_s=on_s, off_s=on_s), sample_rate_hz)


def continuous_alarm(rng: np.random.Generator, sample_rate_hz: int, duration_s: float = 10.0) -> Samples:
    """One unbroken tone, as older alarms and gas detectors sound."""
    return played(any_sounder(rng), [(duration_s, 0.0)], sample_rate_hz)


def low_battery_chirp(
    rng: np.random.Generator, sample_rate_hz: int, chirps: int = 1, every_s: float | None = None
) -> Samples:
    """The short tone of a failing battery, 20-150 ms long, once in `every_s` (30-60 s by default).

    Starts with one second of quiet; the last chirp is followed by its whole pause only if there are several.
    """
    every_s = rng.uniform(30, 60) if every_s is None else every_s
    on_s = rng.uniform(0.02, 0.15)
    sounder = replace(piezo(rng.uniform(2800, 3600)), rise_s=0.002)
    chirping = played(sounder, [(on_s, every_s - on_s)] * chirps, sample_rate_hz, tail=chirps > 1)
    return np.concatenate(
        [np.zeros(sample_rate_hz, np.float32), chirping, np.zeros(sample_rate_hz, np.float32)]
    )
