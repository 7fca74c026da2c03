"""The likeliest division of a stretch of sound into the parts of a rhythm."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from monitor.rhythm.templates import Part, Template

Track = npt.NDArray[np.float64]

_STRETCH_COST_HOPS = 4.0
"""What a part costs that is as long or as short as its bounds allow, in hops of full agreement. With 2 a
microwave oven passes; 6 changes nothing (`python scripts/bench constants`)."""


@dataclass(frozen=True)
class Parse:
    """Where the parts begin and end, in hops after the start of what was parsed, and how well each one
    fits."""

    edges: npt.NDArray[np.intp]
    """Shape (parts + 1,): part `i` is from `edges[i]` to `edges[i + 1]`."""
    fits: npt.NDArray[np.float64]
    """Shape (parts,): -1 (the opposite) to 1."""


def parsed(template: Template, sounding: Track, earliest_end: int = 0) -> Parse | None:
    """The division of highest total agreement, by a semi-Markov Viterbi search; None if the parts do not fit
    in.

    `sounding`, shape (hops,): 1 where the tone surely sounds, -1 where it surely does not, 0 where it is
    open. The last part ends at or after hop `earliest_end`.
    """
    hops = len(sounding)
    reach = _reach(template, earliest_end, hops)
    if reach[0].stop <= 0:
        return None
    summed = np.concatenate([[0.0], np.cumsum(sounding)])
    best = np.zeros(len(reach[0]))
    passed: list[Track] = []
    for part, (before, after) in zip(template.parts, pairwise(reach), strict=True):
        padded = _carried(part, best, summed, before, after)
        passed.append(padded)
        best = _best(part, padded, summed, after)
    end = int(best.argmax())
    if not np.isfinite(best[end]):
        return None
    bounds = _traced(template, passed, reach, earliest_end + end)
    return Parse(bounds, template.signs * np.diff(summed[bounds]) / np.diff(bounds))


def _reach(template: Template, earliest_end: int, hops: int) -> list[range]:
    """Between which hops each part's beginning lies, and the end of the last."""
    reach = [range(earliest_end, hops + 1)]
    for part in reversed(template.parts):
        after = reach[-1]
        reach.append(range(max(0, after.start - part.longest_hops), after.stop - part.shortest_hops))
    return reach[::-1]


def _carried(part: Part, best: Track, summed: Track, before: range, after: range) -> Track:
    """The best total up to each hop at which this part may begin, less what it would count of the sound
    before. The first is the longest part before the first hop at which it may end; what cannot be reached is
    minus infinity."""
    sign = 1.0 if part.on else -1.0
    carried = best - sign * summed[before.start : before.stop]
    unreachable = before.start - (after.start - part.longest_hops)
    return np.concatenate([np.full(unreachable, -np.inf), carried]) if unreachable else carried


def _best(part: Part, padded: Track, summed: Track, after: range) -> Track:
    """For each hop: the best total if this part ends there."""
    costs = _costs(part)
    # Row j holds what is carried from as many hops ago as the part is long, from the longest to the shortest.
    choices = _windows(padded, len(costs), len(after)) - costs[:, None]
    sign = 1.0 if part.on else -1.0
    return np.asarray(choices.max(axis=0) + sign * summed[after.start : after.stop])


def _traced(template: Template, passed: list[Track], reach: list[range], end: int) -> npt.NDArray[np.intp]:
    edges = [end]
    for part, padded, after in zip(template.parts[::-1], passed[::-1], reach[:0:-1], strict=True):
        costs = _costs(part)
        at = edges[-1] - after.start
        edges.append(edges[-1] - part.longest_hops + int((padded[at : at + len(costs)] - costs).argmax()))
    return np.array(edges[::-1], np.intp)


def _windows(values: Track, rows: int, width: int) -> Track:
    # sliding_window_view does the same with more ceremony, ten times for each parse.
    return np.ndarray((rows, width), values.dtype, values, 0, values.strides * 2)


@cache
def _costs(part: Part) -> Track:
    """Of each length, the longest first."""
    lengths = np.arange(part.longest_hops, part.shortest_hops - 1, -1)
    reach = np.where(
        lengths < part.nominal_hops,
        part.nominal_hops - part.shortest_hops,
        part.longest_hops - part.nominal_hops,
    )
    return np.asarray(_STRETCH_COST_HOPS * ((lengths - part.nominal_hops) / np.maximum(reach, 1)) ** 2)
