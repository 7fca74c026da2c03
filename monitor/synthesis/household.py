"""Sounds of a house made from numbers: chimes, rings, sirens, beeps, knocks and ticks.

Every maker takes a random generator and a rate and gives mono float32 samples of its own natural length, peak
1.0, different on every call. They fill in where open recordings are few, and serve demonstrations and tests.
"""

from collections.abc import Callable

import numpy as np

from monitor.audio import Samples
from monitor.synthesis import parts
from monitor.synthesis.parts import Rng

Maker = Callable[[Rng, int], Samples]


def doorbell(rng: Rng, sample_rate_hz: int) -> Samples:
    """Two struck bars (ding-dong), an electronic melody of chimes, or a buzzer."""
    kind = rng.choice(["bars", "bars", "melody", "buzzer", "trill"])
    if kind == "buzzer":
        return parts.buzz(rng, sample_rate_hz, rng.uniform(0.4, 1.5))
    if kind == "trill":
        return parts.warble(rng, sample_rate_hz, rng.uniform(0.8, 2.0))
    base_hz = rng.uniform(450, 1100)
    semitones = (
        [0, -4] if kind == "bars" else list(rng.choice([-12, -8, -5, -3, 0, 4, 7], rng.integers(3, 9)))
    )
    step_s = rng.uniform(0.35, 0.9) if kind == "bars" else rng.uniform(0.18, 0.45)
    if kind == "bars" and rng.random() < 0.3:
        semitones = [0, int(rng.integers(-5, -2)), 0, -4]
    ratios, decay_s = parts.chime_partials(rng), rng.uniform(0.25, 1.2)
    notes = [parts.struck(rng, base_hz * 2 ** (s / 12), ratios, decay_s, sample_rate_hz) for s in semitones]
    return parts.finished(parts.overlaid(notes, step_s, sample_rate_hz))


def siren(rng: Rng, sample_rate_hz: int) -> Samples:
    """Wail, yelp, two-tone or a civil-defence rise, with a horn's overtones and a passing Doppler shift."""
    kind = rng.choice(["wail", "yelp", "hi-lo", "hi-lo", "civil"])
    duration_s = rng.uniform(3, 8)
    t = parts.times(duration_s, sample_rate_hz)
    low_hz, high_hz = rng.uniform(380, 700), rng.uniform(900, 1600)
    if kind == "hi-lo":
        upper_hz = low_hz * rng.uniform(1.2, 1.45)
        pitch_hz = np.where((t * rng.uniform(0.7, 2.0)) % 1 < 0.5, low_hz, upper_hz)
    else:
        rate_hz = {
            "wail": rng.uniform(0.15, 0.5),
            "yelp": rng.uniform(2.5, 5),
            "civil": rng.uniform(0.05, 0.15),
        }[kind]
        swing = 0.5 - 0.5 * np.cos(2 * np.pi * (rate_hz * t + rng.random()))
        pitch_hz = (low_hz if kind != "civil" else low_hz * 0.6) * (high_hz / low_hz) ** swing
    doppler = 1 + rng.uniform(0, 0.06) * np.tanh(
        (duration_s * rng.uniform(0.2, 0.8) - t) * rng.uniform(0.5, 2)
    )
    tone = parts.harmonic(
        rng, pitch_hz * doppler, sample_rate_hz, int(rng.integers(3, 12)), rng.uniform(0.8, 1.8)
    )
    swell = 0.4 + 0.6 * np.sin(np.pi * np.clip(t / duration_s + rng.uniform(-0.3, 0.3), 0, 1))
    return parts.finished(tone * swell)


def knock(rng: Rng, sample_rate_hz: int) -> Samples:
    """Knuckles on a wooden or glass door: two to seven blows, in uneven time and force."""
    body_hz = rng.uniform(90, 450)
    ratios = [1.0, *rng.uniform(1.3, 7.0, 5)]
    blows = [
        rng.uniform(0.6, 1) * parts.blow(rng, body_hz, ratios, rng.uniform(0.015, 0.06), sample_rate_hz)
        for _ in range(int(rng.integers(2, 8)))
    ]
    return parts.finished(parts.spaced(rng, blows, rng.uniform(0.12, 0.4), 0.12, sample_rate_hz))


def door_slam(rng: Rng, sample_rate_hz: int) -> Samples:
    """A heavy thump with the latch's rattle before it and the frame's afterwards."""
    thump = parts.blow(
        rng, rng.uniform(35, 110), [1.0, *rng.uniform(1.4, 9, 7)], rng.uniform(0.06, 0.2), sample_rate_hz
    )
    crack = parts.noise(rng, 0.25, sample_rate_hz, rng.uniform(60, 300), rng.uniform(1500, 6000))
    crack *= np.exp(-parts.times(0.25, sample_rate_hz) / rng.uniform(0.015, 0.06))
    clicks = [
        rng.uniform(0.03, 0.3) * parts.click(rng, sample_rate_hz) for _ in range(int(rng.integers(0, 4)))
    ]
    latch = parts.spaced(rng, clicks, rng.uniform(0.03, 0.15), 0.4, sample_rate_hz) if clicks else np.zeros(1)
    return parts.finished(np.concatenate([latch, parts.summed(thump, crack * rng.uniform(0.4, 1.2))]))
