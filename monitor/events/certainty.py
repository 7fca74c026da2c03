"""Whether an event is suspected or confirmed, from its witnesses alone. Pure functions.

A witness is a classifier, or the rhythm detector, by its name. docs/decisions/certainty.md gives the reasons.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from monitor.events.defaults import Hysteresis
from monitor.labels import LIFE_SAFETY
from monitor.types import EXTERNAL, Certainty, Detection

SECOND_HIT_S = (3.0, 10.0)
"""A model's second hit confirms an alarm if it comes 3 to 10 s after another. Chosen: a single beep of an
oven, a toy or a film lasts less than 3 s; a beep more than 10 s later, two cycles of T3 and more, is another
sound. With 0 one beep would confirm a fire (tests/events/test_certainty.py)."""

RHYTHM_NEEDS_MODEL = frozenset({"fire_alarm", "unknown_alarm"})
"""Labels that the rhythm alone does not confirm: march time is also a reversing truck and a busy tone."""

SPEAKS_FOR: Mapping[str, tuple[str, ...]] = {
    "smoke_alarm": ("smoke_alarm", "fire_alarm", "unknown_alarm"),
    "fire_alarm": ("fire_alarm", "smoke_alarm", "unknown_alarm"),
    "siren": ("unknown_alarm",),
    "car_alarm": ("unknown_alarm",),
}
"""A model's hit of the first label also witnesses an event of the others that a rhythm opened: taggers
confuse smoke and fire alarms, and none has a class for an alarm that follows no standard."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What one classifier, or the rhythm detector, found of an event."""

    name: str
    """The classifier's name."""
    rhythm: Certainty | None = None
    """The certainty that the rhythm detector, or another device, gave itself; None for a model."""
    hits: tuple[datetime, ...] = ()
    """When a model scored an alarm above its onset; kept for life-safety labels only."""
    doubt: float | None = None
    """The score, 0-1, with which a verifier did not find the sound; None where it agrees."""


LEARNING = "learning"
"""Evidence of a sound that the house has taught and still tries out."""
HOUSE_RIGHT = "house_right"
"""Evidence: how likely a sound is right by what this house called wrong and right, 0-1; of the looks at an
event the highest."""
TAUGHT_RHYTHM = "taught_rhythm"
"""Evidence of a taught sound: the share of its rhythm that was heard, 0-1; of the looks the highest."""
HELD_BACK_BELOW = 0.5
"""Chosen: as likely wrong as right. Higher would hold back what people mostly called right, lower hardly
anything."""
Witnesses = tuple[Witness, ...]
"""The witnesses of one event, in the order of their first detection, or of their agreement after a doubt."""


def held_back(label: str, evidence: Mapping[str, Any]) -> bool:
    """Whether what this house has taught keeps an event suspected; never a life-safety alarm."""
    if label in LIFE_SAFETY:
        return False
    return bool(evidence.get(LEARNING)) or float(evidence.get(HOUSE_RIGHT, 1.0)) < HELD_BACK_BELOW


def certainty(label: str, witnesses: Witnesses) -> Certainty:
    """`confirmed` unless a witness doubts, or a life-safety alarm has too few witnesses."""
    if doubts(witnesses):
        return "suspected"
    rhythms = {one.rhythm for one in witnesses if one.rhythm}
    if not rhythms:
        return "confirmed" if label not in LIFE_SAFETY or _hit_twice(witnesses) else "suspected"
    trusted = any(one.name == EXTERNAL and one.rhythm == "confirmed" for one in witnesses)
    alone = trusted or ("confirmed" in rhythms and label not in RHYTHM_NEEDS_MODEL)
    # No tagger has a class for CO alarms, so that none can confirm one.
    agreed = len(names(witnesses)) > 1 and label != "co_alarm"
    return "confirmed" if alone or agreed else "suspected"


def names(witnesses: Witnesses) -> tuple[str, ...]:
    """The names of those that found the sound, in their order."""
    return tuple(one.name for one in witnesses if one.doubt is None)


def doubts(witnesses: Witnesses) -> dict[str, float]:
    """The names of those that did not find it, with their scores."""
    return {one.name: one.doubt for one in witnesses if one.doubt is not None}


def has_rhythm(witnesses: Witnesses) -> bool:
    """Whether the rhythm detector is among them."""
    return any(one.rhythm for one in witnesses)


def joined(witnesses: Witnesses, name: str) -> Witnesses:
    """The witnesses with one more that found the sound; it replaces its own doubt."""
    if name in names(witnesses):
        return witnesses
    return (*(one for one in witnesses if one.name != name), Witness(name))


def doubted(witnesses: Witnesses, name: str, score: float) -> Witnesses:
    """The witnesses with a doubt, unless that witness has found the sound before."""
    if name in names(witnesses):
        return witnesses
    if name in doubts(witnesses):
        return _changed(witnesses, name, doubt=score)
    return (*witnesses, Witness(name, doubt=score))


def by_verifier(label: str, witnesses: Witnesses, word: Detection, row: Hysteresis) -> Witnesses:
    """The witnesses after a verifier's detection: from the onset on it agrees, below the off score it doubts,
    but never a life-safety alarm. A score of exactly 0 is no judgement: it comes with an emotion or a
    transcript."""
    if word.score >= row.onset:
        return joined(witnesses, word.classifier)
    if label not in LIFE_SAFETY and 0 < word.score < row.off:
        return doubted(witnesses, word.classifier, word.score)
    return witnesses


def by_rhythm(witnesses: Witnesses, name: str, rhythm: Certainty) -> Witnesses:
    """The witnesses after the rhythm detector's report; its certainty only rises."""
    found = joined(witnesses, name)
    if any(one.name == name and one.rhythm == "confirmed" for one in found):
        return found
    return _changed(found, name, rhythm=rhythm)


def by_hit(witnesses: Witnesses, name: str, at: datetime) -> Witnesses:
    """The witnesses after a model's hit on a life-safety alarm: one 3 to 10 s after another confirms it."""
    found = joined(witnesses, name)
    if _hit_twice(found):
        return found
    latest_s = SECOND_HIT_S[1]
    recent = tuple(
        replace(one, hits=tuple(hit for hit in one.hits if _apart_s(hit, at) <= latest_s)) for one in found
    )
    return _changed(recent, name, more_hit=at)


def without_hits(witnesses: Witnesses) -> Witnesses:
    """The witnesses without their hits, which were another alarm's sound."""
    return tuple(replace(one, hits=()) for one in witnesses)


def after_hit(
    open_events: Mapping[str, Witnesses], label: str, name: str, at: datetime
) -> dict[str, Witnesses]:
    """The new witnesses, by label, of the open events that a model's hit concerns; its own label comes
    last."""
    own = open_events[label]
    counts = label in LIFE_SAFETY and not rings_for_co(open_events)
    spoken_for = [one for one in SPEAKS_FOR.get(label, ()) if one != label and one in open_events]
    others = {one: joined(open_events[one], name) for one in spoken_for if has_rhythm(open_events[one])}
    return {**others, label: by_hit(own, name, at) if counts else joined(own, name)}


def after_rhythm(
    open_events: Mapping[str, Witnesses], label: str, name: str, rhythm: Certainty
) -> dict[str, Witnesses]:
    """The new witnesses, by label, of the open events that a rhythm concerns; its own label comes last.

    A model that found a label which speaks for this rhythm becomes a witness. Where the rhythm is that of CO,
    a tagger's smoke alarm was the same sound: its event stays suspected, and its hits no longer count.
    """
    own = by_rhythm(open_events[label], name, rhythm)
    others: dict[str, Witnesses] = {}
    co = label == "co_alarm" or rings_for_co(open_events)
    for other, spoken_for in SPEAKS_FOR.items():
        if other == label or other not in open_events or has_rhythm(open_events[other]):
            continue
        if label in spoken_for:
            for each in names(open_events[other]):
                own = joined(own, each)
        if co and other in LIFE_SAFETY:
            others[other] = without_hits(open_events[other])
    return {**others, label: own}


def rings_for_co(open_events: Mapping[str, Witnesses]) -> bool:
    """Whether the rhythm of a CO alarm is open: no tagger separates it from a smoke alarm."""
    return has_rhythm(open_events.get("co_alarm", ()))


def _hit_twice(witnesses: Iterable[Witness]) -> bool:
    hits = sorted(hit for one in witnesses for hit in one.hits)
    soonest_s, latest_s = SECOND_HIT_S
    return any(soonest_s <= _apart_s(a, b) <= latest_s for n, a in enumerate(hits) for b in hits[n + 1 :])


def _apart_s(one: datetime, other: datetime) -> float:
    return abs((other - one).total_seconds())


def _changed(
    witnesses: Witnesses,
    name: str,
    rhythm: Certainty | None = None,
    doubt: float | None = None,
    more_hit: datetime | None = None,
) -> Witnesses:
    def change(one: Witness) -> Witness:
        hits = one.hits if more_hit is None else (*one.hits, more_hit)
        return replace(
            one, rhythm=rhythm or one.rhythm, doubt=doubt if doubt is not None else one.doubt, hits=hits
        )

    return tuple(change(one) if one.name == name else one for one in witnesses)
