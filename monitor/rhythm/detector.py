"""The rhythm detector of one source: every frame in, detections with measured evidence out."""

from datetime import datetime, timedelta

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from monitor.rhythm import counting, pulse_trains
from monitor.rhythm.report import PatternReport
from monitor.rhythm.spectrum import HOP, SMOOTHED, WINDOW
from monitor.rhythm.tracker import RhythmTracker
from monitor.types import Detection, Frame

HIGHEST_SCORES = {
    "smoke_alarm": counting.HIGHEST_SCORE,
    "co_alarm": counting.HIGHEST_SCORE,
    "unknown_alarm": pulse_trains.HIGHEST_SCORE,
    "low_battery_chirp": pulse_trains.HIGHEST_SCORE,
}
"""Every label that it finds, and the highest score that it gives."""
LABELS = tuple(HIGHEST_SCORES)
"""Every label that it finds."""

_LONGEST_GAP_S = 10.0
"""A longer gap is skipped, a shorter one is filled with silence. As long as the history (`history.HOPS`), so
that nothing from before a skipped gap could still be part of a cycle."""
_LAG_SAMPLES = WINDOW // 2 + (SMOOTHED - 1) * HOP // 2 - HOP
"""A row is numbered by its newest hop; a tone shows when it fills half of what the row averages. By
arithmetic."""


class RhythmDetector:
    """Finds alarm rhythms in the frames of one source; it gets every frame, whether the gate is open or not.

    Synchronous; one thread, no clock. Missing samples (`follows_gap`) count as silence of that length, so
    that the beeps behind a gap keep their place in the rhythm. After a gap of more than 10 s only the count
    of cycles is kept.
    """

    labels = LABELS

    def __init__(self, source: str) -> None:
        self._source = source
        self._tracker = RhythmTracker()
        self._next_at: datetime | None = None

    def push(self, frame: Frame) -> list[Detection]:
        """Take a frame of any length and return what it completes, usually nothing. Raises ValueError unless
        the frame is at 16 kHz."""
        if frame.audio.sample_rate_hz != SAMPLE_RATE_HZ:
            raise ValueError(f"{frame.source}: rhythm needs 16000 Hz, not {frame.audio.sample_rate_hz}")
        heard = self._bridge(frame) if frame.follows_gap else []
        heard += self._tracker.push(frame.audio.samples)
        self._next_at = frame.ends_at
        return [self._detection(found, frame.ends_at) for found in heard]

    def _bridge(self, frame: Frame) -> list[PatternReport]:
        if self._next_at is None:
            return []
        missing_s = (frame.captured_at - self._next_at).total_seconds()
        if missing_s <= 0:
            return []
        if missing_s > _LONGEST_GAP_S:
            self._tracker.skip(missing_s)
            return []
        return self._tracker.push(np.zeros(round(missing_s * SAMPLE_RATE_HZ), np.float32))

    def _detection(self, heard: PatternReport, now: datetime) -> Detection:
        started_at = self._at(heard.onset, now)
        return Detection(
            label=heard.label,
            score=heard.score,
            classifier="rhythm",
            source=self._source,
            started_at=started_at,
            duration_s=(heard.end - heard.onset) * HOP / SAMPLE_RATE_HZ,
            certainty=heard.certainty,
            evidence=_evidence(heard),
        )

    def _at(self, hop: int, now: datetime) -> datetime:
        """UTC of a hop, counted back from the newest sample: exact even after a clock was set."""
        samples_ago = self._tracker.samples_heard - (hop * HOP - _LAG_SAMPLES)
        return now - timedelta(seconds=samples_ago / SAMPLE_RATE_HZ)


def _evidence(heard: PatternReport) -> dict[str, str | int | float]:
    measured: dict[str, str | int | float] = {
        "pattern": heard.pattern,
        "cycles": heard.cycles,
        "on_s": round(heard.on_s, 3),
        "off_s": round(heard.off_s, 3),
        "pitch_hz": round(heard.pitch_hz),
        "snr_db": round(heard.snr_db, 1),
        "hold_s": heard.hold_s,
    }
    return measured if heard.pause_s is None else measured | {"pause_s": round(heard.pause_s, 2)}
