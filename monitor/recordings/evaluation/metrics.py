"""Measures of detection, on arrays of truth and scores. Pure."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


def average_precision(truth: Truth, scores: Scores) -> float:
    """Area under the precision-recall curve as a step function; equal scores share their place, so that the
    order of clips cannot matter. NaN without a positive. Both arrays have the shape (clips,)."""
    positives = int(truth.sum())
    if not positives:
        return math.nan
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(truth[order])
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    precision = hits[ends] / (ends + 1)
    recall = hits[ends] / positives
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))


def calibration_error(truth: Truth, scores: Scores, bins: int = 10) -> float:
    """Expected calibration error: the mean gap between score and how often it was right, over equal bins of
    score weighed by their number (Naeini et al., 2015). Both arrays have the shape (clips,)."""
    which = np.minimum((scores * bins).astype(int), bins - 1)
    counts = np.bincount(which, minlength=bins)
    right = np.bincount(which, truth, bins)
    predicted = np.bincount(which, scores, bins)
    return float(np.abs(right - predicted).sum() / max(1, counts.sum()))


@dataclass(frozen=True, slots=True)
class Proportion:
    """Successes of trials, with the 95 % Wilson interval."""

    successes: int
    trials: int

    @property
    def value(self) -> float:
        """NaN without trials."""
        return self.successes / self.trials if self.trials else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % (Wilson, 1927); 0 to 1 without trials."""
        if not self.trials:
            return (0.0, 1.0)
        z, n, p = 1.96, self.trials, self.value
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (max(0.0, centre - reach), min(1.0, centre + reach))


@dataclass(frozen=True, slots=True)
class EventRate:
    """Events in hours of listening."""

    events: int
    hours: float

    @property
    def per_hour(self) -> float:
        """NaN without hours."""
        return self.events / self.hours if self.hours else math.nan

    @property
    def upper_per_hour(self) -> float:
        """One-sided 95 % bound of a Poisson rate. Optimistic where pieces of sound resemble each other."""
        return poisson_upper(self.events) / self.hours if self.hours else math.inf


def poisson_upper(events: int) -> float:
    """The mean under which `events` or fewer come in 5 % of cases; by bisection."""
    low, high = float(events), events + 4 * math.sqrt(events + 1) + 4
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _poisson_cdf(events, middle) > 0.05 else (low, middle)
    return high


def _poisson_cdf(events: int, mean: float) -> float:
    log_terms = [
        k * math.log(mean) - mean - math.lgamma(k + 1) if mean else -math.inf for k in range(1, events + 1)
    ]
    return math.exp(-mean) + sum(math.exp(term) for term in log_terms)
