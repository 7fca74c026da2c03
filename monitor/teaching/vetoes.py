"""From verdicts to vetoes: what sounds like those that this house called wrong is held back. Pure, but for
reading the verdicts.

Only what a person said on the page or on the command line counts: over MQTT anything in the house may answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.classifiers.taught.sound import Floats, unpacked
from monitor.classifiers.taught.veto import Veto
from monitor.history.verdicts import Verdicts
from monitor.labels import LIFE_SAFETY

LEAST_WRONG, LEAST_RIGHT = 10, 5
MOST = 400
"""The newest of each label: a house changes, and the fit is cubic in them."""
RIDGE = 0.05
"""Weight of a sound's likeness to itself: chosen so that ten wrong ones of one kind are told from right ones,
and noise is not (`tests/teaching/test_vetoes.py`)."""
_STEPS = 25
_Exact = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JudgedEmbedding:
    """A sound that somebody judged."""

    label: str
    embedding: Floats
    right: bool


def of_verdicts(verdicts: Verdicts) -> list[Veto]:
    """The vetoes that follow from what people said. Raises StoreError."""
    examples = [
        JudgedEmbedding(label, unpacked(embedding), right)
        for label, embedding, right in verdicts.embedded(MOST)
    ]
    labels = sorted({one.label for one in examples} - LIFE_SAFETY)
    found = [veto([one for one in examples if one.label == label]) for label in labels]
    return [one for one in found if one is not None]


def veto(examples: Sequence[JudgedEmbedding]) -> Veto | None:
    """Of one label; None as long as too few were judged. A ridge-penalised logistic regression on directions,
    by Newton's method on the sounds themselves (kernel form)."""
    right = np.array([one.right for one in examples], bool)
    if (~right).sum() < LEAST_WRONG or right.sum() < LEAST_RIGHT:
        return None
    rows = np.array([one.embedding for one in examples], np.float64)
    mean = rows.mean(axis=0)
    rows -= mean
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    alpha, bias = _fitted(rows @ rows.T, right)
    weights = rows.T @ alpha
    return Veto(
        examples[0].label,
        np.asarray(mean, np.float32),
        np.asarray(weights, np.float32),
        float(bias),
        int(right.sum()),
        int((~right).sum()),
    )


def _fitted(kernel: _Exact, right: NDArray[np.bool_]) -> tuple[_Exact, float]:
    """Dual weights and bias; right and wrong count alike, however many there are of each."""
    count = len(right)
    weight = np.where(right, 0.5 / right.sum(), 0.5 / (~right).sum()) * count
    alpha, bias = np.zeros(count), 0.0
    for _ in range(_STEPS):
        margin = np.clip(kernel @ alpha + bias, -30, 30)
        likely = 1 / (1 + np.exp(-margin))
        curve = np.maximum(weight * likely * (1 - likely), 1e-6)
        target = margin + weight * (right - likely) / curve
        # (K + ridge / curve) alpha + bias = target, with the sum of alpha 0.
        system = np.zeros((count + 1, count + 1))
        system[:count, :count] = kernel + np.diag(RIDGE * count / 10 / curve)
        system[:count, count] = system[count, :count] = 1.0
        solved = np.linalg.solve(system, np.append(target, 0.0))
        alpha, bias = solved[:count], float(solved[count])
    return alpha, bias
