"""The gate: frames of one source in; segments, loud noise, levels and problems out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeVar

from monitor.audio import FRAME_SAMPLES, Piece
from monitor.gate.config import GateConfig
from monitor.gate.faults import MicrophoneFaults
from monitor.gate.habit import Habit
from monitor.gate.level import SILENCE_DBFS, LevelReport
from monitor.gate.listening import LOUD, FrameMarker, MarkedFrames
from monitor.gate.loudness import LoudNoise
from monitor.gate.segmenter import Segmenter
from monitor.types import Detection, Frame, Level, Problem, Segment

__all__ = ["Gate", "GateConfig", "GateOutput"]


Brought = TypeVar("Brought")
_LEAST_VOICE_S = 0.1
"""Voice that a segment needs where a source says `require: speech`. Chosen: with one frame (0.03 s) a single
wrong decision of the voice detector would pass a bang; with a syllable (0.2 s) a short "no" would be lost."""
_LEAST_SPEECH_S = 0.3
"""Voice from which the gate itself reports `speech`. Chosen: longer than one syllable, of which speech has
four to five a second, so that a bark or a cough is not taken for a word."""


@dataclass(frozen=True, slots=True)
class GateOutput:
    """What one frame brought. False when it brought nothing, which is the usual case."""

    segments: tuple[Segment, ...] = ()
    """Complete segments, and early looks at one that is still open; the earliest onset first."""
    detections: tuple[Detection, ...] = ()
    """`loud_noise`, and `speech` where the gate reports it."""
    notices: tuple[Level | Problem, ...] = ()
    """Level reports, and changes of the microphone's faults."""

    def __bool__(self) -> bool:
        return bool(self.segments or self.detections or self.notices)


_NOTHING = GateOutput()
_At = list[tuple[int, Brought]]
"""What frames brought, each with the index of its frame."""


class Gate:
    """Cuts the sounds of one source into segments, and measures its level, floor and faults.

    Synchronous; one thread, no clock: all times come from the frames. `require_speech` drops segments with
    less than 0.1 s of voice. With `vad_speech` the gate itself returns a `speech` detection for a segment
    with 0.3 s of voice, with the segment's `speech_ratio` as its score; that is for a daemon without any
    classifier. `loud_noise` detections do not depend on either. `habit` is how the source usually is, for
    finding a microphone that is dead; the gate adds to it.
    """

    def __init__(
        self,
        source: str,
        config: GateConfig,
        *,
        require_speech: bool = False,
        vad_speech: bool = False,
        habit: Habit | None = None,
    ) -> None:
        self._source = source
        self._require_speech = require_speech
        self._vad_speech = vad_speech
        self._marker = FrameMarker(config)
        self._open_db = config.open_above_floor_db
        self._segmenter = Segmenter(config)
        self._loud_noise = LoudNoise(config.loud_noise_above_floor_db)
        self._condition = MicrophoneFaults(habit)
        self._report = LevelReport(config.level_every_s)
        self._level_dbfs = SILENCE_DBFS

    @property
    def floor_dbfs(self) -> float:
        """The room's noise floor now, in dBFS."""
        return self._marker.floor.dbfs

    @property
    def opens_from(self) -> float:
        """Mean square of a frame that may open a segment now; 0 while one is open, and before the floor is
        known."""
        floor = self._marker.floor
        if self._segmenter.segment_id is not None or not floor.settled:
            return 0.0
        return float(10 ** ((floor.dbfs + self._open_db) / 10))

    @property
    def level_dbfs(self) -> float:
        """The RMS level of the latest frame above 100 Hz, in dBFS; never below -120."""
        return self._level_dbfs

    def push(self, frame: Frame) -> GateOutput:
        """Return what the next frame brings. ValueError unless it has 480 samples (30 ms at 16 kHz)."""
        found = self.hear(Piece.of(frame))
        return found[0][1] if found else _NOTHING

    def hear(self, piece: Piece) -> list[tuple[int, GateOutput]]:
        """What some frames bring, each output with the index of its frame. The same as frame by frame.
        ValueError unless they are whole frames of 480 samples (30 ms at 16 kHz)."""
        samples = piece.audio.samples
        frames, rest = divmod(len(samples), FRAME_SAMPLES)
        if rest:
            raise ValueError(f"{self._source}: a frame is {FRAME_SAMPLES} samples, not {len(samples)}")
        ended = self._end_at_gap() if piece.follows_gap else []
        found: list[tuple[int, GateOutput]] = []
        first = 0
        while first < frames:
            count = min(frames - first, self._marker.frames_wanted, self._report.frames_wanted)
            heard = self._marker.hear(samples, first, count)
            found += self._brought(piece, heard, [] if first else ended)
            first += count
        return found

    def _brought(
        self, piece: Piece, heard: MarkedFrames, ended: _At[Segment]
    ) -> list[tuple[int, GateOutput]]:
        """What some frames bring that end no later than the level report that is due, and a second."""
        self._level_dbfs = heard.levels_dbfs[-1]
        segments, loud = self._sounds(piece, heard)
        notices: list[tuple[int, Level | Problem]] = []
        if self._report.is_due(len(heard.marks), heard.power):
            report = self._report.made(self._source, piece.until(heard.last), heard.floors_dbfs[-1])
            notices.append((heard.last, report))
        for index, kinds in self._condition.hear(heard, self._marker.recent, piece.captured_at):
            notices.append((index, Problem(self._source, piece.until(index), kinds)))
        if not (ended or segments or loud or notices):
            return []
        segments = [*ended, *segments]
        outputs = (
            (index, self._passed(_at(index, segments), _at(index, loud), _at(index, notices)))
            for index in sorted({index for index, _ in (*segments, *loud, *notices)})
        )
        return [(index, output) for index, output in outputs if output]

    def _sounds(self, piece: Piece, heard: MarkedFrames) -> tuple[_At[Segment], _At[Detection]]:
        if self._loud_noise.waits and not heard.seen & LOUD:
            self._loud_noise.pass_over(len(heard.marks))
            return self._segmenter.hear(piece, heard), []
        segments: _At[Segment] = []
        loud: _At[Detection] = []
        for one in heard.each():  # a loud noise carries the id of the segment that is open then
            segments += self._segmenter.hear(piece, one)
            if self._loud_noise.waits and not one.seen & LOUD:
                self._loud_noise.pass_over()
                continue
            frame, segment_id = piece.frame(one.first), self._segmenter.segment_id
            said = self._loud_noise.push(frame, one.levels_dbfs[0], one.floors_dbfs[0], segment_id)
            loud += [(one.first, detection) for detection in said]
        return segments, loud

    def finish(self, ended_by: Literal["gap", "shutdown"]) -> GateOutput:
        """End the open segment, if there is one, and return it. More frames may follow."""
        return self._passed(self._segmenter.finish(ended_by))

    def _end_at_gap(self) -> _At[Segment]:
        self._loud_noise.forget()
        return [(0, segment) for segment in self._segmenter.finish("gap")]

    def _passed(
        self,
        segments: list[Segment],
        loud: Sequence[Detection] = (),
        notices: Sequence[Level | Problem] = (),
    ) -> GateOutput:
        """The output, without segments that lack a required voice, and with the gate's own `speech`."""
        if self._require_speech:
            segments = [one for one in segments if _voice_s(one) >= _LEAST_VOICE_S]
        words = (
            [_speech(one) for one in segments if _voice_s(one) >= _LEAST_SPEECH_S] if self._vad_speech else []
        )
        return GateOutput(tuple(segments), (*words, *loud), tuple(notices))


def _at(index: int, found: Sequence[tuple[int, Brought]]) -> list[Brought]:
    """What one of the frames brought."""
    return [one for at, one in found if at == index]


def _voice_s(segment: Segment) -> float:
    return segment.speech_ratio * (segment.audio.duration_s - segment.onset_s)


def _speech(segment: Segment) -> Detection:
    onset = segment.started_at + timedelta(seconds=segment.onset_s)
    return Detection(
        label="speech",
        score=segment.speech_ratio,
        classifier="gate",
        source=segment.source,
        started_at=onset,
        duration_s=segment.audio.duration_s - segment.onset_s,
        segment_id=segment.id,
    )
