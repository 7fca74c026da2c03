"""How much speaks for a sound: the highest onset at which it would still have been an event. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.events.settings import HIT_GAP_S

_LEAST_SCORE = 1e-5
"""Scores are kept this far from 0 and 1, whose logits are infinite; they are stored to 1/65535."""
_ROUNDING_S = 1e-3


@dataclass(frozen=True, slots=True)
class Look:
    """One classifier's score of a label."""

    at_s: float
    """When its sound was last heard, in seconds from any start that all looks share."""
    score: float
    length_s: float = 0.0
    """Of the sound, where the classifier measured it; it is a hit for every half second then."""


def evidence(looks: Sequence[Look], hits: int, within_s: float) -> float:
    """The highest onset, 0-1, at which these looks hold the hits that their label needs (`Hysteresis`); 0 if
    there are too few at any. For a label that needs one hit this is the highest score."""
    if hits <= 1:
        return max((look.score for look in looks), default=0.0)
    scores = sorted({look.score for look in looks})
    low, high = -1, len(scores) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if _suffices([look for look in looks if look.score >= scores[middle]], hits, within_s):
            low = middle
        else:
            high = middle - 1
    return scores[low] if low >= 0 else 0.0


def _suffices(looks: Sequence[Look], hits: int, within_s: float) -> bool:
    """Whether so many moments, each a gap from the next, lie within the time (as `events.hits` counts)."""
    apart: list[float] = []
    for at_s in sorted(moment for look in looks for moment in _moments(look, within_s)):
        if not apart or at_s - apart[-1] >= HIT_GAP_S - _ROUNDING_S:
            apart.append(at_s)
    return any(
        last_s - first_s <= within_s + _ROUNDING_S
        for first_s, last_s in zip(apart, apart[hits - 1 :], strict=False)
    )


def _moments(look: Look, within_s: float) -> list[float]:
    count = max(1, int(min(look.length_s, within_s) / HIT_GAP_S))
    return [look.at_s - HIT_GAP_S * number for number in range(count)]


def logit(score: float) -> float:
    """Log odds of a score, finite."""
    clipped = min(max(score, _LEAST_SCORE), 1 - _LEAST_SCORE)
    return math.log(clipped / (1 - clipped))


def probability(logits: float) -> float:
    """The score whose log odds these are."""
    return 1 / (1 + math.exp(-logits))
