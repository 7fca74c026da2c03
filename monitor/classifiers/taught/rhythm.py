"""The second factor of a taught sound that beeps: at which pitches, when, and for how long.

What has the rhythm of a sound needs less likeness to be taken for it: the beeps of the hearings come again,
in their places, and at their pitches no others between them. A look may hold a part of the sound; then that
part must fit.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from monitor.audio import Audio
from monitor.classifiers.taught.beeps import MOST_BEEPS, SAME_PITCH_HZ, SAME_PITCH_SHARE, Beep, beeps_in
from monitor.schema import Block

LEAST_BEEPS, LEAST_ONSETS = 3, 2
"""A rhythm, and what fits it, has so many beeps, and they begin at so many different times."""
FITS = 0.5
"""What has this share of a rhythm has it: an early look hears noise and the room, too."""
TOGETHER_S = 0.06
"""Beeps that begin so near to each other begin together: a row of the spectrum averages 52 ms."""
SHORTEST_S = 0.05
"""What is shorter is a click, as noise has everywhere."""
LENGTH_S, LENGTH_SHARE = 0.12, 0.6
"""By how much the length of a beep may differ: a room and the noise under it lengthen and shorten it."""
EXTRA_WEIGHS = 0.5
"""A beep too many counts as so much of one that is missing: noise has short ones everywhere."""
Grid = NDArray[np.float64]
Seconds = Annotated[float, Field(ge=0, le=60)]
PitchHz = Annotated[float, Field(ge=20, le=8000)]


class HeardBeeps(Block):
    """The beeps of one hearing, in order of time, and its length."""

    beeps: Annotated[tuple[Beep, ...], Field(max_length=MOST_BEEPS)]
    length_s: Seconds

    def packed(self) -> bytes:
        """As a history keeps it: little-endian float32, the length first."""
        return np.array([self.length_s, *(each for one in self.beeps for each in one)], "<f4").tobytes()


def unpacked_beeps(data: bytes | None) -> HeardBeeps | None:
    """What was packed; None where nothing was, or it is damaged."""
    if not data or len(data) % 4:
        return None
    length_s, *rest = (round(float(one), 2) for one in np.frombuffer(data, "<f4"))
    try:
        return HeardBeeps(
            beeps=tuple(Beep(*rest[at : at + 4]) for at in range(0, len(rest), 4)), length_s=length_s
        )
    except (TypeError, ValueError):
        return None


class RhythmTemplate(Block):
    """Beeps that the hearings of a sound share."""

    beeps: Annotated[
        tuple[tuple[Seconds, Seconds, PitchHz], ...], Field(min_length=LEAST_BEEPS, max_length=MOST_BEEPS)
    ]
    """Of each: when it begins, after the first, its length, and its pitch."""
    bar: Annotated[float, Field(ge=-1, le=1)]
    """The likeness from which a look that has the rhythm is a hit: lower than without it."""
    shared: Annotated[int, Field(ge=1)]
    """So many of its hearings have it."""
    of: Annotated[int, Field(ge=1)]

    @property
    def length_s(self) -> float:
        """From the first beep to the end of the last."""
        return max(at_s + on_s for at_s, on_s, _ in self.beeps)

    def fit(self, heard: HeardBeeps) -> float:
        """The share of its beeps that a look has, 0-1, of those that it has room for."""
        return fit(np.array(self.beeps, np.float64), as_grid(heard.beeps), heard.length_s)


def heard_beeps(sound: Audio) -> HeardBeeps:
    """What beeps in a sound, 16 kHz."""
    return HeardBeeps(beeps=beeps_in(sound.samples), length_s=round(sound.duration_s, 2))


def as_grid(beeps: Sequence[Beep]) -> Grid:
    """Begin, length and pitch of beeps that are no clicks, shape (beeps, 3)."""
    return np.array([one[:3] for one in beeps if one.on_s >= SHORTEST_S], np.float64).reshape(-1, 3)


def fit(template: Grid, heard: Grid, length_s: float) -> float:
    """See `RhythmTemplate.fit`; both of shape (beeps, 3), as `as_grid` gives them."""
    matched, inside, extra = best_place(template, heard, length_s)
    if matched.sum() < LEAST_BEEPS or onsets(template[matched, 0]) < LEAST_ONSETS:
        return 0.0
    return float(matched.sum() / (inside + EXTRA_WEIGHS * extra))


def best_place(template: Grid, heard: Grid, length_s: float) -> tuple[NDArray[np.bool_], float, float]:
    """Where a rhythm fits best in a sound: which of its beeps are there, shape (beeps,), how many the sound
    has room for, and how many are too many."""
    nothing = np.zeros(len(template), bool), float(len(template)), 0.0
    pitched = np.abs(template[:, None, 2] - heard[None, :, 2]) <= np.maximum(
        SAME_PITCH_HZ, SAME_PITCH_SHARE * template[:, None, 2]
    )
    unlike = np.abs(template[:, None, 1] - heard[None, :, 1])
    longer = np.maximum(template[:, None, 1], heard[None, :, 1])
    possible = pitched & (unlike <= np.maximum(LENGTH_S, LENGTH_SHARE * longer))
    if not possible.any():
        return nothing
    apart = heard[None, :, 0] - template[:, None, 0]
    places = np.unique(np.round(apart[possible] / TOGETHER_S * 2)) * TOGETHER_S / 2
    pairs = possible & (np.abs(apart - places[:, None, None]) <= TOGETHER_S)
    matched = np.asarray(pairs.any(axis=2))
    begins = template[:, 0] + places[:, None]
    inside = ((begins >= -TOGETHER_S) & (begins + np.minimum(template[:, 1], TOGETHER_S) <= length_s)).sum(1)
    first, last = begins.min(axis=1) - TOGETHER_S, (begins + template[:, 1]).max(axis=1)
    between = (heard[:, 0] > first[:, None]) & (heard[:, 0] < last[:, None])
    extra = (pitched.any(axis=0) & between & ~pairs.any(axis=1)).sum(1)
    found = matched.sum(1)
    share = found / np.maximum(np.maximum(inside, found) + EXTRA_WEIGHS * extra, 1)
    best = int(np.lexsort((found, np.round(share * found, 6)))[-1])
    return matched[best], float(max(inside[best], found[best])), float(extra[best])


def onsets(at_s: Grid) -> int:
    """At how many different times something begins; shape (beeps,)."""
    return int(1 + (np.diff(np.sort(at_s)) > TOGETHER_S).sum()) if len(at_s) else 0
