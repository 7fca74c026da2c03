"""A classifier's scores of whole recordings, also with noise added."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.base import Classifier, judged
from monitor.clock import BEGINNING
from monitor.types import Segment, new_id


@dataclass(frozen=True, slots=True)
class FileScores:
    """A classifier's scores of one recording."""

    duration_s: float
    scores: dict[str, float]
    """Maximum over windows, by label."""
    emotion: dict[str, float]
    """Of the window in which a voice was surest; empty where no voice was heard."""
    frames: tuple[tuple[float, dict[str, float]], ...]
    """Start and scores of each window."""


def classify_file(audio: Audio, classifier: Classifier) -> FileScores:
    """Windows of the classifier's own length over the whole recording. Raises ClassifyError."""
    pieces = [
        _segment(audio, start_s, classifier.window_s) for start_s in starts_s(audio.duration_s, classifier)
    ]
    frames: dict[str, tuple[float, dict[str, float]]] = {
        piece.id: ((piece.started_at - BEGINNING).total_seconds(), {}) for piece in pieces
    }
    emotion: dict[str, float] = {}
    surest = 0.0
    for heard in judged(classifier, pieces):
        frames[heard.segment_id or ""][1][heard.label] = heard.score
        if heard.emotion and heard.score >= surest:
            surest, emotion = heard.score, dict(heard.emotion)
    scores = {
        label: max(predicted.get(label, 0.0) for _, predicted in frames.values())
        for label in classifier.labels
    }
    return FileScores(audio.duration_s, scores, emotion, tuple(frames.values()))


def starts_s(duration_s: float, classifier: Classifier) -> list[float]:
    """Where the windows of a recording start; the last one reaches its end."""
    beyond_s = duration_s - classifier.window_s
    count = max(1, 1 + int(np.ceil(beyond_s / classifier.hop_s - 1e-9)))
    return [n * classifier.hop_s for n in range(count)]


def _segment(audio: Audio, start_s: float, length_s: float) -> Segment:
    piece = audio.slice(start_s, start_s + length_s)
    return Segment(
        id=new_id(),
        source="file",
        started_at=BEGINNING + timedelta(seconds=start_s),
        audio=piece,
        onset_s=0.0,
        floor_dbfs=-100.0,
        peak_dbfs=piece.rms_dbfs,
        speech_ratio=0.0,
        ended_by="silence",
    )


def noisy(audio: Audio, noise: Samples, snr_db: float) -> Audio:
    """The recording over `noise` (repeated or cut to its length), so that while the sound sounds it is
    `snr_db` above the noise. Rates must agree."""
    behind = np.resize(noise, len(audio.samples))
    gain = active_rms(audio.samples) / max(float(np.sqrt(np.mean(np.square(behind)))), 1e-9)
    mixed = audio.samples + behind * np.float32(gain * 10 ** (-snr_db / 20))
    return Audio(
        (mixed / max(1.0, float(np.abs(mixed).max(initial=0)))).astype(np.float32), audio.sample_rate_hz
    )


def active_rms(samples: Samples, piece: int = SAMPLE_RATE_HZ // 20) -> float:
    """Level over the 50 ms pieces within 20 dB of the loudest, so that pauses do not count."""
    whole = max(1, len(samples) // piece) * piece
    powers = np.mean(np.square(np.resize(samples, whole).reshape(-1, piece)), axis=1)
    return float(np.sqrt(powers[powers >= 0.01 * powers.max()].mean()))
