"""The gate: frames of one source in; segments, loud noise, levels and problems out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from monitor.audio import FRAME_SAMPLES, Piece, Samples
from monitor.gate.config import GateConfig
from monitor.gate.faults import MicrophoneFaults
from monitor.gate.floor import NoiseFloor
from monitor.gate.habit import Habit
from monitor.gate.level import (
    DIGITAL_SILENCE_BELOW_DBFS,
    SILENCE_DBFS,
    LevelMeter,
    LevelReport,
    Measured,
    Measures,
)
from monitor.gate.loudness import LoudNoise
from monitor.gate.segmenter import Segmenter
from monitor.types import Detection, Frame, Level, Problem, Segment

__all__ = ["Gate", "GateConfig", "GateOutput"]


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
        self._meter = LevelMeter()
        self._floor = NoiseFloor(config.quietest_floor_dbfs)
        self._open_db = config.open_above_floor_db
        self._segmenter = Segmenter(config)
        self._loud_noise = LoudNoise(config.loud_noise_above_floor_db)
        self._calm_below_db = min(self._open_db, self._loud_noise.least_above_db)
        self._condition = MicrophoneFaults(habit)
        self._report = LevelReport(config.level_every_s)
        self._kinds = self._condition.kinds
        self._level_dbfs = SILENCE_DBFS

    @property
    def floor_dbfs(self) -> float:
        """The room's noise floor now, in dBFS."""
        return self._floor.dbfs

    @property
    def opens_from(self) -> float:
        """Mean square of a frame that may open a segment now; 0 while one is open, and before the floor is
        known."""
        if self._segmenter.segment_id is not None or not self._floor.settled:
            return 0.0
        return float(10 ** ((self._floor.dbfs + self._open_db) / 10))

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
        if len(piece.audio) % FRAME_SAMPLES:
            raise ValueError(f"{self._source}: a frame is {FRAME_SAMPLES} samples, not {len(piece.audio)}")
        measures = self._meter.measure(piece.audio.samples)
        calm = not piece.follows_gap and self._condition.are_well(measures)
        found, index = [], 0
        while index < len(measures):
            self._floor.push(measures.level_dbfs[index], _samples(piece, index, index + 1))
            if calm and (frames := self._calm_frames(measures, index)):
                self._pass_over(piece, measures, slice(index, index + frames))
                index += frames
                continue
            if output := self._next(piece, index, measures[index]):
                found.append((index, output))
            index += 1
        return found

    def _calm_frames(self, measures: Measures, first: int) -> int:
        """How many frames from one on change nothing but what is remembered of them. The floor has the
        first."""
        if self._segmenter.segment_id is not None or not self._loud_noise.waits:
            return 0
        wanted = min(self._floor.frames_wanted, self._report.frames_wanted - 1)
        frames = min(wanted, self._condition.frames_to_pass_over, len(measures) - first)
        levels_dbfs = measures.level_dbfs[first : first + frames]
        if not levels_dbfs or min(levels_dbfs) < DIGITAL_SILENCE_BELOW_DBFS:
            return 0
        return 0 if max(levels_dbfs) - self._floor.dbfs >= self._calm_below_db else frames

    def _pass_over(self, piece: Piece, measures: Measures, frames: slice) -> None:
        levels_dbfs = measures.level_dbfs[frames]
        samples = _samples(piece, frames.start, frames.stop)
        self._level_dbfs = levels_dbfs[-1]
        self._floor.collect(levels_dbfs[1:], samples[FRAME_SAMPLES:])
        self._segmenter.pass_over(piece, frames.start, levels_dbfs)
        if self._floor.settled:
            self._loud_noise.pass_over(len(levels_dbfs))
        self._report.is_due(levels_dbfs)
        self._condition.pass_over(measures, frames, samples)

    def _next(self, piece: Piece, index: int, measured: Measured) -> GateOutput:
        segments = self._end_at_gap() if piece.follows_gap and not index else []
        level_dbfs = self._level_dbfs = measured.level_dbfs
        floor_dbfs = self._floor.dbfs
        segments += self._segmenter.hear(piece, index, level_dbfs, floor_dbfs)
        loud: list[Detection] = []
        if self._floor.settled:
            above_db = level_dbfs - floor_dbfs
            if self._loud_noise.waits and above_db < self._loud_noise.least_above_db:
                self._loud_noise.pass_over()
            else:
                segment_id = self._segmenter.segment_id
                loud = self._loud_noise.push(piece.frame(index), level_dbfs, floor_dbfs, segment_id)
        notices: list[Level | Problem] = []
        if self._report.is_due((level_dbfs,)):
            notices.append(self._report.made(self._source, piece.until(index), floor_dbfs))
        self._condition.push(measured, _samples(piece, index, index + 1), piece.captured_at)
        if self._condition.kinds != self._kinds:
            self._kinds = self._condition.kinds
            notices.append(Problem(self._source, piece.until(index), self._kinds))
        if not (segments or loud or notices):
            return _NOTHING
        return self._passed(segments, loud, tuple(notices))

    def finish(self, ended_by: Literal["gap", "shutdown"]) -> GateOutput:
        """End the open segment, if there is one, and return it. More frames may follow."""
        return self._passed(self._segmenter.finish(ended_by))

    def _end_at_gap(self) -> list[Segment]:
        self._loud_noise.forget()
        return self._segmenter.finish("gap")

    def _passed(
        self,
        segments: list[Segment],
        loud: Sequence[Detection] = (),
        notices: tuple[Level | Problem, ...] = (),
    ) -> GateOutput:
        """The output, without segments that lack a required voice, and with the gate's own `speech`."""
        if self._require_speech:
            segments = [one for one in segments if _voice_s(one) >= _LEAST_VOICE_S]
        words = (
            [_speech(one) for one in segments if _voice_s(one) >= _LEAST_SPEECH_S] if self._vad_speech else []
        )
        return GateOutput(tuple(segments), (*words, *loud), notices)


def _samples(piece: Piece, first: int, end: int) -> Samples:
    """Those of some of its frames. No copy."""
    return piece.audio.samples[first * FRAME_SAMPLES : end * FRAME_SAMPLES]


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
