"""The gate: frames of one source in; segments, loud noise, levels and problems out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from monitor.audio import FRAME_SAMPLES
from monitor.gate.config import GateConfig
from monitor.gate.faults import MicrophoneFaults
from monitor.gate.floor import NoiseFloor
from monitor.gate.level import SILENCE_DBFS, LevelReport, measure
from monitor.gate.loudness import LoudNoise
from monitor.gate.segmenter import Segmenter
from monitor.types import Detection, Frame, Level, Problem, Segment

__all__ = ["Gate", "GateConfig", "GateOutput"]


_VOICE_S = 0.1
_WORD_S = 0.3


@dataclass(frozen=True, slots=True)
class GateOutput:
    """What a frame brought; false when it brought nothing, as most do."""

    segments: tuple[Segment, ...] = ()
    """Complete ones and early looks, by their onset."""
    detections: tuple[Detection, ...] = ()
    notices: tuple[Level | Problem, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.segments or self.detections or self.notices)


_NOTHING = GateOutput()


class Gate:
    """Listens to one source. Plain and synchronous: one thread, no clock; all times come from the frames.

    `require_speech` withholds segments with less than 0.1 s of voice. `vad_speech` makes the gate say
    `speech`, with the segment's `speech_ratio` as the score, of segments with 0.3 s of voice: for a daemon
    without any classifier. `loud_noise` is always said.
    """

    def __init__(
        self, source: str, config: GateConfig, *, require_speech: bool = False, vad_speech: bool = False
    ) -> None:
        self._source = source
        self._require_speech = require_speech
        self._vad_speech = vad_speech
        self._floor = NoiseFloor(config.quietest_floor_dbfs)
        self._segmenter = Segmenter(config)
        self._loud_noise = LoudNoise(config.loud_noise_above_floor_db)
        self._condition = MicrophoneFaults()
        self._report = LevelReport(config.level_every_s)
        self._kinds = self._condition.kinds
        self._level_dbfs = SILENCE_DBFS

    @property
    def floor_dbfs(self) -> float:
        """The room's noise floor as it is known now."""
        return self._floor.dbfs

    @property
    def level_dbfs(self) -> float:
        """The RMS level above 100 Hz of the latest frame; never below -120."""
        return self._level_dbfs

    def push(self, frame: Frame) -> GateOutput:
        """What the next frame brings. ValueError unless it is 480 samples (30 ms at 16 kHz)."""
        if len(frame.audio) != FRAME_SAMPLES:
            raise ValueError(f"{self._source}: a frame is {FRAME_SAMPLES} samples, not {len(frame.audio)}")
        segments = self._end_at_gap() if frame.follows_gap else []
        samples = frame.audio.samples
        measured = measure(samples)
        level_dbfs = self._level_dbfs = measured.level_dbfs
        self._floor.push(level_dbfs, samples)
        floor_dbfs = self._floor.dbfs
        segments += self._segmenter.push(frame, level_dbfs, floor_dbfs)
        loud: list[Detection] = []
        if self._floor.settled:
            loud = self._loud_noise.push(frame, level_dbfs, floor_dbfs, self._segmenter.segment_id)
        levels = self._report.push(frame, level_dbfs, floor_dbfs)
        self._condition.push(measured, samples)
        problems = self._problem(frame)
        if not (segments or loud or levels or problems):
            return _NOTHING
        return self._passed(segments, loud, (*levels, *problems))

    def finish(self, ended_by: Literal["gap", "shutdown"]) -> GateOutput:
        """End the segment that is open, with what there is of it; nothing if none is. More frames may
        follow."""
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
        """Without the segments in which a voice is demanded and missing; with the gate's own `speech`."""
        if self._require_speech:
            segments = [one for one in segments if _voice_s(one) >= _VOICE_S]
        words = [_speech(one) for one in segments if _voice_s(one) >= _WORD_S] if self._vad_speech else []
        return GateOutput(tuple(segments), (*words, *loud), notices)

    def _problem(self, frame: Frame) -> list[Problem]:
        if self._condition.kinds == self._kinds:
            return []
        self._kinds = self._condition.kinds
        return [Problem(self._source, frame.ends_at, self._kinds)]


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
