"""Sounds of a home that beep, ring and whistle and are no alarm: whole performances, as long as they last.

Every maker takes a random generator and a rate and gives mono float32 samples. They exist to be ignored: the
rhythm benchmark counts what is taken for a smoke or carbon monoxide alarm.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from monitor.audio import Samples
from monitor.synthesis.alarms import PEAK, Rhythm, Sounder, piezo, played
from testkit import household
from testkit.alarms import steady_pulses

Rng = np.random.Generator
Notes = Sequence[tuple[float, float, float]]
"""Pitch in Hz, seconds on, seconds off."""

_MICROWAVES = ((3, 1.0, 1.0), (4, 0.5, 0.5), (5, 0.6, 0.6), (3, 0.5, 0.5), (1, 2.0, 1.0), (4, 0.25, 0.25),
               (3, 0.25, 0.15), (5, 0.15, 0.1), (10, 0.1, 0.1), (6, 0.4, 0.6))  # fmt: skip
_TELEPHONE = {
    "dial_us": ((350, 440), [(12.0, 0.5)]),
    "dial_eu": ((425,), [(12.0, 0.5)]),
    "busy_us": ((480, 620), [(0.5, 0.5)] * 15),
    "busy_eu": ((425,), [(0.5, 0.5)] * 15),
    "reorder": ((480, 620), [(0.25, 0.25)] * 30),
    "ringing_us": ((440, 480), [(2.0, 4.0)] * 4),
    "ringing_eu": ((425,), [(1.0, 4.0)] * 5),
    "ringing_uk": ((400, 450), [(0.4, 0.2), (0.4, 2.0)] * 6),
    "stutter": ((350, 440), [*[(0.1, 0.1)] * 3, (10.0, 0.5)]),
    "waiting": ((440,), [(0.3, 10.0)] * 3),
}
"""Call-progress tones of ITU-T E.180 and its national supplements: pitches and rhythm."""


def microwave(rng: Rng, sample_rate_hz: int) -> Samples:
    """Done: three to ten beeps, and perhaps the same again as a reminder half a minute later."""
    count, on_s, off_s = _MICROWAVES[rng.integers(len(_MICROWAVES))]
    on_s, off_s = on_s * rng.uniform(0.85, 1.15), off_s * rng.uniform(0.85, 1.15)
    times = int(rng.integers(1, 4))
    group = [*[(on_s, off_s)] * (count - 1), (on_s, rng.uniform(15, 60))]
    return _quietly_ended(
        played(_beeper(rng, 1800, 3000), group * times, sample_rate_hz, tail=False), sample_rate_hz
    )


def oven_timer(rng: Rng, sample_rate_hz: int) -> Samples:
    """Groups of one to five short beeps each second or two, until someone comes."""
    count, on_s = int(rng.integers(1, 6)), rng.uniform(0.05, 0.15)
    off_s = on_s * rng.uniform(0.8, 1.5)
    pause_s = rng.uniform(0.4, 2.0)
    group = [*[(on_s, off_s)] * (count - 1), (on_s, pause_s)]
    times = round(rng.uniform(10, 30) / sum(map(sum, group)))
    return played(_beeper(rng, 1800, 4200), group * max(times, 2), sample_rate_hz)


def washing_machine(rng: Rng, sample_rate_hz: int) -> Samples:
    """The melody at the end of a programme, once or again a minute later."""
    step_s = rng.uniform(0.12, 0.35)
    scale = rng.uniform(500, 1100) * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    lengths = rng.choice([1, 1, 2, 3], rng.integers(5, 18))
    notes = [(float(rng.choice(scale)), step_s * n * 0.9, step_s * n * 0.1) for n in lengths]
    return _quietly_ended(_melody(notes, sample_rate_hz), sample_rate_hz)


def reversing_truck(rng: Rng, sample_rate_hz: int) -> Samples:
    """A lorry backing up: a beep of about half a second each second."""
    period_s = rng.uniform(0.8, 1.3)
    on_s = period_s * rng.uniform(0.4, 0.6)
    beeps = steady_pulses(int(rng.integers(8, 30)), on_s=on_s, off_s=period_s - on_s)
    return played(_beeper(rng, 1000, 2800), beeps, sample_rate_hz)


def alarm_clock(rng: Rng, sample_rate_hz: int) -> Samples:
    """Digital clocks: two to four quick beeps each second, single beeps, or faster and faster."""
    on_s = rng.uniform(0.04, 0.13)
    count = int(rng.choice([1, 2, 3, 4, 4, 4]))
    off_s = on_s * rng.uniform(0.7, 1.3)
    pause_s = max(0.2, 1.0 - count * (on_s + off_s)) * rng.uniform(0.8, 2.0)
    group = [*[(on_s, off_s)] * (count - 1), (on_s, pause_s)]
    return played(_beeper(rng, 1500, 4500), group * int(rng.integers(8, 25)), sample_rate_hz)


def telephone_ring(rng: Rng, sample_rate_hz: int) -> Samples:
    """Bells, warbles and melodies with a ring's pauses, for about half a minute."""
    rings = [household.phone_ring(rng, sample_rate_hz) for _ in range(3)]
    gap = np.zeros(round(rng.uniform(1, 4) * sample_rate_hz), np.float32)
    return np.concatenate([piece for ring in rings for piece in (PEAK * ring, gap)]).astype(np.float32)


def call_progress(rng: Rng, sample_rate_hz: int) -> Samples:
    """Dial, busy, reorder, ringing and waiting tones from a receiver or a loudspeaker."""
    pitches_hz, rhythm = _TELEPHONE[str(rng.choice(list(_TELEPHONE)))]
    return _chord([Sounder(float(pitch_hz)) for pitch_hz in pitches_hz], rhythm, sample_rate_hz)


def dtmf(rng: Rng, sample_rate_hz: int) -> Samples:
    """A number being dialled, 50-250 ms a key (ITU-T Q.23)."""
    keys = []
    for _ in range(int(rng.integers(5, 14))):
        pair = [Sounder(float(rng.choice(group))) for group in ((697, 770, 852, 941), (1209, 1336, 1477))]
        keys.append(_chord(pair, [(rng.uniform(0.05, 0.25), rng.uniform(0.05, 0.4))], sample_rate_hz))
    return _quietly_ended(np.concatenate(keys), sample_rate_hz)


def bird(rng: Rng, sample_rate_hz: int) -> Samples:
    """Phrases sung again and again: two-note calls of a tit, trills, falling whistles."""
    low_hz = rng.uniform(2200, 5500)
    kind = rng.choice(["tit", "trill", "whistle"])
    note_s = {
        "tit": rng.uniform(0.08, 0.2),
        "trill": rng.uniform(0.03, 0.08),
        "whistle": rng.uniform(0.2, 0.6),
    }[kind]
    count = {
        "tit": 2 * int(rng.integers(2, 7)),
        "trill": int(rng.integers(6, 20)),
        "whistle": int(rng.integers(1, 5)),
    }
    high_hz = low_hz * rng.uniform(1.1, 1.4)
    phrase = []
    for i in range(count[kind]):
        start_hz = high_hz if kind == "tit" and i % 2 else low_hz
        bend = rng.uniform(-0.02, 0.02) if kind == "tit" else rng.uniform(-0.2, 0.2)
        phrase.append(
            _glide(rng, start_hz, start_hz * (1 + bend), note_s * rng.uniform(0.9, 1.1), sample_rate_hz)
        )
        phrase.append(_silence(note_s * rng.uniform(0.3, 0.8), sample_rate_hz))
    songs = [piece for _ in range(5) for piece in (*phrase, _silence(rng.uniform(1, 6), sample_rate_hz))]
    return _scaled(np.concatenate(songs))


def flute_or_whistle(rng: Rng, sample_rate_hz: int) -> Samples:
    """Someone practising: held, repeated and gliding notes with vibrato, in time, with rests."""
    beat_s = 60 / rng.uniform(60, 140)
    scale = rng.uniform(500, 1500) * 2 ** (np.array([0, 2, 4, 7, 9, 12]) / 12)
    pitch_hz, notes = float(rng.choice(scale)), []
    for _ in range(int(rng.integers(16, 40))):
        pitch_hz = pitch_hz if rng.random() < 0.4 else float(rng.choice(scale))
        length_s = beat_s * float(rng.choice([0.5, 1, 1, 2]))
        tone_s = length_s * rng.uniform(0.5, 0.95)
        bend = rng.choice([1.0, 1.0, rng.uniform(0.94, 1.06)])
        notes += [
            _glide(rng, pitch_hz, pitch_hz * bend, tone_s, sample_rate_hz, vibrato=rng.uniform(0, 0.01))
        ]
        notes += [_silence(length_s - tone_s + beat_s * float(rng.choice([0, 0, 0, 1])), sample_rate_hz)]
    return _scaled(np.concatenate(notes))


def electronic_music(rng: Rng, sample_rate_hz: int) -> Samples:
    """A loop of beeps on a grid at 90-150 beats a minute, over a drum and a bass line."""
    step_s = 60 / rng.choice([120, 120, rng.uniform(90, 150)]) / 4
    steps, bars = 16, int(rng.integers(6, 14))
    on_s = step_s * float(rng.choice([0.5, 0.9, 1.8]))
    melody = rng.random(steps) < rng.uniform(0.2, 0.7)
    pitches_hz = rng.uniform(400, 2500) * 2 ** (rng.choice([0, 0, 0, 3, 7, 12], steps) / 12)
    out = np.zeros(round((bars * steps + 4) * step_s * sample_rate_hz))
    kick = household.knock(rng, sample_rate_hz)[: round(0.15 * sample_rate_hz)]
    for step in range(bars * steps):
        at = round(step * step_s * sample_rate_hz)
        if melody[step % steps]:
            lead = Sounder(float(pitches_hz[step % steps]), (0.4, 0.2)).wave(0, on_s, sample_rate_hz)
            out[at : at + len(lead)] += lead[: len(out) - at]
        if step % 4 == 0:
            out[at : at + len(kick)] += 1.5 * kick[: len(out) - at]
            bass = Sounder(float(rng.choice([55, 65, 82])), (0.6, 0.3, 0.2)).wave(
                0, 3 * step_s, sample_rate_hz
            )
            out[at : at + len(bass)] += bass[: len(out) - at]
    return _scaled(out)


def metronome(rng: Rng, sample_rate_hz: int) -> Samples:
    """Clicks or electronic ticks at 40-208 a minute, the first of each bar higher."""
    period_s = 60 / rng.uniform(40, 208)
    per_bar, on_s = int(rng.integers(2, 7)), min(rng.uniform(0.01, 0.12), period_s / 2)
    pitch_hz = rng.uniform(800, 3000)
    bar = [(pitch_hz * (1.5 if beat == 0 else 1.0), on_s, period_s - on_s) for beat in range(per_bar)]
    return _melody(bar * max(2, round(25 / (per_bar * period_s))), sample_rate_hz)


def squeaky_hinge(rng: Rng, sample_rate_hz: int) -> Samples:
    """Stick and slip: squeals of wandering pitch, one for each swing of the door."""
    squeals = []
    for _ in range(int(rng.integers(3, 9))):
        start_hz = rng.uniform(500, 2500)
        squeal = _glide(
            rng,
            start_hz,
            start_hz * rng.uniform(0.6, 1.7),
            rng.uniform(0.2, 1.2),
            sample_rate_hz,
            vibrato=0.03,
        )
        squeals += [squeal, _silence(rng.uniform(0.1, 1.5), sample_rate_hz)]
    return _scaled(np.concatenate(squeals))


def dripping_water(rng: Rng, sample_rate_hz: int) -> Samples:
    """A tap that drips into a full basin, steadily, for half a minute."""
    drops = [household.water_drip(rng, sample_rate_hz) for _ in range(8)]
    return _scaled(np.concatenate(drops).astype(np.float64))


def kettle(rng: Rng, sample_rate_hz: int) -> Samples:
    """A whistling kettle: a tone that rises, wavers, and is taken off the heat."""
    start_hz = rng.uniform(1200, 2200)
    whistle = _glide(
        rng, start_hz, start_hz * rng.uniform(1.2, 1.6), rng.uniform(5, 15), sample_rate_hz, vibrato=0.01
    )
    return _scaled(np.concatenate([whistle, _silence(2, sample_rate_hz)]))


def keypad(rng: Rng, sample_rate_hz: int) -> Samples:
    """Keys of an appliance, a card terminal or a burglar alarm, pressed at a person's pace; then the delay's
    countdown."""
    sounder, on_s = _beeper(rng, 1500, 4200), rng.uniform(0.04, 0.15)
    presses = [(on_s, float(rng.uniform(0.15, 0.9))) for _ in range(int(rng.integers(3, 8)))]
    countdown = steady_pulses(int(rng.integers(0, 25)), on_s=on_s * 2, off_s=1.0 - on_s * 2)
    return _quietly_ended(played(sounder, [*presses, *countdown], sample_rate_hz), sample_rate_hz)


Maker = Callable[[Rng, int], Samples]
IMPOSTORS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        microwave, oven_timer, washing_machine, reversing_truck, alarm_clock, telephone_ring, call_progress,
        dtmf, bird, flute_or_whistle, electronic_music, metronome, squeaky_hinge, dripping_water, kettle,
        keypad,
    )
}  # fmt: skip
"""Every impostor by name."""


def _beeper(rng: Rng, low_hz: float, high_hz: float) -> Sounder:
    disc = piezo(rng.uniform(low_hz, high_hz), *10 ** (rng.uniform(-40, -10, 2) / 20))
    return replace(disc, rise_s=rng.uniform(0.002, 0.01))


def _chord(sounders: Sequence[Sounder], rhythm: Rhythm, sample_rate_hz: int) -> Samples:
    voices = [played(sounder, rhythm, sample_rate_hz) for sounder in sounders]
    return np.asarray(np.mean(voices, axis=0), np.float32)


def _melody(notes: Notes, sample_rate_hz: int) -> Samples:
    pieces = [played(Sounder(pitch, (0.2, 0.1)), [(on, off)], sample_rate_hz) for pitch, on, off in notes]
    return np.concatenate(pieces)


def _glide(
    rng: Rng, start_hz: float, end_hz: float, duration_s: float, sample_rate_hz: int, vibrato: float = 0.0
) -> npt.NDArray[np.float64]:
    length = max(1, round(duration_s * sample_rate_hz))
    time_s = np.arange(length) / sample_rate_hz
    pitch_hz = start_hz * (end_hz / start_hz) ** (time_s / max(duration_s, 1e-9))
    pitch_hz *= 1 + vibrato * np.sin(2 * np.pi * rng.uniform(4, 7) * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    envelope = np.sin(np.pi * np.linspace(0, 1, length)) ** 0.3
    return np.asarray(envelope * (np.sin(phase) + 0.15 * np.sin(2 * phase)))


def _silence(duration_s: float, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    return np.zeros(max(0, round(duration_s * sample_rate_hz)))


def _quietly_ended(samples: Samples, sample_rate_hz: int) -> Samples:
    """Followed by six seconds of quiet, in which a rhythm's pause could be found."""
    return np.concatenate([samples, np.zeros(6 * sample_rate_hz, np.float32)])


def _scaled(samples: npt.NDArray[np.float64]) -> Samples:
    return np.asarray(samples * (PEAK / max(float(np.abs(samples).max()), 1e-9)), np.float32)
