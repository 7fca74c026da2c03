"""How often a house without any alert sound is alarmed: rates by kind of background, and for a day. Pure.

Bounds come from a bootstrap over recordings (Efron, 1979): a recording that was heard many times is still one
recording. Where nothing was false the bootstrap knows no bound; the rule of three over the hours of distinct
recordings does.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from scripts.scenes.composing import Bed
from scripts.scenes.kinds import HOUSE_HOURS
from scripts.scenes.scoring import FalseEvent

ROUNDS = 2000
UPPER = 97.5


@dataclass
class Exposure:
    """One recording: how long it lay in backgrounds, how much of it is distinct, and what was false in it."""

    heard_s: float = 0.0
    distinct_s: float = 0.0
    false: int = 0


@dataclass
class Kind:
    """One kind of background."""

    recordings: dict[str, Exposure] = field(default_factory=lambda: defaultdict(Exposure))

    def add(self, beds: Iterable[Bed], false: Iterable[FalseEvent]) -> None:
        """Count a scene of this kind."""
        for bed in beds:
            one = self.recordings[bed.path]
            one.heard_s += bed.end_s - bed.start_s
            one.distinct_s = max(one.distinct_s, bed.end_s - bed.start_s)
        for each in false:
            self.recordings[each.path].false += 1

    @property
    def hours(self) -> float:
        """Heard, repetitions included."""
        return sum(one.heard_s for one in self.recordings.values()) / 3600

    @property
    def distinct_minutes(self) -> float:
        """Of distinct recordings."""
        return sum(one.distinct_s for one in self.recordings.values()) / 60

    @property
    def an_hour(self) -> float:
        """False events an hour."""
        return sum(one.false for one in self.recordings.values()) / self.hours if self.hours else float("nan")

    def resampled(self, rng: np.random.Generator, rounds: int = ROUNDS) -> np.ndarray:
        """False events an hour of as many recordings drawn with replacement, shape (rounds,)."""
        heard = np.array([one.heard_s for one in self.recordings.values()])
        false = np.array([one.false for one in self.recordings.values()])
        drawn = rng.integers(len(heard), size=(rounds, len(heard)))
        return np.asarray(false[drawn].sum(axis=1) / np.maximum(heard[drawn].sum(axis=1), 1e-9) * 3600)

    def bound(self, rng: np.random.Generator) -> float:
        """97.5 % of the resampled rates, and never below what the rule of three says of distinct hours."""
        three = 3 / max(self.distinct_minutes / 60, 1e-9) if not self.an_hour else 0.0
        return max(float(np.percentile(self.resampled(rng), UPPER)), three)


def kinds(
    scenes: Iterable[tuple[str, Iterable[Bed], Iterable[FalseEvent]]], labels: Collection[str]
) -> dict[str, Kind]:
    """The false events of these labels by kind of background."""
    found: dict[str, Kind] = defaultdict(Kind)
    for kind, beds, false in scenes:
        found[kind].add(beds, [one for one in false if one.label in labels])
    return dict(found)


def a_day(found: Mapping[str, Kind], hours: Mapping[str, float] = HOUSE_HOURS) -> tuple[float, float]:
    """False events a day in a house of these hours, and the 97.5 % bound by the bootstrap. Kinds that were
    not measured are left out."""
    rng = np.random.default_rng(0)
    rates = np.zeros(ROUNDS)
    mean = 0.0
    for kind, own in found.items():
        mean += own.an_hour * hours.get(kind, 0.0)
        rates += own.resampled(rng) * hours.get(kind, 0.0)
    return mean, float(np.percentile(rates, UPPER))
