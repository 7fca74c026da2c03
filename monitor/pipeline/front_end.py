"""The first half of the loop, one per source: every frame goes to the rhythm listener and to the gate."""

from collections.abc import Callable
from typing import Literal

from monitor.gate.gate import Gate
from monitor.rhythm.detector import RhythmDetector
from monitor.types import Detection, Findings, Frame, Level, Problem, Segment


class FrontEnd:
    """What one source is listened to with. Plain and synchronous; one thread."""

    def __init__(
        self, source: str, gate: Gate, rhythm: RhythmDetector, remember: Callable[[Frame], None] | None = None
    ) -> None:
        self._source = source
        self._remember = remember
        self._gate = gate
        self._rhythm = rhythm
        self._last: Frame | None = None

    def push(self, frame: Frame) -> Findings | None:
        """What this frame brought; None when it brought nothing."""
        self._last = frame
        if self._remember:
            self._remember(frame)
        rhythm = self._rhythm.push(frame)
        gate = self._gate.push(frame)
        return self._sorted(frame, [*rhythm, *gate]) if rhythm or gate else None

    def finish(self, ended_by: Literal["gap", "shutdown"]) -> Findings | None:
        """The sound stops here: what was still open."""
        if self._last is None:
            return None
        rest = self._gate.finish(ended_by)
        return self._sorted(self._last, list(rest)) if rest else None

    def _sorted(self, frame: Frame, found: list[Detection | Segment | Level | Problem]) -> Findings:
        return Findings(
            source=self._source,
            until=frame.ends_at,
            detections=tuple(f for f in found if isinstance(f, Detection)),
            segments=tuple(f for f in found if isinstance(f, Segment)),
            notices=tuple(f for f in found if isinstance(f, Level | Problem)),
        )
