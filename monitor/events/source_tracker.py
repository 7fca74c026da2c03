"""The events of one source: what opens them, keeps them open, and ends them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.events.defaults import Hysteresis
from monitor.events.open_event import OpenEvent
from monitor.events.settings import HIT_GAP_S, shifted
from monitor.labels import LIFE_SAFETY, VOICED
from monitor.types import Detection, EventEnd, SoundEvent

REMEMBERED_S = 300.0
"""So long an ended event still takes the word of a slow listener."""
REMEMBERED_EVENTS = 16
"""Ended events kept per label."""
CLOCK_JUMP_S = 10.0
"""Time running back by more than this means that the clock was set, not that a source lags."""

STILL_CLASSIFIED_S = 30.0
"""The sounds before a loss may come from their queue so long after it: a segment and its wait."""

_WITNESS_FOR = {
    "smoke_alarm": ("smoke_alarm", "fire_alarm", "unknown_alarm"),
    "fire_alarm": ("fire_alarm", "smoke_alarm", "unknown_alarm"),
    "siren": ("unknown_alarm",),
    "car_alarm": ("unknown_alarm",),
}
"""A model that hears the first speaks for a rhythm that was taken for one of the others: taggers mix up
smoke and fire alarms, and none knows an alarm that fits no standard."""


@dataclass(frozen=True, slots=True)
class _Hit:
    at: datetime
    detection: Detection


class SourceTracker:
    """Hysteresis for every label of one source. No thread and no clock of its own."""

    def __init__(self, rows: Mapping[str, Hysteresis]) -> None:
        self._unshifted = rows
        self._rows: Mapping[str, Hysteresis] = rows
        self._muted = False
        self._open: dict[str, OpenEvent] = {}
        self._pending: dict[str, list[_Hit]] = {}
        self._ended: dict[str, deque[OpenEvent]] = {}
        self._touched: dict[str, OpenEvent] = {}
        self._gone: dict[str, datetime] = {}
        """By label, until when the source was heard that went while an event was open."""
        self.floors = {label: row.onset for label, row in rows.items()}
        """Below this score a classifier's detection changes nothing now."""

    def set_sensitivity(self, value: float) -> None:
        """Move every onset and off score; -1..1."""
        self._rows = {label: shifted(row, value) for label, row in self._unshifted.items()}
        self.floors = {
            label: row.off if label in self._open else row.onset for label, row in self._rows.items()
        }

    def mute(self, on: bool) -> None:
        """Stop the events of every label but the life-safety ones; `tell` ends those that are open."""
        self._muted = on
        if on:
            self._pending.clear()

    def hear(self, detection: Detection, now: datetime) -> None:
        """A first listener's detection; `now` is how far the source has been heard."""
        label = detection.label
        if self._muted and label not in LIFE_SAFETY:
            return
        # A source that dates its sound in the future must not keep an event open until then.
        at = min(detection.ends_at, now)
        row = self._rows[label]
        by_rhythm = detection.certainty is not None
        is_hit = by_rhythm or detection.score >= row.onset
        ongoing = self._open.get(label)
        if ongoing is None and is_hit:
            ongoing = self._begin(detection, at, row)
        if ongoing is None:
            return
        if is_hit:
            ongoing.count_repetition(detection)
            ongoing.told_by(detection)
        if is_hit or detection.score >= row.off:
            ongoing.heard(detection, at, _hold_s(detection, row))
        if by_rhythm:
            self._settle_by_rhythm(ongoing)
        elif is_hit:
            self._settle_by_model(detection, ongoing, at)
        if ongoing.covers(detection):
            ongoing.feels(detection, second=False)
            ongoing.description = detection.description or ongoing.description
        self._touched[ongoing.id] = ongoing

    def judge(self, detection: Detection, now: datetime) -> None:
        """A second listener's detection. It has heard the whole segment, so that one hit opens an event that
        nobody had; never a life-safety one."""
        if self._muted and detection.label not in LIFE_SAFETY:
            return
        row = self._rows[detection.label]
        ongoing = self._find(detection, now)
        if ongoing is None:
            never = detection.label in LIFE_SAFETY or detection.label in self._open
            if detection.score < row.onset or never:
                return
            ongoing = self._open_event(detection)
            ongoing.heard(detection, min(detection.ends_at, now), row.hold_s)
        ongoing.judged(detection, row.onset, row.off)
        ongoing.feels(detection, second=True)
        self._touched[ongoing.id] = ongoing

    def describe(self, detection: Detection) -> None:
        """A second listener's words are about the segment, so they go to all that was heard in it."""
        for ongoing in self._of_segment(detection.segment_id):
            ongoing.description = detection.description
            self._touched[ongoing.id] = ongoing

    def write_down(self, detection: Detection) -> None:
        """What was said in a segment belongs to the voices that were heard in it."""
        for ongoing in self._of_segment(detection.segment_id):
            if ongoing.label in VOICED:
                ongoing.transcript = detection.transcript
                self._touched[ongoing.id] = ongoing

    def tell(self, now: datetime) -> list[SoundEvent]:
        """What began, changed and ended since the last time."""
        changed = [ongoing for ongoing in self._touched.values() if ongoing.worth_telling(now)]
        told = [ongoing.snapshot("updated" if ongoing.shown else "started", now) for ongoing in changed]
        self._touched.clear()
        for ongoing in list(self._open.values()):
            if self._muted and ongoing.label not in LIFE_SAFETY:
                ongoing.evidence["muted"] = True
                told.append(self._end(ongoing, now, "quiet"))
            elif self._is_over(ongoing, now):
                told.append(self._end(ongoing, now, "quiet"))
        return told

    def end_all(self, at: datetime, ended_by: EventEnd) -> list[SoundEvent]:
        """The source is gone: every open event ends, and half of a beginning is no beginning."""
        told = self.tell(at)
        self._pending.clear()
        self._gone = dict.fromkeys(self._open, at)
        return told + [self._end(ongoing, at, ended_by) for ongoing in list(self._open.values())]

    def open_events(self) -> list[SoundEvent]:
        """The open events as they were last told."""
        return [ongoing.shown for ongoing in self._open.values() if ongoing.shown]

    def _of_segment(self, segment_id: str | None) -> list[OpenEvent]:
        """The events, open or remembered, in which a segment was heard; none while muted."""
        if self._muted:
            return []
        remembered = [ongoing for ended in self._ended.values() for ongoing in ended]
        return [each for each in [*self._open.values(), *remembered] if segment_id in each.segment_ids]

    def _begin(self, detection: Detection, at: datetime, row: Hysteresis) -> OpenEvent | None:
        """A new event if this hit is the last one needed."""
        if detection.certainty is not None:
            return self._open_event(detection)
        if self._is_old_news(detection):
            return None
        hits = self._pending.setdefault(detection.label, [])
        hits[:] = [hit for hit in hits if abs((at - hit.at).total_seconds()) <= row.within_s]
        if any(abs((at - hit.at).total_seconds()) < HIT_GAP_S for hit in hits):
            return None
        hits.append(_Hit(at, detection))
        if len(hits) < row.hits:
            return None
        del self._pending[detection.label]
        ongoing = self._open_event(hits[0].detection)
        for hit in hits[:-1]:
            ongoing.count_repetition(hit.detection)
            ongoing.told_by(hit.detection)
            ongoing.heard(hit.detection, hit.at, row.hold_s)
            self._settle_by_model(hit.detection, ongoing, hit.at)
        return ongoing

    def _open_event(self, detection: Detection) -> OpenEvent:
        ongoing = self._open[detection.label] = OpenEvent.beginning(detection)
        self.floors[detection.label] = self._rows[detection.label].off
        return ongoing

    def _is_old_news(self, detection: Detection) -> bool:
        """A look that waited in a queue, at a sound whose event has come and gone. Of alarms only what was
        cut off with its source: after the clock was set back, a new one can carry the times of an old one."""
        gone_at = self._gone.get(detection.label)
        if gone_at and 0 <= (gone_at - detection.started_at).total_seconds() <= STILL_CLASSIFIED_S:
            return True
        if detection.label in LIFE_SAFETY:
            return False
        ended = self._ended.get(detection.label, ())
        return any(o.started_at <= detection.ends_at <= o.last_heard_at for o in ended)

    def _settle_by_model(self, detection: Detection, ongoing: OpenEvent, at: datetime) -> None:
        """A model's hit may settle an alarm: its own event, or one that a rhythm has opened."""
        if detection.label in LIFE_SAFETY and not self._rings_for_co():
            ongoing.hit_again(at)
        for label in _WITNESS_FOR.get(detection.label, ()):
            other = self._open.get(label)
            if other is not None and other is not ongoing and other.rhythm is not None:
                other.told_by(detection)
                self._touched[other.id] = other

    def _settle_by_rhythm(self, ongoing: OpenEvent) -> None:
        """A model may already have heard what speaks for this rhythm.

        Where the rhythm is that of CO, a tagger's "smoke alarm" was that same sound: no tagger knows the
        difference. Its event stands, suspected, but two such words do not make a fire of it.
        """
        for label, spoken_for in _WITNESS_FOR.items():
            other = self._open.get(label)
            if other is None or other is ongoing or other.rhythm is not None:
                continue
            if ongoing.label in spoken_for:
                ongoing.listeners += [name for name in other.listeners if name not in ongoing.listeners]
            if self._rings_for_co() and label in LIFE_SAFETY:
                other.forget_hits()
                self._touched[other.id] = other

    def _rings_for_co(self) -> bool:
        co_alarm = self._open.get("co_alarm")
        return co_alarm is not None and co_alarm.rhythm is not None

    def _find(self, detection: Detection, now: datetime) -> OpenEvent | None:
        """The event that a second listener speaks of: open, or ended a few minutes ago."""
        ongoing = self._open.get(detection.label)
        if ongoing is not None and ongoing.covers(detection):
            return ongoing
        oldest = now - timedelta(seconds=REMEMBERED_S)
        for ended in reversed(self._ended.get(detection.label, ())):
            if ended.last_heard_at >= oldest and ended.covers(detection):
                return ended
        return None

    def _is_over(self, ongoing: OpenEvent, now: datetime) -> bool:
        if (ongoing.last_heard_at - now).total_seconds() > CLOCK_JUMP_S:
            ongoing.follow_clock_back(now, self._rows[ongoing.label].hold_s)
        return now >= ongoing.holds_until

    def _end(self, ongoing: OpenEvent, at: datetime, ended_by: EventEnd) -> SoundEvent:
        label = ongoing.label
        ongoing.end(ended_by)
        del self._open[label]
        self.floors[label] = self._rows[label].onset
        self._ended.setdefault(label, deque(maxlen=REMEMBERED_EVENTS)).append(ongoing)
        return ongoing.snapshot("ended", at)


def _hold_s(detection: Detection, row: Hysteresis) -> float:
    """An alarm's rhythm knows how long its pauses are."""
    if detection.certainty is None:
        return row.hold_s
    return float(detection.evidence.get("hold_s", row.hold_s))
