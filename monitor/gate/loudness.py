"""Noise that is far louder than the room's floor."""

from datetime import datetime

from monitor.audio import FRAME_S
from monitor.gate.level import frames_in
from monitor.types import Detection, Frame

_REPEAT_FRAMES = frames_in(0.5)
"""A noise that lasts is reported again each 0.5 s, as early looks are. It must be shorter than the hold of
`loud_noise`, 2 s (`monitor.events.defaults`), or its event would end while the noise lasts."""
_PAUSE_FRAMES = frames_in(1.0)
"""A loud frame after a longer pause than 1 s begins another noise. Chosen: with less, the bangs of one fall
would be many noises; with more, two slams of a door would be one."""
LOUD_ANYWHERE_DBFS = -12.0
"""A frame of this level is loud whatever the floor. Chosen: peaks of noise lie 12 dB above its
RMS (four standard deviations), so that they reach full scale here. Higher, only clipped sound would count;
lower, sound that the microphone records with room to spare."""
LEAST_ABOVE_FLOOR_DB = 12.0
"""How far above the floor a noise must be, however loud the room. Chosen: white noise varies by 0.3 dB
from frame to frame (4.3 dB x sqrt(2 / 480)), a machine by a few; with less it would be its own loud noise."""
_FULL_SCORE_BEYOND_DB = 20.0
"""A noise this far beyond the threshold scores 1. Chosen: the default threshold of 40 dB and 20 dB more
are what lies between a quiet room, at -60 dBFS, and full scale; with less, most noises would score 1."""


class LoudNoise:
    """Returns a `loud_noise` detection for the first frame `above_floor_db` above the floor, and again every
    0.5 s while loud frames follow: these keep the event open. After 1 s without one, the next loud
    frame begins another noise.

    Where the floor is so high that full scale is less than `above_floor_db` above it, -12 dBFS counts as
    loud, if that is 12 dB above the floor: beside a running machine a bang is then still found.
    """

    def __init__(self, above_floor_db: float) -> None:
        self._above_floor_db = above_floor_db
        self.forget()

    def forget(self) -> None:
        """Samples are missing: the next loud frame begins another noise."""
        self._onset: datetime | None = None
        self._frames_since_onset = self._frames_since_loud = self._frames_since_report = 0
        self._loudest_db = self._beyond_db = 0.0

    @property
    def waits(self) -> bool:
        """Whether nothing is to be reported, unless the next frame is loud."""
        return not self._loudest_db

    def pass_over(self, frames: int = 1) -> None:
        """Take frames that are not loud, while it waits."""
        self._frames_since_onset += frames
        self._frames_since_loud += frames
        self._frames_since_report += frames

    def push(
        self, frame: Frame, level_dbfs: float, floor_dbfs: float, segment_id: str | None
    ) -> list[Detection]:
        """Take the next frame with its level, the floor, and the id of the open segment, if there is one."""
        self.pass_over()
        above_db = level_dbfs - floor_dbfs
        beyond_db = above_db - self._asked_db(floor_dbfs)
        if beyond_db >= 0:
            self._note(frame, above_db, beyond_db)
        if self._loudest_db and self._frames_since_report >= _REPEAT_FRAMES and self._onset is not None:
            return [self._report(frame.source, segment_id, self._onset)]
        return []

    def _asked_db(self, floor_dbfs: float) -> float:
        """How far above the floor a frame must be in this room, in dB. The kernel that marks loud frames
        (monitor/native/listen.c) asks the same."""
        to_loud_db = max(LEAST_ABOVE_FLOOR_DB, LOUD_ANYWHERE_DBFS - floor_dbfs)
        return min(self._above_floor_db, to_loud_db)

    def _note(self, frame: Frame, above_db: float, beyond_db: float) -> None:
        if self._onset is None or self._frames_since_loud > _PAUSE_FRAMES:
            self._onset = frame.captured_at
            self._frames_since_onset = 1
            self._frames_since_report = _REPEAT_FRAMES
        self._frames_since_loud = 0
        self._loudest_db = max(self._loudest_db, above_db)
        self._beyond_db = max(self._beyond_db, beyond_db)

    def _report(self, source: str, segment_id: str | None, onset: datetime) -> Detection:
        loudest_db, beyond_db = self._loudest_db, self._beyond_db
        self._loudest_db = self._beyond_db = 0.0
        self._frames_since_report = 0
        return Detection(
            label="loud_noise",
            score=loudness_score(beyond_db),
            classifier="gate",
            source=source,
            started_at=onset,
            duration_s=(self._frames_since_onset - self._frames_since_loud) * FRAME_S,
            segment_id=segment_id,
            evidence={"above_floor_db": round(loudest_db, 1)},
        )


def loudness_score(beyond_db: float) -> float:
    """The score, 0.5-1, of a noise `beyond_db` above the threshold: 0.5 at 0 dB, 1 from 20 dB on."""
    return min(1.0, 0.5 + max(0.0, beyond_db) / (2 * _FULL_SCORE_BEYOND_DB))
