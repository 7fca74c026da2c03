"""Why an event was raised, or why nothing was: levels, scores and thresholds, rules clause by clause.

Works on what `ScoreStore` kept, with the thresholds and rules of the configuration as it is now.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.config.capabilities import thresholds, unloaded
from monitor.config.house import configured_settings
from monitor.config.model import Config
from monitor.errors import StoreError
from monitor.events.defaults import Hysteresis
from monitor.events.settings import shifted
from monitor.history.loudness.minutes import minutes_of
from monitor.history.reader import History
from monitor.history.records import ScoreRecord, SegmentRecord
from monitor.rules.engine import RuleEngine
from monitor.rules.trace import RuleTrace
from monitor.types import HOUSE, Alert, Level, Setting, SoundEvent, SoundLevel, listed

TOP_LABELS = 5
_LATE = timedelta(seconds=60)
"""So much later than the sound may a classifier's answer have come (a large model)."""
_MARGIN = timedelta(seconds=1)
_LEVEL_REACH = timedelta(seconds=60)
_MINUTE = timedelta(seconds=59)
"""Before the stretch, a minute may have begun."""
_RANK = {"alert": 3, "corroborates": 2, "waits": 1, "stopped": 0}


@dataclass(frozen=True, slots=True)
class LabelTrace:
    """One score against what its label needs."""

    label: str
    score: float
    row: Hysteresis
    by_rhythm: bool = False

    @property
    def reached(self) -> bool:
        """A hit; a rhythm is held to no score."""
        return self.by_rhythm or self.score >= self.row.onset


@dataclass(frozen=True, slots=True)
class LookTrace:
    """One classifier's scores: its best labels first."""

    look: ScoreRecord
    best: tuple[LabelTrace, ...]


@dataclass(frozen=True, slots=True)
class EventTrace:
    """An event in its last state, and how far it came in every rule."""

    event: SoundEvent
    traces: tuple[RuleTrace, ...]
    alerts: tuple[Alert, ...] = ()
    """Those that it helped to raise, oldest first, also where a later sound completed them."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known about a stretch of time."""

    since: datetime
    until: datetime
    levels: tuple[Level, ...]
    minutes: tuple[SoundLevel, ...]
    """How loud the minutes were into which the stretch falls."""
    cuts: tuple[SegmentRecord, ...]
    """Whole segments; early looks only where the segment is missing."""
    looks: tuple[LookTrace, ...]
    events: tuple[EventTrace, ...]
    settings: tuple[Setting, ...]
    """Mute and sensitivity where they were not as configured."""
    alert: Alert | None = None
    """The alert that was asked for, where no sound raised it: a source, or a receiver, was lost."""


def explain_id(history: History, config: Config, id: str) -> Explanation:
    """Why this event, or the last event of this alert, was raised, and what the rules made of it. `id` may be
    its first digits. Raises StoreError when it is not known, or a test."""
    states = history.event(id)
    alert = None if states else history.alert(id)
    if alert is not None and not (alert.events or alert.test or "unless_heard" in alert.why):
        return _of_outage(history, config, alert)
    states = states or _of_alert(history, alert)
    if not states:
        raise StoreError(f"there is no event or alert {id!r}; it may be older than what is kept")
    last = states[-1]
    return _explain(
        history, config, last.started_at - _MARGIN, (last.ended_at or last.at) + _MARGIN, last.source, last.id
    )


def _of_outage(history: History, config: Config, alert: Alert) -> Explanation:
    """What is known of the source that was lost, or too loud, while it was; nothing where a receiver was."""
    source = alert.why.get("source")
    lost = timedelta(seconds=float(alert.why.get("lost_for_s", alert.why.get("for_s", 0.0))))
    found = _explain(history, config, alert.raised_at - lost, alert.raised_at, str(source or ""), None)
    return replace(found, alert=alert)


def _of_alert(history: History, alert: Alert | None) -> list[SoundEvent]:
    """The states of the event that completed an alert; none if there is no alert."""
    if alert is None:
        return []
    if alert.test:
        raise StoreError(f"alert {alert.id} was a test of rule {alert.rule!r}, so there is no sound")
    if "unless_heard" in alert.why:
        text = f"alert {alert.id} of rule {alert.rule!r} is about a sound that was not heard"
        missed = ", ".join(f"{source} for {s} s" for source, s in alert.why.get("missed_s", {}).items())
        raise StoreError(f"{text}; not listened to: {missed}" if missed else text)
    return [event for last in alert.events[-1:] for event in history.event(last.id) or [last]]


def explain_time(
    history: History, config: Config, at: datetime, source: str | None = None, around_s: float = 5.0
) -> Explanation:
    """What was heard around a time, at one source or all, and why it did or did not become an event."""
    around = timedelta(seconds=around_s)
    return explain_stretch(history, config, at - around, at + around, source)


def explain_stretch(
    history: History, config: Config, since: datetime, until: datetime, source: str | None = None
) -> Explanation:
    """The same of everything between two times."""
    return _explain(history, config, since, until, source, None)


def _explain(
    history: History,
    config: Config,
    since: datetime,
    until: datetime,
    source: str | None,
    event_id: str | None,
) -> Explanation:
    settings = history.settings(until)
    rows = _Rows(config, settings)
    looks = [
        LookTrace(look, rows.trace(look))
        for look in history.looks(since, until + _LATE, source)
        if look.started_at <= until and look.ends_at >= since
    ]
    return Explanation(
        since=since,
        until=until,
        levels=tuple(_nearest_levels(history, since, until, source)),
        minutes=tuple(minutes_of(history, since - _MINUTE, until - _MARGIN, source)),
        cuts=tuple(
            _whole(cut for cut in history.cuts(since, until + _LATE, source) if _within(cut, since, until))
        ),
        looks=tuple(looks),
        events=tuple(_event_traces(history, config, since, until, source, event_id)),
        settings=tuple(_set_from_outside(settings, config, source)),
    )


def _set_from_outside(settings: Sequence[Setting], config: Config, source: str | None) -> Iterator[Setting]:
    """Of what was in force, what is not as configured. Every start says what holds, also of a source that
    had another name then or is gone: that one was set to something only where it is not as it comes."""
    configured = configured_settings(config)
    known = {one.source for one in configured}
    for one in settings:
        as_it_comes = one.source not in known and not one.value
        if source in (None, one.source) and one.source != HOUSE and one not in configured and not as_it_comes:
            yield one


class _Rows:
    """The thresholds in force, per source."""

    def __init__(self, config: Config, settings: Sequence[Setting]) -> None:
        self._thresholds = thresholds(config, unloaded(config)[0])
        self._sensitivity = {source.name: source.sensitivity for source in config.sources}
        self._sensitivity |= {one.source: float(one.value) for one in settings if one.name == "sensitivity"}

    def trace(self, look: ScoreRecord) -> tuple[LabelTrace, ...]:
        rows = self._thresholds.of(look.source)
        sensitivity = self._sensitivity.get(look.source, 0.0)
        by_rhythm = look.certainty is not None
        best = sorted(look.scores.items(), key=lambda item: -item[1])[:TOP_LABELS]
        return tuple(
            LabelTrace(label, score, shifted(rows[label], sensitivity), by_rhythm)
            for label, score in best
            if label in rows
        )


def _event_traces(
    history: History,
    config: Config,
    since: datetime,
    until: datetime,
    source: str | None,
    event_id: str | None,
) -> Iterator[EventTrace]:
    """The events of the stretch. Rules remember: every event shortly before is held against them, too."""
    _, large = unloaded(config)
    verifiers = frozenset(model.name for model, _ in large)
    engine = RuleEngine(config.rules, verifiers=verifiers, house=config.house)
    begins = since - _memory(config)
    for setting in history.settings(begins):
        _note_house(engine, setting, begins)
    traces: dict[str, list[RuleTrace]] = {}
    last: dict[str, SoundEvent] = {}
    for decided_at, event in history.messages(begins, until + _LATE):
        if isinstance(event, Setting):
            _note_house(engine, event, decided_at)
        if not isinstance(event, SoundEvent):
            continue
        engine.due(decided_at)
        ours = event.id == event_id if event_id else source in (None, event.source)
        if ours and event.started_at <= until and (event.ended_at or event.at) >= since:
            last[event.id] = event
            traces.setdefault(event.id, []).extend(engine.explain(event))
        engine.decide(event)
    for event in listed(last.values()):
        yield EventTrace(event, tuple(_furthest(traces[event.id])), tuple(history.alerts_about(event.id)))


def _note_house(engine: RuleEngine, setting: Setting, at: datetime) -> None:
    if setting.source == HOUSE:
        engine.note_house(setting.name, setting.value, at)


def _memory(config: Config) -> timedelta:
    """How long the rules remember."""
    longest_s = 600.0
    for rule in config.rules:
        for way in rule.ways:
            then_s = way.then.within_s if way.then else 0.0
            longest_s = max(longest_s, rule.cooldown_s + (way.within_s or 0.0) + then_s)
    return timedelta(seconds=longest_s)


def _furthest(traces: Sequence[RuleTrace]) -> list[RuleTrace]:
    """Of every rule the trace that came furthest: an event has several states and a rule several ways."""
    best: dict[str, RuleTrace] = {}
    for trace in traces:
        known = best.get(trace.rule)
        if known is None or _progress(trace) > _progress(known) or _came_closer(trace, known):
            best[trace.rule] = trace
    return list(best.values())


def _progress(trace: RuleTrace) -> tuple[int, int]:
    return _RANK[trace.outcome], sum(step.passed for step in trace.steps)


def _came_closer(later: RuleTrace, known: RuleTrace) -> bool:
    """Stopped by the same clause of the same way with more: scores rise while a sound goes on."""
    now, before = later.stopped_by, known.stopped_by
    if now is None or before is None or (later.way, now.clause) != (known.way, before.clause):
        return False
    if not isinstance(now.found, int | float) or not isinstance(before.found, int | float):
        return False
    return _progress(later) == _progress(known) and now.found > before.found


def _nearest_levels(
    history: History, since: datetime, until: datetime, source: str | None
) -> Iterator[Level]:
    """The reports of the stretch, or else the first after it: a report speaks of the seconds before it."""
    found = list(history.levels(since, until + _LEVEL_REACH, source))
    for name in dict.fromkeys(level.source for level in found):
        own = [level for level in found if level.source == name]
        yield from [level for level in own if level.at <= until] or own[:1]


def _whole(cuts: Iterable[SegmentRecord]) -> list[SegmentRecord]:
    """One of each id: the last one is the whole segment, or the latest look at it."""
    return list({cut.id: cut for cut in cuts}.values())


def _within(cut: SegmentRecord, since: datetime, until: datetime) -> bool:
    return cut.started_at <= until and cut.ends_at >= since
