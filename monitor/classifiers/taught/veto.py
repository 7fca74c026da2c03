"""What a house has called wrong of a label: how likely a sound is right, by its embedding.

It may hold an event back from being confirmed, with the reason in the event; it takes no detection away and
changes no score, and of a label that may save a life there is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.classifiers.taught.sound import Floats, unpacked
from monitor.labels import LIFE_SAFETY
from monitor.types import Detection

EVIDENCE = "house_right"
"""In an event's evidence: how likely it is right, 0-1, by what this house called wrong and right."""
WORTH_A_LOOK = 0.1
"""Detections with a lower score begin no event."""


@dataclass(frozen=True, eq=False)
class Veto:
    """P(right) of one label: a logistic regression."""

    label: str
    mean: Floats
    """(n,)"""
    weights: Floats
    """(n,)"""
    bias: float
    right: int
    wrong: int
    """How many of each it was learnt from."""

    def likely_right(self, embedding: Floats) -> float:
        """P(right), 0-1; `embedding` has the shape (n,)."""
        direction = embedding - self.mean
        direction = direction / max(float(np.linalg.norm(direction)), 1e-6)
        return float(1 / (1 + np.exp(-np.clip(float(direction @ self.weights) + self.bias, -30, 30))))


class VetoBook:
    """The vetoes in force; exchanged as a whole, from any thread."""

    def __init__(self) -> None:
        self._vetoes: Mapping[str, Veto] = {}

    @property
    def labels(self) -> frozenset[str]:
        """Labels that have one."""
        return frozenset(self._vetoes)

    def exchange(self, vetoes: Sequence[Veto]) -> None:
        """From now on these hold, and no others; those of life-safety labels never do."""
        self._vetoes = {one.label: one for one in vetoes if one.label not in LIFE_SAFETY}

    def noted(self, detections: Sequence[Detection]) -> list[Detection]:
        """The detections, with what the house thinks of those of its labels as evidence."""
        vetoes = self._vetoes
        return (
            [self._with_note(one, vetoes.get(one.label)) for one in detections] if vetoes else [*detections]
        )

    @staticmethod
    def _with_note(one: Detection, veto: Veto | None) -> Detection:
        if veto is None or one.embedding is None or one.score < WORTH_A_LOOK:
            return one
        embedding = unpacked(one.embedding)
        if len(embedding) != len(veto.mean) or not np.isfinite(embedding).all():
            return one
        return replace(one, evidence={**one.evidence, EVIDENCE: round(veto.likely_right(embedding), 2)})
