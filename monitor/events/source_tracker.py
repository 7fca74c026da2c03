"""The events of one source: what opens them, keeps them open, and ends them."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from monitor.clock import CLOCK_JUMP_S
from monitor.events import certainty
from monitor.events.certainty import Witnesses
from monitor.events.defaults import Hysteresis
from monitor.events.hits import Hit, one_each, with_hits
from monitor.events.open_event import OpenEvent
from monitor.events.settings import shifted
from monitor.labels import LIFE_SAFETY, VOICED
from monitor.types import Detection, EventEnd, SoundEvent

REMEMBERED_S = 300.0
"""A verifier's detection changes an event that ended no longer ago than this. Chosen: a large model takes
seconds for a segment on a processor (docs/reference/large-model-speed-cpu.md), and segments wait for each
other; with less its answer would be lost, or open a second event."""
REMEMBERED_EVENTS = 16
"""Ended events kept per label. Chosen: with the shortest hold, 2 s, they span half a minute; without a bound
a rattling window would fill the memory."""
STILL_CLASSIFIED_S = 30.0
"""A detection of a sound that began no earlier than this before its source was lost belongs to the event that
ended then. By arithmetic: a segment lasts 30 s at most (`max_length_s`)."""


class SourceTracker:
    """Opens, holds and ends the events of one source, with hysteresis for every label. No thread, no clock.

    Certainty is computed from an event's witnesses in `monitor.events.certainty`.
    """

    def __init__(self, rows: Mapping[str, Hysteresis]) -> None:
        self._unshifted = rows
        self._sensitivity = 0.0
        self._rows: Mapping[str, Hysteresis] = rows
        self._muted = False
        self._open: dict[str, OpenEvent] = {}
        self._pending: dict[str, list[Hit]] = {}
        self._ended: dict[str, deque[OpenEvent]] = {}
        self._touched: dict[str, OpenEvent] = {}
        self._gone: dict[str, datetime] = {}
        """By label, the time at which the source was lost while an event of it was open."""
        self.floors = {label: row.onset for label, row in rows.items()}
        """By label, the score below which a classifier's detection changes nothing now."""

    def set_sensitivity(self, value: float) -> None:
        """Shift every onset and off score by a sensitivity of -1..1."""
        self._sensitivity = value
        self._rows = {label: shifted(row, value) for label, row in self._unshifted.items()}
        self.floors = {
            label: row.off if label in self._open else row.onset for label, row in self._rows.items()
        }

    def set_rows(self, rows: Mapping[str, Hysteresis]) -> None:
        """Go by other thresholds, under the same sensitivity. `report` ends the events of sounds that are no
        longer heard; the others go on."""
        self._unshifted = rows
        self.set_sensitivity(self._sensitivity)

    def mute(self, on: bool) -> None:
        """Stop the events of every label but the life-safety ones; `report` ends those that are open."""
        self._muted = on
        if on:
            self._pending.clear()

    def take(self, detection: Detection, now: datetime) -> None:
        """Take a detection of a tagger, the gate or the rhythm detector; `now` is the time of the source's
        newest sound."""
        label = detection.label
        if self._ignores(label):
            return
        # A source that dates its sound in the future must not keep an event open until then.
        at = min(detection.ends_at, now)
        row = self._rows[label]
        is_hit = detection.certainty is not None or detection.score >= row.onset
        open_event = self._open.get(label)
        if open_event is None and is_hit:
            open_event = self._begin(detection, at, row)
        if open_event is None:
            return
        if is_hit:
            self._hit(open_event, detection, at, row)
        elif detection.score >= row.off:
            open_event.hold(detection, at, row.hold_s)
        if open_event.covers(detection):
            open_event.add_emotion(detection, verified=False)
            open_event.describe(detection.description)
        self._touch(open_event)

    def take_verdict(self, detection: Detection, now: datetime) -> None:
        """Take a verifier's detection. A verifier judges the whole segment, so that one hit opens an event
        that no other classifier found; never a life-safety one."""
        label = detection.label
        if self._ignores(label):
            return
        row = self._rows[label]
        open_event = self._find(detection, now)
        if open_event is None:
            if not detection.score >= row.onset or label in LIFE_SAFETY or label in self._open:
                return  # a score that is no number, too
            open_event = self._open_event(detection)
            open_event.hold(detection, min(detection.ends_at, now), row.hold_s)
        open_event.witnesses = certainty.by_verifier(label, open_event.witnesses, detection, row)
        if detection.score >= row.onset:
            open_event.add_evidence(detection)
        open_event.add_emotion(detection, verified=True)
        self._touch(open_event)

    def describe(self, detection: Detection) -> None:
        """Add a verifier's description to every event of its segment."""
        for open_event in self._of_segment(detection.segment_id):
            open_event.describe(detection.description)
            self._touch(open_event)

    def transcribe(self, detection: Detection) -> None:
        """Add a transcript to the voices' events of its segment."""
        for open_event in self._of_segment(detection.segment_id):
            if open_event.event.label in VOICED:
                open_event.transcribe(detection.transcript)
                self._touch(open_event)

    def report(self, now: datetime, judged_until: datetime | None = None) -> list[SoundEvent]:
        """Return the events that began, changed or ended since the last report. An event whose hold ends
        after `judged_until` stays open: more of its sound may be waiting for a classifier."""
        over_at = now if judged_until is None else min(now, judged_until)
        changed = [one for one in self._touched.values() if one.has_news(now)]
        events = [one.report("updated" if one.reported else "started", now) for one in changed]
        self._touched.clear()
        for open_event in list(self._open.values()):
            if self._ignores(open_event.event.label):
                open_event.mark_muted()
                events.append(self._end(open_event, now, "quiet"))
            elif self._is_over(open_event, over_at):
                events.append(self._end(open_event, now, "quiet"))
        return events

    def end_all(self, at: datetime, ended_by: EventEnd) -> list[SoundEvent]:
        """The source is gone: end every open event and forget the hits of those that have not begun."""
        events = self.report(at)
        self._pending.clear()
        self._gone = dict.fromkeys(self._open, at)
        return events + [self._end(open_event, at, ended_by) for open_event in list(self._open.values())]

    @property
    def is_open(self) -> bool:
        """Whether an event is open, or has news."""
        return bool(self._open or self._touched)

    def open_events(self) -> list[SoundEvent]:
        """The open events as they were last reported."""
        return [one.reported.event for one in self._open.values() if one.reported]

    def _ignores(self, label: str) -> bool:
        """Whether the sound is muted here, or not to be heard at all."""
        return label not in LIFE_SAFETY and (self._muted or not self._rows[label].heard)

    def _touch(self, open_event: OpenEvent) -> None:
        self._touched[open_event.event.id] = open_event

    def _of_segment(self, segment_id: str | None) -> list[OpenEvent]:
        """The events, open or remembered, that hold a segment; none while muted."""
        if self._muted:
            return []
        remembered = [one for ended in self._ended.values() for one in ended]
        return [one for one in [*self._open.values(), *remembered] if segment_id in one.event.segment_ids]

    def _begin(self, detection: Detection, at: datetime, row: Hysteresis) -> OpenEvent | None:
        """A new event if this hit is the last one needed."""
        if detection.certainty is not None:
            return self._open_event(detection)
        if self._is_old_news(detection) or self._is_known_loud(detection):
            return None
        hits = self._pending.setdefault(detection.label, [])
        hits[:] = with_hits(hits, detection, at, row.within_s)
        if len(hits) < row.hits:
            return None
        del self._pending[detection.label]
        open_event = self._open_event(hits[0].detection)
        for hit in one_each(hits, but=detection):
            self._hit(open_event, hit.detection, hit.at, row)
        return open_event

    def _open_event(self, detection: Detection) -> OpenEvent:
        open_event = self._open[detection.label] = OpenEvent.beginning(detection)
        self.floors[detection.label] = self._rows[detection.label].off
        return open_event

    def _is_old_news(self, detection: Detection) -> bool:
        """Whether this is a late look, from a queue, at a sound whose event has ended. Of alarms only sound
        from before a lost connection: after the clock was set back, a new alarm can carry the times of an old
        one."""
        gone_at = self._gone.get(detection.label)
        if gone_at and 0 <= (gone_at - detection.started_at).total_seconds() <= STILL_CLASSIFIED_S:
            return True
        if detection.label in LIFE_SAFETY:
            return False
        ended = self._ended.get(detection.label, ())
        return any(one.event.started_at <= detection.ends_at <= one.last_heard_at for one in ended)

    def _is_known_loud(self, detection: Detection) -> bool:
        """Whether this segment already had a loud noise: the bangs of one sound are one noise."""
        if detection.label != "loud_noise" or detection.segment_id is None:
            return False
        ended = self._ended.get("loud_noise", ())
        return any(detection.segment_id in one.event.segment_ids for one in ended)

    def _hit(self, open_event: OpenEvent, detection: Detection, at: datetime, row: Hysteresis) -> None:
        """The sound was found: hold its event, and add the witness to all events that it speaks for."""
        open_event.count_repetition(detection)
        open_event.add_evidence(detection)
        open_event.hold(detection, at, _hold_s(detection, row))
        heard = {label: one.witnesses for label, one in self._open.items()}
        name, rhythm = detection.classifier, detection.certainty
        if rhythm is None:
            self._witness(certainty.after_hit(heard, detection.label, name, at))
        else:
            self._witness(certainty.after_rhythm(heard, detection.label, name, rhythm))

    def _witness(self, changed: Mapping[str, Witnesses]) -> None:
        for label, witnesses in changed.items():
            self._open[label].witnesses = witnesses
            self._touch(self._open[label])

    def _find(self, detection: Detection, now: datetime) -> OpenEvent | None:
        """The event that a verifier's detection is about: open, or ended a few minutes ago."""
        open_event = self._open.get(detection.label)
        if open_event is not None and open_event.covers(detection):
            return open_event
        oldest = now - timedelta(seconds=REMEMBERED_S)
        for ended in reversed(self._ended.get(detection.label, ())):
            if ended.last_heard_at >= oldest and ended.covers(detection):
                return ended
        return None

    def _is_over(self, open_event: OpenEvent, now: datetime) -> bool:
        if (open_event.last_heard_at - now).total_seconds() > CLOCK_JUMP_S:
            open_event.follow_clock_back(now, self._rows[open_event.event.label].hold_s)
        return now >= open_event.holds_until

    def _end(self, open_event: OpenEvent, at: datetime, ended_by: EventEnd) -> SoundEvent:
        label = open_event.event.label
        open_event.end(ended_by)
        del self._open[label]
        self.floors[label] = self._rows[label].onset
        self._ended.setdefault(label, deque(maxlen=REMEMBERED_EVENTS)).append(open_event)
        return open_event.report("ended", at)


def _hold_s(detection: Detection, row: Hysteresis) -> float:
    """The hold: an alarm's rhythm brings its own, for it knows its pauses."""
    if detection.certainty is None:
        return row.hold_s
    return float(detection.evidence.get("hold_s", row.hold_s))
