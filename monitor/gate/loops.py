"""A driver or a camera that delivers one buffer again and again."""

from collections import deque

import numpy as np
import numpy.typing as npt

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples
from monitor.gate.tonality import flatness

LOOK_FRAMES = 33
"""Frames between two looks: a second."""
_LONGEST_LOOP_S = 2.0
"""The memory of a camera that hangs; longer buffers were not seen."""
_SHORTEST_LOOP_SAMPLES = 160
"""10 ms: drivers deliver buffers of that length or longer."""
_WINDOW_FRAMES = 134 + LOOK_FRAMES
"""Twice the longest loop, 4 s, and a second in which its loudest place may lie."""
_NEEDLE_SAMPLES = 64
"""4 ms, looked for in all that came before; the whole loop is compared only where they are found."""
_CANDIDATES = 8
"""Places that are compared in full. Chosen: noise has none by chance, and of a loop the first is it."""
_NOT_A_TONE = 0.1
"""Spectral flatness below which a loop is a pure tone of a generator, which repeats without any fault. A tone
is near 0, noise 0.56 (`monitor.gate.tonality`)."""
_QUARTER_STEP = 0.25 / 32768
"""Room for the rounding of a resampler, which is blind to where the buffer begins."""


class LoopWatch:
    """Whether the latest sound is one buffer (10 ms to 2 s) delivered again and again."""

    def __init__(self) -> None:
        self._recent: deque[Samples] = deque(maxlen=_WINDOW_FRAMES)

    def push(self, samples: Samples) -> None:
        """The next frame."""
        self._recent.append(samples)

    @property
    def latest(self) -> Samples:
        """The samples of the latest second."""
        return np.concatenate(list(self._recent)[-LOOK_FRAMES:])

    def loops(self) -> bool:
        """Look; it costs as much as twenty frames."""
        return is_loop(np.concatenate(self._recent))


def is_loop(samples: Samples) -> bool:
    """Whether the end of `samples` repeats what came 10 ms to 2 s before it, sample for sample, and is no
    tone.

    `samples` are whole frames at 16 kHz; a loop is found when it is there twice. Exact repetition cannot
    happen to a sound that has any noise in it; pure tones of generators do repeat.
    """
    at = _loudest(samples)
    needle = samples[at : at + _NEEDLE_SAMPLES]
    tolerance = min(_QUARTER_STEP, 0.01 * float(np.ptp(needle)))
    earliest = max(0, at - round(_LONGEST_LOOP_S * SAMPLE_RATE_HZ))
    lags = at - _matches(
        samples[: at - _SHORTEST_LOOP_SAMPLES + _NEEDLE_SAMPLES], earliest, needle, tolerance
    )
    newest = lags[::-1][:_CANDIDATES]
    return any(_repeats(samples, int(lag), tolerance) for lag in newest) and not _is_tone(samples)


def _loudest(samples: Samples) -> int:
    """Where in the latest second the most happens; there a repetition is no coincidence."""
    frames = samples[-LOOK_FRAMES * FRAME_SAMPLES :].reshape(-1, FRAME_SAMPLES)
    loudest = int(np.argmax(np.ptp(frames, axis=1)))
    return len(samples) - frames.size + loudest * FRAME_SAMPLES + (FRAME_SAMPLES - _NEEDLE_SAMPLES) // 2


def _matches(hay: Samples, earliest: int, needle: Samples, tolerance: float) -> npt.NDArray[np.intp]:
    """The places from `earliest` on where `hay` has the needle."""
    starts = len(hay) - len(needle) + 1 - earliest
    if starts <= 0:
        return np.empty(0, dtype=np.intp)
    first = hay[earliest : earliest + starts]
    found = earliest + np.flatnonzero((first >= needle[0] - tolerance) & (first <= needle[0] + tolerance))
    for i in (13, 26, 39, 52, 63):
        found = found[np.abs(hay[found + i] - needle[i]) <= tolerance]
    # What the few points have left is compared whole.
    whole = hay[found[-512:, None] + np.arange(len(needle))]
    alike: npt.NDArray[np.bool_] = (np.abs(whole - needle) <= tolerance).all(axis=1)
    return np.compress(alike, found[-512:])


def _repeats(samples: Samples, lag: int, tolerance: float) -> bool:
    if 2 * lag > len(samples):
        return False
    return bool((np.abs(samples[-lag:] - samples[-2 * lag : -lag]) <= tolerance).all())


def _is_tone(samples: Samples) -> bool:
    return flatness(samples[-LOOK_FRAMES * FRAME_SAMPLES :].reshape(-1, FRAME_SAMPLES)) < _NOT_A_TONE
