"""Faults of a microphone that show in its sound: silence, a stuck buffer, clipping, an offset."""

from collections import deque

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, Samples
from monitor.gate.level import DIGITAL_SILENCE_BELOW_DBFS, Measured
from monitor.gate.tonality import flatness
from monitor.types import ProblemKind

_PCM16_STEP = 1 / 32768
"""One step of 16 bits, as a share of full scale: all that moves less is a dead input."""
_CLIPPED_FROM_AMPLITUDE = 0.985
"""Share of full scale (-0.13 dBFS) from which a sample counts as clipped. Chosen: at 1 a lossy codec, which
leaves clipped peaks a little short of full scale, would hide the fault; speech and alarms peak far below."""
_OFFSET_FROM_AMPLITUDE = 0.05
"""Mean of a frame, as a share of full scale (-26 dBFS), that counts as an offset. Chosen: at 0.02 a converter
with a small offset, which harms nothing, would be a fault; the offset of 0.1 in the tests must be one."""
_ROUNDING_SHARE = 1e-4
"""Error of a sum of squares in single precision, as a share of it: 480 terms at 2^-24 make at most 3e-5.
Smaller, the cheap test by power would overlook a fault; larger, it would only spare less work."""

_RAISE_AND_CLEAR_S: dict[ProblemKind, tuple[float, float]] = {
    "digital_silence": (10, 3),
    "frozen": (3, 3),
    "clipping": (10, 60),
    "dc_offset": (5, 5),
}
"""How much of a fault raises it, and how long it must be absent to be cleared, in seconds. Chosen, and shown
to the user in docs/guides/tuning.md. Digital silence must outlast the zeros of a camera that suppresses
noise (2 s in the tests). Clipping adds up: 10 s of clipped frames that leak away in 60 s without any are a
seventh of the frames, more than a slamming door makes."""
_RETURNS_WITHIN_S = 3600.0
"""A fault that returns within this time doubles its clear time. Chosen: an hour, so that a source that is bad
for an evening raises a few problems and not hundreds, and a fault of yesterday has no effect."""
_LONGEST_CLEAR_S = 1800.0
"""Upper limit of the doubled clear time. Chosen: with more, a microphone that was repaired would be shown as
faulty for hours."""

_NEEDLE_SAMPLES = 64
"""How far before the newest sample the search for a loop starts, 4 ms. Its first four samples are compared
everywhere, and the whole loop only where these match; the search needs 4 at least."""
_SHORTEST_LOOP_SAMPLES = 160
"""10 ms: drivers deliver buffers of that length or longer."""
_LOOP_WINDOW_FRAMES = 33
"""0.99 s of sound is searched at once, once in that time: two of the longest buffers of 0.5 s."""
_MOST_LAGS = 8
"""Places where the four samples match that are compared in full. Chosen: a sound that is not a loop matches
by chance, and each place costs a comparison of up to 8,000 samples; the first match is nearly always it."""
_TONE_BELOW_FLATNESS = 0.1
"""Spectral flatness below which a loop is a pure tone of a generator, which repeats without any fault. A tone
is near 0, noise 0.56 (`monitor.gate.tonality`)."""


class _LeakyBucket:
    """A leaky bucket: it fills while a fault shows, and leaks while it does not. The fault is raised when the
    bucket is full (`raise_after_s`) and cleared when it is empty (`clear_after_s` without the fault).

    A fault that recurs within 1 h doubles its clear time, up to 30 min: a source that is faulty twice a
    minute is raised once. Raising takes as long as the first time."""

    def __init__(self, raise_after_s: float, clear_after_s: float) -> None:
        self._full_s = raise_after_s
        self._first_clear_s = self._clear_s = clear_after_s
        self._filled_s = 0.0
        self._cleared_at_frame: int | None = None
        self.raised = False

    @property
    def leaking(self) -> bool:
        """Whether the bucket holds anything: frames without the fault then still count."""
        return self._filled_s > 0

    def push(self, faulty: bool, frame: int) -> None:
        """Count one frame of 30 ms. `frame` is its number; frames left out change nothing."""
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
        returned = cleared_at is not None and (frame - cleared_at) * FRAME_S < _RETURNS_WITHIN_S
        longest_s = max(_LONGEST_CLEAR_S, self._first_clear_s)
        self._clear_s = min(2 * self._clear_s, longest_s) if returned else self._first_clear_s


class MicrophoneFaults:
    """Finds faults in the frames of one microphone. No clock, no thread of its own.

    - `digital_silence`: samples move by less than one step of 16 bits for 10 s. The microphone is muted,
      unplugged inside, or dead.
    - `frozen`: one constant value, or one buffer of 10-500 ms again and again, for 3 s. The driver hangs.
      A sound with any noise in it never repeats exactly; a pure tone does, and is known by its flatness.
    - `clipping`: 10 s of frames at full scale, in more than a seventh of the frames. The gain is too high.
    - `dc_offset`: a mean beyond 5 % of full scale for 5 s. It takes headroom and makes clipping likely.
    """

    def __init__(self) -> None:
        self._faults = {kind: _LeakyBucket(*seconds) for kind, seconds in _RAISE_AND_CLEAR_S.items()}
        self._recent: deque[Samples] = deque(maxlen=_LOOP_WINDOW_FRAMES)
        self._frames = 0
        self._loops = False
        self._leaking = False
        self.kinds: tuple[ProblemKind, ...] = ()
        """The faults that are raised now, in a fixed order."""

    def push(self, measured: Measured, samples: Samples) -> None:
        """Take the next frame: `samples` of shape (480,) in -1..1, and what `measure` returned for them.
        `kinds` changes where a fault is raised or cleared."""
        still = _may_be_still(measured) and float(np.ptp(samples)) < _PCM16_STEP
        clipped = _may_clip(measured) and float(np.abs(samples).max()) >= _CLIPPED_FROM_AMPLITUDE
        offset = abs(measured.mean)
        self._watch_for_loops(measured, samples)
        frame = self._frames
        if still or clipped or offset > _OFFSET_FROM_AMPLITUDE or self._loops or self._leaking:
            self._faults["digital_silence"].push(still and offset < _PCM16_STEP, frame)
            self._faults["frozen"].push(self._loops or (still and offset >= _PCM16_STEP), frame)
            self._faults["clipping"].push(clipped, frame)
            self._faults["dc_offset"].push(offset > _OFFSET_FROM_AMPLITUDE, frame)
            self._leaking = any(fault.leaking for fault in self._faults.values())
            self.kinds = tuple(kind for kind, fault in self._faults.items() if fault.raised)

    def _watch_for_loops(self, measured: Measured, samples: Samples) -> None:
        """Search once a second: a loop lasts longer, and a search costs as much as twenty frames."""
        self._recent.append(samples)
        self._frames += 1
        if self._frames % _LOOP_WINDOW_FRAMES == 0:
            heard = measured.level_dbfs >= DIGITAL_SILENCE_BELOW_DBFS
            self._loops = heard and is_loop(np.concatenate(self._recent))


def _may_be_still(measured: Measured) -> bool:
    """Whether the variance allows that no two samples differ by a step. Looking at the samples themselves
    costs more than all other checks."""
    variance = measured.power - measured.mean**2
    return variance <= _PCM16_STEP**2 + _ROUNDING_SHARE * measured.power


def _may_clip(measured: Measured) -> bool:
    """Whether the power is enough for one clipped sample in the frame."""
    return measured.power * FRAME_SAMPLES >= _CLIPPED_FROM_AMPLITUDE**2 * (1 - _ROUNDING_SHARE)


def is_loop(samples: Samples) -> bool:
    """Whether the end of `samples` repeats the 10-500 ms before it bit for bit, and is no pure tone.

    `samples`: whole frames at 16 kHz, about 1 s, shape (480 n,).
    """
    needle = samples[-_NEEDLE_SAMPLES:]
    hay = samples[: -_SHORTEST_LOOP_SAMPLES - _NEEDLE_SAMPLES + 3]
    starts = len(hay) - 3
    match = hay[:starts] == needle[0]
    for i in (1, 2, 3):
        match &= hay[i : i + starts] == needle[i]
    lags = len(samples) - _NEEDLE_SAMPLES - np.flatnonzero(match)[::-1]
    return any(_repeats(samples, int(lag)) for lag in lags[:_MOST_LAGS]) and not _is_tone(samples)


def _repeats(samples: Samples, lag: int) -> bool:
    return 2 * lag <= len(samples) and np.array_equal(samples[-lag:], samples[-2 * lag : -lag])


def _is_tone(samples: Samples) -> bool:
    return flatness(samples.reshape(-1, FRAME_SAMPLES)) < _TONE_BELOW_FLATNESS
