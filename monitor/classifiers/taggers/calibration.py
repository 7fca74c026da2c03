"""From a tagger's own scores to probabilities, label by label: Platt's calibration.

p = sigmoid(offset + slope * logit(score)), fitted on labelled recordings with his smoothed targets
(J. Platt, "Probabilistic outputs for support vector machines", 1999). Taggers judge together only by scores
that mean the same: one model's 0.2 is another's 0.9.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.errors import ModelError
from monitor.labels import sounds
from monitor.schema import read_file

Floats = npt.NDArray[np.float64]
Calibration = Mapping[str, tuple[float, float]]
"""Label to offset and slope; a label that is not in it keeps its scores."""

FEWEST = 5
"""Recordings with a label, and without it, below which nothing is fitted."""
_LIMIT = 1e-6
"""Where log odds end: a 32-bit score has no more to say."""
_STEPS = 50
_RIDGE = 1e-3
"""Keeps the fit finite where the scores part right and wrong without a mistake."""


def logits(scores: npt.ArrayLike, limit: float = _LIMIT) -> Floats:
    """Log odds of scores (0-1, any shape), which are first kept at least `limit` from 0 and from 1."""
    bounded = np.clip(np.asarray(scores, float), limit, 1 - limit)
    return np.asarray(np.log(bounded / (1 - bounded)))


def probabilities(log_odds: npt.ArrayLike) -> Floats:
    """Scores (0-1) of log odds, of the same shape."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(log_odds, float))))


def calibrated(label: str, scores: npt.NDArray[np.float32], by: Calibration) -> npt.NDArray[np.float32]:
    """A label's scores (0-1, any shape) as probabilities; as they are where the label has no calibration."""
    if label not in by:
        return scores
    offset, slope = by[label]
    return probabilities(offset + slope * logits(scores)).astype(np.float32)


def fitted(truth: npt.NDArray[np.bool_], scores: npt.ArrayLike) -> tuple[float, float] | None:
    """Offset and slope of a label from recordings with and without it, both shape (recordings,); None where
    there are too few of either kind, or where a higher score is no sign of the label."""
    right, wrong = int(truth.sum()), int((~truth).sum())
    if min(right, wrong) < FEWEST:
        return None
    x = logits(scores)
    target = np.where(truth, (right + 1) / (right + 2), 1 / (wrong + 2))
    design = np.stack([np.ones_like(x), x], axis=1)
    prior = np.array([0.0, 1.0])
    found = prior.copy()
    for _ in range(_STEPS):  # Newton's method
        p = probabilities(design @ found)
        gradient = design.T @ (target - p) - _RIDGE * (found - prior)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        found += step * min(1.0, 5.0 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-9:
            break
    offset, slope = (float(each) for each in found)
    return (round(offset, 3), round(slope, 3)) if slope > 0 and math.isfinite(offset) else None


def write_calibration(file: Path, found: Calibration) -> None:
    """As `read_calibration` takes it."""
    file.write_text(json.dumps({label: list(each) for label, each in found.items()}, indent=1) + "\n")


def read_calibration(file: Path) -> dict[str, tuple[float, float]]:
    """Raises ModelError when the file cannot be read or holds something else."""
    try:
        read = json.loads(read_file(file))
        found = {str(label): (float(offset), float(slope)) for label, (offset, slope) in read.items()}
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({error.strerror}); {_MADE_BY}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{file} contains no calibration ({error}); {_MADE_BY}") from error
    odd = [label for label in found if label not in sounds()]
    bad = [label for label, (offset, slope) in found.items() if not (math.isfinite(offset) and slope > 0)]
    if odd or bad:
        raise ModelError(
            f"{file}: {', '.join(odd or bad)}: not a sound of ours, or its curve does not rise; {_MADE_BY}"
        )
    return found


_MADE_BY = "write it with `earwitness eval CLIPS.csv --model NAME --calibration FILE`"
