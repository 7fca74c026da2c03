"""Is there life in the sound: more than a step of the converter, more than the hum of the mains?"""

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from monitor.audio import FRAME_S, SAMPLE_RATE_HZ, Samples
from monitor.gate.habit import Habit
from monitor.gate.level import SILENCE_DBFS
from monitor.gate.listening import Second

Lifeless = Literal["dead", "hum_only"]

NO_LIFE_BELOW_DBFS = -90.0
"""By arithmetic: one step of 16 bits to either side is -92 dBFS, and a living microphone has more noise of
its own. At -96 a source that flickers by a step lives, at -84 a quiet room is dead
(tests/gate/test_life.py)."""
UNKNOWN_LIMIT_S = 600.0
"""Chosen: a source that was switched on a moment ago in a sleeping house gets ten minutes to show life."""
KNOWN_LIMIT_S = 120.0
"""Chosen: a source of which 6 hours are known, and which was never so quiet, needs no more than two."""
_SPELLS_LONGER = 4.0
"""Chosen: from an evening's two hours of quiet to a night's eight."""
_QUIETER_THAN_EVER_DB = 10.0
"""Chosen: furniture and curtains take 3 to 6 dB from a room's noise; a dead capsule takes all of it."""
_QUIETER_BELOW_DBFS = -70.0
"""Chosen: whatever is louder is heard, however loud the room was before."""
_EVEN_LOOKS, _EVEN_DB = 60, 3.0
"""A room that is quieter than ever still changes within a minute; a cable does not. Chosen: with half a
minute a quiet room is dead, with one and a half a dead capsule is found too late (tests/gate/test_life.py);
1.5 and 4.5 dB change nothing there."""
_EVEN_FRAMES = 2.5
"""Spread of the power of a second's frames, above which it needs no closer look: hum is even. Chosen: with
1.25 loud hum is not found (tests/gate/test_life.py); 3.75 changes nothing there."""
_HUM_ABOVE_REST_DB = 15.0
"""Chosen: hum of less is part of a room, a refrigerator's or a lamp's."""
_MAINS_HZ = (50.0, 60.0)
"""Every grid of the world has one of these (IEC 60196)."""
_MAINS_PERIODS = (320, 800)
"""By arithmetic: samples at 16 kHz in one period of 50 Hz and in three of 60 Hz."""
_REPEATS_FROM = 0.5
"""Share of the power that repeats. By arithmetic: 15 dB of hum make 0.97, mains that are 1 % off no less than
0.6. From 0.25 to 0.75 nothing changes in tests/gate/test_life.py."""
_LINE_HZ = 5.0
"""Half-width of what is taken out. By arithmetic: four bins of the window, and as much as a line is
misplaced. With 2.5 hum is not found (tests/gate/test_life.py); 7.5 changes nothing there."""
_HUM_UP_TO_HZ = 3000.0
"""Chosen: rectifiers and dimmers hum to their sixtieth harmonic."""
_LOWEST_HZ = 100.0
"""As the gate measures levels (`monitor.gate.level`)."""
Power = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Life:
    """A second of sound: its level without hum, and whether there is much hum beside it."""

    level_dbfs: float
    hums: bool


class LifeWatch:
    """Whether a source delivers a living sound, held against its own last days.

    Sound without life is below -90 dBFS without the mains' hum: from a source that was never so quiet it is a
    fault after 2 min, from one of which little is known after 10 min; from one that comes to life by itself
    again and again when it lasts four times as long as it ever did. Sound that is 10 dB below the quietest
    minute of 14 days and perfectly even is without life, too.
    """

    def __init__(self, habit: Habit) -> None:
        self._habit = habit
        self._even: deque[float] = deque(maxlen=_EVEN_LOOKS)
        self._spell_s = 0.0
        self.lifeless: Lifeless | None = None
        """What is missing at the last look."""
        self.limit_s = UNKNOWN_LIMIT_S
        """How long it must be missing to be a fault."""

    def look(self, samples: Samples, second: Second, at: datetime) -> None:
        """Judge a second of frames: its samples, and what was measured of them."""
        if second.highest_dbfs <= SILENCE_DBFS:
            # Digital silence is a fault of its own, and no measure of how quiet the room is.
            self.lifeless = None
            return
        life = look_closely(samples, second)
        self._even.append(life.level_dbfs)
        if self._is_lifeless(life.level_dbfs):
            self.lifeless = "hum_only" if life.hums else "dead"
            self._spell_s += second.frames * FRAME_S
            return
        if self._spell_s:
            self._habit.add_spell(at, self._spell_s)
        self._spell_s, self.lifeless = 0.0, None
        self._habit.add_life(at, life.level_dbfs)

    def _is_lifeless(self, level_dbfs: float) -> bool:
        """Whether it is, and how long it may be."""
        self._habit.catch_up()
        quietest_dbfs = self._habit.quietest_dbfs
        known = quietest_dbfs is not None
        shortest_s = KNOWN_LIMIT_S if known else UNKNOWN_LIMIT_S
        self.limit_s = max(shortest_s, _SPELLS_LONGER * self._habit.usual_spell_s)
        if level_dbfs < NO_LIFE_BELOW_DBFS or quietest_dbfs is None:
            return level_dbfs < NO_LIFE_BELOW_DBFS
        quieter_than_ever = level_dbfs < min(_QUIETER_BELOW_DBFS, quietest_dbfs - _QUIETER_THAN_EVER_DB)
        even = len(self._even) == _EVEN_LOOKS and max(self._even) - min(self._even) <= _EVEN_DB
        return quieter_than_ever and (even or self._spell_s > 0)


def look_closely(samples: Samples, second: Second) -> Life:
    """The life in a second of sound (shape (samples,), 16 kHz), and what was measured of it. The spectrum is
    taken only where it may change the verdict."""
    level_dbfs = _dbfs(second.power / second.frames)
    if level_dbfs < NO_LIFE_BELOW_DBFS:
        return Life(level_dbfs, _dbfs(second.moving / second.frames) > level_dbfs + _HUM_ABOVE_REST_DB)
    if second.most > _EVEN_FRAMES * second.least or not _repeats_with_the_mains(samples):
        return Life(level_dbfs, hums=False)
    rest_dbfs, hum_dbfs = without_hum(samples)
    hums = hum_dbfs > rest_dbfs + _HUM_ABOVE_REST_DB
    return Life(rest_dbfs if hums else level_dbfs, hums)


def without_hum(samples: Samples) -> tuple[float, float]:
    """The level above 100 Hz without the lines of the mains, and the level of these lines, in dBFS.

    The lines are those of 50 or 60 Hz, whichever has more, up to 3 kHz (rectifiers hum high); the mains may
    be 1 % off.
    """
    window = _blackman_harris(len(samples))
    power = np.abs(np.fft.rfft(samples.astype(np.float64) * window)) ** 2
    hz = np.arange(len(power)) * (SAMPLE_RATE_HZ / len(samples))
    scale = 2 / (len(samples) * float(window @ window))
    of_lines = [_is_line(power, hz, nominal_hz) for nominal_hz in _MAINS_HZ]
    lines = max(of_lines, key=lambda mask: float(power[mask].sum()))
    rest = power[(hz >= _LOWEST_HZ) & ~lines]
    return _dbfs(float(rest.sum()) * scale), _dbfs(float(power[lines].sum()) * scale)


def _is_line(power: Power, hz: Power, nominal_hz: float) -> npt.NDArray[np.bool_]:
    per_hz = 1 / (hz[1] - hz[0])
    harmonics = range(1, 11)
    near = [
        slice(math.floor(0.99 * k * nominal_hz * per_hz), math.ceil(1.01 * k * nominal_hz * per_hz) + 1)
        for k in harmonics
    ]
    strongest = max(harmonics, key=lambda k: float(power[near[k - 1]].max()))
    at = near[strongest - 1].start + int(np.argmax(power[near[strongest - 1]]))
    mains_hz = _peak(power, at) / per_hz / strongest
    order = np.round(hz / mains_hz)
    near_a_line = np.abs(hz - order * mains_hz) <= _LINE_HZ
    lines: npt.NDArray[np.bool_] = (order >= 1) & (hz <= _HUM_UP_TO_HZ) & near_a_line
    return lines


def _peak(power: Power, at: int) -> float:
    """Where between the bins a line is: the vertex of a parabola through three of them, in decibels."""
    left, middle, right = np.log(power[at - 1 : at + 2] + 1e-30)
    bend = left - 2 * middle + right
    return at + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def _repeats_with_the_mains(second: Samples) -> bool:
    """Whether much of it comes again with the period of the mains: a spectrum costs fifty times as much."""
    return any(
        float(second[:-lag] @ second[lag:]) > _REPEATS_FROM * float(second @ second) for lag in _MAINS_PERIODS
    )


@cache
def _blackman_harris(length: int) -> Power:
    """Four terms (Harris 1978): loud lines leak less than -92 dB beyond four bins."""
    x = 2 * np.pi * np.arange(length) / length
    return 0.35875 - 0.48829 * np.cos(x) + 0.14128 * np.cos(2 * x) - 0.01168 * np.cos(3 * x)


def _dbfs(power: float) -> float:
    return max(SILENCE_DBFS, 10 * math.log10(power)) if power > 0 else SILENCE_DBFS
