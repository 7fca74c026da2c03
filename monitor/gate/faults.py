"""Is the microphone well? Told by the content of its sound."""

from collections import deque

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, Samples
from monitor.gate.level import DIGITAL_SILENCE_BELOW_DBFS, Measured
from monitor.gate.tonality import flatness
from monitor.types import ProblemKind

_ONE_STEP = 1 / 32768
_CLIPPED_FROM = 0.985
_OFFSET_FROM = 0.05
_ROUNDING = 1e-4  # of a sum of squares in single precision, and then some

_RETURN_S = 3600.0
_LONGEST_CLEAR_S = 1800.0

_NEEDLE_SAMPLES = 64
_SHORTEST_LOOP_SAMPLES = 160
_LOOP_WINDOW_FRAMES = 33
_NOT_A_TONE = 0.1


class _LeakyBucket:
    """A fault that must add up to `raise_after_s` before it is said, and be gone for `clear_after_s` before
    it is taken back: a bucket that fills while the fault shows and leaks while it does not.

    What comes back within an hour is one story: each time it takes twice as long to be taken back, up to half
    an hour, so that a microphone that is sick every half minute is sick, and not well again twice a minute.
    It is said as early as ever: a fault that is real now must not wait for what was before."""

    def __init__(self, raise_after_s: float, clear_after_s: float) -> None:
        self._full_s = raise_after_s
        self._first_clear_s = self._clear_s = clear_after_s
        self._filled_s = 0.0
        self._cleared_at_frame: int | None = None
        self.raised = False

    @property
    def leaking(self) -> bool:
        """Whether frames without the fault still matter."""
        return self._filled_s > 0

    def push(self, faulty: bool, frame: int) -> None:
        """The next frame that matters, with its number."""
        clear_s = self._clear_s if self.raised else self._first_clear_s
        step_s = FRAME_S if faulty else -FRAME_S * self._full_s / clear_s
        self._filled_s = min(self._full_s, max(0.0, self._filled_s + step_s))
        if not self.raised and self._filled_s >= self._full_s - FRAME_S / 2:
            self._raise(frame)
        elif self.raised and self._filled_s == 0:
            self.raised, self._cleared_at_frame = False, frame

    def _raise(self, frame: int) -> None:
        self.raised = True
        cleared_at = self._cleared_at_frame
        returned = cleared_at is not None and (frame - cleared_at) * FRAME_S < _RETURN_S
        longest_s = max(_LONGEST_CLEAR_S, self._first_clear_s)
        self._clear_s = min(2 * self._clear_s, longest_s) if returned else self._first_clear_s


class MicrophoneFaults:
    """What is wrong with a microphone.

    - `digital_silence`: not one step of 16 bits of movement for 10 s: muted, unplugged inside, or dead.
    - `frozen`: for 3 s one constant value, or one buffer (10-500 ms) delivered again and again: a driver that
      hangs. Exact repetition cannot happen to a sound that has any noise in it; pure tones of generators do
      repeat, and are told apart by their flatness.
    - `clipping`: full scale in more than a seventh of the frames, for 10 s of clipped frames: the gain is too
      high. A slam near the microphone is not yet a fault.
    - `dc_offset`: a mean beyond 5 % of full scale for 5 s: it eats headroom and makes clipping likely.
    """

    def __init__(self) -> None:
        self._faults: dict[ProblemKind, _LeakyBucket] = {
            "digital_silence": _LeakyBucket(10, 3),
            "frozen": _LeakyBucket(3, 3),
            "clipping": _LeakyBucket(10, 60),
            "dc_offset": _LeakyBucket(5, 5),
        }
        self._recent: deque[Samples] = deque(maxlen=_LOOP_WINDOW_FRAMES)
        self._frames = 0
        self._loops = False
        self._leaking = False
        self.kinds: tuple[ProblemKind, ...] = ()
        """What is wrong now."""

    def push(self, measured: Measured, samples: Samples) -> None:
        """The next frame."""
        still = _may_be_still(measured) and float(np.ptp(samples)) < _ONE_STEP
        clipped = _may_clip(measured) and float(np.abs(samples).max()) >= _CLIPPED_FROM
        offset = abs(measured.mean)
        self._watch_for_loops(measured, samples)
        frame = self._frames
        if still or clipped or offset > _OFFSET_FROM or self._loops or self._leaking:
            self._faults["digital_silence"].push(still and offset < _ONE_STEP, frame)
            self._faults["frozen"].push(self._loops or (still and offset >= _ONE_STEP), frame)
            self._faults["clipping"].push(clipped, frame)
            self._faults["dc_offset"].push(offset > _OFFSET_FROM, frame)
            self._leaking = any(fault.leaking for fault in self._faults.values())
            self.kinds = tuple(kind for kind, fault in self._faults.items() if fault.raised)

    def _watch_for_loops(self, measured: Measured, samples: Samples) -> None:
        """Look once a second: a loop is still there then, and looking costs as much as twenty frames."""
        self._recent.append(samples)
        self._frames += 1
        if self._frames % _LOOP_WINDOW_FRAMES == 0:
            heard = measured.level_dbfs >= DIGITAL_SILENCE_BELOW_DBFS
            self._loops = heard and is_loop(np.concatenate(self._recent))


def _may_be_still(measured: Measured) -> bool:
    """Whether the power leaves it possible that no sample differs from another by a step; looking costs more
    than all the rest."""
    variance = measured.power - measured.mean**2
    return variance <= _ONE_STEP**2 + _ROUNDING * measured.power


def _may_clip(measured: Measured) -> bool:
    """Whether the power would do for a single sample at full scale."""
    return measured.power * FRAME_SAMPLES >= _CLIPPED_FROM**2 * (1 - _ROUNDING)


def is_loop(samples: Samples) -> bool:
    """Whether the end of `samples` repeats what came 10-500 ms before it, bit for bit, and is no tone.

    `samples` are whole frames at 16 kHz, a second or so.
    """
    needle = samples[-_NEEDLE_SAMPLES:]
    hay = samples[: -_SHORTEST_LOOP_SAMPLES - _NEEDLE_SAMPLES + 3]
    starts = len(hay) - 3
    match = hay[:starts] == needle[0]
    for i in (1, 2, 3):
        match &= hay[i : i + starts] == needle[i]
    lags = len(samples) - _NEEDLE_SAMPLES - np.flatnonzero(match)[::-1]
    return any(_repeats(samples, int(lag)) for lag in lags[:8]) and not _is_tone(samples)


def _repeats(samples: Samples, lag: int) -> bool:
    return 2 * lag <= len(samples) and np.array_equal(samples[-lag:], samples[-2 * lag : -lag])


def _is_tone(samples: Samples) -> bool:
    return flatness(samples.reshape(-1, FRAME_SAMPLES)) < _NOT_A_TONE
