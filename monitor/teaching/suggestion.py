"""Which onset suits what people said, for an aim that somebody has. Pure; nothing is applied here."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from monitor.labels import LIFE_SAFETY
from monitor.rhythm.detector import LABELS as RHYTHM_LABELS
from monitor.teaching.evidence import logit, probability
from monitor.teaching.fit import Example, Fit, Prior
from monitor.teaching.forecast import DailyRate, Forecast, JudgedSound
from monitor.teaching.stream import LOWER_LOGITS

LEAST_VERDICTS = 2
"""With fewer the prior decides, and a person would be told what nobody in this house has found. Where no aim
is stated, one that says wrong is enough: most sounds that are wrong at once never are right."""
ABOVE_WRONG_LOGITS = 1.5
"""No onset is raised further above what somebody called wrong: of what scores higher nobody has said
anything, and the first true one may be among it."""
SURE_VERDICTS = 20
"""With so many the figures of `scripts/bench verdicts` hold."""
PER_SOURCE_VERDICTS = 15
"""With so many from one source it gets an onset of its own: below, one room's sounds are too few to fit."""
HIGHEST_ONSET = 0.995
"""Scores are kept to 1/65535; above this an onset is a mute by another name."""
_GRID_LOGITS = 0.05
LEAST_STEP = 0.05
"""Logits; a smaller change is none."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What somebody wants of a label."""

    kind: Literal["likely", "keep", "right", "false_a_week"]
    value: float

    @property
    def words(self) -> str:
        """As a person reads it."""
        if self.kind == "likely":
            return f"only what may well be right with {self.value:.0%}"
        if self.kind == "keep":
            return f"as few false events as {self.value:.0%} of the right ones allow"
        if self.kind == "right":
            return f"{self.value:.0%} of what is reported is right"
        return f"at most {self.value:g} false a week"


LIKELY = Aim("likely", 0.6)
"""The aim where none is stated."""
SURELY = 0.6
"""With that probability what is no longer reported must be less likely right than the aim. Both were chosen
on eight houses (11 hours) of other sources than those that `scripts/bench verdicts` is judged by: with 0.8 as
many false events went there (45 % in the mean house), and 1.4 % of the right ones instead of none."""


@dataclass(frozen=True, slots=True)
class NoSuggestion:
    """No suggestion, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An onset, and what it would change."""

    label: str
    source: str | None
    """None: for every source that has no onset of its own."""
    aim: Aim
    now: float
    onset: float
    """As written under `labels:`."""
    dx: float
    """How many logits the new onset is above the old one."""
    days: float
    """Of the house's own last days that the figures are from."""
    events: int
    right: int
    wrong: int
    missed: int
    false_now: DailyRate
    false_then: DailyRate
    lost: DailyRate
    gone: tuple[JudgedSound, ...]
    """What was an event in these days and would not have been."""
    new: tuple[JudgedSound, ...]
    """The other way round."""

    @property
    def place(self) -> str:
        """Where it is set (`monitor.config.overrides`)."""
        place = f"labels.{self.label}.onset"
        return place if self.source is None else f"sources.{self.source}.{place}"

    @property
    def more_verdicts(self) -> int:
        """So many more, and the figures are as sure as they get."""
        return max(0, SURE_VERDICTS - self.right - self.wrong)


@dataclass(frozen=True, slots=True)
class Taught:
    """All that is known of one label: at one source, or at all that share its onset."""

    label: str
    source: str | None
    onset: float
    """As written under `labels:`."""
    heard: Sequence[JudgedSound]
    """The sounds of the last days, those that nearly were events among them."""
    judged: Sequence[Example]
    """Everything that was judged, also before these days."""
    missed: Sequence[float]
    """Evidence of sounds that were there and of which nobody was notified."""
    days: float


def never(label: str) -> str | None:
    """Why nobody's word may change what it takes to hear a label; None where it may."""
    if label in LIFE_SAFETY:
        return (
            f"{label} may save a life: nothing that people say of it changes when it is reported. If it is "
            "often wrong, find what sounds like it with `earwitness explain`"
        )
    if label in RHYTHM_LABELS:
        return f"{label} is found by its rhythm, which is held to no score; there is no threshold to turn"
    return None


def suggest(taught: Taught, aim: Aim = LIKELY, prior: Prior | None = None) -> Suggestion | NoSuggestion:
    """The onset for an aim, with what it would change."""
    if reason := never(taught.label):
        return NoSuggestion(reason)
    if reason := _too_few(taught, aim):
        return NoSuggestion(reason)
    fit = fitted(taught, prior or Prior())
    forecast = Forecast(taught.heard, fit, taught.days)
    dx = _crossing(taught, fit, aim.value) if aim.kind == "likely" else _chosen(taught, forecast, aim)
    if dx is None:
        return NoSuggestion(f"no onset reaches it ({aim.words}): what is right and what is wrong score alike")
    if abs(dx) < LEAST_STEP:
        return NoSuggestion(f"the onset in force, {taught.onset:.2f}, is right for it ({aim.words})")
    return _described(taught, forecast, aim, dx)


def _too_few(taught: Taught, aim: Aim) -> str:
    count = len(taught.judged)
    wrong_alone = aim.kind == "likely" and count > 0 and not any(one.right for one in taught.judged)
    if count >= LEAST_VERDICTS or wrong_alone:
        return ""
    return (
        f"{count} of its sounds {'was' if count == 1 else 'were'} judged; judge "
        f"{LEAST_VERDICTS - count} more: earwitness review --label {taught.label}"
    )


def fitted(taught: Taught, prior: Prior) -> Fit:
    """What people said, and what they missed, as a fit."""
    missed = [Example(min(x, 0.0), right=True) for x in taught.missed]
    return Fit([*taught.judged, *missed], prior)


def _crossing(taught: Taught, fit: Fit, least: float) -> float:
    """Where a sound may be so likely right, but no further above what was wrong than is known."""
    lowest, highest = _bounds(taught)
    grid = np.arange(lowest, highest + _GRID_LOGITS, _GRID_LOGITS)
    reached = grid[fit.at_most(grid, SURELY) >= least]
    wrong = [one.x for one in taught.judged if not one.right]
    highest = min(highest, max(0.0, max(wrong) + ABOVE_WRONG_LOGITS) if wrong else 0.0)
    return min(float(reached[0]), highest) if len(reached) else highest


def _bounds(taught: Taught) -> tuple[float, float]:
    """How far the onset may move, in logits: lower than now only where somebody missed something."""
    lowest = -LOWER_LOGITS if taught.missed else 0.0
    return lowest, max(0.0, logit(HIGHEST_ONSET) - logit(taught.onset))


def _chosen(taught: Taught, forecast: Forecast, aim: Aim) -> float | None:
    """The change of the onset in logits; None when none reaches the aim."""
    candidates = _candidates(taught, forecast)
    if aim.kind == "keep":
        kept = [dx for dx in candidates if dx >= 0 and forecast.lost_share(dx) <= 1 - aim.value]
        # What may be lost need not be: where nothing was wrong, a higher onset only costs right ones.
        return max(kept, key=forecast.gain, default=0.0)
    if aim.kind == "right":
        reached = [dx for dx in candidates if 1 - forecast.false_share(dx) >= aim.value]
    else:
        reached = [dx for dx in candidates if forecast.false_a_day(dx) * 7 <= aim.value]
    # An onset above everything that was heard reaches every aim, and is worth nothing.
    return min((dx for dx in reached if (forecast.x >= dx).any() or not len(forecast.x)), default=None)


def _candidates(taught: Taught, forecast: Forecast) -> list[float]:
    """Halfway between each two sounds."""
    lowest, highest = _bounds(taught)
    xs = sorted({lowest, *(float(x) for x in forecast.x if lowest <= x)})
    between = [(one + other) / 2 for one, other in pairwise(xs)]
    return [dx for dx in [lowest, 0.0, *between] if dx <= highest]


def _described(taught: Taught, forecast: Forecast, aim: Aim, dx: float) -> Suggestion:
    events = [one for one in taught.heard if one.sound.is_event]
    right = sum(one.right for one in taught.judged)
    return Suggestion(
        label=taught.label,
        source=taught.source,
        aim=aim,
        now=taught.onset,
        onset=round(probability(logit(taught.onset) + dx), 3),
        dx=dx,
        days=taught.days,
        events=len(events),
        right=right,
        wrong=len(taught.judged) - right,
        missed=len(taught.missed),
        false_now=forecast.false(0.0),
        false_then=forecast.false(dx),
        lost=forecast.lost(dx),
        gone=tuple(one for one in events if one.sound.x < dx),
        new=tuple(one for one in taught.heard if dx <= one.sound.x < 0),
    )
