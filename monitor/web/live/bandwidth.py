"""How far a source's sound reaches: a telephone's codec ends at 3.4 kHz, whatever the microphone hears."""

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples

WINDOW = 1024
LOWEST_HZ, MIDDLE_HZ = 300.0, 3000.0
"""Between them every line carries sound: what is above is compared with that."""
CLIFF_DB = 30.0
"""A room's own noise falls by some 15 dB up to 8 kHz; a codec cuts off more than 40."""
STEP_HZ = 100.0
LEAST = 20
"""Windows until it can be said: ten seconds."""
WEIGHT = 0.05

_HANN = np.hanning(WINDOW)
_HZ = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE_HZ)
_BAND = (_HZ >= LOWEST_HZ) & (_HZ < MIDDLE_HZ)


class Bandwidth:
    """Follows one source. Not thread-safe; `hz` may be read from any thread."""

    def __init__(self) -> None:
        self._power: np.ndarray | None = None
        self._windows = 0
        self.hz: float | None = None
        """Where its sound ends; None until that can be said."""

    def push(self, samples: Samples) -> None:
        """Half a second of it, of which one window counts."""
        if len(samples) < WINDOW or not np.any(samples):
            return
        power = np.abs(np.fft.rfft(samples[-WINDOW:] * _HANN)) ** 2
        # Relative to its own loudness: one bang must not weigh more than a minute of the room.
        power /= power[_BAND].mean() + 1e-20
        self._power = power if self._power is None else (1 - WEIGHT) * self._power + WEIGHT * power
        self._windows += 1
        if self._windows >= LEAST:
            self.hz = _end_hz(self._power)


def _end_hz(power: np.ndarray) -> float:
    level_db = 10 * np.log10(power + 1e-12)
    usual_db = float(np.median(level_db[_BAND]))
    present = _HZ[level_db > usual_db - CLIFF_DB]
    highest = float(present[-1]) if len(present) else 0.0
    return round(highest / STEP_HZ) * STEP_HZ
