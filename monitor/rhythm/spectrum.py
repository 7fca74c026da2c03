"""How much each pitch stands out of its surroundings, every 10 ms."""

import ctypes
from functools import cache

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.native.kernels import kernels
from monitor.native.tables import aligned_floats, turns, unpack

HOP = 160
"""Samples between two rows: 10 ms. Chosen: the shortest gap of an alarm, 0.1 s (NFPA 72), has ten; more rows
cost more, fewer blur it."""
WINDOW = 512
"""Samples of a spectrum: 32 ms. By arithmetic: long enough to set a tone apart from the noise of a third
octave by 12 dB at 3 kHz, short enough to see the 100 ms gaps of a carbon monoxide alarm."""
SMOOTHED = 3
"""Spectra averaged into one row: 52 ms in all. Chosen: half of the shortest gap (NFPA 72: 0.1 s); of one
spectrum alone the level of noise varies more."""
BLOCK_HOPS = 12
"""Rows made at once. A fixed number, so that results do not depend on how the samples arrive. Chosen: 120 ms
are a thirtieth of a cycle of T3; fewer cost more calls."""
BLOCK = BLOCK_HOPS * HOP
"""Samples that are looked at together: 120 ms."""
BIN_HZ = SAMPLE_RATE_HZ / WINDOW
"""31.25 Hz."""
FIRST_BIN, LAST_BIN = 10, 240
"""312 Hz to 7.5 kHz. Chosen: below the lowest sounder (468 Hz, NFPA 72) with room for what surrounds it, and
up to where the anti-aliasing filter of a microphone begins."""
BINS = LAST_BIN - FIRST_BIN + 1
"""Columns of a row, one each 31.25 Hz."""
LEVEL_STEP_DB, PROMINENCE_STEP_DB = 1 / 256, 1 / 4096
"""Rows are kept as integers of these steps. By arithmetic: 16 bits hold levels to 128 dB, 32 bits sums of
prominences."""
HIGHEST_DB = 120.0
"""Levels above are kept as this. By arithmetic: 16 bits of `LEVEL_STEP_DB` end at 128 dB, and full scale is
0."""

_LONG_WINDOW = 1024
"""Samples of the spectrum below 1 kHz: 64 ms. By arithmetic: bins half as wide as those of `WINDOW`."""
_LONG_BELOW_BIN = 33
"""1 kHz. By arithmetic: below, a third octave is so narrow that only the longer window gets below it."""
_FLOOR_POWER = 1e-11
"""-110 dBFS. Chosen: below what 16 bits hold, so that digital silence is quiet and not tonal."""
_MAX_TILT_DB = 12.0
"""Where the two sides of a bin differ by more than this, the higher one counts, less half of it: the noise at
the edge of a telephone band, with nothing beside it, must not be prominent. By arithmetic: such noise is then
6 dB prominent. Trials: with 6 an alarm of 520 Hz is suspected that else is missed, with 18 one among dishes
is found a burst earlier."""
_RANGE_DB = 30.0
"""Greatest prominence. What a pitch faded by since it was loudest is subtracted from it, so that a gap shows
that reverberation fills. Trials: with 15 nine alarms among dishes, in music and in rooms are missed or late,
and a flute, two microwave ovens and ten quick beeps pass; with 45 two alarms among dishes are missed or late
and a microwave oven passes."""
_FADE_DB_PER_HOP = 0.1
"""How fast the loudest level of a pitch is forgotten: 10 dB a second. A room of 0.8 s fades by 75 dB a
second, an alarm that moves away by much less than 10. Chosen between these two. Trials: with 0.05 an alarm
among dishes is found a burst earlier and a metronome 9 s later, 0.15 changes nothing."""


def _bands() -> npt.NDArray[np.int32]:
    """First and past-last column of bands two thirds of an octave wide and one apart, so that any two pitches
    within a third of an octave have a band in common."""
    centres = FIRST_BIN * 2 ** np.arange(1 / 3, np.log2(LAST_BIN / FIRST_BIN) - 0.2, 1 / 3)
    edges = np.stack([centres * 2 ** (-1 / 3), np.minimum(centres * 2 ** (1 / 3) + 1, LAST_BIN)], axis=1)
    return np.asarray(np.round(edges) - FIRST_BIN, np.int32)


BANDS = _bands()
CHANNELS = BINS + len(BANDS)
"""Columns of prominence: the bins one by one, then the strongest bin of each band, for sounders whose pitch
moves."""


class Spectrum:
    """Turns blocks of `BLOCK` samples into rows of 10 ms, in a compiled kernel (monitor/native/spectrum.c).
    Remembers what overlaps and how loud each pitch lately was; belongs to one thread.

    A level is that of a bin relative to a full-scale sine, its power summed over `SMOOTHED` hops before
    the logarithm is taken, or noise would be all dips. A prominence is at least 0: the level over that of the
    bins around it (four to ten to either side: the mean of both sides or, where one is far above the other,
    half of `_MAX_TILT_DB` less than the higher), but no more than `_RANGE_DB` less what the pitch faded by
    since it was loudest; that maximum sinks by 10 dB a second. The first shows a tone in noise whatever the
    gain does, the second shows the gaps between beeps that reverberation fills with the same tone.
    """

    def __init__(self, library: ctypes.PyDLL | None = None) -> None:
        library = library or kernels()
        self._put_rows = library.put_rows
        self._memory = np.zeros(library.memory_bytes() // 4, np.float32)
        self._memory[-_OWN:] = SILENCE_DB
        # The kernel works in these arrays: their addresses stay valid for as long as the arrays do.
        self._scratch, self._tables = _scratch(), _tables()
        self._places = self._memory.ctypes.data, self._scratch.ctypes.data, ctypes.addressof(self._tables)

    def put_rows(self, block: int, levels: int, sums: int, before: int) -> float:
        """One block's rows, from the address of its samples to those that `History.append` gives. Returns the
        highest prominence of a bin, in dB."""
        memory, scratch, tables = self._places
        steps: int = self._put_rows(memory, scratch, block, tables, levels, sums, before)
        return steps * PROMINENCE_STEP_DB


SILENCE_DB = -110.0
"""The level of a pitch before anything was heard: that of `_FLOOR_POWER`."""
_OWN = BINS + 2 * (_LONG_BELOW_BIN - FIRST_BIN) + 1
"""Bins of both windows: below 1 kHz there are two for each."""


class _Tables(ctypes.Structure):
    """The kernel's constant tables (struct Tables in spectrum.c)."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("short_shape", "short_turns", "short_unpack")),
        *((name, ctypes.c_void_p) for name in ("long_shape", "long_turns", "long_unpack")),
        ("bands", ctypes.c_void_p),
        ("band_count", ctypes.c_int32),
        *((name, ctypes.c_float) for name in ("floor", "tilt_db", "fade_db", "range_db", "highest_db")),
        *((name, ctypes.c_float) for name in ("level_steps", "prominence_steps")),
    ]
    arrays: tuple[npt.NDArray[np.generic], ...]


@cache
def _tables() -> _Tables:
    arrays = [
        array
        for window in (WINDOW, _LONG_WINDOW)
        for array in (_shape(window), turns(window), unpack(window))
    ]
    tables = _Tables(
        *(array.ctypes.data for array in (*arrays, BANDS)),
        len(BANDS), _FLOOR_POWER, _MAX_TILT_DB / 2, _FADE_DB_PER_HOP, _RANGE_DB, HIGHEST_DB,
        1 / LEVEL_STEP_DB, 1 / PROMINENCE_STEP_DB,
    )  # fmt: skip
    tables.arrays = tuple(arrays)  # they live as long as what points to them
    return tables


@cache
def _scratch() -> npt.NDArray[np.float32]:
    """Shared by all sources: one call after the other uses it, for the kernel keeps Python's lock."""
    return aligned_floats(kernels().scratch_bytes() // 4)


def _shape(window: int) -> Samples:
    """Hann, such that the squared spectrum of a full-scale sine, summed over `SMOOTHED` hops, is 1. Halved,
    for the kernel's unpacking of a real transform doubles."""
    hann = np.hanning(window + 1)[:-1]
    return np.asarray(hann * (1 / hann.sum() / np.sqrt(SMOOTHED)), np.float32)
