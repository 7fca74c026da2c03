"""What would have fired: the scores that were kept, decided again under other thresholds and rules."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from monitor.clock import TICK_S
from monitor.config.capabilities import unloaded
from monitor.config.mistakes.plain_words import plain_words
from monitor.config.model import Config
from monitor.errors import ConfigError
from monitor.history.loudness.minutes import minutes_of
from monitor.history.reader import History, KeptMessage
from monitor.history.records import ScoreRecord
from monitor.labels import did_you_mean, sound_meant, sounds
from monitor.pipeline.build import LoadedClassifiers, build_decision_engine
from monitor.pipeline.decisions import DecisionEngine
from monitor.types import Alert, Message, Setting, SoundEvent, SoundLevel, SourceStatus

_TICK_US = round(TICK_S * 1e6)
_BUSY = timedelta(seconds=60)
_BUSY_TICK = timedelta(seconds=1)
_IDLE_TICK = timedelta(seconds=5)
_LONGEST_HOLD = timedelta(hours=1, minutes=1)
SAME_S = 6.0
"""An alert of the same rule that comes this much later or sooner is the same one: those that had to wait are
released by the daemon's ticks, which fall otherwise here. The shift is shown."""
SHOWN_SHIFT_S = 0.5

Input = ScoreRecord | KeptMessage | SoundLevel
Change = Literal["as before", "new", "gone"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An event or alert that happened, would have happened, or both."""

    message: SoundEvent | Alert
    change: Change
    shift_s: float = 0.0
    """How much later than then it would come; negative: sooner."""

    @property
    def at(self) -> datetime:
        """When it began, or was raised."""
        return _at(self.message)


def replay(
    history: History,
    config: Config,
    since: datetime,
    until: datetime,
    changes: Sequence[str] = (),
    progress: Callable[[datetime], None] = lambda at: None,
) -> list[Outcome]:
    """Decide the stretch again under the configuration with `changes` (`--set`), and hold it against what was
    decided then, in the order of time. Raises ConfigError for a change that cannot be.

    Looks, rhythms, losses, mutes and sensitivities are taken as they were, those that were set before too.
    The large model is not asked again. What else began before `since` is not known: an event that was open
    then counts as new at its next hit. `progress` is told how far it is.
    """
    first, second = unloaded(config)
    engine = build_decision_engine(
        overridden(config, changes), LoadedClassifiers(first, second), replayed=True
    )
    dating = frozenset(one.name for one in first if one.dates)
    now = list(_last_states(_decided(engine, history, since, until, dating, progress)).values())
    messages = (one for _, one in history.messages(since, until))
    then = list(_last_states(one for one in messages if not _is_test(one)).values())
    known, found = _by_kind(then), _by_kind(now)
    outcomes = [_held_against(one, known[_kind(one)]) for one in now]
    outcomes += [
        Outcome(old, "gone") for old in then if not any(_alike(one, old) for one in found[_kind(old)])
    ]
    return sorted(outcomes, key=lambda outcome: outcome.at)


def _kind(message: SoundEvent | Alert) -> tuple[str, ...]:
    """What two that are the same have in common at least."""
    return (message.label, message.source) if isinstance(message, SoundEvent) else (message.rule,)


def _by_kind(messages: Sequence[SoundEvent | Alert]) -> Mapping[tuple[str, ...], list[SoundEvent | Alert]]:
    found: defaultdict[tuple[str, ...], list[SoundEvent | Alert]] = defaultdict(list)
    for one in messages:
        found[_kind(one)].append(one)
    return found


def _held_against(one: SoundEvent | Alert, then: Sequence[SoundEvent | Alert]) -> Outcome:
    """What was the nearest to it then."""
    shifts_s = [(_at(one) - _at(old)).total_seconds() for old in then if _alike(one, old)]
    return Outcome(one, "as before", min(shifts_s, key=abs)) if shifts_s else Outcome(one, "new")


@dataclass(frozen=True, slots=True)
class Only:
    """Which outcomes are wanted; None: all."""

    rule: str | None = None
    label: str | None = None
    source: str | None = None

    def takes(self, outcome: Outcome) -> bool:
        """Whether it is wanted. An event is of no rule; an alert is of all its events' labels and sources."""
        message = outcome.message
        events = message.events if isinstance(message, Alert) else (message,)
        of_rule = isinstance(message, Alert) and message.rule == self.rule
        return (
            (self.rule is None or of_rule)
            and (self.label is None or any(event.label == self.label for event in events))
            and (self.source is None or any(event.source == self.source for event in events))
        )


def overridden(config: Config, changes: Sequence[str]) -> Config:
    """The configuration with changes of the form `glass_break.onset=0.4` (a label's threshold) or
    `rules.Break-in.min_score=0.6`. Raises ConfigError with every change that cannot be."""
    values: dict[str, Any] = {
        "labels": {name: block.model_dump(exclude_unset=True) for name, block in config.labels.items()},
        "rules": [rule.model_dump(exclude_unset=True) for rule in config.rules],
    }
    problems = [problem for change in changes for problem in _change(values, change)]
    if problems:
        raise ConfigError(problems)
    try:
        changed = Config.model_validate({"sources": config.sources, **values}).switched()
    except ValidationError as error:
        lines = [f"{_place(config, one['loc'])}: {plain_words(one, one['input'])}" for one in error.errors()]
        raise ConfigError([f"--set {line}" for line in lines]) from None
    return config.model_copy(update={"labels": changed.labels, "rules": changed.rules})


def _place(config: Config, place: Sequence[str | int]) -> str:
    """A place as `--set` names it."""
    part, which, *rest = place
    name = ["rules", config.rules[which].name] if isinstance(which, int) else [which]
    return ".".join(map(str, [*name, *rest])) if part in ("rules", "labels") else str(part)


def _change(values: dict[str, Any], change: str) -> Iterator[str]:
    """Make one change in place; what is wrong with it."""
    path, found, text = change.partition("=")
    parts = path.strip().split(".")
    if not found or len(parts) < 2:
        yield f"--set {change}: write LABEL.KEY=VALUE, for example glass_break.onset=0.4"
        return
    value = yaml.safe_load(text)
    if parts[0] == "rules" and len(parts) >= 3:
        name = ".".join(parts[1:-1])
        rule = next((rule for rule in values["rules"] if rule["name"] == name), None)
        if rule is None:
            names = [rule["name"] for rule in values["rules"]]
            yield f"--set {change}: there is no rule {name!r}{did_you_mean(name, names)}"
        else:
            rule[parts[-1]] = value
        return
    label, key = parts[-2:]
    if label not in sounds():
        yield f"--set {change}: unknown label {label!r}{sound_meant(label)}"
        return
    # What the owner means by a label's threshold is called its onset.
    values["labels"].setdefault(label, {})["onset" if key == "threshold" else key] = value


def _decided(
    engine: DecisionEngine,
    history: History,
    since: datetime,
    until: datetime,
    dating: Collection[str],
    progress: Callable[[datetime], None],
) -> Iterator[Message]:
    """Everything that the engine decides of the stretch, in order. `dating` names the classifiers that
    measure how long a sound lasted, which is a hit for every half second."""
    looks = ((look.decided_at, look) for look in history.looks(since, until))
    changes = (
        (at, one) for at, one in history.messages(since, until) if isinstance(one, SourceStatus | Setting)
    )
    minutes = ((one.ends_at, one) for one in minutes_of(history, since - _BUSY, until))
    inputs: Iterator[tuple[datetime, Input]] = heapq.merge(looks, changes, minutes, key=lambda item: item[0])
    yield from engine.apply_settings(history.settings(since), since)
    before = since
    for at, together in groupby(inputs, key=lambda item: item[0]):
        progress(at)
        yield from _pass_time(engine, before, at)
        before = at
        yield from _take_in(engine, [item for _, item in together], at, dating)
    yield from _pass_time(engine, before, until)


def _take_in(
    engine: DecisionEngine, items: list[Input], at: datetime, dating: Collection[str]
) -> Iterator[Message]:
    detections = [
        replace(one, dated=one.classifier in dating)
        for item in items
        if isinstance(item, ScoreRecord)
        for one in item.detections()
    ]
    if detections:
        yield from engine.decide(detections, at)
    for item in items:
        if isinstance(item, SoundLevel):
            yield from engine.note_minute(item)
        elif isinstance(item, Setting):
            yield from engine.apply_command(item.command("replay"), at)
        elif isinstance(item, SourceStatus):
            if not item.online:
                yield from engine.end_source(item.source, item.at, item.ended_by)
            yield from engine.note_source(item, at.timestamp())


def _pass_time(engine: DecisionEngine, since: datetime, until: datetime) -> Iterator[Message]:
    """The daemon's ticks that can matter: seldom ones end events and release alerts, and the last one before
    more is heard decides whether that is still the same event. None where nothing waits for time to pass;
    after an hour nothing can be open."""
    last = until - timedelta(microseconds=until.microsecond % _TICK_US or _TICK_US)
    at = since + _BUSY_TICK
    while at < last and at - since < _LONGEST_HOLD and not engine.is_at_rest:
        yield from _tick(engine, at)
        at += _BUSY_TICK if at - since < _BUSY else _IDLE_TICK
    if last > since:
        yield from _tick(engine, last)


def _tick(engine: DecisionEngine, at: datetime) -> Iterator[Message]:
    yield from engine.decide((), at)
    yield from engine.due_alerts(at, at.timestamp())


def _last_states(messages: Any) -> dict[str, SoundEvent | Alert]:
    """Every event and alert once, with its last word."""
    return {one.id: one for one in messages if isinstance(one, SoundEvent | Alert)}


def _is_test(message: Message) -> bool:
    """Somebody pressed the button: nothing was heard."""
    return isinstance(message, Alert) and message.test


def _at(message: SoundEvent | Alert) -> datetime:
    return message.started_at if isinstance(message, SoundEvent) else message.raised_at


def _alike(one: SoundEvent | Alert, other: SoundEvent | Alert) -> bool:
    """Of two of one kind: over some of the same time, or at the same time. Ids do not count: they
    are new here. Where a sound paused for just as long as its hold, one event may be two the next time: the
    daemon's ticks fell otherwise."""
    same = timedelta(seconds=SAME_S)
    if isinstance(one, SoundEvent) and isinstance(other, SoundEvent):
        return one.started_at <= _end(other) + same and other.started_at <= _end(one) + same
    return abs(_at(one) - _at(other)) <= same


def _end(event: SoundEvent) -> datetime:
    return event.ended_at or event.at


def replay_lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The outcomes as text, times in the local zone, and a summary."""
    for outcome in outcomes:
        yield f"{outcome.at.astimezone():%Y-%m-%d %H:%M:%S}  {outcome.change:9}  {_what(outcome)}"
    for kind, name in ((SoundEvent, "events"), (Alert, "alerts")):
        found = [outcome for outcome in outcomes if isinstance(outcome.message, kind)]
        changes = [outcome.change for outcome in found]
        fired = len(changes) - changes.count("gone")
        shifted = sum(bool(_shift(outcome)) for outcome in found)
        at_another_time = f", {shifted} at another time" if shifted else ""
        yield (
            f"{fired} {name} would have fired; {changes.count('new')} new, {changes.count('gone')} gone"
            f"{at_another_time}"
        )


def _what(outcome: Outcome) -> str:
    message = outcome.message
    if isinstance(message, Alert):
        return f"alert {message.rule} ({message.severity}){_shift(outcome)}"
    heard = f"{message.score:.2f} by {message.classifier}"
    return f"event {message.label} at {message.source}, {heard}{_shift(outcome)}"


def _shift(outcome: Outcome) -> str:
    """How far it has moved, where that is worth showing."""
    if abs(outcome.shift_s) < SHOWN_SHIFT_S:
        return ""
    return f", {abs(outcome.shift_s):.1f} s {'later' if outcome.shift_s > 0 else 'sooner'}"
