"""More sounds of a house, made by arithmetic: for tests, benchmarks and training."""

import numpy as np

from monitor.audio import Samples
from monitor.synthesis import parts
from monitor.synthesis.household import Maker
from monitor.synthesis.household import door_slam as door_slam
from monitor.synthesis.household import doorbell as doorbell
from monitor.synthesis.household import knock as knock
from monitor.synthesis.household import siren as siren
from monitor.synthesis.parts import Rng


def phone_ring(rng: Rng, sample_rate_hz: int) -> Samples:
    """A bell telephone, an electronic warble, or a mobile's melody; rings with pauses."""
    kind = rng.choice(["bell", "warble", "melody", "vibrating"])
    ring_s, pause_s = rng.uniform(0.8, 2.2), rng.uniform(0.6, 3.0)
    if kind == "bell":
        ring = bell_ring(rng, sample_rate_hz, ring_s)
    elif kind == "warble":
        ring = parts.warble(rng, sample_rate_hz, ring_s)
    elif kind == "vibrating":
        ring = parts.buzz(rng, sample_rate_hz, ring_s * 0.5)
    else:
        ring = melody(rng, sample_rate_hz)
    return parts.finished(parts.repeated(ring, int(rng.integers(1, 4)), pause_s, sample_rate_hz))


def car_alarm(rng: Rng, sample_rate_hz: int) -> Samples:
    """The cycling patterns of an aftermarket alarm, or a horn blown in pulses."""
    if rng.random() < 0.35:
        pulse = car_horn(rng, sample_rate_hz)[: int(rng.uniform(0.3, 0.7) * sample_rate_hz)]
        return parts.finished(
            parts.repeated(
                parts.eased(pulse, sample_rate_hz),
                int(rng.integers(5, 12)),
                rng.uniform(0.2, 0.5),
                sample_rate_hz,
            )
        )
    patterns = [alarm_pattern(rng, sample_rate_hz) for _ in range(int(rng.integers(2, 5)))]
    return parts.finished(np.concatenate(patterns))


def appliance_beep(rng: Rng, sample_rate_hz: int) -> Samples:
    """A microwave oven or washing machine that is done, or keys: never in threes with a long pause."""
    kind = rng.choice(["done", "long", "keys", "melody", "reverse"])
    if kind == "reverse":
        return reversing_beeps(rng, sample_rate_hz)
    if kind == "melody":
        return melody(rng, sample_rate_hz)
    pitch_hz = rng.uniform(800, 4200)
    beep_s, gap_s = {"done": (0.25, 0.5), "long": (1.0, 1.0), "keys": (0.06, 0.4)}[kind]
    beep = beeped(rng, pitch_hz, beep_s * rng.uniform(0.6, 1.6), sample_rate_hz)
    count = int(rng.choice([1, 2, 4, 5, 6, 8]))
    return parts.finished(parts.repeated(beep, count, gap_s * rng.uniform(0.5, 2.0), sample_rate_hz))


def reversing_beeps(rng: Rng, sample_rate_hz: int) -> Samples:
    """A reversing lorry: about one beep a second near 1.2 kHz, for as long as it takes."""
    beep_s = rng.uniform(0.3, 0.55)
    beep = beeped(rng, rng.uniform(900, 2800), beep_s, sample_rate_hz)
    return parts.finished(
        parts.repeated(beep, int(rng.integers(4, 9)), beep_s * rng.uniform(0.8, 1.3), sample_rate_hz)
    )


def alarm_clock(rng: Rng, sample_rate_hz: int) -> Samples:
    """Groups of short beeps, a buzzer, or two bells and a hammer."""
    kind = rng.choice(["beeps", "beeps", "buzzer", "bell"])
    if kind == "bell":
        return bell_ring(rng, sample_rate_hz, rng.uniform(1.5, 5))
    if kind == "buzzer":
        buzz = parts.buzz(rng, sample_rate_hz, rng.uniform(0.3, 1.0))
        return parts.finished(
            parts.repeated(buzz, int(rng.integers(2, 6)), rng.uniform(0.2, 0.8), sample_rate_hz)
        )
    beep = beeped(rng, rng.uniform(1200, 4500), rng.uniform(0.04, 0.14), sample_rate_hz)
    group = parts.repeated(beep, int(rng.choice([2, 4, 4, 4])), rng.uniform(0.04, 0.14), sample_rate_hz)
    return parts.finished(
        parts.repeated(group, int(rng.integers(3, 7)), rng.uniform(0.25, 0.7), sample_rate_hz)
    )


def smoke_alarm(rng: Rng, sample_rate_hz: int) -> Samples:
    """A sounder in temporal-three, or an older one's unbroken tone or even pulses; 3 kHz or 520 Hz square."""
    low = rng.random() < 0.2
    pitch_hz = rng.uniform(468, 572) if low else rng.uniform(2700, 3500)
    kind = rng.choice(["t3", "t3", "t3", "continuous", "march"])
    if kind == "continuous":
        return beeped(rng, pitch_hz, rng.uniform(3, 8), sample_rate_hz, square=low)
    if kind == "march":
        beep = beeped(rng, pitch_hz, rng.uniform(0.25, 0.5), sample_rate_hz, square=low)
        return parts.finished(
            parts.repeated(beep, int(rng.integers(6, 12)), rng.uniform(0.1, 0.5), sample_rate_hz)
        )
    beep_s = rng.uniform(0.42, 0.6)
    beep = beeped(rng, pitch_hz, beep_s, sample_rate_hz, square=low)
    group = parts.repeated(beep, 3, 1.0 - beep_s, sample_rate_hz)
    return parts.finished(
        parts.repeated(group, int(rng.integers(2, 4)), rng.uniform(1.35, 1.65), sample_rate_hz)
    )


def fire_alarm(rng: Rng, sample_rate_hz: int) -> Samples:
    """A building's sounders: an electric bell, a horn in pulses, or a slow whoop."""
    kind = rng.choice(["bell", "horn", "whoop"])
    if kind == "bell":
        return bell_ring(rng, sample_rate_hz, rng.uniform(4, 8))
    if kind == "horn":
        t = parts.times(rng.uniform(0.3, 0.7), sample_rate_hz)
        pulse = parts.harmonic(rng, np.full(len(t), rng.uniform(400, 1000)), sample_rate_hz, 14, 0.6)
        return parts.finished(
            parts.repeated(pulse, int(rng.integers(5, 10)), rng.uniform(0.2, 0.6), sample_rate_hz)
        )
    t = parts.times(rng.uniform(2.5, 4), sample_rate_hz)
    whoop = parts.harmonic(
        rng, rng.uniform(400, 550) * (rng.uniform(1.8, 2.6)) ** (t / t[-1]), sample_rate_hz, 10, 0.9
    )
    return parts.finished(parts.repeated(whoop, 3, rng.uniform(0.1, 0.5), sample_rate_hz))


def car_horn(rng: Rng, sample_rate_hz: int) -> Samples:
    """Two horns a third apart, blown once or a few times."""
    base_hz = rng.uniform(280, 520)
    blasts = []
    for _ in range(int(rng.integers(1, 4))):
        t = parts.times(rng.uniform(0.2, 1.6), sample_rate_hz)
        pair = [
            parts.harmonic(rng, np.full(len(t), base_hz * r), sample_rate_hz, 18, 0.7)
            for r in (1, rng.uniform(1.17, 1.3))
        ]
        blasts.append(parts.eased(pair[0] + pair[1], sample_rate_hz))
        blasts.append(np.zeros(int(rng.uniform(0.1, 0.6) * sample_rate_hz)))
    return parts.finished(np.concatenate(blasts[:-1]))


def footsteps(rng: Rng, sample_rate_hz: int) -> Samples:
    """Heel and sole on a hard floor, walking or running."""
    steps = []
    body_hz, low_hz, high_hz = rng.uniform(60, 260), rng.uniform(100, 700), rng.uniform(1500, 7000)
    for _ in range(int(rng.integers(4, 10))):
        heel = parts.blow(
            rng, body_hz * rng.uniform(0.85, 1.2), [1.0, 2.3, 4.1], rng.uniform(0.01, 0.04), sample_rate_hz
        )
        sole = parts.noise(rng, 0.12, sample_rate_hz, low_hz, high_hz) * np.exp(
            -parts.times(0.12, sample_rate_hz) / 0.03
        )
        steps.append(rng.uniform(0.5, 1) * parts.summed(heel, rng.uniform(0.1, 0.6) * sole))
    return parts.finished(parts.spaced(rng, steps, rng.uniform(0.28, 0.7), 0.06, sample_rate_hz))


def clock_tick(rng: Rng, sample_rate_hz: int) -> Samples:
    """A clock or watch: tick and tock by turns, steady."""
    tick, tock = (parts.click(rng, sample_rate_hz) for _ in range(2))
    level = rng.uniform(0.4, 1)
    ticks = [tick if n % 2 == 0 else level * tock for n in range(int(rng.integers(6, 14)))]
    return parts.finished(
        parts.overlaid(ticks, float(rng.choice([0.2, 0.25, 0.5, 1.0, 1.0])), sample_rate_hz)
    )


def mouse_click(rng: Rng, sample_rate_hz: int) -> Samples:
    """A button going down and up, once or several times."""
    clicks = []
    for _ in range(int(rng.integers(1, 6))):
        down, up = parts.click(rng, sample_rate_hz), parts.click(rng, sample_rate_hz)
        clicks.append(
            parts.overlaid([down, rng.uniform(0.4, 0.9) * up], rng.uniform(0.05, 0.14), sample_rate_hz)
        )
    return parts.finished(parts.spaced(rng, clicks, rng.uniform(0.2, 0.8), 0.4, sample_rate_hz))


def keyboard_typing(rng: Rng, sample_rate_hz: int) -> Samples:
    """Keys in a typist's uneven time, each with its own knock and click."""
    keys = [
        rng.uniform(0.3, 1)
        * parts.summed(
            parts.click(rng, sample_rate_hz),
            0.4 * parts.blow(rng, rng.uniform(150, 500), [1, 2.7], 0.012, sample_rate_hz),
        )
        for _ in range(int(rng.integers(10, 30)))
    ]
    return parts.finished(parts.spaced(rng, keys, rng.uniform(0.09, 0.22), 0.5, sample_rate_hz))


def water_drip(rng: Rng, sample_rate_hz: int) -> Samples:
    """Drops into water: each a bubble's rising, fading tone (Minnaert)."""
    drops = []
    base_hz = rng.uniform(500, 2600)
    for _ in range(int(rng.integers(2, 8))):
        t = parts.times(0.12, sample_rate_hz)
        pitch_hz = base_hz * rng.uniform(0.85, 1.2) * (1 + t / 0.12 * rng.uniform(0.1, 0.9))
        ring = np.sin(2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz) * np.exp(
            -t / rng.uniform(0.008, 0.03)
        )
        drops.append(rng.uniform(0.4, 1) * parts.summed(0.3 * parts.click(rng, sample_rate_hz), ring))
    return parts.finished(parts.spaced(rng, drops, rng.uniform(0.25, 1.2), 0.1, sample_rate_hz))


def clapping(rng: Rng, sample_rate_hz: int) -> Samples:
    """One pair of hands, or a crowd of them."""
    people = int(rng.choice([1, 1, 1, 3, 12]))
    pairs = []
    for _ in range(people):
        centre_hz = rng.uniform(700, 2200)
        claps = [
            rng.uniform(0.5, 1)
            * parts.noise(rng, 0.08, sample_rate_hz, centre_hz * 0.5, centre_hz * 2.5)
            * np.exp(-parts.times(0.08, sample_rate_hz) / rng.uniform(0.006, 0.02))
            for _ in range(int(rng.integers(4, 14)))
        ]
        pairs.append(parts.spaced(rng, claps, rng.uniform(0.16, 0.45), 0.1, sample_rate_hz))
    return parts.finished(parts.overlaid(pairs, rng.uniform(0, 0.1), sample_rate_hz))


def bell(rng: Rng, sample_rate_hz: int) -> Samples:
    """A church bell or a hand bell, struck one or more times."""
    base_hz = rng.uniform(150, 500) if rng.random() < 0.6 else rng.uniform(700, 2500)
    ratios = [0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 3.01, 4.1]
    count = int(rng.integers(1, 5))
    strikes = [
        parts.struck(rng, base_hz, [(r, 1 / r) for r in ratios], 600 / base_hz, sample_rate_hz)
        for _ in range(count)
    ]
    return parts.finished(parts.overlaid(strikes, rng.uniform(0.5, 2.0), sample_rate_hz))


def insect(rng: Rng, sample_rate_hz: int) -> Samples:
    """A cricket's chirps or a fly's unsteady buzz."""
    duration_s = rng.uniform(2, 5)
    t = parts.times(duration_s, sample_rate_hz)
    wander = np.interp(t, np.linspace(0, duration_s, 24), rng.uniform(-1, 1, 24))
    if rng.random() < 0.5:
        tone = parts.harmonic(rng, rng.uniform(140, 420) * (1 + 0.12 * wander), sample_rate_hz, 16, 0.7)
        return parts.finished(tone * np.clip(0.5 + 0.6 * wander[::-1], 0.02, 1))
    pulse_hz, chirp_hz = rng.uniform(20, 70), rng.uniform(0.8, 4)
    gate = np.clip(np.sin(2 * np.pi * pulse_hz * t), 0, 1) * ((t * chirp_hz) % 1 < rng.uniform(0.25, 1))
    return parts.finished(
        np.sin(2 * np.pi * np.cumsum(rng.uniform(2200, 7000) * (1 + 0.01 * wander)) / sample_rate_hz) * gate
    )


def engine(rng: Rng, sample_rate_hz: int) -> Samples:
    """A piston engine idling or turning faster, heard with its exhaust's noise."""
    duration_s = rng.uniform(3, 6)
    t = parts.times(duration_s, sample_rate_hz)
    firing_hz = rng.uniform(12, 90) * np.interp(
        t, np.linspace(0, duration_s, 12), 1 + rng.uniform(0.01, 0.2) * rng.uniform(-1, 1, 12)
    )
    tone = parts.harmonic(rng, firing_hz, sample_rate_hz, 30, rng.uniform(0.6, 1.2))
    puff = 0.5 + 0.5 * np.cos(2 * np.pi * np.cumsum(firing_hz) / sample_rate_hz)
    rumble = parts.noise(rng, duration_s, sample_rate_hz, 40, rng.uniform(400, 3000))
    return parts.finished(parts.unit(tone) + rng.uniform(0.2, 0.8) * parts.unit(rumble) * puff)


def wind(rng: Rng, sample_rate_hz: int) -> Samples:
    """Gusts, and the low rumble they make in a microphone."""
    duration_s = rng.uniform(3, 6)
    t = parts.times(duration_s, sample_rate_hz)
    gusts = np.interp(t, np.linspace(0, duration_s, 14), rng.uniform(0.05, 1, 14)) ** 2
    howl = parts.noise(rng, duration_s, sample_rate_hz, rng.uniform(150, 400), rng.uniform(500, 1500))
    rumble = parts.noise(rng, duration_s, sample_rate_hz, 15, rng.uniform(60, 250))
    return parts.finished(
        gusts * (parts.unit(howl) * rng.uniform(0.1, 1) + parts.unit(rumble) * rng.uniform(0.3, 2))
    )


def dishes(rng: Rng, sample_rate_hz: int) -> Samples:
    """Plates, cups and cutlery touching: bright, short rings that do not scatter as breaking glass does."""
    pieces = []
    for _ in range(int(rng.integers(2, 12))):
        base_hz = rng.uniform(700, 4500)
        ratios = [(r, rng.uniform(0.2, 1)) for r in (1, *rng.uniform(1.2, 5.5, 5))]
        pieces.append(
            rng.uniform(0.2, 1) * parts.struck(rng, base_hz, ratios, rng.uniform(0.02, 0.15), sample_rate_hz)
        )
    return parts.finished(parts.spaced(rng, pieces, rng.uniform(0.08, 0.4), 0.6, sample_rate_hz))


def glass_break(rng: Rng, sample_rate_hz: int) -> Samples:
    """A pane giving way: a dull crack, then a shower of many small ringing pieces thinning out."""
    crack = parts.noise(rng, 0.3, sample_rate_hz, 300, 9000) * np.exp(
        -parts.times(0.3, sample_rate_hz) / rng.uniform(0.02, 0.08)
    )
    duration_s, count = rng.uniform(0.5, 1.8), int(rng.integers(25, 90))
    shower = np.zeros(int((duration_s + 0.5) * sample_rate_hz))
    for start_s in np.sort(rng.exponential(duration_s / 3, count).clip(0, duration_s)):
        ratios = [(r, rng.uniform(0.2, 1)) for r in (1, *rng.uniform(1.1, 3.2, 3))]
        piece = parts.struck(rng, rng.uniform(1800, 7000), ratios, rng.uniform(0.008, 0.06), sample_rate_hz)
        start = int(start_s * sample_rate_hz)
        piece = piece[: len(shower) - start] * rng.uniform(0.05, 0.6) * np.exp(-start_s / duration_s)
        shower[start : start + len(piece)] += piece
    return parts.finished(parts.summed(parts.unit(crack) * rng.uniform(0.5, 2), parts.unit(shower)))


MAKERS: dict[str, Maker] = {
    "smoke_alarm": smoke_alarm,
    "fire_alarm": fire_alarm,
    "siren": siren,
    "car_alarm": car_alarm,
    "appliance_beep": appliance_beep,
    "alarm_clock": alarm_clock,
    "doorbell": doorbell,
    "phone_ring": phone_ring,
    "glass_break": glass_break,
    "dishes": dishes,
    "knock": knock,
    "door_slam": door_slam,
    "footsteps": footsteps,
    "car_horn": car_horn,
    "clock_tick": clock_tick,
    "mouse_click": mouse_click,
    "keyboard_typing": keyboard_typing,
    "water_drip": water_drip,
    "clapping": clapping,
    "bell": bell,
    "insect": insect,
    "engine": engine,
    "wind": wind,
}

"""Maker of every label that can be synthesised here."""


def beeped(
    rng: Rng, pitch_hz: float, duration_s: float, sample_rate_hz: int, *, square: bool | None = None
) -> Samples:
    """A piezo's or speaker's beep: sine, or odd harmonics as of a square wave."""
    pitch_hz = min(pitch_hz, 0.44 * sample_rate_hz)  # a narrow line would leave nothing of it
    t = parts.times(duration_s, sample_rate_hz)
    is_square = rng.random() < 0.4 if square is None else square
    orders = range(1, 12, 2) if is_square else range(1, 3)
    loss = 1.0 if is_square else rng.uniform(2, 6)
    tone = sum(
        np.sin(2 * np.pi * n * pitch_hz * t) / n**loss for n in orders if n * pitch_hz < 0.45 * sample_rate_hz
    )
    return parts.finished(parts.eased(np.asarray(tone), sample_rate_hz, rng.uniform(0.002, 0.012)))


def bell_ring(rng: Rng, sample_rate_hz: int, duration_s: float) -> Samples:
    """One or two gongs struck 15-30 times a second by an electric hammer."""
    gongs = [[(r, rng.uniform(0.3, 1)) for r in (1, *rng.uniform(1.4, 4.5, 4))] for _ in range(2)]
    pitches_hz = rng.uniform(900, 2400) * np.array([1, rng.uniform(1.05, 1.3)])
    interval_s, decay_s = 1 / rng.uniform(15, 30), rng.uniform(0.08, 0.4)
    blows = [parts.struck(rng, pitches_hz[g], gongs[g], decay_s, sample_rate_hz) for g in range(2)]
    strikes = [rng.uniform(0.8, 1) * blows[n % 2] for n in range(int(duration_s / interval_s))]
    return parts.finished(parts.overlaid(strikes, interval_s, sample_rate_hz))


def melody(rng: Rng, sample_rate_hz: int) -> Samples:
    """A short tune of plucked or plain electronic notes."""
    base_hz, step_s = rng.uniform(500, 1500), rng.uniform(0.09, 0.3)
    ratios = parts.chime_partials(rng)[: int(rng.integers(1, 5))]
    decay_s = rng.uniform(0.05, 0.4)
    semitones = rng.choice([0, 2, 4, 5, 7, 9, 12], int(rng.integers(4, 14)))
    notes = [parts.struck(rng, base_hz * 2 ** (s / 12), ratios, decay_s, sample_rate_hz) for s in semitones]
    return parts.finished(parts.overlaid(notes, step_s, sample_rate_hz))


def alarm_pattern(rng: Rng, sample_rate_hz: int) -> Samples:
    """One of a car alarm's patterns: a pitch swept up, up and down, or by turns."""
    t = parts.times(rng.uniform(0.8, 2.5), sample_rate_hz)
    rate_hz, low_hz, span = rng.uniform(1, 14), rng.uniform(700, 1800), rng.uniform(1.15, 2.2)
    sweep = (t * rate_hz) % 1
    if rng.random() < 0.5:
        sweep = np.abs(2 * sweep - 1)
    if rng.random() < 0.3:
        sweep = np.round(sweep)
    return parts.finished(parts.harmonic(rng, low_hz * span**sweep, sample_rate_hz, 6, 1.0))
