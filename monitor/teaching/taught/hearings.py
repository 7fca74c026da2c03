"""Hearings of one thing: from recordings, from events, and from what the microphones hear now."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from monitor.audio import FRAME_S, SAMPLE_RATE_HZ, Audio
from monitor.classifiers.taggers.embedded import EmbeddedClassifier
from monitor.classifiers.taught.rhythm import heard_beeps, unpacked_beeps
from monitor.classifiers.taught.sound import unpacked
from monitor.clock import BEGINNING
from monitor.events.defaults import DEFAULTS
from monitor.labels import LIFE_SAFETY, label_name
from monitor.rhythm.detector import RhythmDetector
from monitor.store.codec import decode
from monitor.teaching.taught.heard import KeptSound, beeps_of
from monitor.teaching.taught.learning import Hearing
from monitor.types import Detection, Frame, Segment, SoundEvent, new_id

PIECE_S, STEP_S, MOST_PIECES = 3.0, 1.5, 8
"""A clip is judged in pieces as long as an early look, the loudest of it first."""
AROUND_S = 0.5
LONGEST_S = 12.0
"""So much of a recording is read for its rhythm: a sound that the daemon hears is cut before that."""
QUIETEST_DBFS = -65.0
AUDIBLE_DB = 25.0
"""What lies this far below a clip's loudest 50 ms is not the sound."""
CLIPPED_SHARE = 0.01
SPEECH_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class Unfit:
    """A recording that teaches nothing, or must not."""

    name: str
    reason: str
    alarm: bool = False
    """It is an alarm that may save a life: nothing is taught with it."""


def from_clip(name: str, clip: Audio, classifier: EmbeddedClassifier) -> Hearing | Unfit:
    """What a recording is like, 16 kHz; the classifier is loaded. Raises ClassifyError."""
    if clip.peak_dbfs < QUIETEST_DBFS:
        return Unfit(name, f"too quiet to be heard ({clip.peak_dbfs:.0f} dBFS at its loudest)")
    if float(np.mean(np.abs(clip.samples) > 0.99)) > CLIPPED_SHARE:
        return Unfit(name, "overdriven; record it from further away, or with less gain")
    pieces = [_segment(piece) for piece in _pieces(clip)]
    found = classifier.classify(pieces)
    if alarm := _alarm(clip, found):
        return Unfit(name, f"sounds like a {label_name(alarm)}, which is heard without teaching", alarm=True)
    if max((one.score for one in found if one.label == "speech"), default=0.0) >= SPEECH_SCORE:
        return Unfit(name, "somebody speaks in it; record it anew while nobody does")
    each = {one.segment_id: one.embedding for one in found if one.embedding}
    start_s, end_s = _audible(clip)
    return Hearing(
        name,
        np.mean([unpacked(one) for one in each.values()], axis=0),
        clip=name,
        beeps=heard_beeps(clip.slice(start_s, min(end_s, start_s + LONGEST_S))),
    )


def from_event(rows: sqlite3.Connection, event_id: str) -> Hearing | Unfit | None:
    """The hearing of an event, or of a sound that was none; None where the history has no such id."""
    found = rows.execute(
        "SELECT body FROM said WHERE kind = 'SoundEvent' AND id = ? ORDER BY number DESC LIMIT 1", (event_id,)
    ).fetchone()
    if found is None:
        kept = _of_segments(rows, [event_id])
        if not kept:
            return None
        beeps = unpacked_beeps(beeps_of(rows, event_id))
        return Hearing(event_id, unpacked(kept[0][1]), segment_id=event_id, beeps=beeps)
    event = decode(found[0])
    assert isinstance(event, SoundEvent)  # by its kind
    name = f"{event_id} ({event.label.replace('_', ' ')}, {event.source})"
    if event.label in LIFE_SAFETY:
        return Unfit(name, "an alarm that may save a life is heard without teaching", alarm=True)
    kept = _of_segments(rows, event.segment_ids)
    if not kept:
        return Unfit(name, "nothing of its sound is kept: words may be in it, or it is too long ago")
    mean = np.mean([unpacked(blob) for _, blob in kept], axis=0)
    return Hearing(name, mean, segment_id=kept[0][0], beeps=unpacked_beeps(beeps_of(rows, kept[0][0])))


def of_heard(one: KeptSound) -> Hearing:
    """The hearing of a sound that is over, named by when and where it was heard."""
    taken_for = f", like {one.label.replace('_', ' ')}" if one.label else ""
    name = f"{one.at.astimezone():%H:%M:%S} {one.source}{taken_for}"
    beeps = unpacked_beeps(one.beeps)
    return Hearing(name, unpacked(one.embedding), segment_id=one.segment_id, beeps=beeps)


def _of_segments(rows: sqlite3.Connection, ids: Sequence[str]) -> list[tuple[str, bytes]]:
    marks = ", ".join("?" * len(ids))
    for table in ("background", "embedding"):
        query = f"SELECT segment_id, embedding FROM {table} WHERE segment_id IN ({marks})"  # noqa: S608
        if found := rows.execute(query, tuple(ids)).fetchall():
            return found
    return []


def _audible(clip: Audio) -> tuple[float, float]:
    """From when to when the sound is in a recording, in seconds."""
    width = SAMPLE_RATE_HZ // 20
    power = np.convolve(clip.samples.astype(np.float64) ** 2, np.ones(width) / width, "same")
    loud = np.flatnonzero(power > power.max() * 10 ** (-AUDIBLE_DB / 10))
    start_s = max(0.0, loud[0] / SAMPLE_RATE_HZ - AROUND_S)
    return start_s, min(clip.duration_s, loud[-1] / SAMPLE_RATE_HZ + AROUND_S)


def _pieces(clip: Audio) -> list[Audio]:
    """Of the part in which the sound is, at most so many pieces."""
    start_s, end_s = _audible(clip)
    if end_s - start_s <= PIECE_S:
        return [clip.slice(start_s, end_s)]
    starts_s = np.arange(start_s, end_s - PIECE_S + 0.01, STEP_S)
    pieces = [clip.slice(float(at_s), float(at_s) + PIECE_S) for at_s in starts_s]
    return sorted(pieces, key=lambda one: -one.rms_dbfs)[:MOST_PIECES]


def _segment(piece: Audio) -> Segment:
    return Segment(new_id(), _CLIP, BEGINNING, piece, 0.0, -80.0, piece.peak_dbfs, 0.0, "silence")


def _alarm(clip: Audio, found: Sequence[Detection]) -> str | None:
    """The alarm that a recording holds, by its rhythm or by the model."""
    for one in found:
        if one.label in LIFE_SAFETY and one.score >= DEFAULTS[one.label].onset:
            return one.label
    detector = RhythmDetector(_CLIP)
    for number in range(int(clip.duration_s / FRAME_S)):
        at = BEGINNING + timedelta(seconds=number * FRAME_S)
        frame = Frame(_CLIP, at, clip.slice(number * FRAME_S, (number + 1) * FRAME_S))
        for heard in detector.push(frame):
            if heard.label in LIFE_SAFETY:
                return heard.label
    return None


_CLIP = "clip"


def readable(clips: Sequence[str]) -> list[Path]:
    """Those of the recordings that are still there."""
    return [path for clip in clips if (path := Path(clip)).is_file()]
