"""A driver or a camera that delivers one buffer again and again."""

import ctypes

import numpy as np

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples
from monitor.gate.tonality import flatness
from monitor.native.kernels import kernels

LOOK_FRAMES = 33
"""Frames between two looks: a second. Chosen: a frozen source is a fault after 3 s (`monitor.gate.faults`),
and a look costs as much as several frames."""
_LONGEST_LOOP_S = 2.0
"""Chosen: the memory of a camera that hangs; longer buffers were not seen. With 1 s those of 1.7 and 2 s are
not found (tests/gate/test_loops.py)."""
_SHORTEST_LOOP_SAMPLES = 160
"""10 ms. Chosen: drivers deliver buffers of that length or longer. With twice as much nothing changes in
tests/gate/test_loops.py: two buffers of a loop are a loop, too."""
_WINDOW_FRAMES = 134 + LOOK_FRAMES
"""Twice the longest loop, 4 s, and a second in which its loudest place may lie."""
_NEEDLE_SAMPLES = 64
"""4 ms, looked for in all that came before; the whole loop is compared only where they are found. The kernel
(monitor/native/search.c) has the same number."""
_CANDIDATES = 8
"""Places that are compared in full. Chosen: noise has none by chance, and of a loop the first is it."""
_NOT_A_TONE = 0.1
"""Spectral flatness below which a loop is a pure tone of a generator, which repeats without any fault. A tone
is near 0, noise 0.56 (`monitor.gate.tonality`)."""
_QUARTER_STEP = 0.25 / 32768
"""Greatest difference of two samples of a loop. Chosen: what a resampler rounds, which is blind to where the
buffer begins, is less. From 0.1 to 0.75 of a step nothing changes in tests/gate/test_loops.py."""


class LoopWatch:
    """Whether the latest sound is one buffer (10 ms to 2 s) delivered again and again."""

    def __init__(self) -> None:
        # In one piece, with room for a second after which the latest moves to the front.
        self._recent = np.zeros((_WINDOW_FRAMES + LOOK_FRAMES) * FRAME_SAMPLES, np.float32)
        self._address = self._recent.ctypes.data
        self._end = 0

    def push(self, samples: Samples) -> int:
        """The next frames, shape (480 n,), at most a second of them. The address where they are kept until
        the next push."""
        if self._end + len(samples) > len(self._recent):
            kept = _WINDOW_FRAMES * FRAME_SAMPLES
            self._recent[:kept] = self._recent[self._end - kept : self._end]
            self._end = kept
        at, self._end = self._end, self._end + len(samples)
        self._recent[at : self._end] = samples
        return self._address + at * samples.itemsize

    @property
    def latest(self) -> Samples:
        """The samples of the latest second; valid until the next `push`."""
        return self._recent[max(0, self._end - LOOK_FRAMES * FRAME_SAMPLES) : self._end]

    def loops(self) -> bool:
        """Look; it costs as much as several frames."""
        return is_loop(self._recent[max(0, self._end - _WINDOW_FRAMES * FRAME_SAMPLES) : self._end])


def is_loop(samples: Samples) -> bool:
    """Whether the end of `samples` repeats what came 10 ms to 2 s before it, sample for sample, and is no
    tone.

    `samples` are whole frames at 16 kHz; a loop is found when it is there twice. Exact repetition cannot
    happen to a sound that has any noise in it; pure tones of generators do repeat.
    """
    at = _loudest(samples)
    needle = samples[at : at + _NEEDLE_SAMPLES]
    tolerance = min(_QUARTER_STEP, 0.01 * float(needle.max() - needle.min()))
    earliest = max(0, at - round(_LONGEST_LOOP_S * SAMPLE_RATE_HZ))
    hay = samples[earliest : at - _SHORTEST_LOOP_SAMPLES + _NEEDLE_SAMPLES]
    lags = [at - earliest - place for place in _matches(hay, needle, tolerance)]
    return any(_repeats(samples, lag, tolerance) for lag in lags) and not _is_tone(samples)


def _loudest(samples: Samples) -> int:
    """Where in the latest second the most happens; there a repetition is no coincidence."""
    second = np.ascontiguousarray(samples[-LOOK_FRAMES * FRAME_SAMPLES :])
    loudest = int(kernels().widest_frame(second.ctypes.data, len(second) // FRAME_SAMPLES))
    return len(samples) - len(second) + loudest * FRAME_SAMPLES + (FRAME_SAMPLES - _NEEDLE_SAMPLES) // 2


def _matches(hay: Samples, needle: Samples, tolerance: float) -> list[int]:
    """The last places where `hay` has the needle, the very last first."""
    count = len(hay) - len(needle) + 1
    if count <= 0:
        return []
    hay, needle = np.ascontiguousarray(hay), np.ascontiguousarray(needle)
    found = (ctypes.c_int32 * _CANDIDATES)()
    places = kernels().find_needle(
        hay.ctypes.data, count, needle.ctypes.data, tolerance, ctypes.addressof(found), _CANDIDATES
    )
    return list(found[:places])


def _repeats(samples: Samples, lag: int, tolerance: float) -> bool:
    if 2 * lag > len(samples):
        return False
    return bool((np.abs(samples[-lag:] - samples[-2 * lag : -lag]) <= tolerance).all())


def _is_tone(samples: Samples) -> bool:
    return flatness(samples[-LOOK_FRAMES * FRAME_SAMPLES :]) < _NOT_A_TONE
