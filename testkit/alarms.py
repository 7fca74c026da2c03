"""More rhythms and sounders than the demo plays, and alarms of some make, each with its maker's tolerance.

Timings: NFPA 72 (march time), NFPA 720 and UL 2034 (temporal-four), UL 217 (520 Hz square wave, low battery).
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from monitor.audio import Samples
from monitor.synthesis.alarms import PEAK as PEAK
from monitor.synthesis.alarms import Rhythm as Rhythm
from monitor.synthesis.alarms import Sounder as Sounder
from monitor.synthesis.alarms import piezo as piezo
from monitor.synthesis.alarms import played as played
from monitor.synthesis.alarms import temporal_three as temporal_three


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
