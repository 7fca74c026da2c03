"""The first half of the loop, one per source: every frame goes to the rhythm detector and to the gate."""

from collections.abc import Callable, Sequence
from typing import Literal

from monitor.gate.gate import Gate, GateOutput
from monitor.rhythm.detector import RhythmDetector
from monitor.types import Detection, Findings, Frame


class FrontEnd:
    """The gate and the rhythm detector of one source. Synchronous; one thread, no clock."""

    def __init__(
        self, source: str, gate: Gate, rhythm: RhythmDetector, remember: Callable[[Frame], None] | None = None
    ) -> None:
        self._source = source
        self._remember = remember
        self._gate = gate
        self._rhythm = rhythm
        self._last: Frame | None = None

    def push(self, frame: Frame) -> Findings | None:
        """Take the next frame, 480 samples at 16 kHz, and return what it brought; None if nothing."""
        self._last = frame
        if self._remember:
            self._remember(frame)
        rhythm = self._rhythm.push(frame)
        gate = self._gate.push(frame)
        return self._findings(frame, gate, rhythm) if rhythm or gate else None

    def finish(self, ended_by: Literal["gap", "shutdown"]) -> Findings | None:
        """The sound stops here: end the open segment and return it; None if there is none."""
        if self._last is None:
            return None
        rest = self._gate.finish(ended_by)
        return self._findings(self._last, rest) if rest else None

    def _findings(self, frame: Frame, gate: GateOutput, rhythm: Sequence[Detection] = ()) -> Findings:
        return Findings(
            source=self._source,
            until=frame.ends_at,
            detections=(*rhythm, *gate.detections),
            segments=gate.segments,
            notices=gate.notices,
        )
