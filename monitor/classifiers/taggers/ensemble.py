"""Several small taggers that judge together: the mean of their log odds.

What one is sure of and another doubts becomes doubtful, what both half believe becomes likely. A mean of log
odds is the logarithmic opinion pool of equal weights (C. Genest, J. Zidek, "Combining probability
distributions", 1986).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal

import numpy as np

from monitor.classifiers.base import Classifier, ClassifierDefaults
from monitor.classifiers.taggers.calibration import logits, probabilities
from monitor.types import Detection, Segment

Combination = Literal["first", "mean_log_odds"]
NAME = "ensemble"
SUREST = 1e-3
"""No member counts for more than a thousand to one, for or against: one that is deaf to a sound must not
silence the others."""


class Ensemble(ClassifierDefaults):
    """Taggers as one classifier, in one thread. A label that only some know is judged by those. When a sound
    began, how long it lasted, the emotion and the embedding are those of the first member that gives them."""

    name = NAME

    def __init__(self, members: Sequence[Classifier]) -> None:
        self._members = tuple(members)

    @property
    def labels(self) -> frozenset[str]:
        """What any of them can hear."""
        return frozenset().union(*(member.labels for member in self._members))

    @property
    def window_s(self) -> float:
        """Of the first member: each cuts a segment into its own windows."""
        return self._members[0].window_s

    @property
    def hop_s(self) -> float:
        """Of the first member."""
        return self._members[0].hop_s

    @cached_property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """The mean, in log odds, of the members' own onsets: all of them mean the same by a score."""
        return {label: {"onset": round(_mean(onsets), 2)} for label, onsets in self._values("onset").items()}

    @cached_property
    def second_look(self) -> Mapping[str, tuple[float, float]]:
        """Of the first member that has a band for the label."""
        bands: dict[str, tuple[float, float]] = {}
        for member in reversed(self._members):
            bands |= member.second_look
        return bands

    @property
    def dates(self) -> bool:
        """Where the first member does."""
        return self._members[0].dates

    def load(self) -> None:
        """Load every member. Raises ModelError."""
        for member in self._members:
            member.load()

    def close(self) -> None:
        """Let all models go."""
        for member in self._members:
            member.close()

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """One detection for every label of every segment that a member judged. Raises ClassifyError."""
        heard: dict[tuple[str | None, str, int], list[Detection]] = defaultdict(list)
        for member in self._members:
            seen: Counter[tuple[str | None, str]] = Counter()
            for one in member.classify(segments):
                # A look and its segment may share a batch, and an id: each member has them in that order.
                key = one.segment_id, one.label
                heard[*key, seen[key]].append(one)
                seen[key] += 1
        return [_joined(own) for own in heard.values()]

    def _values(self, name: str) -> Mapping[str, list[float]]:
        found: dict[str, list[float]] = defaultdict(list)
        for member in self._members:
            for label, values in member.thresholds.items():
                if name in values:
                    found[label].append(values[name])
        return found


def combined(how: Combination, taggers: Sequence[Classifier]) -> tuple[Classifier, ...]:
    """The small classifiers as they judge: each by itself, or together where there are several."""
    return (Ensemble(taggers),) if how == "mean_log_odds" and len(taggers) > 1 else tuple(taggers)


def _joined(own: Sequence[Detection]) -> Detection:
    embedding = next((one.embedding for one in own if one.embedding is not None), None)
    emotion = next((one.emotion for one in own if one.emotion is not None), None)
    return replace(
        own[0], score=_mean([one.score for one in own]), classifier=NAME, embedding=embedding, emotion=emotion
    )


def _mean(scores: Sequence[float]) -> float:
    return float(probabilities(np.mean(logits(scores, SUREST))))
