"""T3 that no longer looks like T3: two like alarms out of step, beeps that a noise suppressor cut short, and
beeps with spoken words between them.

One pitch's beeps are folded by the period of T3 (ISO 8201: 4 s, ±10 %). What remains is held against three
beeps at the places of T3, and against two T3 patterns that are shifted against each other. A voice alarm has
no such period: its groups of three are as far apart as its words are long.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitor.rhythm.pulses import Pulse

PERIOD_HOPS = (360, 440)
"""ISO 8201: 4 s, ±10 %. Trials: from 1.8 s on five of twenty pieces of electronic music are a T3 that was
cut."""
_GROUPS = range(1, 7)
"""Beeps in a period. By arithmetic: two alarms make one beep (half a second apart) to six. Trials: without 1
two alarms half a second apart are missed, without 4 to 6 most others; more change nothing."""
_CYCLES, _EVEN_CYCLES = 2, 3
"""Periods that must be alike; more where only the loudness separates two alarms from march time. Trials: with
1 for 2 a flute and a telephone are two alarms, with 3 all are found 4 s later; 2 and 4 for 3 find them 4 s
earlier and later."""
_UNEVEN_HOPS, _UNEVEN_SHARE = 2.5, 0.015
"""By how much onsets may be off. Chosen: the hop in which a beep is seen, and a device's clock. Trials: with
half the share two alarms in noise are found 14 s later, or are unknown alarms first; nothing else changes."""
_UNLIKE_HOPS, _UNLIKE_SHARE = 6.0, 0.15
"""By how much a beep's length may change from one period to the next. Chosen: two devices drift apart.
Trials: half and one and a half change nothing."""

_CUT_HOPS = (3, 25)
"""Length of a beep that was cut. Chosen: suppressors take 50 to 150 ms to call a tone noise. Trials: with
0.12 s at most beeps of 0.15 s are missed; the other values change nothing."""
_CUT_PLACES = 0.02
"""Share of the period by which a cut beep may be from its place: 80 ms. Chosen: a room and noise move an
onset by some hops. Trials: half and one and a half change nothing."""

_BINS = 160
"""Of 25 ms each: what a period is divided into. By arithmetic: a bin at the edge of a tone takes a hundredth
from the agreement, less than what a room changes."""
_LAGS = range(16, 81)
"""Bins between the two alarms: 0.4 s to half a period, beyond which they change places. Trials: from 0.6 s on
two alarms 0.4 and 0.5 s apart are missed, up to 1 s those farther apart; from 0.2 s on, below which a T3
pattern of longer beeps remains, nothing changes."""
_LEAST_AGREEMENT = 0.9
"""Correlation of what sounds with two patterns; 1 - 2 times the share of the period that differs. Chosen: a
twentieth of the period, for what a room and noise change. Trials: with 0.45 thirty of 320 impostors are two
alarms, keypads, music and trucks among them, and two alarms in noise are found 8 s earlier."""

_EVEN_SHARE = 0.1
"""Share of a quarter of the period by which even beeps may be from their places. Chosen: 0.1 s, as an alarm's
clock and the hops allow. Trials: with 0.15 two of twenty pieces of electronic music are two alarms; 0.05
changes nothing."""
_LEAST_TONE = 0.09
"""Share of the period that a tone of T3, of 0.125, lasts at least. Chosen: the clicks of metronomes, which
accent every fourth, are shorter. Trials: with 0.135, more than T3's own, march time and trucks are no longer
held against their loudness and are two alarms; 0.045 changes nothing."""
_LOUDER_DB, _REPEATED_DB = 2.0, 1.0
"""Beeps that are evenly spaced are two alarms if their loudness changes from place to place in the period by
so much on average, and is the same again a period later: where both sound at once it is not that of one.
Chosen: a truck's beeps in noise differ by up to 2 dB. Trials: with 0.5 for 1 two alarms in noise are missed;
the other halves, and one and a half, change nothing."""

_SPOKEN_TONE_HOPS, _SPOKEN_STEP_HOPS = (30, 80), (88, 113)
"""Length of a beep of a voice alarm, and from one's onset to the next: those of T3 itself
(`monitor.rhythm.templates`). Trials: with beeps of 0.4 s at most, with steps of 1.32 s at least or 0.56 s at
most all voice alarms are missed; with 0.15 s at least a beep that was cut is one, with 0.45 s a metronome is
none; wider ends change nothing."""
_WORD_HOPS = 15
"""What is shorter, at the alarm's own pitch, is of a word. Chosen: an overtone of a voice glides out of a bin
sooner. Trials: 8 and 22 change nothing."""
_SPOKEN_PAUSE_HOPS = (180, 800)
"""Between two groups: longer than T3's own pause, with up to 6 s of words. Chosen: with more, the end of a
group is older than the levels that are kept. Trials: with 4 s at most voice alarms that speak for 4 and 6 s
are missed; 0.9, 2.7 and 12 s change nothing."""
_KEPT_GROUPS = 8
"""A sounder's overtones make groups of their own, and neighbouring bins share them. Chosen: room for two
groups of the alarm itself among those. Trials: with 4 a metronome that passes does not; 12 changes
nothing."""
_SAME_PITCH = 0.02
"""Chosen: two bins at 3 kHz. Trials: 0.01 and 0.03 change nothing."""
_GROUP_PAUSE_HOPS = 105
"""Before a group of three its pitch is silent for longer than this. Chosen: T3's shortest pause. Trials: with
0.52 s two alarms in noise, a second or two apart, are found 3 s later, with 1.58 s a metronome that passes
does not."""
_SPOKEN_UNEVEN_HOPS, _SPOKEN_UNLIKE_HOPS = 4, 20
"""By how much the two groups may differ in their steps and in their beeps' lengths, which rooms change.
Chosen: a device's clock and two hops; a third of a beep. Trials: half and one and a half change nothing."""

Pattern = Literal["temporal_three_twice", "temporal_three_cut", "temporal_three_spoken"]


@dataclass(frozen=True, slots=True)
class Folded:
    """A T3 alarm that was found by folding."""

    pattern: Pattern
    pulses: tuple[Pulse, ...]
    """Those of the periods that were looked at."""
    period_hops: float


def folded(pulses: Sequence[Pulse]) -> Folded | None:
    """What the newest beeps of one pitch, oldest first, are when folded by the period of T3."""
    for group in _GROUPS:
        newest = pulses[-_CYCLES * group - 1 :]
        period = _period(newest, group, _CYCLES)
        if period is None:
            continue
        cycle = newest[-group - 1 : -1]
        if _is_cut(cycle, newest[-1], period):
            return Folded("temporal_three_cut", tuple(newest), period)
        if group == 4 and _is_even(cycle, newest[-1], period):
            longer = pulses[-_EVEN_CYCLES * group - 1 :]
            if _period(longer, group, _EVEN_CYCLES) is not None and _loudness_repeats(longer, group):
                return Folded("temporal_three_twice", tuple(longer), period)
        elif _agreement(cycle, period) >= _LEAST_AGREEMENT:
            return Folded("temporal_three_twice", tuple(newest), period)
    return None


class VoiceAlarms:
    """Groups of three beeps as those of T3, with room for words until the next. An oven may beep so; what
    separates is what sounds there (`monitor.rhythm.isolation.has_words`). The trains do not outlast words,
    which have many pitches: groups are kept apart from them. One thread."""

    def __init__(self) -> None:
        self._groups: deque[Sequence[Pulse]] = deque(maxlen=_KEPT_GROUPS)

    def add(self, pulses: Sequence[Pulse]) -> Folded | None:
        """The beeps of one pitch, oldest first: whether the newest three are a group like an earlier one."""
        if not pulses or _length(pulses[-1]) < _WORD_HOPS:
            return None
        self._forget_longer(pulses[-1])
        beeps = [pulse for pulse in pulses[-12:] if _length(pulse) >= _WORD_HOPS]
        newest = beeps[-3:]
        if len(newest) < 3 or not _is_group(newest):
            return None
        if len(beeps) > 3 and newest[0].onset - beeps[-4].end < _GROUP_PAUSE_HOPS:
            return None
        before = next((group for group in reversed(self._groups) if _are_alike(group, newest)), None)
        self._groups.append(newest)
        if before is None:
            return None
        return Folded("temporal_three_spoken", (*before, *newest), newest[0].onset - before[0].onset)

    def _forget_longer(self, pulse: Pulse) -> None:
        """Groups that have a fourth beep."""
        for group in list(self._groups):
            follows = 0 < pulse.onset - group[-1].end < _GROUP_PAUSE_HOPS
            if follows and _same_pitch(group[-1], pulse):
                self._groups.remove(group)


def _are_alike(earlier: Sequence[Pulse], later: Sequence[Pulse]) -> bool:
    """Whether two groups are one device's, as far apart as words last."""
    if not _same_pitch(earlier[-1], later[0]):
        return False
    if not _SPOKEN_PAUSE_HOPS[0] <= later[0].onset - earlier[-1].end <= _SPOKEN_PAUSE_HOPS[1]:
        return False
    steps = zip(_steps(earlier), _steps(later), strict=True)
    lengths = zip(map(_length, earlier), map(_length, later), strict=True)
    return (
        max(abs(one - other) for one, other in steps) <= _SPOKEN_UNEVEN_HOPS
        and max(abs(one - other) for one, other in lengths) <= _SPOKEN_UNLIKE_HOPS
    )


def _same_pitch(one: Pulse, other: Pulse) -> bool:
    return abs(one.pitch_hz - other.pitch_hz) <= _SAME_PITCH * other.pitch_hz


def _is_group(pulses: Sequence[Pulse]) -> bool:
    shortest, longest = _SPOKEN_TONE_HOPS
    least, most = _SPOKEN_STEP_HOPS
    return all(shortest <= _length(pulse) <= longest for pulse in pulses) and all(
        least <= step <= most for step in _steps(pulses)
    )


def _steps(pulses: Sequence[Pulse]) -> list[int]:
    return [later.onset - earlier.onset for earlier, later in pairwise(pulses)]


def _period(pulses: Sequence[Pulse], group: int, cycles: int) -> float | None:
    """The period in hops, if each beep comes again, as long as before, `group` beeps later."""
    if len(pulses) < cycles * group + 1:
        return None
    pairs = list(zip(pulses, pulses[group:], strict=False))
    periods = [later.onset - earlier.onset for earlier, later in pairs]
    typical = sum(periods) / len(periods)
    if not PERIOD_HOPS[0] <= typical <= PERIOD_HOPS[1]:
        return None
    if max(abs(period - typical) for period in periods) > max(_UNEVEN_HOPS, _UNEVEN_SHARE * typical):
        return None
    unlike = max(abs(_length(later) - _length(earlier)) for earlier, later in pairs)
    return typical if unlike <= max(_UNLIKE_HOPS, _UNLIKE_SHARE * max(map(_length, pulses))) else None


def _is_cut(cycle: Sequence[Pulse], following: Pulse, period: float) -> bool:
    """Three short beeps at the places of T3: a quarter, a quarter and half a period apart."""
    if len(cycle) != 3 or not all(_CUT_HOPS[0] <= _length(pulse) <= _CUT_HOPS[1] for pulse in cycle):
        return False
    apart = _apart(cycle, following, period)
    pause = apart.index(max(apart))
    in_order = apart[pause + 1 :] + apart[: pause + 1]
    return all(abs(a - b) <= _CUT_PLACES for a, b in zip(in_order, (0.25, 0.25, 0.5), strict=True))


def _is_even(cycle: Sequence[Pulse], following: Pulse, period: float) -> bool:
    """Whether the beeps are those of march time as well: two alarms whole seconds apart. Clicks are not."""
    whole = all(_length(pulse) / period >= _LEAST_TONE for pulse in cycle)
    apart = _apart(cycle, following, period)
    return whole and all(abs(each - 0.25) <= _EVEN_SHARE * 0.25 for each in apart)


def _loudness_repeats(pulses: Sequence[Pulse], group: int) -> bool:
    levels = [pulse.level_dbfs for pulse in pulses]
    again = max(abs(later - earlier) for earlier, later in zip(levels, levels[group:], strict=False))
    means = [sum(levels[place::group]) / len(levels[place::group]) for place in range(group)]
    return again <= _REPEATED_DB and max(means) - min(means) >= _LOUDER_DB


def _agreement(cycle: Sequence[Pulse], period: float) -> float:
    """How well two T3 patterns, at the best of all lags and places, explain what sounds: -1 to 1."""
    sounds = np.full(_BINS, -1.0)
    for pulse in cycle:
        first, last = (round((hop - cycle[0].onset) / period * _BINS) for hop in (pulse.onset, pulse.end))
        sounds[np.arange(first, last) % _BINS] = 1.0
    shifted = np.fft.irfft(np.fft.rfft(sounds) * _both(), _BINS, axis=1)
    return float(shifted.max()) / _BINS


@cache
def _both() -> npt.NDArray[np.complex128]:
    """Two alarms at every lag, 1 where one of them sounds and -1 where none does: conjugate spectra."""
    one = np.zeros(_BINS, bool)
    for at in (0, 40, 80):
        one[at : at + 20] = True
    rows = np.array([np.where(one | np.roll(one, lag), 1.0, -1.0) for lag in _LAGS])
    return np.conj(np.fft.rfft(rows, axis=1))


def _apart(cycle: Sequence[Pulse], following: Pulse, period: float) -> list[float]:
    """From each beep to the next, as shares of the period."""
    return [(later.onset - earlier.onset) / period for earlier, later in pairwise([*cycle, following])]


def _length(pulse: Pulse) -> int:
    return pulse.end - pulse.onset
