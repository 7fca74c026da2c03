"""Noise that stands far above what the room is used to."""

from datetime import UTC, datetime, timedelta

from monitor.gate.level import frames_in
from monitor.types import Detection, Frame

_REPEAT_FRAMES = frames_in(0.5)
_PAUSE = timedelta(seconds=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


class LoudNoise:
    """Says `loud_noise` at the first frame that is so far above the floor, and every half second while more
    of them come: a tracker keeps the event open on these. After a pause of a second it is another noise."""

    def __init__(self, above_floor_db: float) -> None:
        self._above_floor_db = above_floor_db
        self._onset = self._until = _NEVER
        self._frames_since_said = 0
        self._loudest_db = 0.0

    def push(self, frame: Frame, above_db: float, segment_id: str | None) -> list[Detection]:
        """The next frame, `above_db` above the floor, in that segment."""
        self._frames_since_said += 1
        if above_db >= self._above_floor_db:
            self._note(frame, above_db)
        if self._loudest_db and self._frames_since_said >= _REPEAT_FRAMES:
            return [self._say(frame.source, segment_id)]
        return []

    def _note(self, frame: Frame, above_db: float) -> None:
        if frame.captured_at - self._until > _PAUSE:
            self._onset = frame.captured_at
            self._frames_since_said = _REPEAT_FRAMES
        self._until = frame.ends_at
        self._loudest_db = max(self._loudest_db, above_db)

    def _say(self, source: str, segment_id: str | None) -> Detection:
        loudest_db, self._loudest_db = self._loudest_db, 0.0
        self._frames_since_said = 0
        return Detection(
            label="loud_noise",
            score=loudness_score(loudest_db - self._above_floor_db),
            classifier="gate",
            source=source,
            started_at=self._onset,
            duration_s=(self._until - self._onset).total_seconds(),
            segment_id=segment_id,
            evidence={"above_floor_db": round(loudest_db, 1)},
        )


def loudness_score(beyond_db: float) -> float:
    """0.5 at `loud_noise_above_floor_db`, rising evenly to 1 at 20 dB more."""
    return min(1.0, 0.5 + max(0.0, beyond_db) / 40)
