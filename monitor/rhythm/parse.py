"""The likeliest division of a stretch of sound into the parts of a rhythm."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from monitor.rhythm.templates import Part, Template

Track = npt.NDArray[np.float64]

_STRETCH_COST = 4.0  # in hops of full agreement, for a part that is as long or short as its bounds allow


@dataclass(frozen=True)
class Parse:
    """Where the parts begin and end, in hops after the start of what was parsed, and how well each fits."""

    edges: npt.NDArray[np.intp]
    """Shape (parts + 1,): part `i` is from `edges[i]` to `edges[i + 1]`."""
    fits: npt.NDArray[np.float64]
    """Shape (parts,): -1 (the opposite) to 1."""


def parsed(template: Template, sounding: Track, earliest_end: int = 0) -> Parse | None:
    """The division of highest total agreement (a semi-Markov Viterbi search); None if none has room.

    `sounding` is one value a hop: 1 where the tone surely sounds, -1 where it surely does not, 0 where nobody
    can tell. The last part ends at or after hop `earliest_end`.
    """
    hops = len(sounding)
    summed = np.concatenate([[0.0], np.cumsum(sounding)])
    best = np.zeros(hops + 1)
    lengths: list[npt.NDArray[np.intp]] = []
    for part in template.parts:
        best, chosen = _after(part, best, summed)
        lengths.append(chosen)
    end = earliest_end + int(np.argmax(best[earliest_end:]))
    if not np.isfinite(best[end]):
        return None
    edges = [end]
    for chosen in reversed(lengths):
        edges.append(edges[-1] - int(chosen[edges[-1]]))
    bounds = np.array(edges[::-1], np.intp)
    signs = np.array([1.0 if part.on else -1.0 for part in template.parts])
    return Parse(bounds, signs * np.diff(summed[bounds]) / np.diff(bounds))


def _after(part: Part, best: Track, summed: Track) -> tuple[Track, npt.NDArray[np.intp]]:
    """For each hop: the best total if this part ends there, and the part's length then."""
    sign = 1.0 if part.on else -1.0
    carried = best - sign * summed
    lengths = np.arange(part.shortest, part.longest + 1)
    padded = np.concatenate([np.full(part.longest, -np.inf), carried])
    # Row t holds what is carried from t - longest … t - shortest, so column j is the length longest - j.
    choices = _windows(padded, len(best), len(lengths)) - _costs(part)[::-1]
    column = np.argmax(choices, axis=1)
    total = choices[np.arange(len(best)), column] + sign * summed
    return total, np.asarray(part.longest - column, np.intp)


def _windows(values: Track, rows: int, width: int) -> Track:
    # sliding_window_view does the same with more ceremony, ten times for each parse.
    step = values.strides[0]
    return np.lib.stride_tricks.as_strided(values, (rows, width), (step, step), writeable=False)


@cache
def _costs(part: Part) -> Track:
    lengths = np.arange(part.shortest, part.longest + 1)
    reach = np.where(lengths < part.nominal, part.nominal - part.shortest, part.longest - part.nominal)
    return np.asarray(_STRETCH_COST * ((lengths - part.nominal) / np.maximum(reach, 1)) ** 2)
