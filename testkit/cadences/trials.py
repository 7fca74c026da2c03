"""Every cadence in noise and in rooms, and every impostor: which candidate patterns take it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.rhythm.spectrum import BLOCK
from monitor.rhythm.tracker import RhythmTracker
from testkit import room
from testkit.cadences.candidates import CandidateRecorder, matching
from testkit.cadences.sounds import CADENCES, MORE_IMPOSTORS
from testkit.impostors import IMPOSTORS
from testkit.rhythm_trials import noise_of

CONDITIONS = ("40 dB", "20 dB", "10 dB", "3 dB", "RT60 0.5 s", "voices at 20 dB")
ALL_IMPOSTORS = IMPOSTORS | MORE_IMPOSTORS


@dataclass(frozen=True)
class CadenceTrial:
    """What one sound is, and what it was taken for."""

    name: str
    condition: str
    candidates: frozenset[str]
    labels: frozenset[str]
    """What the detector reports."""
    patterns: frozenset[str]


def cadence(job: tuple[str, str, int]) -> CadenceTrial:
    """One alarm under one condition."""
    name, condition, seed = job
    rng = np.random.default_rng(seed)
    samples, pitch_hz = CADENCES[name](rng)
    samples = np.pad(samples, (round(rng.uniform(1, 2) * SAMPLE_RATE_HZ), 4 * SAMPLE_RATE_HZ))
    if condition == "RT60 0.5 s":
        samples = room.in_room(samples, room.impulse_response(rng, 0.5, SAMPLE_RATE_HZ))
    noise = noise_of("babble" if "voices" in condition else "pink", rng, len(samples))
    snr_db = {"3 dB": 3.0, "10 dB": 10.0, "40 dB": 40.0}.get(condition, 20.0)
    mixed = room.mixed_at_band_snr(samples, noise, pitch_hz, snr_db, SAMPLE_RATE_HZ)
    return _heard(name, condition, np.asarray(mixed * (0.5 / np.abs(mixed).max()), np.float32))


def impostor(job: tuple[str, int]) -> CadenceTrial:
    """One impostor, in a room or not, among noise, as `testkit.rhythm_trials` has them."""
    name, seed = job
    rng = np.random.default_rng(seed)
    samples = np.pad(ALL_IMPOSTORS[name](rng, SAMPLE_RATE_HZ), (SAMPLE_RATE_HZ, 4 * SAMPLE_RATE_HZ))
    if rng.random() < 0.4:
        samples = room.in_room(samples, room.impulse_response(rng, rng.uniform(0.2, 1.0), SAMPLE_RATE_HZ))
    loudness = 10 * float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    noise = room.coloured_noise(rng, len(samples)) * loudness * 10 ** (-rng.choice([10.0, 20.0, 40.0]) / 20)
    return _heard(name, "", np.asarray(samples + noise, np.float32))


def recording(path: Path) -> CadenceTrial:
    """A recording of something that beeps, rings or wails and is no smoke alarm."""
    import av

    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE_HZ)
    with av.open(str(path)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    decoded = [np.asarray(frame.to_ndarray().ravel(), np.float32) for frame in frames]
    return _heard("recordings", "", np.concatenate([*decoded, np.zeros(4 * SAMPLE_RATE_HZ, np.float32)]))


def _heard(name: str, condition: str, samples: Samples) -> CadenceTrial:
    tracker, recorder = RhythmTracker(), CandidateRecorder()
    tracker._trains = recorder
    reports = [
        report
        for start in range(0, len(samples), BLOCK)
        for report in tracker.push(samples[start : start + BLOCK])
    ]
    labels = frozenset(report.label for report in reports)
    patterns = frozenset(report.pattern for report in reports)
    return CadenceTrial(name, condition, frozenset(matching(recorder.by_pitch())), labels, patterns)
