"""Scores that are probabilities: one Platt scaling for all, and a label's own shift where data allow."""

import numpy as np
import numpy.typing as npt

from scripts.train_tagger.onnx_graph import Calibration

Floats = npt.NDArray[np.float64]

PRIOR_CLIPS = 20.0
"""A label's own shift counts as much as the common one when it has this many positive clips."""


def fit_calibration(logits: Floats, truth: Floats, known: Floats) -> Calibration:
    """Platt scaling (Platt, 1999) by Newton's method; all arrays have shape (clips, labels)."""
    scale, shift = _platt(logits[known > 0], truth[known > 0])
    shifts = np.full(logits.shape[1], shift)
    for n, positives in enumerate((truth * known).sum(axis=0)):
        if positives >= 3:
            rows = known[:, n] > 0
            own = _shift(scale * logits[rows, n], truth[rows, n], shift)
            trust = positives / (positives + PRIOR_CLIPS)
            shifts[n] = trust * own + (1 - trust) * shift
    return Calibration(np.full(len(shifts), scale, np.float32), shifts.astype(np.float32))


def _platt(logits: Floats, truth: Floats) -> tuple[float, float]:
    scale, shift = 1.0, 0.0
    for _ in range(50):
        p = _sigmoid(scale * logits + shift)
        weight = p * (1 - p)
        gradient = np.array([((p - truth) * logits).sum(), (p - truth).sum()])
        cross = (weight * logits).sum()
        hessian = np.array([[(weight * logits**2).sum(), cross], [cross, weight.sum()]]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        scale, shift = scale - step[0], shift - step[1]
        if np.abs(step).max() < 1e-6:
            break
    return float(scale), float(shift)


def _shift(logits: Floats, truth: Floats, start: float) -> float:
    """The shift at which as many are expected as there are; bounded to stay near `start`."""
    low, high = start - 3, start + 3
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _sigmoid(logits + middle).sum() < truth.sum() else (low, middle)
    return (low + high) / 2


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))
