"""The first half of the loop, one per source: every frame goes to rhythm detector, gate and meter."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from monitor.audio import Piece
from monitor.gate.gate import Gate, GateOutput
from monitor.loudness.meter import MinuteMeter
from monitor.rhythm.detector import RhythmDetector
from monitor.types import Detection, Findings, Frame


class FrontEnd:
    """The gate, the rhythm detector and the meter of one source. Synchronous; one thread, no clock."""

    def __init__(
        self, source: str, gate: Gate, rhythm: RhythmDetector, remember: Callable[[Piece], bool] | None = None
    ) -> None:
        """`remember` is given each piece first, and returns whether somebody follows the source meanwhile."""
        self._source = source
        self._remember = remember
        self._gate = gate
        self._rhythm = rhythm
        self._meter = MinuteMeter(source)
        self._last: Piece | None = None
        self._followed = False

    @property
    def calm_below(self) -> float:
        """Mean square of a frame below which nothing begins; 0 while something goes on, or somebody follows
        the source, who would else be a second behind. See `Source`."""
        return 0.0 if self._followed or self._rhythm.is_following else self._gate.opens_from

    def push(self, frame: Frame) -> Findings | None:
        """Take the next frame, 480 samples at 16 kHz, and return what it brought; None if nothing."""
        found = self.hear(Piece.of(frame))
        return found[0] if found else None

    def hear(self, piece: Piece) -> list[Findings]:
        """Take the next frames and return what they brought, in order: nothing, mostly. It does not matter
        how the sound is cut into pieces."""
        self._last = piece
        if self._remember:
            self._followed = self._remember(piece)
        rhythm, gate, minutes = self._rhythm.hear(piece), self._gate.hear(piece), self._meter.hear(piece)
        if not rhythm and not gate and not minutes:
            return []
        outputs = dict(gate)
        found = [
            self._findings(piece.until(i), outputs.get(i, GateOutput()), [d for at, d in rhythm if at == i])
            for i in sorted({*outputs, *(at for at, _ in rhythm)})
        ]
        return [*found, Findings(self._source, piece.ends_at, notices=tuple(minutes))] if minutes else found

    def finish(self, ended_by: Literal["gap", "shutdown"]) -> Findings | None:
        """The sound stops here: end the open segment and the minute, and return them; None if there is
        neither."""
        if self._last is None:
            return None
        rest, minutes = self._gate.finish(ended_by), self._meter.finish()
        if not rest and not minutes:
            return None
        found = self._findings(self._last.ends_at, rest)
        return replace(found, notices=(*found.notices, *minutes))

    def _findings(self, until: datetime, gate: GateOutput, rhythm: Sequence[Detection] = ()) -> Findings:
        return Findings(
            source=self._source,
            until=until,
            detections=(*rhythm, *gate.detections),
            segments=gate.segments,
            notices=gate.notices,
        )
