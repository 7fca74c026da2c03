"""Composes scenes: a bed of background recordings, and sounds placed in it at known times and ratios.

Beds are recordings of background labels, 20 s of each at most, chained with cross-fades at -48 to -32 dBFS.
Every 15 to 30 s a sound begins, at 20, 10 or 5 dB over the bed's own level there; in half of the scenes
through a room, in a third through a telephone line (8 kHz, mu-law). Seeded: the same numbers compose the same
scene.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from scripts.scenes.kinds import ALERTS, BED_LABELS, PLACED
from scripts.scenes.recordings import Pool, Recording

Rng = np.random.Generator
SNRS_DB = (20.0, 10.0, 5.0)
LONGEST_BED_S = 20.0
LONGEST_SOUND_S = 8.0
SHORTEST_BED_S = 0.5
NOISE_DBFS = -62.0
"""The microphone's own noise under every scene."""
QUIET_S = 60.0
"""In a quiet background the noise changes its level so often."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A sound and where it lies, in seconds of its scene."""

    label: str
    path: str
    start_s: float
    end_s: float
    snr_db: float


@dataclass(frozen=True, slots=True)
class Bed:
    """A background recording and where it lies."""

    label: str
    path: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Scene:
    """Continuous sound at 16 kHz, with what is in it."""

    name: str
    samples: Samples
    placed: tuple[Placed, ...]
    beds: tuple[Bed, ...]
    room: bool = False
    line: bool = False
    kind: str = "mixed"

    @property
    def duration_s(self) -> float:
        """Its length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


def compose(pool: Pool, seed: int, number: int, minutes: float, labels: Sequence[str] = PLACED) -> Scene:
    """The scene of this number: odd ones in a room, every third through a telephone line."""
    rng = np.random.default_rng([seed, number])
    room, line = number % 2 == 1, number % 3 == 2
    samples, beds = background(pool, rng, minutes, BED_LABELS)
    response = _room(rng) if room else None
    placed: list[Placed] = []
    there = {label: found for label in labels if (found := pool.of(label))}
    at = 10 * SAMPLE_RATE_HZ
    while there and at < len(samples) - 12 * SAMPLE_RATE_HZ:
        label = str(rng.choice(sorted(there)))
        one = _drawn(rng, there[label])
        snr_db = float(rng.choice(SNRS_DB))
        sound = pool.samples(one.path)[: int(LONGEST_SOUND_S * SAMPLE_RATE_HZ)]
        end = min(len(samples), at + len(sound))
        if len(sound):
            samples[at:end] += at_ratio(_through(sound, response)[: end - at], samples[at:end], snr_db)
            placed.append(Placed(label, one.path, at / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ, snr_db))
        at = end + int(rng.uniform(15, 30) * SAMPLE_RATE_HZ)
    if line:
        samples = telephone(samples)
    return Scene(f"scene{number:03d}", np.clip(samples, -1, 1), tuple(placed), tuple(beds), room, line)


def compose_background(
    pool: Pool, seed: int, number: int, minutes: float, kind: str, labels: Sequence[str]
) -> Scene:
    """A scene of one kind without any alert sound; of the kind `quiet`, the microphone's noise alone."""
    rng = np.random.default_rng([seed, number, 1])
    line = number % 3 == 2
    if kind == "quiet":
        samples, beds = _quiet(rng, minutes)
    else:
        samples, beds = background(pool, rng, minutes, labels)
    if line:
        samples = telephone(samples)
    name = f"{kind}{number:03d}"
    return Scene(name, np.clip(samples, -1, 1), (), tuple(beds), line=line, kind=kind)


def background(pool: Pool, rng: Rng, minutes: float, labels: Sequence[str]) -> tuple[Samples, list[Bed]]:
    """Recordings of these labels, none of which carries an alert's, chained with cross-fades."""
    there = {label: found for label in labels if (found := _long_enough(pool.of(label, avoid=ALERTS)))}
    length = int(minutes * 60 * SAMPLE_RATE_HZ)
    samples = np.asarray(rng.normal(0, 10 ** (NOISE_DBFS / 20), length), np.float32)
    beds: list[Bed] = []
    at = 0
    while there and at < length:
        label = str(rng.choice(sorted(there)))
        one = _drawn(rng, there[label])
        bed = pool.samples(one.path)[: int(LONGEST_BED_S * SAMPLE_RATE_HZ)]
        level = 10 ** (rng.uniform(-48, -32) / 20)
        fade = min(SAMPLE_RATE_HZ // 4, len(bed) // 4)
        end = min(length, at + len(bed))
        samples[at:end] += (_faded(bed, fade) * level / rms(bed))[: end - at]
        beds.append(Bed(label, one.path, at / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ))
        at += max(len(bed) - fade, fade, 1)
    return samples, beds


def _long_enough(found: Sequence[Recording]) -> list[Recording]:
    return [one for one in found if one.duration_s >= SHORTEST_BED_S]


def _drawn(rng: Rng, found: Sequence[Recording]) -> Recording:
    """One recording; sources and groups with many cuts of one sound are drawn no more often for it."""
    groups = sorted({(one.source, one.group) for one in found})
    source, group = groups[rng.integers(len(groups))]
    own = [one for one in found if (one.source, one.group) == (source, group)]
    return own[rng.integers(len(own))]


def _quiet(rng: Rng, minutes: float) -> tuple[Samples, list[Bed]]:
    """Noise that falls with frequency, from -75 to -50 dBFS, each stretch a recording of its own."""
    pieces: list[Samples] = []
    beds: list[Bed] = []
    for n in range(max(1, round(minutes * 60 / QUIET_S))):
        noise = rng.normal(size=int(QUIET_S * SAMPLE_RATE_HZ))
        spectrum = np.fft.rfft(noise)
        spectrum *= np.maximum(np.arange(len(spectrum)), 1) ** rng.uniform(-0.5, 0)
        piece = np.fft.irfft(spectrum, len(noise)).astype(np.float32)
        pieces.append(np.asarray(piece / rms(piece) * 10 ** (rng.uniform(-75, -50) / 20), np.float32))
        beds.append(Bed("noise", f"noise {n}", n * QUIET_S, (n + 1) * QUIET_S))
    return np.concatenate(pieces), beds


def _room(rng: Rng) -> Samples:
    """A response that falls by 60 dB in 0.2 to 0.7 s behind the direct sound, a quarter of its energy."""
    rt60_s = rng.uniform(0.2, 0.7)
    time_s = np.arange(int(rt60_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tail = rng.normal(size=len(time_s)) * 10 ** (-3 * time_s / rt60_s)
    tail *= 0.5 / np.sqrt(np.sum(tail**2))
    tail[0] += 1
    return np.asarray(tail, np.float32)


def _through(sound: Samples, response: Samples | None) -> Samples:
    if response is None:
        return sound
    size = 1 << (len(sound) + len(response) - 2).bit_length()
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)
    return np.asarray(heard[: len(sound)], np.float32)


def at_ratio(sound: Samples, bed: Samples, snr_db: float) -> Samples:
    """The sound so loud that the louder tenth of its 100 ms stands `snr_db` over the bed's RMS."""
    width = SAMPLE_RATE_HZ // 10
    power = np.convolve(sound.astype(np.float64) ** 2, np.ones(width) / width, "same")
    loud = np.sort(power)[-max(1, len(sound) // 10)] ** 0.5
    return np.asarray(sound / (loud + 1e-9) * rms(bed) * 10 ** (snr_db / 20), np.float32)


def telephone(samples: Samples) -> Samples:
    """Through 8 kHz and the eight bits of mu-law (ITU-T G.711)."""
    narrow = Audio(samples, SAMPLE_RATE_HZ).resampled(8_000).samples
    squeezed = np.sign(narrow) * np.log1p(255 * np.minimum(np.abs(narrow), 1)) / np.log(256)
    steps = np.round(squeezed * 127) / 127
    coded = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    wide = Audio(np.asarray(coded, np.float32), 8_000).resampled(SAMPLE_RATE_HZ).samples
    return np.resize(wide, len(samples)).astype(np.float32)


def _faded(samples: Samples, fade: int) -> Samples:
    faded = samples.copy()
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    faded[:fade] *= ramp
    faded[len(faded) - fade :] *= ramp[::-1]
    return faded


def rms(samples: Samples) -> float:
    """Root mean square; never 0."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) + 1e-12
