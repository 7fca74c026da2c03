"""How much quieter an alarm could be before its rhythm is no longer found, in dB. Pure.

The recording of the drill is attenuated and the room's own noise added again, so that its level stays as
it is: y = g x + sqrt(1 - g^2) n. The rhythm detector that the house listens with is run on that in steps of
3 dB, with several draws of the noise. Where that comes in bursts, the alarm's tones alone are attenuated, and
all of the noise is added (`monitor.drill.tone`). Over steady noise an alarm is lost within a step or two, and
the margin is the level at which it is lost on average: the area under the shares that are found. In the
pauses of rattling dishes an alarm is found now and then over 40 dB, and no one figure is true: then the
margin is from where it is no longer surely found to where it hardly ever is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.drill.tone import rattles, tones_alone
from monitor.rhythm.tracker import RhythmTracker

STEP_DB = 3.0
MOST_DB = 60.0
"""A microphone's own range; beyond it the figure would be of the arithmetic."""
NOISES = 4
"""Draws of the room's noise at each level."""
SURELY, HARDLY = 0.9, 0.1
"""The shares between which the alarm is being lost."""
LEAST_NOISE_S = 3.0
"""Shorter, and one cough in it is the room's noise."""
AROUND_S = 1.5
RINGS_OUT_S = 3.0
"""So long after its end nothing of the alarm is left in the room."""
_LOOK = SAMPLE_RATE_HZ // 2
"""What the detector takes at once here: nothing more is heard once the alarm is found."""
_GOLDEN = (5**0.5 - 1) / 2
"""The share of a ring between two draws: however many there are, they lie evenly around it."""
_BAND = 2 ** (1 / 6)
"""Half a third octave, as the detector measures its signal-to-noise ratio."""


@dataclass(frozen=True, slots=True)
class LevelSearch:
    """How a room is searched for the levels at which an alarm is lost."""

    lost: int
    """At so many levels, one after the other, at which no draw finds it, it is lost for good."""
    more: int
    """Draws in all for the levels at which some are found and some are lost."""
    most: int
    """Draws of one level."""


STEADY = LevelSearch(lost=2, more=300, most=20)
BURSTS = LevelSearch(lost=round(MOST_DB / STEP_DB), more=500, most=32)
"""All levels are looked at: a pause in which an alarm is found over 40 dB may be missed by four draws at some
levels one after the other. With 300 draws the mean of one room came out up to 3 dB apart."""


@dataclass(frozen=True, slots=True)
class Margin:
    """How far above losing it an alarm was heard."""

    margin_db: float | None
    """It could fall by so much on average; None where the room's noise before it is not known."""
    over_floor_db: float | None
    """The tone over the room's noise in the third octave around its pitch."""
    is_at_least: bool = False
    """The margin is larger: nothing lost it."""
    surely_db: float | None = None
    """Falling by so much it is found in 9 of 10 draws of the noise."""
    hardly_db: float | None = None
    """Falling by so much it is lost in 9 of 10."""


class RoomNoise:
    """What is known of a room's noise, as a ring: from any place on, and as long as is asked for."""

    def __init__(self, parts: Sequence[Samples]) -> None:
        """`parts` at 16 kHz, each of at least 50 ms; where one goes over into the next it is faded at equal
        power."""
        fade = SAMPLE_RATE_HZ // 20
        ramp = np.sqrt(np.linspace(0, 1, fade, dtype=np.float32))
        begun = [part[:fade] * ramp + parts[n - 1][-fade:] * ramp[::-1] for n, part in enumerate(parts)]
        pairs = zip(begun, parts, strict=True)
        self._ring = np.concatenate([piece for head, part in pairs for piece in (head, part[fade:-fade])])

    def piece(self, draw: float, length: int) -> Samples:
        """So many samples of it; draws that follow one another lie evenly around the ring."""
        start = int(draw * _GOLDEN % 1 * len(self._ring))
        return np.resize(np.roll(self._ring, -start), length)


def measured(samples: Samples, begins_s: float, ends_s: float, label: str, pitch_hz: float) -> Margin:
    """The margin of an alarm in a recording at 16 kHz: it sounds from `begins_s` to `ends_s`, and what lies
    before it, and long enough after it, is the room. `label` is what it is found as."""
    first, last = (round(at_s * SAMPLE_RATE_HZ) for at_s in (begins_s - AROUND_S, ends_s + AROUND_S))
    alarm = samples[max(0, first) : last]
    parts = _room_alone(samples, begins_s, ends_s, label)
    if not parts or not len(alarm):
        return Margin(None, None)
    noise, alone = RoomNoise(parts), np.concatenate(parts)
    over_db = _over_db(alarm, alone, pitch_hz)
    search = BURSTS if rattles(alone, pitch_hz) else STEADY
    tones = _tones(alarm, alone, pitch_hz, label) if search is BURSTS else None
    mixed, sound = (quieter, alarm) if tones is None else (_fainter, tones)
    shares = found_shares(lambda by_db, draw: _is_found(mixed, sound, noise, by_db, draw, label), search)
    surely_db, hardly_db = lost_between_db(shares)
    return Margin(round(mean_level_db(shares), 1), over_db, min(shares) >= SURELY, surely_db, hardly_db)


def _tones(alarm: Samples, noise: Samples, pitch_hz: float, label: str) -> Samples | None:
    """As the room rings, or, where what rattled hides the rhythm in that, held to fade; None where both
    hide it."""
    both = (tones_alone(alarm, noise, pitch_hz, label, fades=fades) for fades in (False, True))
    return next((tones for tones in both if is_heard(tones, label)), None)


def _room_alone(samples: Samples, begins_s: float, ends_s: float, label: str) -> list[Samples]:
    """What was heard before the alarm and after it; not the latter where somebody pressed once more."""
    before = samples[: max(0, round((begins_s - 1.0) * SAMPLE_RATE_HZ))]
    after = samples[round((ends_s + RINGS_OUT_S) * SAMPLE_RATE_HZ) :]
    least = LEAST_NOISE_S * SAMPLE_RATE_HZ
    parts = [before] if len(before) >= least else []
    return [*parts, after] if len(after) >= least and not is_heard(after, label) else parts


def found_shares(is_found: Callable[[float, int], bool], search: LevelSearch = STEADY) -> list[float]:
    """The share of draws in which it is found at 3, 6, 9 … dB less, until it is lost for good: `is_found` is
    asked with the dB and the number of the draw."""
    found: list[list[bool]] = []
    while len(found) * STEP_DB < MOST_DB and not _is_lost(found, search.lost):
        by_db = STEP_DB * (len(found) + 1)
        found.append([is_found(by_db, draw) for draw in range(NOISES)])
    whole = next((number for number, each in enumerate(found) if not all(each)), len(found))
    last = max((number for number, each in enumerate(found) if any(each)), default=0)
    unsure = range(max(0, whole - 1), min(last + 2, len(found)))
    draws = min(search.most, NOISES + search.more // max(1, len(unsure)))
    for level in unsure:
        found[level] += [is_found(STEP_DB * (level + 1), draw) for draw in range(NOISES, draws)]
    return [sum(each) / len(each) for each in found]


def _is_lost(found: Sequence[Sequence[bool]], levels: int) -> bool:
    """Whether the last levels, so many, have nothing."""
    return len(found) >= levels and not any(map(any, found[-levels:]))


def mean_level_db(shares: Sequence[float]) -> float:
    """The level at which it is lost on average: the area under these shares, after all of it at 0 dB."""
    return min(STEP_DB * (0.5 + sum(shares)), MOST_DB)


def lost_between_db(shares: Sequence[float]) -> tuple[float, float]:
    """The last level down to which it is surely found, and the first from which on it hardly ever is, dB."""
    surely = next((number for number, share in enumerate(shares) if share < SURELY), len(shares))
    hardly = max((number + 1 for number, share in enumerate(shares) if share > HARDLY), default=0)
    return STEP_DB * surely, min(STEP_DB * (hardly + 1), MOST_DB)


def quieter(alarm: Samples, noise: Samples, by_db: float) -> Samples:
    """The recording with its alarm `by_db` quieter and its noise as loud as before; all at 16 kHz, and of one
    length."""
    gain = 10 ** (-by_db / 20)
    return np.asarray(gain * alarm + np.sqrt(1 - gain**2) * noise, np.float32)


def _fainter(tones: Samples, noise: Samples, by_db: float) -> Samples:
    """The same of the tones alone, which take no noise with them."""
    return np.asarray(10 ** (-by_db / 20) * tones + noise, np.float32)


def is_heard(samples: Samples, label: str) -> bool:
    """Whether the rhythm detector finds the label in these samples at 16 kHz."""
    tracker = RhythmTracker()
    return any(
        found.label == label
        for at in range(0, len(samples), _LOOK)
        for found in tracker.push(samples[at : at + _LOOK])
    )


def _is_found(
    mixed: Callable[[Samples, Samples, float], Samples],
    alarm: Samples,
    noise: RoomNoise,
    by_db: float,
    draw: int,
    label: str,
) -> bool:
    before = 2 * SAMPLE_RATE_HZ
    added = noise.piece(draw + by_db / 10, before + len(alarm))
    return is_heard(np.concatenate([added[:before], mixed(alarm, added[before:], by_db)]), label)


def _over_db(alarm: Samples, noise: Samples, pitch_hz: float) -> float:
    """Level of the loudest half second over the noise's, in the band."""
    width = SAMPLE_RATE_HZ // 2
    pieces = [alarm[at : at + width] for at in range(0, len(alarm) - width, width // 4)]
    loudest = max((_band_power(one, pitch_hz) for one in pieces), default=0.0)
    quiet = float(np.median([_band_power(noise[at : at + width], pitch_hz)
                             for at in range(0, len(noise) - width, width)]))  # fmt: skip
    return round(10 * float(np.log10(max(loudest, 1e-14) / max(quiet, 1e-14))), 1)


def _band_power(samples: Samples, pitch_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    return float(spectrum[(hz > pitch_hz / _BAND) & (hz < pitch_hz * _BAND)].mean())
