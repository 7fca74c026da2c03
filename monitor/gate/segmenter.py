"""Cuts whole sounds out of a stream of frames."""

from collections import deque
from dataclasses import dataclass, field

from monitor.audio import FRAME_S, Audio, Piece
from monitor.gate.config import GateConfig
from monitor.gate.level import frames_in
from monitor.gate.voice import VoiceDetector
from monitor.types import Frame, Segment, SegmentEnd, new_id

_SECOND_LOOK = 5 / 3
"""When a new sound is looked at once more, in times of `early_look_s`: after 0.84 s. Chosen on 50 minutes of
scenes: of 52 sounds that one hit begins 36 are told within 0.9 s for 29, at 5 % more looks. Judged on 40
minutes of other sources, full of sound, it changes nothing (14 of 26); out of quiet, with the sounds of
`scripts/bench latency`, 18 of 33 for 15. The look after 1 s stays: without it sounds that begin while
something else goes on are told later."""


@dataclass(frozen=True, slots=True)
class _Buffered:
    """A frame, its level, and whether it sounds and holds voice."""

    frame: Frame
    level_dbfs: float
    sounding: bool = False
    voiced: bool = False


@dataclass(slots=True)
class _Growing:
    """An open segment."""

    floor_dbfs: float
    heard: list[_Buffered]
    id: str = field(default_factory=new_id)
    own_frames: int = 0
    """Frames since the onset, without pre-roll and overlap."""
    quiet_frames: int = 0
    sounded_since_look: bool = False
    continues: bool = False
    """Whether it goes on with a long sound that was cut."""

    def cut(self, ended_by: SegmentEnd, last: int | None = None) -> Segment:
        """A segment of all frames so far, or of the last `last` frames."""
        heard = self.heard[-last:] if last else self.heard
        onset = next((i for i, one in enumerate(heard) if one.sounding), 0)
        since_onset = heard[onset:]
        return Segment(
            id=self.id,
            source=heard[0].frame.source,
            started_at=heard[0].frame.captured_at,
            audio=Audio.join(one.frame.audio for one in heard),
            onset_s=onset * FRAME_S,
            floor_dbfs=self.floor_dbfs,
            peak_dbfs=max(one.level_dbfs for one in heard),
            speech_ratio=sum(one.voiced for one in since_onset) / len(since_onset),
            ended_by=ended_by,
        )


class Segmenter:
    """Turns the frames of one source, with their levels, into segments and early looks. One thread, no clock.

    A frame `open_above_floor_db` above the floor opens a segment. The segment begins `pre_roll_s` earlier and
    ends after `hangover_s` without a frame `close_above_floor_db` above the floor. From onset to end,
    successive segments do not overlap and leave out no sound; only pre-roll and the overlap of long sounds
    are in two segments.
    """

    def __init__(self, config: GateConfig) -> None:
        self._open_db = config.open_above_floor_db
        self._close_db = config.close_above_floor_db
        self._hangover = frames_in(config.hangover_s)
        self._look_every = frames_in(config.early_look_s)
        self._second_look = round(_SECOND_LOOK * self._look_every)
        self._look_length = frames_in(config.look_length_s)
        self._longest = int(config.max_length_s / FRAME_S + 1e-6)
        self._overlap = frames_in(config.overlap_s)
        self._before: deque[tuple[Piece, int, float]] = deque(maxlen=frames_in(config.pre_roll_s))
        self._growing: _Growing | None = None
        self._voice = VoiceDetector()

    @property
    def segment_id(self) -> str | None:
        """The id of the open segment; None if there is none."""
        return self._growing.id if self._growing else None

    def push(self, frame: Frame, level_dbfs: float, floor_dbfs: float) -> list[Segment]:
        """Take the next frame, which follows the last without a gap. Returns at most one segment or look."""
        return self.hear(Piece.of(frame), 0, level_dbfs, floor_dbfs)

    def hear(self, piece: Piece, index: int, level_dbfs: float, floor_dbfs: float) -> list[Segment]:
        """The same for a frame of a piece."""
        above_db = level_dbfs - floor_dbfs
        if self._growing is None:
            if above_db < self._open_db:
                self._before.append((piece, index, level_dbfs))
                return []
            self._growing = _Growing(floor_dbfs, self._pre_roll())
        self._before.append((piece, index, level_dbfs))
        self._grow(self._growing, piece.frame(index), level_dbfs, sounding=above_db >= self._close_db)
        return self._cut(self._growing, floor_dbfs)

    def pass_over(self, piece: Piece, first: int, levels_dbfs: list[float]) -> None:
        """Take frames of a piece, from `first` on, that open no segment while none is open."""
        self._before.extend(
            [(piece, index, level_dbfs) for index, level_dbfs in enumerate(levels_dbfs, first)]
        )

    def finish(self, ended_by: SegmentEnd) -> list[Segment]:
        """End the open segment and forget the pre-roll: the next frame follows a gap."""
        growing, self._growing = self._growing, None
        self._before.clear()
        return [growing.cut(ended_by)] if growing and growing.own_frames else []

    def _pre_roll(self) -> list[_Buffered]:
        """The frames before the onset. The voice detector gets them too: it adapts within a few frames."""
        before = [_Buffered(piece.frame(index), level_dbfs) for piece, index, level_dbfs in self._before]
        for one in before:
            self._voice.hears_voice(one.frame.audio)
        return before

    def _grow(self, growing: _Growing, frame: Frame, level_dbfs: float, sounding: bool) -> None:
        voiced = self._voice.hears_voice(frame.audio)
        growing.heard.append(_Buffered(frame, level_dbfs, sounding, voiced))
        growing.own_frames += 1
        growing.quiet_frames = 0 if sounding else growing.quiet_frames + 1
        growing.sounded_since_look |= sounding

    def _cut(self, growing: _Growing, floor_dbfs: float) -> list[Segment]:
        if growing.quiet_frames >= self._hangover:
            self._growing = None
            return [growing.cut("silence")]
        if len(growing.heard) >= self._longest:
            return [self._continue(growing, floor_dbfs)]
        if growing.sounded_since_look and self._is_due(growing):
            growing.sounded_since_look = False
            return [growing.cut("open", last=self._look_length)]
        return []

    def _is_due(self, growing: _Growing) -> bool:
        """Whether it is time for a look: every so often, and at a new sound once between."""
        frames, every = growing.own_frames, self._look_every
        if not every:
            return False
        return frames % every == 0 or (frames == self._second_look and not growing.continues)

    def _continue(self, growing: _Growing, floor_dbfs: float) -> Segment:
        """Cut a long sound here; the next piece begins with the end of this one."""
        repeated = growing.heard[len(growing.heard) - self._overlap :]
        self._growing = _Growing(floor_dbfs, repeated, quiet_frames=growing.quiet_frames, continues=True)
        return growing.cut("length")
