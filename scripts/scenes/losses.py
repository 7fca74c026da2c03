"""Where a missed sound was lost, between the gate and the event. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.clock import BEGINNING
from monitor.events.defaults import Hysteresis
from monitor.events.hits import Hit, with_hits
from monitor.types import Detection
from scripts.scenes.composing import Placed
from scripts.scenes.hearing import Hearing, Trace
from scripts.scenes.scoring import LATE_S

WHERE = (
    "gate shut",
    "looks short, late or polluted",
    "score below 0.3",
    "below onset",
    "too few hits",
    "swallowed or excluded",
)
Look = tuple[datetime, Detection]
"""When a sound was found, and by what."""
LOW = 0.3
TOUCH_S = 0.1
"""A segment that has less of the sound than this has not caught it."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A missed sound, where it was lost, and the scores that show it."""

    placed: Placed
    where: str
    by_looks: float
    """The highest score of its label in any look at it."""
    by_hand: float
    """Its score when it is cut out by hand."""


def loss(hearing: Hearing, number: int, row: Hysteresis) -> Loss:
    """Where the scene's sound of this number was lost, if its label needs what `row` says."""
    placed = hearing.placed[number]
    by_hand = hearing.by_hand[number].get(placed.label, 0.0)
    looks = _looks(hearing.trace, placed)
    best = max((one.score for _, one in looks), default=0.0)
    return Loss(placed, _where(hearing.trace, placed, row, looks, best, by_hand), best, by_hand)


def _where(
    trace: Trace,
    placed: Placed,
    row: Hysteresis,
    looks: list[Look],
    best: float,
    by_hand: float,
) -> str:
    if not any(_overlap_s(span.start_s, span.end_s, placed) >= TOUCH_S for span in trace.spans):
        return WHERE[0]
    if best < row.onset <= by_hand:
        return WHERE[1]
    if best < min(LOW, row.onset):
        return WHERE[2]
    if best < row.onset:
        return WHERE[3]
    return WHERE[5] if _enough(looks, row) else WHERE[4]


def _looks(trace: Trace, placed: Placed) -> list[Look]:
    """When its label was scored in a look at it, as the tracker dates it, and what was found."""
    own = {s.id for s in trace.spans if _overlap_s(s.start_s, s.end_s, placed) >= TOUCH_S}
    return [
        (min(BEGINNING + timedelta(seconds=at_s), one.ends_at), one)
        for at_s, detections in trace.steps
        if placed.start_s <= at_s
        for one in detections
        if one.label == placed.label and one.segment_id in own and _starts_in(one, placed)
    ]


def _starts_in(one: Detection, placed: Placed) -> bool:
    return _second(one.started_at) <= placed.end_s + LATE_S


def _second(at: datetime) -> float:
    return (at - BEGINNING).total_seconds()


def _enough(looks: list[Look], row: Hysteresis) -> bool:
    """Whether so many looks reached the onset within the time that the label asks for."""
    hits: list[Hit] = []
    for at, one in looks:
        if one.score >= row.onset:
            hits = with_hits(hits, one, at, row.within_s)
        if len(hits) >= row.hits:
            return True
    return False


def _overlap_s(start_s: float, end_s: float, placed: Placed) -> float:
    return min(end_s, placed.end_s) - max(start_s, placed.start_s)


def reach(hearings: list[Hearing], rows: Mapping[str, Hysteresis]) -> dict[str, float]:
    """Cut out by hand: the share of sounds whose label is on top, scores 0.3, reaches its onset."""
    pairs = [(one.label, scores) for h in hearings for one, scores in zip(h.placed, h.by_hand, strict=True)]
    own = [scores.get(label, 0.0) for label, scores in pairs]
    on_top = [bool(scores) and max(scores, key=lambda name: scores[name]) == label for label, scores in pairs]
    count = max(1, len(pairs))
    return {
        "label on top": sum(on_top) / count,
        "score 0.3 or more": sum(score >= LOW for score in own) / count,
        "onset reached": sum(score >= rows[label].onset for (label, _), score in zip(pairs, own, strict=True))
        / count,
    }
