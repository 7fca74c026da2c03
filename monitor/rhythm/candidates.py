"""Places in the newest sound where a rhythm may just have ended: a cheap test of every channel.

"Trials" are those of `python scripts/bench constants`.
"""

import ctypes
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from monitor.native.kernels import kernels
from monitor.rhythm.history import CAPACITY, LevelHistory
from monitor.rhythm.spectrum import BINS, BLOCK_HOPS, CHANNELS, PROMINENCE_STEP_DB
from monitor.rhythm.templates import TEMPI, Template

_LEAST_ON_DB = 4.0
"""Mean prominence that the tones of a candidate need. By arithmetic: at an SNR of 0 dB in its third octave a
tone of 520 Hz has 4 dB, one of 3 kHz has 12. Trials: 2 and 6 change nothing."""
_MOST_CANDIDATES = 6
"""Candidates that are parsed for each block of 120 ms. Chosen as a bound on the cost in loud music; trials
with 3 and 9 change nothing."""
_MOST_PARTS = 16
"""Room for parts in `struct Search` (monitor/native/candidates.c); T3 has 8 and T4 has 9."""
_NEIGHBOUR_CHANNELS = 3
"""Of candidates this near in pitch only the best is kept: the main lobe of the Hann window reaches two bins
to either side, so that one tone shows in all of them. Trials: 2 and 4 change nothing."""
BLURRED_SHARE = 0.6
"""The gaps of a tone are filled where its prominence falls there by less than this share. Trials: with 0.3 an
oven timer and a microwave oven pass, with 0.9 an alarm among voices and one beside another are missed."""
RINGING_DB = 16.0
"""Prominence of a tone so clear that it is not noise that fills its gaps. Trials: with 8 a flute passes, with
24 an alarm in a room of 0.8 s is missed."""
LOWEST_RINGING_CHANNEL = 25
"""The channel of 1.1 kHz: below it voices ring, too. Chosen; trials with 0.7 and 1.5 kHz change nothing."""


@dataclass(frozen=True)
class Candidate:
    """A place where a rhythm may have ended."""

    channel: int
    end: int
    """Hop after the last part."""
    on_db: float
    off_db: float
    """Mean prominence of the tones and of the gaps between them."""
    misfit: float
    """How far the worst part is on the wrong side of the middle between tone and gap, as a share of the
    contrast; 0 or less if none is. At most one tone and one quiet part may be."""

    @property
    def contrast_db(self) -> float:
        """By how much the tones stand above the gaps."""
        return self.on_db - self.off_db

    @property
    def is_ringing(self) -> bool:
        """Whether this is one clear pitch whose gaps are filled: by a room, or by a tone that did not
        stop."""
        is_clear = self.on_db >= RINGING_DB and LOWEST_RINGING_CHANNEL <= self.channel < BINS
        return is_clear and self.contrast_db < BLURRED_SHARE * self.on_db


def candidates(history: LevelHistory, template: Template, hops: int, *, sounding: bool) -> list[Candidate]:
    """Places in the newest `hops` where `template` may have ended: block by block, the best of each first.

    With `sounding` (such an alarm is known), also those that could not be a first cycle.
    """
    step = template.search.step_hops
    ends = range(history.end - hops + step, history.end + 1, step)
    places, address = _places(len(ends))
    count = kernels().find_places(
        history.sums_address,
        CHANNELS,
        CAPACITY,
        history.row(ends.start - 1),
        len(ends),
        step,
        ctypes.addressof(_search(template, sounding)),
        address,
    )
    if not count:
        return []
    found = [
        Candidate(channel, ends.start + row * ends.step, on_db, off_db, misfit)
        for row, channel, on_db, off_db, misfit in places[:count].tolist()
    ]
    found.sort(key=lambda candidate: candidate.contrast_db)
    found.reverse()
    return [
        candidate
        for first in range(history.end - hops, history.end, BLOCK_HOPS)
        for candidate in _apart(c for c in found if first < c.end <= first + BLOCK_HOPS)
    ]


class _Search(ctypes.Structure):
    """What the kernel looks for (struct Search in monitor/native/candidates.c)."""

    _fields_ = [
        ("part_count", ctypes.c_int32),
        *((name, ctypes.c_int32 * 2) for name in ("last", "quiet", "before")),
        ("cores", ctypes.c_int32 * 2 * _MOST_PARTS * len(TEMPI)),
        *((name, ctypes.c_int32 * _MOST_PARTS) for name in ("is_on", "is_inner_gap")),
        *((name, ctypes.c_double) for name in ("step_db", "least_db", "least_on_db", "least_before_db")),
        ("contrast_db", ctypes.c_double),
    ]


@cache
def _search(template: Template, sounding: bool) -> _Search:
    """The thresholds for the kernel. It first compares, on every channel, the last tone with the quiet beside
    it, and the tone before, which only a known alarm may have lost. What passes is compared with all parts
    at every tempo: at most one tone and one quiet part may be on the wrong side of the middle."""
    last, before = template.ons[-1], template.ons[-2]
    quiet = last + 1 if last + 1 < len(template.parts) else last - 1
    search = _Search(
        part_count=len(template.parts),
        step_db=PROMINENCE_STEP_DB,
        least_db=template.least_db(sounding),
        least_on_db=_LEAST_ON_DB,
        least_before_db=-math.inf if sounding else template.first.least_contrast_db / 2,
        contrast_db=template.search.least_contrast_db,
    )
    for name, part in (("last", last), ("quiet", quiet), ("before", before)):
        getattr(search, name)[:] = template.cores[1.0][part].tolist()
    for tempo, scale in enumerate(TEMPI):
        for part, edges in enumerate(template.cores[scale].tolist()):
            search.cores[tempo][part][:] = edges
    for part in range(len(template.parts)):
        search.is_on[part] = part in template.ons
        search.is_inner_gap[part] = part in template.inner_gaps
    return search


@cache
def _places(ends: int) -> tuple[npt.NDArray[np.void], int]:
    """Memory for what the kernel finds (struct Place), one for each end and channel, and its address."""
    kinds = [("row", "i4"), ("channel", "i4"), ("on_db", "f8"), ("off_db", "f8"), ("misfit", "f8")]
    places = np.zeros(ends * CHANNELS, kinds)
    return places, places.ctypes.data


def _apart(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The first of each group of neighbours in pitch, at most `_MOST_CANDIDATES`."""
    kept: list[Candidate] = []
    for candidate in candidates:
        if all(abs(candidate.channel - other.channel) > _NEIGHBOUR_CHANNELS for other in kept):
            kept.append(candidate)
        if len(kept) == _MOST_CANDIDATES:
            break
    return kept
