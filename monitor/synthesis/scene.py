"""An evening at home in little more than a minute: what the built-in demonstration plays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.synthesis import household
from monitor.synthesis.alarms import piezo, played, temporal_three
from monitor.synthesis.room import coloured_noise, impulse_response, in_room

SCENE_S = 75.0
BED_DBFS = -58.0
LOUDEST = 0.95


@dataclass(frozen=True, slots=True)
class PlacedSound:
    """One sound of a scene: what it is and when it begins, in seconds from the start."""

    label: str
    start_s: float
    samples: Samples
    level_dbfs: float
    """RMS while it sounds."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The mixed sound, and what is to be heard in it."""

    audio: Audio
    moments: tuple[PlacedSound, ...]


class NotWanted(Exception):
    """Nobody waits for the scene any more."""


def demo_scene(
    seed: int = 1, speech: Audio | None = None, wanted: Callable[[], bool] = lambda: True
) -> Scene:
    """A quiet room, a doorbell, knocks, someone speaking (if given), a siren outside, a bang, and a smoke
    alarm in temporal-three. The same for the same seed; a listener may play it in a loop without a seam.

    It takes a second or two of a busy processor: `wanted` is asked before each part, and NotWanted is
    raised once it says no."""
    rng = np.random.default_rng(seed)
    makers: list[tuple[str, float, Callable[[], Samples], float]] = [
        ("doorbell", 8.0, lambda: _made(household.doorbell, 20 + seed), -24.0),
        ("knock", 16.0, lambda: _made(household.knock, 15 + seed), -26.0),
        ("siren", 31.0, lambda: _made(household.siren, 4 + seed), -32.0),
        ("loud_noise", 43.0, lambda: _made(household.door_slam, seed), -12.0),
        ("smoke_alarm", 51.0, lambda: played(piezo(), temporal_three(4), SAMPLE_RATE_HZ), -22.0),
    ]
    if speech is not None:
        makers.append(("speech", 23.0, lambda: speech.resampled(SAMPLE_RATE_HZ).samples, -26.0))

    def part(make: Callable[[], Samples]) -> Samples:
        if not wanted():
            raise NotWanted
        return make()

    moments = [PlacedSound(label, at_s, part(make), dbfs) for label, at_s, make, dbfs in makers]
    response = impulse_response(rng, 0.35, SAMPLE_RATE_HZ, direct_to_reverberant_db=3.0)
    mixed = part(lambda: _bed(rng)) + part(lambda: in_room(_placed(moments), response))
    return Scene(Audio(np.clip(mixed, -LOUDEST, LOUDEST), SAMPLE_RATE_HZ), tuple(moments))


def _made(maker: household.Maker, seed: int) -> Samples:
    """One of a maker's many: with the scene's first seed, one that nobody mistakes for something else."""
    return maker(np.random.default_rng(seed), SAMPLE_RATE_HZ)


def _bed(rng: np.random.Generator) -> Samples:
    noise = coloured_noise(rng, round(SCENE_S * SAMPLE_RATE_HZ))
    return noise * np.float32(10 ** ((BED_DBFS - Audio(noise.copy(), SAMPLE_RATE_HZ).rms_dbfs) / 20))


def _placed(moments: list[PlacedSound]) -> Samples:
    out = np.zeros(round(SCENE_S * SAMPLE_RATE_HZ), np.float32)
    for moment in moments:
        start = round(moment.start_s * SAMPLE_RATE_HZ)
        samples = moment.samples[: len(out) - start]
        out[start : start + len(samples)] += samples * _gain(samples, moment.level_dbfs)
    return out


def _gain(samples: Samples, level_dbfs: float) -> np.float32:
    """To the level while it sounds: pauses between knocks and beeps do not count."""
    magnitude = np.abs(samples)
    sounding = samples[magnitude > 0.05 * magnitude.max(initial=0)]
    return np.float32(10 ** ((level_dbfs - Audio(sounding, SAMPLE_RATE_HZ).rms_dbfs) / 20))
