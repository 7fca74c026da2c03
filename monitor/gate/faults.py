"""Faults of a microphone that show in its sound: silence, a stuck buffer, clipping, an offset."""

from datetime import datetime
from operator import sub

from monitor.audio import CLIPPED_FROM_AMPLITUDE, OFFSET_FROM_AMPLITUDE, PCM16_STEP, Samples
from monitor.gate.bucket import LeakyBucket
from monitor.gate.habit import Habit
from monitor.gate.level import DIGITAL_SILENCE_BELOW_DBFS, Measured, Measures
from monitor.gate.life import UNKNOWN_LIMIT_S, LifeWatch
from monitor.gate.loops import LOOK_FRAMES, LoopWatch
from monitor.types import ProblemKind

_RAISE_AND_CLEAR_S: dict[ProblemKind, tuple[float, float]] = {
    "digital_silence": (10, 3),
    "frozen": (3, 3),
    "clipping": (10, 60),
    "dc_offset": (5, 5),
    "dead": (UNKNOWN_LIMIT_S, 3),
    "hum_only": (UNKNOWN_LIMIT_S, 3),
}
"""How much of a fault raises it, and how long it must be absent to be cleared, in seconds. Chosen, and shown
to the user in docs/guides/tuning.md. Digital silence must outlast the zeros of a camera that suppresses
noise (2 s in the tests). Clipping adds up: 10 s of clipped frames that leak away in 60 s without any are a
seventh of the frames, more than a slamming door makes. For how long a source may be without life depends on
its habit (`LifeWatch.limit_s`)."""


class MicrophoneFaults:
    """Finds faults in the frames of one microphone. No clock, no thread of its own.

    - `digital_silence`: samples move by less than one step of 16 bits for 10 s. The microphone is muted,
      unplugged inside, or dead.
    - `frozen`: one constant value, or one buffer of 10 ms to 2 s again and again (`is_loop`), for 3 s. The
      driver hangs.
    - `clipping`: 10 s of frames at full scale, in more than a seventh of the frames. The gain is too high.
    - `dc_offset`: a mean beyond 5 % of full scale for 5 s. It takes headroom and makes clipping likely.
    - `dead`, `hum_only`: no more than a step of 16 bits, or than the hum of the mains, for minutes, where
      that is not usual for this source (`LifeWatch`). `habit` is how it usually is; it is added to.
    """

    def __init__(self, habit: Habit | None = None) -> None:
        self._faults = {kind: LeakyBucket(*seconds) for kind, seconds in _RAISE_AND_CLEAR_S.items()}
        self._loop_watch = LoopWatch()
        self._life = LifeWatch(habit or Habit())
        self._frames = 0
        self._loops = False
        self._leaking = False
        self.kinds: tuple[ProblemKind, ...] = ()
        """The faults that are raised now, in a fixed order."""

    def push(self, measured: Measured, samples: Samples, at: datetime) -> None:
        """Take the next frame: `samples` of shape (480,) in -1..1, and what `measure` returned for them;
        `at` is its day and time. `kinds` changes where a fault is raised or cleared."""
        still = measured.highest - measured.lowest < PCM16_STEP
        clipped = max(measured.highest, -measured.lowest) >= CLIPPED_FROM_AMPLITUDE
        offset = abs(measured.mean)
        self._look(measured, samples, at)
        if (
            still
            or clipped
            or offset > OFFSET_FROM_AMPLITUDE
            or self._loops
            or self._leaking
            or self._life.lifeless
        ):
            self._count(still, clipped, offset)

    @property
    def frames_to_pass_over(self) -> int:
        """How many of the next frames may be passed over, if they are well: none while a fault is counted."""
        if self._loops or self._leaking or self._life.lifeless:
            return 0
        return LOOK_FRAMES - 1 - self._frames % LOOK_FRAMES

    @staticmethod
    def are_well(measures: Measures) -> bool:
        """Whether no frame by itself shows a fault."""
        return (
            min(map(sub, measures.highest, measures.lowest)) >= PCM16_STEP
            and max(*measures.highest, -min(measures.lowest)) < CLIPPED_FROM_AMPLITUDE
            and max(*measures.mean, -min(measures.mean)) <= OFFSET_FROM_AMPLITUDE
        )

    def pass_over(self, measures: Measures, frames: slice, samples: Samples) -> None:
        """Take some frames that are well, no more than `frames_to_pass_over`."""
        self._loop_watch.push(samples)
        self._life.push(measures.level_dbfs[frames], measures.power[frames], measures.mean[frames])
        self._frames += frames.stop - frames.start

    def _count(self, still: bool, clipped: bool, offset: float) -> None:
        frame, lifeless = self._frames, self._life.lifeless
        self._faults["digital_silence"].push(still and offset < PCM16_STEP, frame)
        self._faults["frozen"].push(self._loops or (still and offset >= PCM16_STEP), frame)
        self._faults["clipping"].push(clipped, frame)
        self._faults["dc_offset"].push(offset > OFFSET_FROM_AMPLITUDE, frame)
        silent = self._faults["digital_silence"].raised
        self._faults["dead"].push(lifeless == "dead" and not silent, frame)
        self._faults["hum_only"].push(lifeless == "hum_only", frame)
        self._leaking = any(fault.leaking for fault in self._faults.values())
        self.kinds = tuple(kind for kind, fault in self._faults.items() if fault.raised)

    def _look(self, measured: Measured, samples: Samples, at: datetime) -> None:
        """Search once a second: a loop lasts longer, and a search costs as much as twenty frames."""
        self._loop_watch.push(samples)
        self._life.push([measured.level_dbfs], [measured.power], [measured.mean])
        self._frames += 1
        if self._frames % LOOK_FRAMES == 0:
            heard = measured.level_dbfs >= DIGITAL_SILENCE_BELOW_DBFS
            self._loops = heard and self._loop_watch.loops()
            self._life.look(self._loop_watch.latest, at)
            self._faults["dead"].raise_after_s = self._faults["hum_only"].raise_after_s = self._life.limit_s
