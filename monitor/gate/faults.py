"""Faults of a microphone that show in its sound: silence, a stuck buffer, clipping, an offset."""

from datetime import datetime

from monitor.gate.bucket import LeakyBucket
from monitor.gate.habit import Habit
from monitor.gate.level import DIGITAL_SILENCE_BELOW_DBFS
from monitor.gate.life import UNKNOWN_LIMIT_S, LifeWatch
from monitor.gate.listening import CLIPPED, FAULTY, OFFSET, SILENT, STUCK, MarkedFrames, Second
from monitor.gate.loops import LoopWatch
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
        self._life = LifeWatch(habit or Habit())
        self._frames = 0
        self._loops = False
        self._leaking = False
        self.kinds: tuple[ProblemKind, ...] = ()
        """The faults that are raised now, in a fixed order."""

    def hear(
        self, heard: MarkedFrames, recent: LoopWatch, at: datetime
    ) -> list[tuple[int, tuple[ProblemKind, ...]]]:
        """Take the next frames: `recent` holds their samples, `at` is their day and time. Returns each change
        of `kinds`, with the index of its frame."""
        if not self._counts and not heard.seen & FAULTY and heard.second is None:
            self._frames += len(heard.marks)
            return []
        changes = []
        for index, marks in enumerate(heard.marks, heard.first):
            self._frames += 1
            if index == heard.last and heard.second is not None:
                self._look(heard, heard.second, recent, at)
            if (marks & FAULTY or self._counts) and self._count(marks):
                changes.append((index, self.kinds))
        return changes

    @property
    def _counts(self) -> bool:
        """Whether frames count that show no fault by themselves."""
        return self._loops or self._leaking or self._life.lifeless is not None

    def _count(self, marks: int) -> bool:
        """Count a frame: whether `kinds` has changed."""
        frame, lifeless, before = self._frames, self._life.lifeless, self.kinds
        self._faults["digital_silence"].push(bool(marks & SILENT), frame)
        self._faults["frozen"].push(self._loops or bool(marks & STUCK), frame)
        self._faults["clipping"].push(bool(marks & CLIPPED), frame)
        self._faults["dc_offset"].push(bool(marks & OFFSET), frame)
        silent = self._faults["digital_silence"].raised
        self._faults["dead"].push(lifeless == "dead" and not silent, frame)
        self._faults["hum_only"].push(lifeless == "hum_only", frame)
        self._leaking = any(fault.leaking for fault in self._faults.values())
        self.kinds = tuple(kind for kind, fault in self._faults.items() if fault.raised)
        return self.kinds != before

    def _look(self, heard: MarkedFrames, second: Second, recent: LoopWatch, at: datetime) -> None:
        """Search once a second: a loop lasts longer, and a search costs as much as twenty frames."""
        self._loops = heard.levels_dbfs[-1] >= DIGITAL_SILENCE_BELOW_DBFS and recent.loops()
        self._life.look(recent.latest, second, at)
        self._faults["dead"].raise_after_s = self._faults["hum_only"].raise_after_s = self._life.limit_s
