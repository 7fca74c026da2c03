"""Where in the newest sound a rhythm may just have ended: a quick look at every pitch."""

import ctypes
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from monitor.native.kernels import kernels
from monitor.rhythm.history import History
from monitor.rhythm.spectrum import BINS, BLOCK_HOPS, CHANNELS, PROMINENCE_STEP_DB
from monitor.rhythm.templates import SCALES, Template

_LEAST_ON_DB = 4.0
_MOST = 6
_MOST_PARTS = 16
_NEIGHBOURHOOD = 3  # channels
BLURRED = 0.6
"""Where less of a tone's prominence than this is gone in its gaps, something fills them."""
RINGING_DB = 16.0
"""Prominence of a tone so clear that it is no noise that fills its gaps."""
LOWEST_RINGING = 25
"""Channel of 1.1 kHz: below, voices ring as well."""


@dataclass(frozen=True)
class Candidate:
    """A place where a rhythm's parts seem to lie."""

    channel: int
    end: int
    """Hop after the last part."""
    on_db: float
    off_db: float
    """Mean prominence of the tones and of the gaps between them."""
    misfit: float
    """By how much of the contrast the worst part is on the wrong side of the middle between tone and gap; not
    above 0 if none is. At most one tone and one quiet part are."""

    @property
    def contrast_db(self) -> float:
        """By how much the tones stand above the gaps."""
        return self.on_db - self.off_db

    @property
    def is_ringing(self) -> bool:
        """One clear pitch whose gaps are filled: by a room, or by a tone that never stopped."""
        is_clear = self.on_db >= RINGING_DB and LOWEST_RINGING <= self.channel < BINS
        return is_clear and self.contrast_db < BLURRED * self.on_db


def candidates(history: History, template: Template, hops: int, *, sounding: bool) -> list[Candidate]:
    """Places in the newest `hops` where `template` may just have ended: by block, the best of each first.

    Unless such an alarm is known to be sounding, only those are given that may be a first cycle.
    """
    step = template.search.step_hops
    ends = range(history.end - hops + step, history.end + 1, step)
    places, address = _places(len(ends))
    count = kernels().find_places(
        history.sums_address(ends.start),
        CHANNELS,
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
        ("cores", ctypes.c_int32 * 2 * _MOST_PARTS * len(SCALES)),
        *((name, ctypes.c_int32 * _MOST_PARTS) for name in ("is_on", "is_inner_gap")),
        *((name, ctypes.c_double) for name in ("step_db", "least_db", "least_on_db", "least_before_db")),
        ("contrast_db", ctypes.c_double),
    ]


@cache
def _search(template: Template, sounding: bool) -> _Search:
    """The cheap test, on every channel, is the last tone against the quiet beside it, and so the one before
    it, which only a known alarm may have lost. What passes is held against all parts at every tempo: at most
    one tone and one quiet part may be on the wrong side of the middle between tone and gap."""
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
    for tempo, scale in enumerate(SCALES):
        for part, edges in enumerate(template.cores[scale].tolist()):
            search.cores[tempo][part][:] = edges
    for part in range(len(template.parts)):
        search.is_on[part] = part in template.ons
        search.is_inner_gap[part] = part in template.inner_gaps
    return search


@cache
def _places(ends: int) -> tuple[npt.NDArray[np.void], int]:
    """Room for what the kernel finds (struct Place), one for each end and channel, and its address."""
    kinds = [("row", "i4"), ("channel", "i4"), ("on_db", "f8"), ("off_db", "f8"), ("misfit", "f8")]
    places = np.zeros(ends * CHANNELS, kinds)
    return places, places.ctypes.data


def _apart(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The first of each neighbourhood in pitch."""
    kept: list[Candidate] = []
    for candidate in candidates:
        if all(abs(candidate.channel - other.channel) > _NEIGHBOURHOOD for other in kept):
            kept.append(candidate)
        if len(kept) == _MOST:
            break
    return kept
