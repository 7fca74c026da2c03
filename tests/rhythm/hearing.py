"""Alarms and what hears them, for the rhythm's tests."""

from collections.abc import Sequence

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.rhythm.detector import RhythmDetector
from monitor.synthesis.alarms import Rhythm, Sounder, piezo, played
from monitor.synthesis.room import coloured_noise, mixed_at_band_snr
from monitor.types import Detection
from testkit.builders import frames

LEAD_S = 1.0


def alarm(
    rhythm: Rhythm,
    sounder: Sounder | None = None,
    *,
    snr_db: float = 15.0,
    tail_s: float = 2.0,
    seed: int = 1,
) -> Samples:
    """A second of noise, the rhythm in the noise, and some noise after it."""
    sounder = sounder or piezo()
    sounding = played(sounder, rhythm, SAMPLE_RATE_HZ)
    signal = np.pad(sounding, (round(LEAD_S * SAMPLE_RATE_HZ), round(tail_s * SAMPLE_RATE_HZ)))
    noise = coloured_noise(np.random.default_rng(seed), len(signal))
    mixed = mixed_at_band_snr(signal, noise, sounder.pitch_hz, snr_db, SAMPLE_RATE_HZ)
    return np.asarray(0.5 * mixed / np.abs(mixed).max(), np.float32)


def heard_in(samples: Samples) -> list[Detection]:
    """All detections of a fresh listener."""
    listener = RhythmDetector("kitchen")
    return [detection for frame in frames(samples) for detection in listener.push(frame)]


def labels_of(detections: Sequence[Detection]) -> set[str]:
    """What was heard at all."""
    return {detection.label for detection in detections}


def heard_with_times(samples: Samples) -> list[tuple[float, Detection]]:
    """Detections with the time at which they were given, in seconds after the alarm's onset."""
    listener = RhythmDetector("kitchen")
    return [
        (0.03 * (i + 1) - LEAD_S, detection)
        for i, frame in enumerate(frames(samples))
        for detection in listener.push(frame)
    ]
