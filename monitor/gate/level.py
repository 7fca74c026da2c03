"""How loud a frame is: its level without what lies below hearing's interest."""

import math
from dataclasses import dataclass

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples
from monitor.types import Frame, Level

SILENCE_DBFS = -120.0
"""The level of a frame without any sound. A finite number, for it is published and compared."""
DIGITAL_SILENCE_BELOW_DBFS = -100.0
"""Below the quantisation noise of 16 bits (-101 dBFS) nothing was recorded: no room is that quiet."""

_RUMBLE_BELOW_HZ = 100


def _slow_cosines() -> Samples:
    """Orthonormal rows: the DCT-II vectors of one frame from 0 Hz to `_RUMBLE_BELOW_HZ`."""
    count = _RUMBLE_BELOW_HZ * 2 * FRAME_SAMPLES // SAMPLE_RATE_HZ + 1
    n = np.arange(FRAME_SAMPLES) + 0.5
    rows = np.cos(np.pi / FRAME_SAMPLES * np.arange(count)[:, None] * n) * math.sqrt(2 / FRAME_SAMPLES)
    rows[0] /= math.sqrt(2)
    return rows.astype(np.float32)


_SLOW = _slow_cosines()
_FAST = np.ascontiguousarray(_SLOW.T)
_MOSTLY_SLOW = 0.99
_ROOT_OF_SAMPLES = math.sqrt(FRAME_SAMPLES)


@dataclass(slots=True)
class Measured:
    """One frame as the gate sees it."""

    level_dbfs: float
    """RMS above 100 Hz, SILENCE_DBFS or more."""
    power: float
    """Mean square of the samples as they came."""
    mean: float


def measure(samples: Samples) -> Measured:
    """Level, power and mean of one frame of 480 samples.

    Offset, mains hum and rumble are taken out first by projection on the frame's slowest cosines: they carry
    most of the power of many microphones and nothing that is listened for, and a floor made of them would
    hide every quiet sound. Unlike a recursive filter this leaves no trace of one frame in the next.
    """
    slow = _SLOW @ samples
    energy, slow_energy = float(samples @ samples), float(slow @ slow)
    # The cosines are orthonormal, so energies subtract, as long as single precision leaves a difference.
    rest = energy - slow_energy if slow_energy < _MOSTLY_SLOW * energy else _energy_above(samples, slow)
    return Measured(
        level_dbfs=max(SILENCE_DBFS, 10 * math.log10(rest / FRAME_SAMPLES)) if rest > 0 else SILENCE_DBFS,
        power=energy / FRAME_SAMPLES,
        mean=float(slow[0]) / _ROOT_OF_SAMPLES,
    )


def _energy_above(samples: Samples, slow: Samples) -> float:
    rest = samples - _FAST @ slow
    return float(rest @ rest)


def frames_in(duration_s: float) -> int:
    """How many whole frames last at least `duration_s`."""
    return math.ceil(round(duration_s / FRAME_S, 6))


class LevelReport:
    """Every so often the mean level (Leq, the energy's mean) since the last report, and the floor."""

    def __init__(self, every_s: float) -> None:
        self._every = frames_in(every_s)
        self._frames = 0
        self._power = 0.0

    def push(self, frame: Frame, level_dbfs: float, floor_dbfs: float) -> list[Level]:
        """The next frame."""
        self._frames += 1
        self._power += 10 ** (level_dbfs / 10)
        if self._frames < self._every:
            return []
        mean_dbfs = max(SILENCE_DBFS, 10 * math.log10(self._power / self._frames))
        self._frames, self._power = 0, 0.0
        return [Level(frame.source, frame.ends_at, mean_dbfs, floor_dbfs)]
