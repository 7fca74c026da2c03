"""How likely what was heard is right, by how much spoke for it: a Bayesian logistic regression. Pure.

P(right | x) = 1 / (1 + exp(-(level + slope * x))), where x is the evidence in logits above the onset now.
Platt's calibration (1999) with priors on both parameters, integrated over a grid, for three verdicts must not
move it far and twenty must. Beside that stands what is true of many labels in any home: nobody here has such
a sound, and whatever is taken for it is wrong, however high it scores. The posterior is exact to the grid,
so that intervals need no approximation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ABSENT_LEVEL = -4.0
"""Two of a hundred are right, for people err, too."""
_LEVELS, _SLOPES = 61, 25
_SPAN_SD = 4.0


@dataclass(frozen=True, slots=True)
class Example:
    """One sound that somebody judged."""

    x: float
    """Its evidence, logits above the onset in force."""
    right: bool


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before anybody has judged: `level` in logits at the onset in force, `slope` per logit
    of evidence (1 where scores are calibrated, as the model's are), where the home has such a sound.

    Chosen together on five houses (500 minutes) of other sources than those that `scripts/bench verdicts` is
    judged by: one wrong verdict then does for a label that was never right, and hardly anything to one that
    was. Without `absent` a quarter of the false events go at this level, with it half."""

    level: float = 2.0
    level_sd: float = 1.5
    slope: float = 1.0
    slope_sd: float = 0.8
    """Of the slope's natural logarithm."""
    absent: float = 0.4
    """The chance that the home has no such sound; then the level is `ABSENT_LEVEL`, and the slope 0."""


class Fit:
    """The posterior of one label."""

    def __init__(self, examples: Sequence[Example], prior: Prior) -> None:
        spread = _SPAN_SD * prior.level_sd
        levels = np.linspace(prior.level - spread, prior.level + spread, _LEVELS)
        logs = np.linspace(-3, 3, _SLOPES) * prior.slope_sd + np.log(prior.slope)
        level, log_slope = (grid.ravel() for grid in np.meshgrid(levels, logs, indexing="ij"))
        z_level = (level - prior.level) / prior.level_sd
        z_slope = (log_slope - np.log(prior.slope)) / prior.slope_sd
        present = np.exp(-0.5 * (z_level**2 + z_slope**2))
        present *= (1 - prior.absent) / present.sum()
        self._level, self._slope = np.append(level, ABSENT_LEVEL), np.append(np.exp(log_slope), 0.0)
        likely = np.log(np.maximum(np.append(present, prior.absent), 1e-300))
        for one in examples:
            margin = self._level + self._slope * one.x
            likely -= np.logaddexp(0.0, -margin if one.right else margin)
        weights = np.exp(likely - likely.max())
        self._weights = weights / weights.sum()

    def right(self, xs: Sequence[float] | Floats) -> Floats:
        """P(right) of each evidence, shape (len(xs),)."""
        return np.asarray(self._weights @ self._each(np.asarray(xs, float)))

    def at_most(self, xs: Sequence[float] | Floats, surely: float) -> Floats:
        """What P(right) lies below with that probability: the upper end of what it may be; shape
        (len(xs),)."""
        each = self._each(np.asarray(xs, float))
        order = np.argsort(each, axis=0)
        reached = np.cumsum(self._weights[order], axis=0) >= surely
        place = reached.argmax(axis=0)[None, :]
        return np.asarray(np.take_along_axis(np.take_along_axis(each, order, axis=0), place, axis=0)[0])

    def drawn(self, xs: Sequence[float] | Floats, draws: int, rng: "np.random.Generator") -> Floats:
        """P(right) under parameters drawn from the posterior, shape (draws, len(xs))."""
        chosen = rng.choice(len(self._weights), draws, p=self._weights)
        x = np.asarray(xs, float)
        margin = self._level[chosen, None] + self._slope[chosen, None] * x[None, :]
        return np.asarray(1 / (1 + np.exp(-margin)))

    @cached_property
    def level(self) -> float:
        """Posterior mean of the level."""
        return float(self._weights @ self._level)

    @cached_property
    def slope(self) -> float:
        """Posterior mean of the slope."""
        return float(self._weights @ self._slope)

    def _each(self, x: Floats) -> Floats:
        """P(right) for each pair of parameters, shape (parameters, len(x))."""
        return np.asarray(1 / (1 + np.exp(-(self._level[:, None] + self._slope[:, None] * x[None, :]))))
