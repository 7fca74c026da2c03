"""Hits: the moments at which a sound was found. So many begin its event, as its label needs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.events.settings import HIT_GAP_S
from monitor.types import Detection


@dataclass(frozen=True, slots=True)
class Hit:
    """A moment at which a look found the sound."""

    at: datetime
    detection: Detection


def with_hits(hits: Iterable[Hit], detection: Detection, at: datetime, within_s: float) -> list[Hit]:
    """The hits no more than `within_s` from `at`, in the order of their times, and those that this detection
    adds: one at `at` and, of a sound whose length was measured, one for each half second of it before that.
    Looks overlap: a moment that one of them has counted is counted once."""
    kept = [hit for hit in hits if _apart_s(hit.at, at) <= within_s]
    count = int(min(detection.duration_s, within_s) / HIT_GAP_S) if detection.dated else 1
    for moment in (at - timedelta(seconds=HIT_GAP_S * number) for number in range(max(1, count))):
        if all(_apart_s(hit.at, moment) >= HIT_GAP_S for hit in kept):
            kept.append(Hit(moment, detection))
    return sorted(kept, key=lambda hit: hit.at)


def one_each(hits: Iterable[Hit], but: Detection) -> list[Hit]:
    """Of every detection but one the last hit: it witnesses once, however long its sound was."""
    last = {id(hit.detection): hit for hit in hits if hit.detection is not but}
    return list(last.values())


def _apart_s(one: datetime, other: datetime) -> float:
    return abs((one - other).total_seconds())
