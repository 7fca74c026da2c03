"""Noise that stands far above what the room is used to."""

from datetime import datetime

from monitor.audio import FRAME_S
from monitor.gate.level import frames_in
from monitor.types import Detection, Frame

_REPEAT_FRAMES = frames_in(0.5)
_PAUSE_FRAMES = frames_in(1.0)
_LOUD_ANYWHERE_DBFS = -12.0
_LEAST_ABOVE_FLOOR_DB = 12.0


class LoudNoise:
    """Says `loud_noise` at the first frame that is so far above the floor, and every half second while more
    of them come: a tracker keeps the event open on these. After a pause of a second it is another noise.

    In a room whose floor leaves less than `above_floor_db` up to full scale, -12 dBFS is loud enough, if it
    is 12 dB above the floor: beside a running machine a bang must still be one.
    """

    def __init__(self, above_floor_db: float) -> None:
        self._above_floor_db = above_floor_db
        self.forget()

    def forget(self) -> None:
        """Sound is missing: what comes next is another noise."""
        self._onset: datetime | None = None
        self._frames_since_onset = self._frames_since_loud = self._frames_since_said = 0
        self._loudest_db = self._beyond_db = 0.0

    def push(
        self, frame: Frame, level_dbfs: float, floor_dbfs: float, segment_id: str | None
    ) -> list[Detection]:
        """The next frame with its level and the room's floor, in that segment."""
        self._frames_since_onset += 1
        self._frames_since_loud += 1
        self._frames_since_said += 1
        above_db = level_dbfs - floor_dbfs
        beyond_db = above_db - self._asked_db(floor_dbfs)
        if beyond_db >= 0:
            self._note(frame, above_db, beyond_db)
        if self._loudest_db and self._frames_since_said >= _REPEAT_FRAMES and self._onset is not None:
            return [self._say(frame.source, segment_id, self._onset)]
        return []

    def _asked_db(self, floor_dbfs: float) -> float:
        """How far above the floor is loud in this room."""
        to_loud_db = max(_LEAST_ABOVE_FLOOR_DB, _LOUD_ANYWHERE_DBFS - floor_dbfs)
        return min(self._above_floor_db, to_loud_db)

    def _note(self, frame: Frame, above_db: float, beyond_db: float) -> None:
        if self._onset is None or self._frames_since_loud > _PAUSE_FRAMES:
            self._onset = frame.captured_at
            self._frames_since_onset = 1
            self._frames_since_said = _REPEAT_FRAMES
        self._frames_since_loud = 0
        self._loudest_db = max(self._loudest_db, above_db)
        self._beyond_db = max(self._beyond_db, beyond_db)

    def _say(self, source: str, segment_id: str | None, onset: datetime) -> Detection:
        loudest_db, beyond_db = self._loudest_db, self._beyond_db
        self._loudest_db = self._beyond_db = 0.0
        self._frames_since_said = 0
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
    """0.5 at `loud_noise_above_floor_db`, rising evenly to 1 at 20 dB more."""
    return min(1.0, 0.5 + max(0.0, beyond_db) / 40)
