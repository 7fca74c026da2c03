"""Joins repeated alerts into one notification: the first at once, later ones together with their number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from monitor.delivery.base import Entry
from monitor.delivery.sender import Batch, as_of_now
from monitor.language.words import say
from monitor.types import Alert, SoundEvent

URGENT_PAUSE_S = 20.0
"""Between two notifications of the same alarm. Short: the second may be the one that wakes somebody."""
LONGEST_PAUSE_S = 900.0
MOST_EVENTS = 20
"""Events that a collapsed alert carries."""
MOST_NAMED = 5
"""Of different things that happened, those that a collapsed alert names; it counts the rest."""


@dataclass(slots=True)
class _LastSent:
    """When a rule's last alert was sent, and how long its next alerts are collected."""

    at_s: float
    pause_s: float


GroupKey = tuple[str, str, frozenset[str]]
"""What alerts are collected under: rule, severity, and life dangers."""
_TESTS: GroupKey = ("", "test", frozenset())
"""Tests of all rules together, after everything else."""


class Coalescer:
    """A `Choice` for notifiers: one message at a time, alarms first, and all waiting alerts of one rule and
    severity as one message with their number, which names every sound and room. Alarms are collected by the
    danger that they warn of: CO never waits behind smoke, nor smoke behind a rule's other sounds. Tests come
    last, and count for nothing.

    After a rule's alert was sent, its next alerts are collected for `pause_s`, doubling up to 15 minutes
    while they continue; alarms for 20 s at most. Over all rules at most `per_minute` messages are sent;
    alarms always. What is held back waits in the outbox, on disk.
    """

    window = 1

    def __init__(self, *, pause_s: float = 60.0, per_minute: int = 10) -> None:
        self._pause_s = pause_s
        self._per_minute = per_minute
        self._sent: dict[GroupKey, _LastSent] = {}
        self._sent_at_s: list[float] = []

    def batches(self, waiting: Sequence[Entry], now_s: float) -> list[Batch]:
        """The one message that is to go out now, if any: an alarm before others, then the longest waiting."""
        self._sent_at_s = [at_s for at_s in self._sent_at_s if now_s - at_s < 60.0]
        groups = [group for group in _by_company(waiting) if self._may_go(group, now_s)]
        return [_together(min(groups, key=_turn))] if groups else []

    def delivered(self, batch: Batch, now_s: float) -> None:
        """Remember that an alert of the rule was sent."""
        key = _group_key(batch.entries[-1])
        if key == _TESTS:
            return
        self._sent_at_s.append(now_s)
        before = self._sent.get(key)
        goes_on = before is not None and now_s - before.at_s < 2 * before.pause_s
        pause_s = min(2 * before.pause_s, LONGEST_PAUSE_S) if before and goes_on else self._pause_s
        self._sent[key] = _LastSent(now_s, pause_s)
        self._sent = {k: sent for k, sent in self._sent.items() if now_s - sent.at_s < 2 * LONGEST_PAUSE_S}

    def _may_go(self, group: Sequence[Entry], now_s: float) -> bool:
        sent = self._sent.get(_group_key(group[-1]))
        urgent = group[0].urgent
        if not urgent and len(self._sent_at_s) >= self._per_minute:
            return False
        if sent is None:
            return True
        return now_s - sent.at_s >= (min(sent.pause_s, URGENT_PAUSE_S) if urgent else sent.pause_s)


def _group_key(entry: Entry) -> GroupKey:
    message = entry.message
    if not isinstance(message, Alert):
        return message.id, "", frozenset()
    if message.test:
        return _TESTS
    return message.rule, message.severity, frozenset(danger for danger, _ in message.dangers)


def _by_company(waiting: Iterable[Entry]) -> list[list[Entry]]:
    groups: dict[GroupKey, list[Entry]] = {}
    for entry in waiting:
        groups.setdefault(_group_key(entry), []).append(entry)
    return list(groups.values())


def _turn(group: Sequence[Entry]) -> tuple[bool, bool, int]:
    return (_group_key(group[0]) == _TESTS, not group[0].urgent, group[0].number)


def _together(group: Sequence[Entry]) -> Batch:
    """The newest alert, speaking for all of them."""
    latest = as_of_now(group[-1])
    late = any(entry.late for entry in group)
    distinct = {entry.message.id for entry in group}
    if isinstance(latest, Alert) and len(distinct) > 1:
        since = group[0].detected_at.astimezone().strftime("%H:%M")
        text = _named(group)
        many = "notice.many_lines" if "\n" in text else "notice.many"
        message = say(many, text=text, n=len(distinct), since=since)
        latest = replace(latest, message=message, events=_events(group))
    if isinstance(latest, Alert) and latest.update:
        # It rings if anything in it has not rung yet.
        latest = replace(latest, update=all(_is_update(entry) for entry in group))
    return Batch(latest, tuple(group), late)


def _is_update(entry: Entry) -> bool:
    return isinstance(entry.message, Alert) and entry.message.update


def _named(group: Sequence[Entry]) -> str:
    """What each of the alerts says, the newest first; of the same sounds in the same rooms once. What is
    about sources or channels gives its reason at length, and has a line for each."""
    newest: dict[frozenset[str], str] = {}
    for entry in reversed(group):
        message = as_of_now(entry)
        if isinstance(message, Alert):
            newest.setdefault(_subject(message), message.message)
    texts = list(newest.values())
    by_line = not _events(group)
    left = len(texts) - MOST_NAMED
    more = say("notice.more_lines" if by_line else "notice.more", n=left) if left > 0 else ""
    return ("\n" if by_line else "; ").join(texts[:MOST_NAMED]) + more


def _subject(alert: Alert) -> frozenset[str]:
    """What happened where. An alert without a sound is about a source or a channel."""
    sounds = frozenset(f"{event.label} {event.source}" for event in alert.events)
    return sounds or frozenset({str(alert.why.get("source") or alert.why.get("channel", ""))})


def _events(group: Sequence[Entry]) -> tuple[SoundEvent, ...]:
    """The newest state of each event of all these alerts."""
    newest: dict[str, SoundEvent] = {}
    for entry in group:
        for event in entry.message.events if isinstance(entry.message, Alert) else ():
            newest[event.id] = event
    return tuple(newest.values())[-MOST_EVENTS:]
