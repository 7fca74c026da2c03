"""Trials of the rhythm detector: alarms under stated conditions, impostors, recordings."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.rhythm.report import PatternReport
from monitor.rhythm.spectrum import BLOCK
from monitor.rhythm.tracker import RhythmTracker
from testkit import alarms, household, room
from testkit.impostors import IMPOSTORS

SOON = {"suspected": 1.1, "confirmed": 2.2}
LABELS = {"T3": "smoke_alarm", "T4": "co_alarm"}


@dataclass(frozen=True)
class RecallCondition:
    """One row of the recall table."""

    sounder: str = "disc"
    noise: str = "pink"
    snr_db: float | None = 10.0
    rt60_s: float | None = None
    channel: str = "plain"
    times: int = 1
    """How many times as many trials it gets."""

    @property
    def name(self) -> str:
        """The row's words."""
        parts = [SOUNDERS[self.sounder]]
        parts.append("no noise" if self.snr_db is None else f"{self.noise} noise at {self.snr_db:g} dB")
        parts += [] if self.rt60_s is None else [f"RT60 {self.rt60_s:g} s"]
        return ", ".join(parts + ([] if self.channel == "plain" else [self.channel]))


Word = tuple[str, str]
"""Label and certainty of something heard."""
SOUNDERS = {"disc": "disc 2.8-3.6 kHz", "square": "520 Hz square", "two_tone": "two tones", "swept": "sweep"}
SNRS_DB = {
    kind: (-6.0, -3.0, 0.0, 3.0, 6.0, 10.0, 20.0) if kind == "disc" else (0.0, 3.0, 6.0, 10.0)
    for kind in SOUNDERS
}
CHANNELS = ("telephone", "gain control", "clipped", "lost packets", "masked beep", "two alarms")
CONDITIONS = [
    *(
        RecallCondition(sounder, snr_db=snr_db, times=10 if (sounder, snr_db) == ("disc", 0) else 1)
        for sounder in SOUNDERS
        for snr_db in SNRS_DB[sounder]
    ),
    *(RecallCondition(noise=noise, snr_db=0.0) for noise in ("white", "babble", "music", "dishes")),
    *(RecallCondition(rt60_s=rt60_s) for rt60_s in (0.2, 0.5, 1.2)),
    RecallCondition(rt60_s=0.8, times=10),
    RecallCondition("square", rt60_s=0.8),
    RecallCondition(snr_db=40.0, rt60_s=0.8),
    *(RecallCondition(channel=channel) for channel in CHANNELS),
    RecallCondition(snr_db=None),
]


def sounder_of(kind: str, rng: np.random.Generator) -> alarms.Sounder:
    """A sounder of one kind, each time another."""
    if kind == "square":
        return alarms.square_520_hz(rng.uniform(468, 572))
    if kind == "disc":
        return replace(alarms.piezo(rng.uniform(2800, 3600)), drift=rng.uniform(-0.01, 0.01))
    return alarms.moving_sounder(rng, "two_tone" if kind == "two_tone" else "swept")


def noise_of(kind: str, rng: np.random.Generator, length: int) -> Samples:
    """Noise of one kind; babble, music and dishes come and go as they do in homes."""
    if kind in ("pink", "white"):
        return room.coloured_noise(rng, length, -3.0 if kind == "pink" else 0.0)
    makers = {"music": IMPOSTORS["electronic_music"], "dishes": household.dishes, "babble": _voices}
    pieces: list[Samples] = []
    while sum(map(len, pieces)) < length:
        pieces.append(makers[kind](rng, SAMPLE_RATE_HZ))
    return np.concatenate(pieces)[:length]


def _voices(rng: np.random.Generator, sample_rate_hz: int) -> Samples:
    """Four voices' worth of gliding harmonics in syllables, tilted as speech is, with hissed consonants."""
    length = 4 * sample_rate_hz
    time_s = np.arange(length) / sample_rate_hz
    mixed = np.zeros(length)
    for pitch_hz in rng.uniform(90, 240, 4):
        knots = np.linspace(0, 4, 14)
        phase = (
            2
            * np.pi
            * np.cumsum(np.interp(time_s, knots, pitch_hz * rng.uniform(0.85, 1.2, 14)))
            / sample_rate_hz
        )
        gate = np.interp(time_s, np.linspace(0, 4, 40), rng.uniform(0, 1, 40) ** 2)
        mixed += gate * sum(np.sin(n * phase + n) / n for n in range(1, 30))
        hiss = room.coloured_noise(rng, length, 0.0) * np.interp(
            time_s, np.linspace(0, 4, 40), rng.uniform(0, 1, 40) ** 6
        )
        mixed += 8 * hiss
    return np.asarray(mixed / 20, np.float32)


@dataclass(frozen=True)
class AlarmTrial:
    """What was heard of one alarm; times in cycles after the first onset, None for never."""

    suspected: float | None
    confirmed: float | None
    confused: int


@dataclass(frozen=True)
class AlarmSound:
    """The sound of one alarm of three cycles under stated conditions."""

    pattern: str
    condition: RecallCondition
    samples: Samples
    lead_s: float
    """Before its first onset."""
    cycle_s: float

    def heard(self) -> AlarmTrial:
        """Listen to it once."""
        heard = listen(self.samples)
        wanted, other = LABELS[self.pattern], LABELS["T4" if self.pattern == "T3" else "T3"]
        times = [
            (found.certainty, (at_s - self.lead_s) / self.cycle_s)
            for at_s, found in heard
            if found.label == wanted
        ]
        return AlarmTrial(
            _first(at for _, at in times),
            _first(at for certainty, at in times if certainty == "confirmed"),
            0 if self.condition.channel == "two alarms" else sum(found.label == other for _, found in heard),
        )


def alarm(pattern: str, condition: RecallCondition, seed: int) -> AlarmSound:
    """An alarm drawn within the standard's tolerance."""
    rng = np.random.default_rng(seed)
    sounder = sounder_of(condition.sounder, rng)
    rhythm = alarms.with_tolerance(rhythm_of(pattern, 3), rng)
    cycle_s = sum(map(sum, rhythm)) / 3
    lead_s = rng.uniform(1.0, 2.0)
    samples = _before_and_after(alarms.played(sounder, rhythm, SAMPLE_RATE_HZ), lead_s)
    samples = _through(condition, samples, sounder, lead_s, cycle_s, pattern, rng)
    return AlarmSound(pattern, condition, samples, lead_s, cycle_s)


def trial(pattern: str, condition: RecallCondition, seed: int) -> AlarmTrial:
    """One alarm, listened to once."""
    return alarm(pattern, condition, seed).heard()


def rhythm_of(pattern: str, cycles: int) -> list[tuple[float, float]]:
    """The nominal rhythm."""
    return alarms.temporal_three(cycles) if pattern == "T3" else alarms.temporal_four(cycles)


def _first(times: Iterable[float]) -> float | None:
    return next(iter(times), None)


def _before_and_after(samples: Samples, lead_s: float) -> Samples:
    return np.pad(samples, (round(lead_s * SAMPLE_RATE_HZ), 2 * SAMPLE_RATE_HZ))


def _through(
    condition: RecallCondition,
    samples: Samples,
    sounder: alarms.Sounder,
    lead_s: float,
    cycle_s: float,
    pattern: str,
    rng: np.random.Generator,
) -> Samples:
    if condition.channel == "two alarms":
        other = "T4" if pattern == "T3" else "T3"
        second = alarms.played(alarms.piezo(sounder.pitch_hz * 0.87), rhythm_of(other, 4), SAMPLE_RATE_HZ)
        start = round(rng.uniform(0, 3) * SAMPLE_RATE_HZ)
        samples = samples + np.resize(np.pad(second, (start, len(samples))), len(samples))
    if condition.channel == "masked beep":
        samples = _with_masked_beep(samples, lead_s + cycle_s, 1.0 if pattern == "T3" else 0.2)
    if condition.rt60_s is not None:
        samples = room.in_room(samples, room.impulse_response(rng, condition.rt60_s, SAMPLE_RATE_HZ))
    if condition.snr_db is not None:
        noise = noise_of(condition.noise, rng, len(samples))
        samples = room.mixed_at_band_snr(samples, noise, sounder.pitch_hz, condition.snr_db, SAMPLE_RATE_HZ)
    samples = np.asarray(samples * (0.5 / np.abs(samples).max()), np.float32)
    return _channel(condition.channel, samples, rng)


def _with_masked_beep(samples: Samples, start_s: float, period_s: float) -> Samples:
    """The second beep of the second cycle is lost."""
    out = samples.copy()
    first, last = (round((start_s + share * period_s) * SAMPLE_RATE_HZ) for share in (0.8, 1.7))
    out[first:last] = 0
    return out


def _channel(channel: str, samples: Samples, rng: np.random.Generator) -> Samples:
    if channel == "telephone":
        return room.telephone(samples, SAMPLE_RATE_HZ)
    if channel == "gain control":
        return room.automatic_gain(0.1 * samples, SAMPLE_RATE_HZ)
    if channel == "clipped":
        return room.clipped(samples)
    if channel == "lost packets":
        return room.with_lost_packets(samples, rng, SAMPLE_RATE_HZ)
    return samples


def listen(samples: Samples) -> list[tuple[float, PatternReport]]:
    """What a tracker hears, with the time in seconds at which it said so."""
    tracker, heard = RhythmTracker(), []
    for start in range(0, len(samples), BLOCK):
        end = min(start + BLOCK, len(samples))
        heard += [(end / SAMPLE_RATE_HZ, found) for found in tracker.push(samples[start:end])]
    return heard


def impostor_samples(name: str, seed: int) -> Samples:
    """The sound of one impostor, in a room or not, among noise."""
    rng = np.random.default_rng(seed)
    samples = _before_and_after(IMPOSTORS[name](rng, SAMPLE_RATE_HZ), 1.0)
    samples = np.pad(samples, (0, 4 * SAMPLE_RATE_HZ))
    if rng.random() < 0.4:
        response = room.impulse_response(rng, rng.uniform(0.2, 1.0), SAMPLE_RATE_HZ)
        samples = room.in_room(samples, response)
    loudness = 10 * float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    noise = room.coloured_noise(rng, len(samples)) * loudness * 10 ** (-rng.choice([10.0, 20.0, 40.0]) / 20)
    return np.asarray(samples + noise, np.float32)


def impostor(job: tuple[str, int]) -> tuple[str, float, list[Word]]:
    """One impostor: its name, its length in seconds, what was heard."""
    samples = impostor_samples(*job)
    return job[0], len(samples) / SAMPLE_RATE_HZ, words(samples)


def words(samples: Samples) -> list[Word]:
    """What is heard, as labels and certainties in order."""
    return [(found.label, found.certainty) for _, found in listen(samples)]


def background(path: Path) -> tuple[str, float, list[Word]]:
    """One recording, followed by six seconds of quiet."""
    samples = recorded(path)
    return "recordings", len(samples) / SAMPLE_RATE_HZ, words(samples)


def recorded(path: Path) -> Samples:
    """The sound of a recording, and six seconds of quiet after it; shape (samples,), 16 kHz."""
    import av

    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE_HZ)
    with av.open(str(path)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    decoded = [np.asarray(frame.to_ndarray().ravel(), np.float32) for frame in frames]
    return np.concatenate([*decoded, np.zeros(6 * SAMPLE_RATE_HZ, np.float32)])
