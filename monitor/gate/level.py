"""The level of a frame above 100 Hz, without offset, mains hum and rumble."""

import ctypes
import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples
from monitor.native.kernels import kernels
from monitor.types import Level

SILENCE_DBFS = -120.0
"""The level of a frame without any sound. Finite, because it is published and compared: JSON has no
infinity. Chosen: 20 dB below what counts as digital silence."""
DIGITAL_SILENCE_BELOW_DBFS = -100.0
"""A frame below this holds no recorded sound. By arithmetic: the quantisation noise of 16 bits alone is at
-101 dBFS (2^-16 / sqrt(3) of full scale), and a microphone adds its own."""

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


SLOW_COSINES = _slow_cosines()
MOSTLY_SLOW_SHARE = 0.99
"""Share of the energy below 100 Hz from which the rest is summed anew. By arithmetic: the rounding of single
precision, 3e-5 of the energy, is then at most 0.3 % of the rest, 0.013 dB; at 0.9999 it would be 1 dB."""


@dataclass(slots=True)
class Measured:
    """Level, power and mean of one frame."""

    level_dbfs: float
    """RMS above 100 Hz relative to a full-scale square wave; SILENCE_DBFS or more."""
    fast_power: float
    """The same as a mean square; full scale is 1."""
    power: float
    """Mean square of all that was recorded, rumble included."""
    mean: float
    """Mean of the samples, -1..1."""
    lowest: float
    highest: float
    """The extremes of the samples."""


def measure(samples: Samples, library: ctypes.PyDLL | None = None) -> Measured:
    """One frame of 480 samples at 16 kHz, -1..1, in a compiled kernel (monitor/native/level.c).

    The level leaves out offset, mains hum and rumble, by projection on the frame's slowest cosines. They
    carry most of the power of many microphones; a floor made of them would hide every quiet sound. Unlike a
    recursive filter, this carries nothing from one frame to the next.
    """
    frame, found = np.ascontiguousarray(samples), np.zeros(6)  # struct Measure
    (library or kernels()).measure(
        frame.ctypes.data, 1, SLOW_COSINES.ctypes.data, MOSTLY_SLOW_SHARE, found.ctypes.data
    )
    return Measured(*found.tolist())


def frames_in(duration_s: float) -> int:
    """The number of whole frames of 30 ms that last at least `duration_s`."""
    return math.ceil(round(duration_s / FRAME_S, 6))


class LevelReport:
    """Each `every_s` of sound: the mean level (Leq, ISO 1996-1) since the last report, and the floor."""

    def __init__(self, every_s: float) -> None:
        self._every = frames_in(every_s)
        self._frames = 0
        self._power = 0.0

    @property
    def frames_wanted(self) -> int:
        """Frames until a report is due."""
        return self._every - self._frames

    def is_due(self, frames: int, power: float) -> bool:
        """Take the next frames, no more than are wanted, and the sum of their powers: whether a report is to
        be made."""
        self._frames += frames
        self._power += power
        return self._frames >= self._every

    def made(self, source: str, at: datetime, floor_dbfs: float) -> Level:
        """The report on the frames since the last one."""
        mean_dbfs = max(SILENCE_DBFS, 10 * math.log10(self._power / self._frames))
        self._frames, self._power = 0, 0.0
        return Level(source, at, mean_dbfs, floor_dbfs)
