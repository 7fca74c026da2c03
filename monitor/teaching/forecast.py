"""How many false events a day, and how many right ones lost: expected, with an interval. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.teaching.fit import Fit, Floats
from monitor.teaching.stream import LabelledSound

Draws = NDArray[np.bool_]
"""Whether each sound is right, by draw."""

DRAWS = 1000
HORIZON_DAYS = 7.0
"""The interval is for the mean of so many days to come: a quiet week is no surprise at one a month."""
INTERVAL = (0.1, 0.9)
UNSTEADY = 3.0
"""Days to come are not like those that were: a thing that is taken for an alarm is on more or less. Their
rate is that of before times a gamma of this shape and mean 1, which fits the false events of one half of five
houses' scenes best to those of the other half (log likelihood -117.0; -118.5 where both have one rate)."""
_UNSEEN = 0.5
"""Events of which none was counted are not impossible: Jeffreys' prior of a Poisson rate."""


@dataclass(frozen=True, slots=True)
class DailyRate:
    """So many a day, and the interval in which the mean of the days to come lies with 80 %."""

    a_day: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class JudgedSound:
    """A sound, and what somebody said of it; None: nobody did."""

    sound: LabelledSound
    right: bool | None = None


class Forecast:
    """The sounds of some days with how likely each is right: what people said, else the fit."""

    def __init__(self, heard: Sequence[JudgedSound], fit: Fit, days: float, *, seed: int = 0) -> None:
        self._days = max(days, 1e-6)
        self._rng = np.random.default_rng(seed)
        self.x = np.array([one.sound.x for one in heard], float)
        known = np.array([-1.0 if one.right is None else float(one.right) for one in heard])
        is_known = known >= 0
        self.right = np.where(is_known, known, fit.right(self.x))
        drawn = fit.drawn(self.x, DRAWS, self._rng)
        chance = np.where(is_known[None, :], known[None, :], drawn)
        self._draws = self._rng.random(chance.shape) < chance

    def false_share(self, dx: float) -> float:
        """Expected share of false ones among the events with an onset `dx` logits higher; 0 of none."""
        told = self.x >= dx
        return float((1 - self.right)[told].mean()) if told.any() else 0.0

    def false_a_day(self, dx: float) -> float:
        """Expected false events a day with an onset `dx` logits higher."""
        return float((1 - self.right)[self.x >= dx].sum()) / self._days

    def lost_share(self, dx: float) -> float:
        """Expected share of the right events of now that an onset `dx` logits higher loses; 0 of none."""
        now = self.right[self.x >= 0].sum()
        return float(self.right[(self.x >= 0) & (self.x < dx)].sum() / now) if now > 0 else 0.0

    def gain(self, dx: float) -> float:
        """How many more false events than right ones are expected to go with an onset `dx` logits higher."""
        gone = (self.x >= 0) & (self.x < dx)
        return float((1 - 2 * self.right[gone]).sum())

    def false(self, dx: float) -> DailyRate:
        """False events a day with an onset `dx` logits higher."""
        return rate(self.false_a_day(dx), self.false_means(dx))

    def lost(self, dx: float) -> DailyRate:
        """Right events a day that are told now and would not be."""
        gone = (self.x >= 0) & (self.x < dx)
        a_day = float(self.right[gone].sum()) / self._days
        return rate(a_day, self._means(self._draws[:, gone], HORIZON_DAYS))

    def false_means(self, dx: float, horizon_days: float = HORIZON_DAYS) -> Floats:
        """What the mean of false events a day may be over the days to come: draws, shape (DRAWS,)."""
        return self._means(~self._draws[:, self.x >= dx], horizon_days)

    def _means(self, drawn: Draws, horizon_days: float) -> Floats:
        """Counts of these days become a rate (gamma), that one of other days, and that their counts
        (Poisson)."""
        counts = drawn.sum(axis=1).astype(float)
        rates = self._rng.gamma(counts + _UNSEEN, 1 / self._days)
        rates *= self._rng.gamma(UNSTEADY, 1 / UNSTEADY, len(rates))
        return np.asarray(self._rng.poisson(rates * horizon_days) / horizon_days)


def rate(a_day: float, means: Floats) -> DailyRate:
    """An expected rate with the interval of its draws, `means`: events a day, shape (draws,)."""
    low, high = np.quantile(means, INTERVAL)
    return DailyRate(a_day, float(low), float(high))
