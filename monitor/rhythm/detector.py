"""The rhythm detector of one source: every frame in, detections with measured evidence out."""

from datetime import datetime, timedelta

import numpy as np

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Piece
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
"""A longer gap is skipped, a shorter one is filled with silence. Chosen: as long as the history
(`monitor.rhythm.history`), so that nothing from before a skipped gap could still be part of a cycle."""
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
        self._last: Frame | Piece | None = None

    @property
    def is_following(self) -> bool:
        """Whether a tone stands out of the last second, or an alarm is known."""
        return self._tracker.is_following

    def push(self, frame: Frame) -> list[Detection]:
        """Take a frame of any length and return what it completes, usually nothing. Raises ValueError unless
        the frame is at 16 kHz."""
        heard = self._begin(frame) + self._tracker.push(frame.audio.samples)
        return [self._detection(found, frame.ends_at) for found in heard]

    def hear(self, piece: Piece) -> list[tuple[int, Detection]]:
        """What some frames complete, each detection with the index of its frame. The same as frame by frame.
        Raises ValueError as `push` does."""
        # What the gap before it completes is dated by the first frame.
        found = [(0, self._detection(report, piece.until(0), FRAME_SAMPLES)) for report in self._begin(piece)]
        samples, at = piece.audio.samples, 0
        while at < len(samples):
            taken = min(self._tracker.samples_wanted, len(samples) - at)
            reports = self._tracker.push(samples[at : at + taken])
            at += taken
            if reports:
                index = (at - 1) // FRAME_SAMPLES
                ahead = (index + 1) * FRAME_SAMPLES - at
                found += [(index, self._detection(each, piece.until(index), ahead)) for each in reports]
        return found

    def _begin(self, sound: Frame | Piece) -> list[PatternReport]:
        if sound.audio.sample_rate_hz != SAMPLE_RATE_HZ:
            raise ValueError(f"{sound.source}: rhythm needs 16000 Hz, not {sound.audio.sample_rate_hz}")
        last, self._last = self._last, sound
        return (
            self._bridge((sound.captured_at - last.ends_at).total_seconds())
            if sound.follows_gap and last
            else []
        )

    def _bridge(self, missing_s: float) -> list[PatternReport]:
        if missing_s <= 0:
            return []
        if missing_s > _LONGEST_GAP_S:
            self._tracker.skip(missing_s)
            return []
        return self._tracker.push(np.zeros(round(missing_s * SAMPLE_RATE_HZ), np.float32))

    def _detection(self, heard: PatternReport, now: datetime, ahead: int = 0) -> Detection:
        """`now` is the end of a frame of which `ahead` samples are still to be taken."""
        started_at = self._at(heard.onset, now, ahead)
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

    def _at(self, hop: int, now: datetime, ahead: int) -> datetime:
        """UTC of a hop, counted back from the newest sample: exact even after a clock was set."""
        samples_ago = self._tracker.samples_heard + ahead - (hop * HOP - _LAG_SAMPLES)
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
