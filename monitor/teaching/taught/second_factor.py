"""What a sound may be known by beside its likeness: the rhythm of beeps that its hearings share. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.classifiers.taught.rhythm import (
    FITS,
    LEAST_BEEPS,
    LEAST_ONSETS,
    Grid,
    HeardBeeps,
    as_grid,
    best_place,
    fit,
    onsets,
)

COMMON = 0.6
"""A beep belongs to the rhythm if so many of the other hearings have it."""
LEAST_SHARE = 0.8
"""So many of the hearings must have the rhythm, each judged by the one that the others share."""
ANY_LENGTH_S = 60.0


@dataclass(frozen=True, eq=False)
class SharedRhythm:
    """The beeps that hearings share, and which of them have it."""

    template: Grid
    """Begin in seconds after the first, length, pitch; shape (beeps, 3)."""
    has_it: NDArray[np.bool_]
    """Of each hearing, by the rhythm of the others; shape (hearings,)."""


def shared_rhythm(hearings: Sequence[HeardBeeps | None]) -> SharedRhythm | None:
    """The rhythm of most hearings; None where they share none. A hearing whose beeps are not known (None)
    has none."""
    known = [one for one in hearings if one is not None]
    grids = [as_grid(one.beeps) for one in known]
    found = [[best_place(grid, other, ANY_LENGTH_S)[0] for other in grids] for grid in grids]
    template = _template(grids, found, range(len(grids)))
    if template is None:
        return None
    fits = iter(
        (own := _template(grids, found, [n for n in range(len(grids)) if n != place])) is not None
        and fit(own, grids[place], one.length_s) >= FITS
        for place, one in enumerate(known)
    )
    has_it = np.array([one is not None and next(fits) for one in hearings], bool)
    return SharedRhythm(template, has_it) if has_it.mean() >= LEAST_SHARE else None


def _template(
    grids: Sequence[Grid], found: Sequence[Sequence[NDArray[np.bool_]]], among: Sequence[int]
) -> Grid | None:
    """Of these hearings the one that the others have most of, without what they have not."""
    best: tuple[float, int] = (0.0, 0)
    template = None
    for place in among:
        others = np.array([found[place][other] for other in among if other != place])
        if len(others) < 1 or not others.size:
            continue
        common = others.mean(axis=0) >= COMMON
        kept = grids[place][common]
        if len(kept) < LEAST_BEEPS or onsets(kept[:, 0]) < LEAST_ONSETS:
            continue
        rank = round(float(others[:, common].mean()), 1), len(kept)
        if rank > best:
            best, template = rank, kept - [kept[:, 0].min(), 0, 0]
    return template
