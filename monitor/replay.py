"""What would have fired: the scores that were kept, decided again under other thresholds and rules."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from monitor.assembly import Listeners, build_mind
from monitor.capabilities import unloaded
from monitor.config import Config
from monitor.deciding import Mind
from monitor.errors import ConfigError
from monitor.labels import did_you_mean, sounds
from monitor.store.history import History, Said
from monitor.store.looks import Look
from monitor.types import Alert, Command, Message, Setting, SoundEvent, SourceStatus

_TICK_US = 250_000
"""How often time alone may end an event in the daemon."""
_BUSY = timedelta(seconds=60)
_BUSY_TICK = timedelta(seconds=1)
_IDLE_TICK = timedelta(seconds=5)
_LONGEST_HOLD = timedelta(hours=1, minutes=1)
_SAME = timedelta(seconds=6)
"""Alerts that had to wait are released by a tick."""

Change = Literal["as before", "new", "gone"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An event or alert that happened, would have happened, or both."""

    message: SoundEvent | Alert
    change: Change

    @property
    def at(self) -> datetime:
        """When it began, or was raised."""
        return _at(self.message)


def replay(
    history: History, config: Config, since: datetime, until: datetime, changes: Sequence[str] = ()
) -> list[Outcome]:
    """Decide the stretch again under the configuration with `changes` (`--set`), and hold it against what was
    decided then, in the order of time. Raises ConfigError for a change that cannot be.

    Looks, rhythms, losses, mutes and sensitivities are taken as they were; the large model is not asked
    again. What began before `since` is not known: an event that was open then counts as new at its next hit.
    """
    mind = build_mind(overridden(config, changes), Listeners(*unloaded(config)))
    now = list(_last_states(_decided(mind, history, since, until)).values())
    then = list(_last_states(one for _, one in history.said(since, until)).values())
    outcomes = [Outcome(one, "as before" if any(_alike(one, old) for old in then) else "new") for one in now]
    outcomes += [Outcome(old, "gone") for old in then if not any(_alike(one, old) for one in now)]
    return sorted(outcomes, key=lambda outcome: outcome.at)


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
        changed = Config.model_validate({"sources": config.sources, **values})
    except ValidationError as error:
        raise ConfigError(
            [f"--set: {'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
        ) from None
    return config.model_copy(update={"labels": changed.labels, "rules": changed.rules})


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
        yield f"--set {change}: unknown label {label!r}{did_you_mean(label, sounds())}"
        return
    # What the owner means by a label's threshold is called its onset.
    values["labels"].setdefault(label, {})["onset" if key == "threshold" else key] = value


def _decided(mind: Mind, history: History, since: datetime, until: datetime) -> Iterator[Message]:
    """Everything that the mind decides of the stretch, in order."""
    looks = ((look.told_at, look) for look in history.looks(since, until))
    said = ((at, one) for at, one in history.said(since, until) if isinstance(one, SourceStatus | Setting))
    inputs: Iterator[tuple[datetime, Look | Said]] = heapq.merge(looks, said, key=lambda item: item[0])
    before = since
    for at, together in groupby(inputs, key=lambda item: item[0]):
        yield from _pass_time(mind, before, at)
        before = at
        yield from _take_in(mind, [item for _, item in together], at)
    yield from _pass_time(mind, before, until)


def _take_in(mind: Mind, items: list[Look | Said], at: datetime) -> Iterator[Message]:
    detections = [one for item in items if isinstance(item, Look) for one in item.detections()]
    if detections:
        yield from mind.hear(detections, at)
    for item in items:
        if isinstance(item, Setting):
            yield from mind.obey(Command(item.name, item.source, item.value), at)
        elif isinstance(item, SourceStatus) and not item.online:
            yield from mind.lose(item.source, item.at, item.ended_by)


def _pass_time(mind: Mind, since: datetime, until: datetime) -> Iterator[Message]:
    """The daemon's ticks that can matter: seldom ones end events and release alerts, and the last one before
    more is heard decides whether that is still the same event. After an hour nothing can be open."""
    last = until - timedelta(microseconds=until.microsecond % _TICK_US or _TICK_US)
    at = since + _BUSY_TICK
    while at < last and at - since < _LONGEST_HOLD:
        yield from mind.hear((), at)
        at += _BUSY_TICK if at - since < _BUSY else _IDLE_TICK
    if last > since:
        yield from mind.hear((), last)


def _last_states(messages: Any) -> dict[str, SoundEvent | Alert]:
    """Every event and alert once, with its last word."""
    return {one.id: one for one in messages if isinstance(one, SoundEvent | Alert)}


def _at(message: SoundEvent | Alert) -> datetime:
    return message.started_at if isinstance(message, SoundEvent) else message.raised_at


def _alike(one: SoundEvent | Alert, other: SoundEvent | Alert) -> bool:
    """The same sound over some of the same time, or the same rule at the same time. Where a sound paused for
    just as long as its hold, one event may be two the next time: the daemon's ticks fell otherwise."""
    if isinstance(one, SoundEvent) and isinstance(other, SoundEvent):
        same = (one.label, one.source) == (other.label, other.source)
        return same and one.started_at <= _end(other) + _SAME and other.started_at <= _end(one) + _SAME
    alerts = isinstance(one, Alert) and isinstance(other, Alert) and one.rule == other.rule
    return alerts and abs(_at(one) - _at(other)) <= _SAME


def _end(event: SoundEvent) -> datetime:
    return event.ended_at or event.at


def replay_lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The outcomes as text, times in the local zone, and a summary."""
    for outcome in outcomes:
        message = outcome.message
        at = f"{outcome.at.astimezone():%Y-%m-%d %H:%M:%S}"
        if isinstance(message, Alert):
            what = f"alert {message.rule} ({message.severity})"
        else:
            what = f"event {message.label} at {message.source}, {message.score:.2f} by {message.classifier}"
        yield f"{at}  {outcome.change:9}  {what}"
    for kind, name in ((SoundEvent, "events"), (Alert, "alerts")):
        changes = [outcome.change for outcome in outcomes if isinstance(outcome.message, kind)]
        fired = len(changes) - changes.count("gone")
        yield f"{fired} {name} would have fired; {changes.count('new')} new, {changes.count('gone')} gone"
