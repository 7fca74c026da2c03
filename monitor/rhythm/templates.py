"""The two rhythms that must not be missed, part by part, with what rooms and makers do to them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

SCALES = (0.92, 1.0, 1.08)
"""Tempi at which a rhythm is first looked for; between them lies less than a part's spared edges."""
_SHORT_GAP_HOPS = 50


@dataclass(frozen=True)
class Part:
    """A stretch of tone or of quiet. Lengths in hops of 10 ms."""

    on: bool
    nominal_hops: int
    shortest_hops: int
    longest_hops: int


@dataclass(frozen=True)
class Search:
    """How a rhythm is looked for."""

    smoothing_hops: int
    """Hops over which prominence is averaged before it is parsed."""
    step_hops: int
    """Hops between two places that are tried."""
    least_contrast_db: float
    """By how much the tones must stand above the gaps for a place to be parsed at all."""


@dataclass(frozen=True)
class Timing:
    """How long tones and gaps may last, in hops of 10 ms, as they are measured."""

    onset_to_onset_hops: tuple[tuple[int, int], ...]
    """Shortest and longest time from each onset to the next."""
    first_to_last_onset_hops: tuple[int, int]
    """Shortest and longest time from the first onset to the last."""
    least_mean_tone_hops: int
    """The tones must last as long as this on average."""


@dataclass(frozen=True)
class FirstCycle:
    """What the first cycle of an alarm must show. A known alarm's next cycles are held to less."""

    least_contrast_db: float
    """By how much its tones must stand above its gaps."""
    most_misfit: float
    """How far its worst part may be beyond the middle between tone and gap, as a share of the contrast, to be
    worth a parse (`Candidate.misfit`)."""
    longest_mean_gap_hops: float
    """Its short gaps last no longer than this on average: rooms shorten gaps, and nothing lengthens them."""
    most_uneven_hops: int
    """Longest minus shortest tone, where tones are plain: a room lengthens all tones alike."""
    extra_beep_hops: tuple[int, int]
    """Length from which a further beep is looked for in a pause: where tones are clear, and where not."""
    unclear_below_db: float
    """Below this contrast the cycle must fit as well as `least_fit_if_unclear`."""
    least_fit_if_unclear: float
    """Least fit, 0-1, of a cycle of little contrast."""
    least_fit_if_faint: float
    """Least fit, 0-1, of a cycle at a steady pitch that hardly stands out of the noise."""
    least_fit_if_plain: float
    """Least fit, 0-1, of a cycle whose tones stand far above its gaps: nothing hides their edges."""


@dataclass(frozen=True)
class RingingCycle:
    """What suffices for a first cycle whose tones are so clear that only a room can have filled its gaps."""

    least_contrast_db: float
    most_misfit: float


@dataclass(frozen=True, eq=False)
class Template:
    """A rhythm as parts, beginning with the quiet that must precede it.

    The bounds are asymmetric: a room lengthens a tone and eats the gap behind it by as much, so the time from
    onset to onset is trusted and a part alone is not.
    """

    pattern: str
    """Its name in evidence."""
    label: str
    """The label of what it detects."""
    parts: tuple[Part, ...]
    cycle_hops: int
    """Nominal time from one cycle's onset to the next one's."""
    quiet_around_hops: int
    """Time before the first tone and after the last that must be quiet too before the cycle counts; 0 if the
    parts include it."""
    search: Search
    timing: Timing
    first: FirstCycle
    ringing: RingingCycle | None = None
    """None where rooms do not fill the gaps."""

    def least_db(self, sounding: bool) -> float:
        """By how much a last tone must stand above the quiet beside it to be looked at."""
        least_db = self.search.least_contrast_db
        return least_db if sounding else max(least_db, self.first.least_contrast_db - 1)

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
        return tuple(i for i in self.inner_gaps if self.parts[i].nominal_hops <= _SHORT_GAP_HOPS)

    @cached_property
    def pauses(self) -> tuple[int, ...]:
        """The pauses between groups, by index."""
        return tuple(i for i in self.inner_gaps if self.parts[i].nominal_hops > _SHORT_GAP_HOPS)

    @cached_property
    def long_quiets(self) -> tuple[int, ...]:
        """The quiet parts long enough to hide a beep, by index."""
        return tuple(i for i in self.quiets if i not in self.short_gaps)

    @cached_property
    def longest_hops(self) -> int:
        """Hops of all parts at their longest."""
        return sum(part.longest_hops for part in self.parts)

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
        ends = np.cumsum([part.nominal_hops * scale for part in self.parts])
        rows = []
        for part, end in zip(self.parts, ends - ends[-1], strict=True):
            length = part.nominal_hops * scale
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
    cycle_hops=400,
    quiet_around_hops=0,
    search=Search(smoothing_hops=5, step_hops=6, least_contrast_db=2.2),
    timing=Timing(
        onset_to_onset_hops=((88, 113), (88, 113), (176, 225)),
        first_to_last_onset_hops=(356, 446),
        least_mean_tone_hops=42,
    ),
    first=FirstCycle(
        least_contrast_db=2.7,
        most_misfit=0.0,
        longest_mean_gap_hops=60,
        most_uneven_hops=22,
        extra_beep_hops=(20, 40),
        unclear_below_db=0.0,
        least_fit_if_unclear=0.0,
        least_fit_if_faint=0.0,
        least_fit_if_plain=0.82,
    ),
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
    cycle_hops=570,
    # An alarm clock's four beeps come again sooner.
    quiet_around_hops=420,
    search=Search(smoothing_hops=3, step_hops=3, least_contrast_db=3.2),
    timing=Timing(
        # The first onset rises out of quiet and is found early, the others out of the ringing of a tone.
        onset_to_onset_hops=((16, 26), (16, 24), (16, 24)),
        first_to_last_onset_hops=(52, 70),
        least_mean_tone_hops=8,
    ),
    first=FirstCycle(
        least_contrast_db=4.0,
        most_misfit=0.1,
        longest_mean_gap_hops=12.5,
        most_uneven_hops=10,
        extra_beep_hops=(8, 20),
        unclear_below_db=5.0,
        least_fit_if_unclear=0.75,
        least_fit_if_faint=0.68,
        least_fit_if_plain=0.78,
    ),
    ringing=RingingCycle(least_contrast_db=3.2, most_misfit=0.3),
)
