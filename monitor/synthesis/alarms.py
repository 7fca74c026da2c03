"""Alarm sounders, and the rhythms they are driven with, made from arithmetic alone.

Timings: ISO 8201 and NFPA 72 (temporal-three). ISO 8201 fixes no pitch, so neither does this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
        """The instantaneous fundamental in Hz at times since the signal began; both of shape (samples,)."""
        base = self.pitch_hz * (1 + self.drift * time_s / 60)
        if self.motion == "fixed" or self.other_pitch_hz is None:
            return base
        turn = time_s * self.motion_rate_hz % 1
        share = (turn >= 0.5).astype(float) if self.motion == "two_tone" else turn
        return base * (self.other_pitch_hz / self.pitch_hz) ** share

    def wave(self, start_s: float, duration_s: float, sample_rate_hz: int) -> npt.NDArray[np.float64]:
        """One pulse beginning `start_s` into the signal, band-limited, of unit fundamental. Shape
        (samples,)."""
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
    """The disc of a household alarm: nearly a sine, its second and third harmonic so strong (amplitude, the
    fundamental is 1)."""
    return Sounder(pitch_hz, harmonics=(second, third))


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
