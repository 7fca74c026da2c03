"""Detections in, events that begin, change and always end out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from monitor.events.defaults import Hysteresis
from monitor.events.settings import Thresholds
from monitor.events.source_tracker import SourceTracker
from monitor.logs import get_logger
from monitor.types import Detection, EventEnd, SoundEvent

log = get_logger()

RowsOf = Callable[[str], Mapping[str, Hysteresis]]
"""The thresholds of a source by its name, for every sound of the vocabulary."""


class Tracker:
    """Follows the events of any number of sources. One thread calls it; it has no clock: time is passed in.

    A detection that reaches its label's onset is a *hit*; so many hits as the label needs, half a second or
    more apart and within `within_s`, begin an event. Early looks at a growing segment are hits of their own
    when they fall that far apart, whatever their segment; a detection that measured how long its sound lasted
    is a hit for each half second of it. An open event lives on with every detection at or
    above its off score, and ends when none came for `hold_s`. The rhythm detector's detections (those with a
    certainty) are held to no score: what it found begins an event at once and brings its own hold.

    `verifiers` names the classifiers that judge what others have found (large models). Their answers change
    the event of that segment, ended or not: they confirm it, cast doubt on it, add emotion and description,
    and may open one that no other classifier found. They neither doubt nor open a life-safety alarm.
    """

    def __init__(self, rows_of: RowsOf | None = None, *, verifiers: frozenset[str] = frozenset()) -> None:
        self._rows_of = rows_of or Thresholds().of
        self._verifiers = verifiers
        self._sources: dict[str, SourceTracker] = {}
        self._unknown: set[str] = set()

    def update(
        self, detections: Sequence[Detection], now: datetime, times: Mapping[str, datetime] | None = None
    ) -> list[SoundEvent]:
        """Return the events that begin, change or end by these detections and by the time.

        `now` is how far the detections' sources have been heard, or the clock's time when there are none.
        Call it with nothing twice a second or so: that is when the events of quiet sources end. With
        detections only their own sources' time moves on, so that a source that is ahead ends nothing of one
        that lags. `times` holds, for sources that do not go by the clock, how far all their
        sound was judged: what has not ended by then goes on.
        """
        if not detections:
            own = times or {}
            every = self._sources.items()
            return [event for name, source in every for event in source.report(own.get(name, now))]
        sources: dict[str, SourceTracker] = {}
        for detection in detections:
            source = sources.get(detection.source)
            if source is None:
                source = sources[detection.source] = self._source(detection.source)
            self._pass_on(detection, source, now)
        own = times or {}
        return [event for name, source in sources.items() for event in source.report(now, own.get(name))]

    def end_source(self, source: str, at: datetime, ended_by: EventEnd) -> list[SoundEvent]:
        """End every open event of a source that is gone."""
        return self._source(source).end_all(at, ended_by)

    def set_sensitivity(self, source: str, value: float) -> None:
        """Shift every onset of a source by up to 2 logits: 1 hears more, -1 less. Never the alarm rhythms."""
        self._source(source).set_sensitivity(value)

    def exchange_thresholds(self, rows_of: RowsOf) -> None:
        """Go by other thresholds from now on; events that go on go on."""
        self._rows_of = rows_of
        for name, source in self._sources.items():
            source.set_rows(rows_of(name))

    def mute(self, source: str, on: bool, at: datetime) -> list[SoundEvent]:
        """Stop (or allow) a source's events, except smoke, CO and fire alarms. Returns the ends of its open
        events: `quiet`, with `muted` in the evidence."""
        tracker = self._source(source)
        tracker.mute(on)
        return tracker.report(at)

    @property
    def is_open(self) -> bool:
        """Whether any event is open, reported or not."""
        return any(source.is_open for source in self._sources.values())

    def open_events(self) -> list[SoundEvent]:
        """Every open event as it was last published."""
        return [event for source in self._sources.values() for event in source.open_events()]

    def _source(self, name: str) -> SourceTracker:
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = SourceTracker(self._rows_of(name))
        return source

    def _pass_on(self, detection: Detection, source: SourceTracker, now: datetime) -> None:
        floor = source.floors.get(detection.label)
        if floor is None:
            self._warn_of_unknown(detection)
        elif detection.transcript is not None:
            source.transcribe(detection)
        elif detection.classifier in self._verifiers:
            source.take_verdict(detection, now)
            if detection.description:
                source.describe(detection)
        # Most of a classifier's sixty labels end here: nothing was heard.
        elif detection.score >= floor or detection.certainty or detection.emotion or detection.description:
            source.take(detection, now)

    def _warn_of_unknown(self, detection: Detection) -> None:
        if detection.label not in self._unknown:
            self._unknown.add(detection.label)
            log.warning(
                "detections of an unknown label are ignored",
                label=detection.label,
                classifier=detection.classifier,
                source=detection.source,
            )
