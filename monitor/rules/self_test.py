"""A test alert: events made to pass a rule go through the same chain as real ones."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from monitor.labels import VOICED
from monitor.language.words import say
from monitor.rules.absence.watch import absence_test
from monitor.rules.judge import Judge
from monitor.rules.loudness.watch import level_test
from monitor.rules.message import NOWHERE
from monitor.rules.model import Clause, Rule
from monitor.types import Alert, SoundEvent, new_id

FALLBACK_TEST_RULE = Rule(name="Test", hear=("doorbell",), severity="info")
"""What is rehearsed where there are no rules: delivery can be tested all the same."""

ANY_HOUSE: dict[str, Any] = {"when": {}, "unless": {}, "demote_while": {}}


def build_test_alert(rule: Rule, now: datetime, zone: tzinfo | None = None) -> Alert:
    """The alert that `rule` would raise, at any hour, in any house and without waiting; marked as a `test`,
    and so are its message and events."""
    if rule.unless_heard is not None:
        return absence_test(rule, now)
    if rule.level is not None:
        return level_test(rule, now)
    anytime = rule.model_copy(update={"between": None, "weekdays": (), "wait_for_verify_s": 0.0} | ANY_HOUSE)
    clause = rule.ways[0]
    judge = Judge(anytime, zone, transcript_of=lambda event: clause.say[0] if clause.say else None)
    memory = judge.nothing()
    for event in _events(rule, clause, now):
        judgement = judge.judge(memory, event)
        memory = judgement.memory
        for alert in judgement.alerts:
            return replace(alert, message=say("notice.test", text=alert.message), test=True)
    raise AssertionError(f"rule {rule.name!r} does not pass its own rehearsal")


def _events(rule: Rule, clause: Clause, now: datetime) -> Iterator[SoundEvent]:
    """As few sounds as the clause needs, the last of them at `now`."""
    after_s = min(clause.then.within_s, 1.0) if clause.then else 0.0
    apart_s = clause.within_s / (clause.count - 1) if clause.within_s and clause.count > 1 else 0.0
    label = next((label for label in clause.hear if label in VOICED or not clause.emotion), clause.hear[0])
    for i in reversed(range(clause.count)):
        at = now - timedelta(seconds=after_s + i * apart_s)
        yield replace(_event(rule, clause, label, at), started_at=at - timedelta(seconds=clause.lasts_s))
    if clause.then:
        yield _event(rule, clause, clause.then.hear[0], now)


def _event(rule: Rule, clause: Clause, label: str, at: datetime) -> SoundEvent:
    return SoundEvent(
        id=new_id(),
        label=label,
        source=rule.sources[0] if rule.sources else NOWHERE,
        state="started",
        certainty="confirmed",
        started_at=at,
        at=at,
        score=1.0,
        classifier="test",
        emotion={clause.emotion[0]: 1.0} if clause.emotion else None,
        evidence={"test": True},
    )
