"""From a few hearings of one thing to a taught sound, or to the reason why not. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from monitor.classifiers.taught.rhythm import HeardBeeps, RhythmTemplate
from monitor.classifiers.taught.sound import (
    LEAST_LEARNING,
    MOST_LEARNING,
    Expected,
    Floats,
    Reach,
    TaughtSound,
)
from monitor.teaching.taught.background import Background
from monitor.teaching.taught.second_factor import shared_rhythm
from monitor.teaching.taught.tail import HOURS_A_WEEK

LEAST_HEARINGS = 3
ASKED_HEARINGS = 5
LEAST_HEARD = 0.4
"""A sound of whose hearings a smaller share would be heard again, by count or by their spread, is refused: it
would be relied on. Each is judged as a whole; live, the best of several looks counts, so more are heard."""
MOST_OVER_AIM = 2.0
"""A sound of which so many times more false ones are expected than were asked for is refused, too: no bar is
high enough, for the house hears what is nearly the same."""
LEAST_SPREAD = 0.05
"""Of hearings' likeness: three may be alike by chance."""
REACH = 1.8
"""Chosen on 72 things in two halves of a house, of other sources than those that `scripts/bench teach`
judges by: without it 19 events were false, with it 16, and of later visits 0.806 (same room) and 0.648
(another) were heard instead of 0.806 and 0.659. With 1.6: 12, 0.797 and 0.628, as by a higher bar."""
IN_RHYTHM = 0.02
"""Of other sounds that are as like it at most this share has its rhythm, too; the bar of what has it follows
from that. Chosen: of all looks at a house of other sources 0.002 had the rhythm of a thing by chance, at most
0.008 (12 things), and what is like a thing may beep like it."""
ODD = 0.25
"""A hearing whose likeness to the others is this much below theirs on average is pointed out."""


@dataclass(frozen=True, eq=False)
class Hearing:
    """One occurrence of the thing."""

    name: str
    """A file, or when and where it was heard."""
    embedding: Floats
    """(n,)"""
    clip: str = ""
    """The recording, where there is one."""
    segment_id: str | None = None
    beeps: HeardBeeps | None = None
    """None: its sound is not there to be read for beeps."""


@dataclass(frozen=True, slots=True)
class NotTaught:
    """Why it was not taught, and what would help."""

    reason: str


def learn(
    label: str,
    hearings: Sequence[Hearing],
    background: Background,
    at: datetime,
    false_a_week: float = 1.0,
    least_heard: float = LEAST_HEARD,
) -> TaughtSound | NotTaught:
    """The sound, with a bar that at most `false_a_week` of what the house hears beside it reach. Refused
    where of its own hearings a smaller share than `least_heard` would, or far more false ones."""
    if reason := _incomparable(hearings):
        return NotTaught(reason)
    embeddings = np.array([one.embedding for one in hearings], np.float32)
    each = background.space.of(embeddings)
    prototype = mean_of(each)
    likeness = np.array(left_out(each), np.float32) * np.float32(worth_of_one_more(left_out(each)))
    alike = float(np.mean(likeness)) - spread_of(likeness)
    bar = background.bar(prototype, false_a_week, alike)
    rhythm, bars = _rhythm(hearings, bar, background.bar(prototype, false_a_week / IN_RHYTHM, alike))
    expected, at_most = background.false_a_week(prototype, bar, false_a_week, alike)
    heard = int((likeness >= bars).sum())
    likest = background.likest(prototype, bar)
    if min(heard / len(hearings), likely_heard(likeness, float(np.mean(bars)))) < least_heard:
        return NotTaught(_refusal(label, heard, len(hearings), likest, false_a_week))
    if expected > MOST_OVER_AIM * false_a_week:
        return NotTaught(_too_often(label, expected, likest, false_a_week))
    return TaughtSound(
        label=label,
        taught_at=at,
        model=background.households.model,
        mean=_numbers(background.space.mean),
        basis=tuple(_numbers(np.trim_zeros(row, "f")) for row in background.space.basis.T),
        prototype=_numbers(prototype),
        hearings=tuple(_numbers(one) for one in embeddings),
        bar=round(bar, 4),
        reach=_reach(background.space.white(embeddings)),
        beeps=_beeps(hearings),
        rhythm=rhythm,
        learning_days=_learning_days(background.hours, false_a_week),
        expected=Expected(
            heard=heard,
            of=len(hearings),
            false_a_week=round(expected, 2),
            false_at_most=None if at_most is None else round(at_most, 1),
            background_hours=round(background.hours, 1),
            weak_at=tuple(likest),
            came_before=background.came_before(prototype, alike),
        ),
        clips=tuple(one.clip for one in hearings if one.clip),
    )


def _beeps(hearings: Sequence[Hearing]) -> tuple[HeardBeeps | None, ...]:
    """What is kept of each; empty where nobody listened to any."""
    return tuple(one.beeps for one in hearings) if any(one.beeps for one in hearings) else ()


def _reach(white: Floats) -> Reach:
    """A ball around hearings, shape (hearings, k), none of unit length: `REACH` times as wide as another one
    of them is far from their middle on average, and at least as wide as the middle is long."""
    middle = white.mean(axis=0)
    length = float(np.linalg.norm(middle))
    apart = np.linalg.norm(white - middle, axis=1).mean() * len(white) / (len(white) - 1)
    return Reach(middle=round(max(length, 1e-3), 3), radius=round(max(REACH * float(apart), length, 1e-3), 3))


def _rhythm(
    hearings: Sequence[Hearing], bar: float, in_rhythm: float
) -> tuple[RhythmTemplate | None, Floats]:
    """The rhythm that they share, and the likeness that each needs: less with it. Shape (hearings,)."""
    shared = shared_rhythm([one.beeps for one in hearings])
    if shared is None:
        return None, np.full(len(hearings), bar, np.float32)
    rhythm = RhythmTemplate(
        beeps=tuple((round(at, 2), round(on, 2), round(hz, 1)) for at, on, hz in shared.template.tolist()),
        bar=round(min(bar, in_rhythm), 4),
        shared=int(shared.has_it.sum()),
        of=len(shared.has_it),
    )
    return rhythm, np.where(shared.has_it, rhythm.bar, bar).astype(np.float32)


def _learning_days(hours: float, false_a_week: float) -> float:
    """Until this house is known for as long as the aim takes to be counted."""
    missing_days = (HOURS_A_WEEK / false_a_week - hours) / 24
    return round(min(max(missing_days, LEAST_LEARNING.days), MOST_LEARNING.days), 1)


def mean_of(whitened: Floats) -> Floats:
    """Their prototype, (n, k) to (k,) of unit length."""
    mean = whitened.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float32)


def left_out(whitened: Floats) -> list[float]:
    """The likeness (cosine) of each hearing to the prototype of the others, as it would be heard had it come
    later; `whitened`: shape (hearings, k), unit length."""
    return [
        float(one @ mean_of(np.delete(whitened, position, axis=0))) for position, one in enumerate(whitened)
    ]


def worth_of_one_more(likeness: Sequence[float]) -> float:
    """By how much the prototype of all hearings is nearer to another one than that of all but one, which
    `left_out` judges by. Of n that are r alike two by two the cosine of one more to their mean is
    r sqrt(n / (1 + (n - 1) r))."""
    n = len(likeness)
    mean = float(np.clip(np.mean(likeness), 0.05, 0.98))
    alike = np.linspace(0.001, 0.999, 999)
    r = float(alike[np.abs(_to_mean(alike, n - 1) - mean).argmin()])
    return float(_to_mean(r, n) / _to_mean(r, n - 1))


def _to_mean(alike: Any, n: int) -> Any:
    return alike * np.sqrt(n / (1 + (n - 1) * alike))


def likely_heard(likeness: Floats, bar: float) -> float:
    """The chance that another hearing reaches the bar, as these are spread (normally). `likeness`: shape
    (hearings,)."""
    return 0.5 * (1 + math.erf((float(np.mean(likeness)) - bar) / spread_of(likeness) / math.sqrt(2)))


def spread_of(likeness: Floats) -> float:
    """The standard deviation of hearings' likeness, shape (hearings,); never below `LEAST_SPREAD`."""
    return max(float(np.std(likeness, ddof=1)), LEAST_SPREAD)


def odd_ones(hearings: Sequence[Hearing], background: Background) -> list[str]:
    """The names of those that are unlike the others."""
    if len(hearings) < LEAST_HEARINGS:
        return []
    likeness = left_out(background.space.of(np.array([one.embedding for one in hearings], np.float32)))
    usual = float(np.median(likeness))
    return [one.name for one, own in zip(hearings, likeness, strict=True) if own < usual - ODD]


def _incomparable(hearings: Sequence[Hearing]) -> str:
    """What keeps them from being compared; empty where nothing does. One that is there twice shares all
    with itself, and would promise too much."""
    known: dict[bytes, str] = {}
    for one in hearings:
        own = np.asarray(one.embedding, np.float32).tobytes()
        if own in known:
            return f"{known[own]} and {one.name} are the same recording; each hearing is another occurrence"
        known[own] = one.name
    if len(hearings) >= LEAST_HEARINGS:
        return ""
    are = "hearing is" if len(hearings) == 1 else "hearings are"
    return (
        f"{len(hearings)} {are} too few to know what they share: at least {LEAST_HEARINGS}, "
        f"better {ASKED_HEARINGS}, each another occurrence"
    )


def _refusal(label: str, heard: int, of: int, likest: Sequence[str], false_a_week: float) -> str:
    wrong = f"cannot be told from {' and '.join(likest)}" if likest else "is too unlike itself"
    return (
        f"{label} {wrong}: with at most {false_a_week:g} false a week only {heard} of these {of} would be "
        "heard. Teach more hearings, put the microphone nearer, or allow more (--false-per-week)"
    )


def _too_often(label: str, expected: float, likest: Sequence[str], false_a_week: float) -> str:
    like = f": {' and '.join(likest)} is nearly the same" if likest else ""
    allowed = math.ceil(expected / MOST_OVER_AIM)
    return (
        f"{label} would be reported wrongly {expected:.1f} times a week, where {false_a_week:g} was asked for"
        f"{like}. Teach more hearings, or allow more (--false-per-week {allowed})"
    )


def _numbers(vector: Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in vector)
