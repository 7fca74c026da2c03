"""What smoke alarms sound like in Europe, where EN 14604 asks for 85 dB and for no cadence: drawn anew for
each seed.

A maker takes a random generator and returns mono float32 samples at 16 kHz of about 25 s, and the pitch in Hz
at which its level is to be taken.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.synthesis import household as sirens
from monitor.synthesis.alarms import PEAK, Rhythm, Sounder, piezo, played, temporal_three
from testkit import household, impostors
from testkit.alarms import steady_pulses, temporal_four, with_tolerance

Rng = np.random.Generator
Sound = tuple[Samples, float]
LASTS_S = 25.0


def fast_beeps(rng: Rng) -> Sound:
    """50 to 150 ms of tone and as much quiet, without a pause: the most common of all."""
    on_s = rng.uniform(0.05, 0.15)
    return _beeps(rng, steady_pulses(_times(2 * on_s), on_s=on_s, off_s=on_s * rng.uniform(0.8, 1.2)))


def slow_beeps(rng: Rng) -> Sound:
    """0.4 to 1 s of tone and as much quiet."""
    on_s = rng.uniform(0.4, 1.0)
    return _beeps(rng, steady_pulses(_times(2 * on_s), on_s=on_s, off_s=on_s * rng.uniform(0.8, 1.2)))


def three_short(rng: Rng) -> Sound:
    """Three beeps of 80 to 200 ms, and a pause of 0.4 to 1.2 s."""
    on_s, off_s, pause_s = rng.uniform(0.08, 0.2), rng.uniform(0.08, 0.15), rng.uniform(0.4, 1.2)
    group = [(on_s, off_s), (on_s, off_s), (on_s, pause_s)]
    return _beeps(rng, group * _times(sum(map(sum, group))))


def long_short(rng: Rng) -> Sound:
    """A beep of 0.5 to 1 s, one of 0.1 to 0.25 s, and a pause."""
    gap_s = rng.uniform(0.1, 0.3)
    group = [(rng.uniform(0.5, 1.0), gap_s), (rng.uniform(0.1, 0.25), rng.uniform(0.5, 1.0))]
    return _beeps(rng, group * _times(sum(map(sum, group))))


def sweep(rng: Rng) -> Sound:
    """From 2.2-2.8 to 3-3.8 kHz in 0.2 to 0.6 s, again and again, with a gap or without one."""
    low_hz, high_hz = rng.uniform(2200, 2800), rng.uniform(3000, 3800)
    on_s, off_s = rng.uniform(0.2, 0.6), float(rng.choice([0.0, rng.uniform(0.05, 0.2)]))
    disc = replace(piezo(low_hz), other_pitch_hz=high_hz, motion="swept", motion_rate_hz=1 / on_s)
    return played(disc, [(on_s, off_s)] * _times(on_s + off_s), SAMPLE_RATE_HZ), low_hz


def two_tone(rng: Rng) -> Sound:
    """Two tones by turns, 0.2 to 0.5 s each, a tenth to a third apart."""
    pitch_hz, each_s = rng.uniform(2200, 3200), rng.uniform(0.2, 0.5)
    other_hz = pitch_hz * rng.uniform(1.1, 1.33)
    disc = replace(piezo(pitch_hz), other_pitch_hz=other_hz, motion="two_tone", motion_rate_hz=0.5 / each_s)
    return played(disc, [(LASTS_S, 0.0)], SAMPLE_RATE_HZ), pitch_hz


def voice_after_two(rng: Rng) -> Sound:
    """The three beeps of T3 (ISO 8201) twice, then 2 to 6 s of spoken words, and again."""
    return _with_voice(rng, 2)


def voice_after_one(rng: Rng) -> Sound:
    """The three beeps of T3 once, then 2 to 6 s of spoken words, and again."""
    return _with_voice(rng, 1)


def co_voice(rng: Rng) -> Sound:
    """The four beeps of T4 (NFPA 72), 1 to 4 s of words in its pause of 5 s, and again."""
    disc = piezo(rng.uniform(2800, 3600))
    samples = played(disc, with_tolerance(temporal_four(4), rng), SAMPLE_RATE_HZ)
    burst = len(samples) // 4
    words = spoken(rng, rng.uniform(1.0, 4.0)) * float(rng.uniform(0.3, 1.0))
    for at in range(round(1.2 * SAMPLE_RATE_HZ), len(samples) - len(words), burst):
        samples[at : at + len(words)] += words
    return samples, disc.pitch_hz


def _with_voice(rng: Rng, cycles: int) -> Sound:
    disc = piezo(rng.uniform(2800, 3600))
    beeps = played(disc, with_tolerance(temporal_three(cycles), rng), SAMPLE_RATE_HZ)
    words = spoken(rng, rng.uniform(2.0, 6.0)) * float(rng.uniform(0.3, 1.0))
    rest = np.zeros(round(0.3 * SAMPLE_RATE_HZ), np.float32)
    round_ = np.concatenate([beeps[: -round(1.2 * SAMPLE_RATE_HZ)], words, rest])
    return np.tile(round_, 4).astype(np.float32), disc.pitch_hz


def spoken(rng: Rng, duration_s: float) -> Samples:
    """Syllables of one voice: gliding harmonics under moving formants, and hiss between them."""
    pieces, left_s = [], duration_s
    while left_s > 0:
        syllable_s = min(left_s, float(rng.uniform(0.12, 0.3)))
        time_s = np.arange(round(syllable_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        pitch_hz = rng.uniform(100, 230) * np.linspace(
            rng.uniform(0.9, 1.1), rng.uniform(0.9, 1.1), len(time_s)
        )
        phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
        formants_hz = rng.uniform((300, 900, 2200), (800, 2000, 3000))
        wave = np.zeros(len(time_s))
        for order in range(1, 24):
            near = np.exp(-(((order * pitch_hz.mean() - formants_hz) / 250) ** 2)).sum()
            wave += (0.03 + near) / order**0.5 * np.sin(order * phase + order)
        wave *= np.sin(np.pi * np.linspace(0, 1, len(time_s))) ** 0.5
        pieces += [wave / max(np.abs(wave).max(), 1e-9), np.zeros(round(0.03 * SAMPLE_RATE_HZ))]
        left_s -= syllable_s + 0.03
    return np.asarray(PEAK * np.concatenate(pieces), np.float32)


CADENCES: dict[str, Callable[[Rng], Sound]] = {
    maker.__name__: maker
    for maker in (
        fast_beeps,
        slow_beeps,
        three_short,
        long_short,
        sweep,
        two_tone,
        voice_after_one,
        voice_after_two,
        co_voice,
    )
}


def toy(rng: Rng, sample_rate_hz: int) -> Samples:
    """A toy gun, robot or police car: fast beeps, a sweep or two tones, as long as its button is held."""
    kind = str(rng.choice(["beeps", "sweep", "two_tone", "melody"]))
    if kind == "melody":
        return impostors.washing_machine(rng, sample_rate_hz)
    pitch_hz, each_s = rng.uniform(900, 3500), rng.uniform(0.05, 0.4)
    moving: Any = {"beeps": "fixed", "sweep": "swept"}.get(kind, kind)
    speaker = Sounder(
        pitch_hz,
        (0.3, 0.2),
        pitch_hz * rng.uniform(1.1, 1.6),
        moving,
        (0.5 if kind == "two_tone" else 1) / each_s,
    )
    held_s = rng.uniform(3, 15)
    gap_s = 0.0 if kind == "two_tone" else each_s * rng.uniform(0.2, 1.2)
    once: Rhythm = (
        [(held_s, 0.0)] if kind == "two_tone" else [(each_s, gap_s)] * round(held_s / (each_s + gap_s))
    )
    return np.pad(played(speaker, once, sample_rate_hz), (0, 2 * sample_rate_hz))


def announcement(rng: Rng, sample_rate_hz: int) -> Samples:
    """Three beeps and a sentence of a washing machine, a robot or a scale, and again later."""
    on_s = rng.uniform(0.1, 0.6)
    beeps = played(piezo(rng.uniform(800, 3200)), [(on_s, on_s * rng.uniform(0.5, 1.2))] * 3, sample_rate_hz)
    rest = np.zeros(round(rng.uniform(3, 20) * sample_rate_hz), np.float32)
    return np.tile(np.concatenate([beeps, spoken(rng, rng.uniform(1, 4)), rest]), 2).astype(np.float32)


def reminder(rng: Rng, sample_rate_hz: int) -> Samples:
    """An oven or a door that is left open: three beeps as long as those of T3, again after 2 to 10 s; often
    somebody speaks meanwhile, or a television does."""
    on_s = rng.uniform(0.45, 0.55)
    group = [(on_s, 1.0 - on_s), (on_s, 1.0 - on_s), (on_s, rng.uniform(2, 10))]
    beeps = played(piezo(rng.uniform(1800, 4000)), group * 4, sample_rate_hz)
    words = np.zeros(len(beeps), np.float32)
    at = 0
    while rng.random() < 0.9 and at < len(words):
        sentence = spoken(rng, rng.uniform(1, 5))[: len(words) - at]
        words[at : at + len(sentence)] = sentence
        at += len(sentence) + round(rng.uniform(0.2, 3) * sample_rate_hz)
    return np.asarray(beeps + rng.uniform(0, 0.7) * words, np.float32)


MORE_IMPOSTORS: dict[str, impostors.Maker] = {
    "toy": toy,
    "announcement": announcement,
    "reminder": reminder,
    "car_alarm": household.car_alarm,
    "siren": sirens.siren,
    "doorbell": sirens.doorbell,
}
"""Beside those of `testkit.impostors`: what sounds like these cadences and not like T3 or T4."""


def _beeps(rng: Rng, rhythm: Rhythm) -> Sound:
    disc = replace(piezo(rng.uniform(2800, 3600)), drift=rng.uniform(-0.01, 0.01))
    return played(disc, rhythm, SAMPLE_RATE_HZ), disc.pitch_hz


def _times(period_s: float) -> int:
    return max(4, round(LASTS_S / period_s))
