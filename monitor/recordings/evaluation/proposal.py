"""Which onset fits one's own recordings, and how sure that is. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from monitor.recordings.evaluation.metrics import Scores, Truth

FEWEST = 5
"""Recordings with the label, and without it, below which no onset is proposed: one more would change it."""
RESAMPLINGS = 200
_NARROW, _WIDE = 0.1, 0.3
_LOWEST, _HIGHEST = 0.02, 0.98


@dataclass(frozen=True, slots=True)
class Proposal:
    """An onset for one label, from the recordings of an evaluation."""

    onset: float
    low: float
    high: float
    """Nine tenths of what resampled recordings would have proposed lie between (bootstrap, Efron 1979)."""
    recall: float
    precision: float
    """At the onset, on the same recordings: on others they will be somewhat worse."""

    @property
    def confidence(self) -> str:
        """`high`, `medium` or `low`, by the width of the interval."""
        width = self.high - self.low
        return "high" if width <= _NARROW else "medium" if width <= _WIDE else "low"


def proposed(truth: Truth, scores: Scores) -> Proposal | None:
    """The onset with the best F1 on these recordings; None where there are too few of either kind. Both
    arrays have the shape (clips,)."""
    if truth.sum() < FEWEST or (~truth).sum() < FEWEST:
        return None
    onset = best_onset(truth, scores)
    rng = np.random.default_rng(0)
    positives, negatives = np.flatnonzero(truth), np.flatnonzero(~truth)
    drawn = [
        np.concatenate([rng.choice(positives, len(positives)), rng.choice(negatives, len(negatives))])
        for _ in range(RESAMPLINGS)
    ]
    low, high = np.quantile([best_onset(truth[chosen], scores[chosen]) for chosen in drawn], [0.05, 0.95])
    predicted = scores >= onset
    right = int((predicted & truth).sum())
    return Proposal(
        onset=onset,
        low=round(float(low), 2),
        high=round(float(high), 2),
        recall=right / int(truth.sum()),
        precision=right / max(1, int(predicted.sum())),
    )


def best_onset(truth: Truth, scores: Scores) -> float:
    """Where F1 is best: half-way between the lowest score that is taken and the highest that is not, so that
    neither is on the edge. Of equals the lowest: missing is worse than hearing too much. Both arrays have the
    shape (clips,)."""
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(truth[order])
    taken = np.arange(1, len(ordered) + 1)
    f1 = 2 * hits / (taken + truth.sum())
    f1[:-1][ordered[:-1] == ordered[1:]] = -1.0  # equal scores are taken together
    f1[ordered < _LOWEST] = -1.0  # no onset takes these
    last = int(np.flatnonzero(f1 == f1.max())[-1])
    below = ordered[last + 1] if last + 1 < len(ordered) else 0.0
    return round(float(np.clip((ordered[last] + below) / 2, _LOWEST, _HIGHEST)), 2)


def as_yaml(proposals: Iterable[tuple[str, float, Proposal]]) -> str:
    """`labels:` to paste into the configuration, from label, onset in force and proposal; each line names its
    confidence. Empty without any."""
    lines = [
        f"  {label}: {{onset: {each.onset}}}  # was {was:.2f}; {each.confidence} confidence "
        f"({each.low}-{each.high}), recall {each.recall:.2f}, precision {each.precision:.2f}"
        for label, was, each in proposals
    ]
    return "\n".join(["labels:", *lines]) if lines else ""
