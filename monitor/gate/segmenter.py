"""Cuts whole sounds out of a stream of frames."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio, Piece, Samples
from monitor.gate.config import GateConfig
from monitor.gate.level import frames_in
from monitor.gate.listening import OPENS, SOUNDS, MarkedFrames
from monitor.gate.voice import VoiceDetector
from monitor.types import Segment, SegmentEnd, new_id

_SECOND_LOOK = 5 / 3
"""When a new sound is looked at once more, in times of `early_look_s`: after 0.84 s. Chosen on 50 minutes of
scenes: of 52 sounds that one hit begins 36 are told within 0.9 s for 29, at 5 % more looks. Judged on 40
minutes of other sources, full of sound, it changes nothing (14 of 26); out of quiet, with the sounds of
`scripts/bench latency`, 18 of 33 for 15. The look after 1 s stays: without it sounds that begin while
something else goes on are told later."""


class _Run(NamedTuple):
    """Successive frames of a piece, with their levels."""

    piece: Piece
    first: int
    levels_dbfs: list[float]

    def latest(self, frames: int) -> "_Run":
        """The last so many of them, or all."""
        over = len(self.levels_dbfs) - frames
        return self if over <= 0 else _Run(self.piece, self.first + over, self.levels_dbfs[over:])

    @property
    def samples(self) -> Samples:
        """Its sound. No copy."""
        end = self.first + len(self.levels_dbfs)
        return self.piece.audio.samples[self.first * FRAME_SAMPLES : end * FRAME_SAMPLES]


def _latest(runs: Sequence[_Run], frames: int) -> list[_Run]:
    """The last so many frames of the runs, or all."""
    taken = []
    for run in reversed(runs):
        if frames <= 0:
            break
        taken.append(run.latest(frames))
        frames -= len(run.levels_dbfs)
    return taken[::-1]


def _joined(runs: Sequence[_Run]) -> Audio:
    return Audio(np.concatenate([run.samples for run in runs]), SAMPLE_RATE_HZ)


@dataclass(slots=True)
class _Growing:
    """An open segment."""

    floor_dbfs: float
    runs: list[_Run]
    sounding: bytearray
    """For each frame whether it sounds."""
    voiced: bytearray
    """And whether it holds voice, as far as that was asked: before each cut."""
    id: str = field(default_factory=new_id)
    own_frames: int = 0
    """Frames since the onset, without pre-roll and overlap."""
    quiet_frames: int = 0
    sounded_since_look: bool = False
    continues: bool = False
    """Whether it goes on with a long sound that was cut."""

    def cut(self, ended_by: SegmentEnd, last: int = 0) -> Segment:
        """A segment of all frames so far, or of the last `last` frames."""
        heard = _latest(self.runs, last) if last else self.runs
        onset = max(0, self.sounding[-last:].find(1))
        since_onset = self.voiced[-last:][onset:]
        began = heard[0]
        return Segment(
            id=self.id,
            source=began.piece.source,
            started_at=began.piece.begins(began.first),
            audio=_joined(heard),
            onset_s=onset * FRAME_S,
            floor_dbfs=self.floor_dbfs,
            peak_dbfs=max(max(run.levels_dbfs) for run in heard),
            speech_ratio=sum(since_onset) / len(since_onset),
            ended_by=ended_by,
        )


class Segmenter:
    """Turns the frames of one source, with their marks, into segments and early looks. One thread, no clock.

    A frame `open_above_floor_db` above the floor opens a segment. The segment begins `pre_roll_s` earlier and
    ends after `hangover_s` without a frame `close_above_floor_db` above the floor. From onset to end,
    successive segments do not overlap and leave out no sound; only pre-roll and the overlap of long sounds
    are in two segments.
    """

    def __init__(self, config: GateConfig) -> None:
        self._hangover = frames_in(config.hangover_s)
        self._look_every = frames_in(config.early_look_s)
        self._second_look = round(_SECOND_LOOK * self._look_every)
        self._look_length = frames_in(config.look_length_s)
        self._longest = int(config.max_length_s / FRAME_S + 1e-6)
        self._overlap = frames_in(config.overlap_s)
        self._pre_roll = frames_in(config.pre_roll_s)
        self._before: deque[_Run] = deque()
        """Stretches with the last `_pre_roll` frames, and their number of frames."""
        self._before_frames = 0
        self._growing: _Growing | None = None
        self._voice = VoiceDetector()

    @property
    def segment_id(self) -> str | None:
        """The id of the open segment; None if there is none."""
        return self._growing.id if self._growing else None

    def hear(self, piece: Piece, heard: MarkedFrames) -> list[tuple[int, Segment]]:
        """Take the next frames of a piece, which follow the last without a gap. Returns segments and looks,
        each with the index of the frame that brought it."""
        found, at, end = [], 0, len(heard.marks)
        while at < end:
            growing = self._growing
            if growing is None:
                opens = _opening(heard, at)
                self._remember(piece, heard, at, opens)
                at = opens
                if at == end:
                    break
                growing = self._growing = self._opened(heard.floors_dbfs[at])
            cut_at = self._grown(growing, heard, at)
            growing.runs.append(self._remember(piece, heard, at, cut_at))
            at = cut_at
            if segment := self._cut(growing, heard.floors_dbfs[at - 1]):
                found.append((heard.first + at - 1, segment))
        return found

    def finish(self, ended_by: SegmentEnd) -> list[Segment]:
        """End the open segment and forget the pre-roll: the next frame follows a gap."""
        growing, self._growing = self._growing, None
        self._before.clear()
        self._before_frames = 0
        return [self._voiced(growing).cut(ended_by)] if growing and growing.own_frames else []

    def _remember(self, piece: Piece, heard: MarkedFrames, at: int, end: int) -> _Run:
        """Keep frames for the pre-roll of the next segment."""
        run = _Run(piece, heard.first + at, heard.levels_dbfs[at:end])
        if end > at:
            self._before.append(run)
            self._before_frames += end - at
            while self._before and self._before_frames - len(self._before[0].levels_dbfs) >= self._pre_roll:
                self._before_frames -= len(self._before.popleft().levels_dbfs)
        return run

    def _opened(self, floor_dbfs: float) -> _Growing:
        """A segment with its pre-roll. The voice detector gets that too: it adapts within a few frames."""
        before = _latest(self._before, self._pre_roll)
        frames = sum(len(run.levels_dbfs) for run in before)
        if frames:
            self._voice.hear(_joined(before))
        return _Growing(floor_dbfs, before, bytearray(frames), bytearray(frames))

    def _grown(self, growing: _Growing, heard: MarkedFrames, at: int) -> int:
        """Count the frames from `at` on, up to one at which something is cut: where those after it begin."""
        for index in range(at, len(heard.marks)):
            sounding = heard.marks[index] & SOUNDS > 0
            growing.sounding.append(sounding)
            growing.own_frames += 1
            growing.quiet_frames = 0 if sounding else growing.quiet_frames + 1
            growing.sounded_since_look |= sounding
            if self._is_over(growing) or self._is_too_long(growing) or self._is_due(growing):
                return index + 1
        return len(heard.marks)

    def _cut(self, growing: _Growing, floor_dbfs: float) -> Segment | None:
        if self._is_over(growing):
            self._growing = None
            return self._voiced(growing).cut("silence")
        if self._is_too_long(growing):
            return self._continue(self._voiced(growing), floor_dbfs)
        if self._is_due(growing):
            growing.sounded_since_look = False
            return self._voiced(growing).cut("open", last=self._look_length)
        return None

    def _is_over(self, growing: _Growing) -> bool:
        return growing.quiet_frames >= self._hangover

    def _is_too_long(self, growing: _Growing) -> bool:
        return len(growing.sounding) >= self._longest

    def _is_due(self, growing: _Growing) -> bool:
        """Whether it is time for a look: every so often, and at a new sound once between."""
        frames, every = growing.own_frames, self._look_every
        if not every or not growing.sounded_since_look:
            return False
        return frames % every == 0 or (frames == self._second_look and not growing.continues)

    def _continue(self, growing: _Growing, floor_dbfs: float) -> Segment:
        """Cut a long sound here; the next piece begins with the end of this one."""
        begin = len(growing.sounding) - self._overlap
        self._growing = _Growing(
            floor_dbfs,
            _latest(growing.runs, self._overlap),
            growing.sounding[begin:],
            growing.voiced[begin:],
            quiet_frames=growing.quiet_frames,
            continues=True,
        )
        return growing.cut("length")

    def _voiced(self, growing: _Growing) -> _Growing:
        """The segment, once all its frames were asked for voice."""
        unasked = len(growing.sounding) - len(growing.voiced)
        if unasked:
            growing.voiced += self._voice.hear(_joined(_latest(growing.runs, unasked)))
        return growing


def _opening(heard: MarkedFrames, at: int) -> int:
    """The first frame from `at` on that opens a segment; past the last if none does."""
    if heard.seen & OPENS:
        for index in range(at, len(heard.marks)):
            if heard.marks[index] & OPENS:
                return index
    return len(heard.marks)
