"""The two rhythms that must not be missed, part by part, with what rooms and makers do to them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

SCALES = (0.92, 1.0, 1.08)
"""Tempi at which a rhythm is first looked for; between them lies less than a part's spared edges."""
_SHORT = 50


@dataclass(frozen=True)
class Part:
    """A stretch of tone or of quiet. Lengths in hops of 10 ms."""

    on: bool
    nominal: int
    shortest: int
    longest: int


@dataclass(frozen=True, eq=False)
class Template:
    """A rhythm as parts, beginning with the quiet that must precede it.

    The bounds are asymmetric: a room lengthens a tone and eats the gap behind it by as much, so the time from
    onset to onset is trusted and a part alone is not.
    """

    pattern: str
    label: str
    parts: tuple[Part, ...]
    smoothing: int
    """Hops over which prominence is averaged before it is parsed."""
    step: int
    """Hops between two looks."""
    apart: tuple[tuple[int, int], ...]
    """Shortest and longest time from each onset to the next, in hops: the standards' 10 %, and a little."""
    span: tuple[int, int]
    """Shortest and longest time from the first onset to the last, in hops."""
    least_tone: int
    """Least mean length of the tones, in hops."""
    uneven: int
    """Most by which the tones of a first cycle may differ in length where they are clear, in hops: a room
    lengthens all of them alike."""
    longest_gap: float
    """Longest mean of a first cycle's short gaps, in hops: rooms shorten them, and nothing lengthens them."""
    beep_hops: tuple[int, int]
    """How much of a beep in the pause is surely seen, where tones are clear and where they drown in noise."""
    contrast_db: float
    """By how much the tones must stand above the gaps to be looked at: noise alone rarely reaches it."""
    first_contrast_db: float
    """What the very first cycle must reach to be believed."""
    sure_contrast_db: float
    """Where it is less than this, a first cycle must fit as well as `sure_fit`, 0-1."""
    sure_fit: float
    first_misfit: float
    """How far the worst part of a first cycle may be beyond the middle between tone and gap, as a share of
    the contrast, to be worth a parse. Above 0 for short tones: a device at the edge of its tolerance fits no
    tempo whole."""
    faint_fit: float
    """How well a first cycle must fit at a steady pitch that hardly stands out of the noise, 0-1."""
    plain_fit: float
    """How well a first cycle must fit whose tones stand far above its gaps, 0-1: nothing hides its edges."""
    ringing_contrast_db: float | None
    """What suffices for a first cycle whose tones stand far above all noise, so that only a room can have
    filled its gaps; None where rooms do not fill them."""
    ringing_misfit: float
    """The misfit that such a cycle may have."""
    cycle: int
    """Nominal hops from one cycle's onset to the next one's."""
    quiet_around: int
    """Hops before the first tone and after the last that must be quiet too before the cycle counts; 0 if the
    parts say it all."""

    def least_db(self, sounding: bool) -> float:
        """By how much a last tone must stand above the quiet beside it to be looked at."""
        return self.contrast_db if sounding else max(self.contrast_db, self.first_contrast_db - 1)

    @cached_property
    def ons(self) -> tuple[int, ...]:
        """The parts that are tone, by index."""
        return tuple(i for i, part in enumerate(self.parts) if part.on)

    @cached_property
    def inner_gaps(self) -> tuple[int, ...]:
        """The quiet parts between two tones, by index."""
        return tuple(i for i in range(self.ons[0], self.ons[-1]) if not self.parts[i].on)

    @cached_property
    def quiets(self) -> tuple[int, ...]:
        """The parts that are not tone, by index."""
        return tuple(i for i in range(len(self.parts)) if i not in self.ons)

    @cached_property
    def full_tones(self) -> tuple[int, ...]:
        """The tones that are heard to their end, by index."""
        return tuple(i for i in self.ons if i + 1 < len(self.parts))

    @cached_property
    def short_gaps(self) -> tuple[int, ...]:
        """The gaps within a group of tones, by index."""
        return tuple(i for i in self.inner_gaps if self.parts[i].nominal <= _SHORT)

    @cached_property
    def pauses(self) -> tuple[int, ...]:
        """The pauses between groups, by index."""
        return tuple(i for i in self.inner_gaps if self.parts[i].nominal > _SHORT)

    @cached_property
    def long_quiets(self) -> tuple[int, ...]:
        """The quiet parts long enough to hide a beep, by index."""
        return tuple(i for i in self.quiets if i not in self.short_gaps)

    @cached_property
    def longest(self) -> int:
        """Hops of all parts at their longest."""
        return sum(part.longest for part in self.parts)

    @cached_property
    def cores(self) -> dict[float, npt.NDArray[np.intp]]:
        """By tempo: first and past-last hop of each part less its uncertain edges, from the end of the last.

        The end of a gap is more telling than its beginning, where the room still rings.
        """
        return {scale: self._core(scale) for scale in SCALES}

    @cached_property
    def signs(self) -> npt.NDArray[np.float64]:
        """1 for a part that is tone, -1 for one that is not."""
        return self._marked(self.ons) - self._marked(self.quiets)

    def _marked(self, which: tuple[int, ...]) -> npt.NDArray[np.float64]:
        return np.isin(np.arange(len(self.parts)), which).astype(np.float64)

    def _core(self, scale: float) -> npt.NDArray[np.intp]:
        ends = np.cumsum([part.nominal * scale for part in self.parts])
        rows = []
        for part, end in zip(self.parts, ends - ends[-1], strict=True):
            length = part.nominal * scale
            first, last = (0.15, 0.15) if part.on else (0.4, 0.08)
            rows.append((end - length * (1 - first), end - length * last))
        return np.asarray(np.round(rows), np.intp)


def _quiet(nominal: int, shortest: int, longest: int) -> Part:
    return Part(False, nominal, shortest, longest)


def _tone(nominal: int, shortest: int, longest: int) -> Part:
    return Part(True, nominal, shortest, longest)


TEMPORAL_THREE = Template(
    pattern="temporal_three",
    label="smoke_alarm",
    parts=(
        _quiet(80, 80, 80),
        _tone(50, 30, 75),
        _quiet(50, 22, 70),
        _tone(50, 30, 75),
        _quiet(50, 22, 70),
        _tone(50, 30, 80),
        _quiet(150, 105, 172),
        # The next cycle's first tone ends the pause: three beeps and no more are a microwave oven's.
        _tone(15, 15, 15),
    ),
    smoothing=5,
    step=6,
    apart=((88, 113), (88, 113), (176, 225)),
    span=(356, 446),
    least_tone=42,
    uneven=22,
    longest_gap=60,
    beep_hops=(20, 40),
    contrast_db=2.2,
    first_contrast_db=2.7,
    sure_contrast_db=0.0,
    sure_fit=0.0,
    first_misfit=0.0,
    faint_fit=0.0,
    plain_fit=0.82,
    ringing_contrast_db=None,
    ringing_misfit=0.0,
    cycle=400,
    quiet_around=0,
)

TEMPORAL_FOUR = Template(
    pattern="temporal_four",
    label="co_alarm",
    parts=(
        _quiet(60, 60, 60),
        *(_tone(10, 6, 17), _quiet(10, 3, 14)) * 3,
        _tone(10, 6, 20),
        _quiet(30, 30, 30),
    ),
    smoothing=3,
    step=3,
    # The first onset rises out of quiet and is seen early, the others out of the ringing of the one before.
    apart=((16, 26), (16, 24), (16, 24)),
    span=(52, 70),
    least_tone=8,
    uneven=10,
    longest_gap=12.5,
    beep_hops=(8, 20),
    contrast_db=3.2,
    first_contrast_db=4.0,
    sure_contrast_db=5.0,
    sure_fit=0.75,
    first_misfit=0.1,
    faint_fit=0.68,
    plain_fit=0.78,
    ringing_contrast_db=3.2,
    ringing_misfit=0.3,
    cycle=570,
    # An alarm clock's four beeps come again sooner.
    quiet_around=420,
)
