"""The memory of a rule, carried over to a changed rule of the same name."""

from dataclasses import replace
from typing import Any

from monitor.rules.history import ClauseHistory, Moments
from monitor.rules.judge import RuleMemory
from monitor.rules.model import Clause, Rule


def carried_over(memory: RuleMemory, former: Rule, rule: Rule) -> RuleMemory:
    """The part of `former`'s memory that still applies to `rule`.

    All of it if both rules ask the same of sounds. Otherwise the alerts about labels that `rule` still hears,
    with their cool-downs and waiting alerts; of the counts only which sounds had their alert.
    """
    if _asked(former) == _asked(rule):
        return memory
    labels = {label for way in rule.ways for label in (*way.hear, *(way.then.hear if way.then else ()))}
    incidents = tuple(i for i in memory.incidents if all(e.label in labels for e in i.alert.events))
    alerted = {event.id for incident in memory.incidents for event in incident.alert.events}
    single = [way.count == 1 and way.then is None for way in former.ways]
    counted = {
        id: count
        for history, alone in zip(memory.ways, single, strict=True)
        for id, count in history.heard.counted.items()
        if alone or id in alerted
    }
    fresh = ClauseHistory(heard=Moments(counted=counted))
    return replace(memory, ways=tuple(fresh for _ in rule.ways), incidents=incidents, lasting=())


def _asked(rule: Rule) -> list[dict[str, Any]]:
    """The conditions of its ways, without severity, cool-down and notifiers."""
    return [way.model_dump(include=set(Clause.model_fields)) for way in rule.ways]
