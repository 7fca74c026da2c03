"""The level of a frame above 100 Hz, without offset, mains hum and rumble."""

import math
from dataclasses import dataclass

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples
from monitor.types import Frame, Level

SILENCE_DBFS = -120.0
"""The level of a frame without any sound. Finite, because it is published and compared: JSON has no
infinity. Chosen: 20 dB below what counts as digital silence."""
DIGITAL_SILENCE_BELOW_DBFS = -100.0
"""A frame below this holds no recorded sound: the quantisation noise of 16 bits alone is at -101 dBFS
(2^-16 / sqrt(3) of full scale), and a microphone adds its own."""

RUMBLE_BELOW_HZ = 100
"""What is not above this is left out of the level. The mains has 50 or 60 Hz and hums at twice that; voices
begin at 70 Hz but have harmonics, and sounders lie above 400 Hz. Lower, a hum of 100 Hz would count
(tests/gate/test_level.py); much higher, thuds and engines would be lost."""


def _slow_cosines() -> Samples:
    """The DCT-II vectors of one frame from 0 Hz to `RUMBLE_BELOW_HZ`, orthonormal; shape (7, 480)."""
    count = RUMBLE_BELOW_HZ * 2 * FRAME_SAMPLES // SAMPLE_RATE_HZ + 1
    n = np.arange(FRAME_SAMPLES) + 0.5
    rows = np.cos(np.pi / FRAME_SAMPLES * np.arange(count)[:, None] * n) * math.sqrt(2 / FRAME_SAMPLES)
    rows[0] /= math.sqrt(2)
    return rows.astype(np.float32)


_SLOW_COSINES = _slow_cosines()
_COSINES_BACK = np.ascontiguousarray(_SLOW_COSINES.T)
"""The same, shape (480, 7), laid out for the way back to samples."""
_MOSTLY_SLOW_SHARE = 0.99
"""Share of the energy below 100 Hz from which the rest is summed anew. The rounding of single precision, 3e-5
of the energy, is then at most 0.3 % of the rest, 0.013 dB; at 0.9999 it would be 1 dB."""
_ROOT_OF_SAMPLES = math.sqrt(FRAME_SAMPLES)
"""The first cosine is constant, 1 / sqrt(480): divided by this, its share of a frame is the mean."""


@dataclass(slots=True)
class Measured:
    """Level, power and mean of one frame."""

    level_dbfs: float
    """RMS above 100 Hz relative to a full-scale square wave; SILENCE_DBFS or more."""
    power: float
    """Mean square of all that was recorded, rumble included; full scale is 1."""
    mean: float
    """Mean of the samples, -1..1."""


def measure(samples: Samples) -> Measured:
    """Level, power and mean of one frame; `samples` has shape (480,), values in -1..1.

    The level leaves out offset, mains hum and rumble, by projection on the frame's slowest cosines. They
    carry most of the power of many microphones; a floor made of them would hide every quiet sound. Unlike a
    recursive filter, this carries nothing from one frame to the next.
    """
    slow = _SLOW_COSINES @ samples
    energy, slow_energy = float(samples @ samples), float(slow @ slow)
    # The cosines are orthonormal, so energies subtract, as long as single precision leaves a difference.
    rest = energy - slow_energy if slow_energy < _MOSTLY_SLOW_SHARE * energy else _energy_above(samples, slow)
    return Measured(
        level_dbfs=max(SILENCE_DBFS, 10 * math.log10(rest / FRAME_SAMPLES)) if rest > 0 else SILENCE_DBFS,
        power=energy / FRAME_SAMPLES,
        mean=float(slow[0]) / _ROOT_OF_SAMPLES,
    )


def _energy_above(samples: Samples, slow: Samples) -> float:
    rest = samples - _COSINES_BACK @ slow
    return float(rest @ rest)


def frames_in(duration_s: float) -> int:
    """The number of whole frames of 30 ms that last at least `duration_s`."""
    return math.ceil(round(duration_s / FRAME_S, 6))


class LevelReport:
    """Each `every_s` of sound: the mean level (Leq, ISO 1996-1) since the last report, and the floor."""

    def __init__(self, every_s: float) -> None:
        self._every = frames_in(every_s)
        self._frames = 0
        self._power = 0.0

    def push(self, frame: Frame, level_dbfs: float, floor_dbfs: float) -> list[Level]:
        """Take the next frame, its level and the floor. Returns one report, or none."""
        self._frames += 1
        self._power += 10 ** (level_dbfs / 10)
        if self._frames < self._every:
            return []
        mean_dbfs = max(SILENCE_DBFS, 10 * math.log10(self._power / self._frames))
        self._frames, self._power = 0, 0.0
        return [Level(frame.source, frame.ends_at, mean_dbfs, floor_dbfs)]
