"""The steady tones of one sound, as `monitor.rhythm` finds them: begin, length and pitch of each."""

from functools import partial
from typing import NamedTuple

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.rhythm.history import LevelHistory
from monitor.rhythm.pulses import Pulse, PulseFinder
from monitor.rhythm.spectrum import BLOCK, HOP, Spectrum

MOST_BEEPS = 48
"""The loudest of a sound that are kept: a tune of ten notes with four overtones each."""
FAINT_DB = 25.0
"""What lies this far below a sound's loudest beep is the room, or something else."""
SAME_PITCH_HZ, SAME_PITCH_SHARE = 40.0, 0.015
_READ_HOPS = 240
"""Rows that are searched at once; fewer than make a tone a long one."""
_LONG_HOPS = 500
_HOP_S = HOP / SAMPLE_RATE_HZ


class Beep(NamedTuple):
    """A tone: when it began in seconds after the sound's first sample, its length, its pitch, its level."""

    at_s: float
    on_s: float
    pitch_hz: float
    level_dbfs: float


def beeps_in(samples: Samples) -> tuple[Beep, ...]:
    """The beeps of a sound, in order of time. `samples`: 16 kHz, shape (any,), -1..1."""
    blocks = -(-len(samples) // BLOCK) + 1  # silence behind it ends what still sounds
    padded = np.zeros(blocks * BLOCK, np.float32)
    padded[: len(samples)] = samples
    history, finder, found = LevelHistory(), PulseFinder(_LONG_HOPS), list[Pulse]()
    block = np.zeros(BLOCK, np.float32)
    put_rows = partial(Spectrum().put_rows, block.ctypes.data)
    first = 0
    for number in range(blocks):
        block[:] = padded[number * BLOCK : (number + 1) * BLOCK]
        history.append(put_rows)
        if history.end - first >= _READ_HOPS or number == blocks - 1:
            found += finder.find(*history.rows(first, history.end), first)
            first = history.end
    beeps = _merged([one for one in found if one.ended])
    loudest = max((one.level_dbfs for one in beeps), default=0.0)
    heard = sorted(
        (one for one in beeps if one.level_dbfs >= loudest - FAINT_DB), key=lambda one: -one.level_dbfs
    )
    return tuple(sorted(heard[:MOST_BEEPS]))


def is_same_pitch(one_hz: float, other_hz: float) -> bool:
    """Whether two pitches may be one: they are those of bins, 31 Hz wide."""
    return abs(one_hz - other_hz) <= max(SAME_PITCH_HZ, SAME_PITCH_SHARE * one_hz)


def _merged(pulses: list[Pulse]) -> list[Beep]:
    """Two bins that share a pitch both saw a tone: one beep, as loud as the louder."""
    beeps: list[Beep] = []
    for pulse in sorted(pulses, key=lambda one: -one.level_dbfs):
        at_s, on_s = pulse.onset * _HOP_S, pulse.on_s
        if not any(
            is_same_pitch(one.pitch_hz, pulse.pitch_hz)
            and at_s < one.at_s + one.on_s
            and one.at_s < at_s + on_s
            for one in beeps
        ):
            beeps.append(Beep(round(at_s, 2), round(on_s, 2), pulse.pitch_hz, round(pulse.level_dbfs, 1)))
    return beeps
