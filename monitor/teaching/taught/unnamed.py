"""Sounds that keep coming and that no label claims: what a house might want to name. Pure.

The densest sound first: its neighbours are a group, drawn once more around their mean, and taken out (mean
shift's first step, Fukunaga and Hostetler, 1975; Listen Learner, Wu et al., CHI 2020, asks one question a
group).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from monitor.classifiers.taught.sound import Floats
from monitor.teaching.taught.learning import mean_of

LEAST_TIMES, LEAST_DAYS = 5, 3
ALIKE = 0.5
"""Cosine from which two sounds may be one thing. Chosen: half of the bars that `scripts/bench teach` finds
for one false a week lie above it, half below."""
MOST = 2000
"""The newest that are looked at: every pair is compared."""


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """A sound that was no event."""

    segment_id: str
    source: str
    at: datetime
    """In the zone of the house."""


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Some that are alike, those nearest to their middle first."""

    sounds: tuple[Unclaimed, ...]
    likeness: float
    """Their mean cosine to the middle."""

    @property
    def days(self) -> int:
        """On how many days it came."""
        return len({one.at.date() for one in self.sounds})

    @property
    def hour(self) -> int:
        """The hour of the day at which it came most often."""
        return Counter(one.at.hour for one in self.sounds).most_common(1)[0][0]

    @property
    def source(self) -> str:
        """Where it was heard most often."""
        return Counter(one.source for one in self.sounds).most_common(1)[0][0]


def unnamed(whitened: Floats, sounds: Sequence[Unclaimed]) -> list[Unnamed]:
    """The groups that came often enough, on enough days; the largest first. `whitened` has the sounds' rows,
    (m, k), of unit length."""
    rows, left = whitened[-MOST:], list(range(len(whitened[-MOST:])))
    known = list(sounds[-MOST:])
    found: list[Unnamed] = []
    while len(left) >= LEAST_TIMES:
        own = rows[left]
        near = own @ own.T >= ALIKE
        densest = int(near.sum(axis=1).argmax())
        likeness = own @ mean_of(own[near[densest]])
        members = [place for place in np.argsort(-likeness) if likeness[place] >= ALIKE]
        if len(members) < LEAST_TIMES:
            break
        group = Unnamed(tuple(known[left[place]] for place in members), float(np.mean(likeness[members])))
        if group.days >= LEAST_DAYS:
            found.append(group)
        gone = set(members)
        left = [each for place, each in enumerate(left) if place not in gone]
    return sorted(found, key=lambda one: -len(one.sounds))
