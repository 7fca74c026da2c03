"""What one rule makes of an event. Pure: memory in, memory and alerts out, so that explaining is deciding."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from monitor.rules.clauses import Transcripts, hear_step, no_transcripts, own_steps
from monitor.rules.history import ClauseHistory, Match, find_match, history_steps, remember, spent
from monitor.rules.house import HouseValues, demotion
from monitor.rules.incident import CLOCK_SKEW_S, Incident, new_incident
from monitor.rules.lasting import Lasting, followed
from monitor.rules.model import Clause, Rule
from monitor.rules.trace import ClauseResult, RuleOutcome, RuleTrace
from monitor.types import Alert, SoundEvent

REMEMBERED_S = 600.0
"""How long a doubted alert waits in case the large model withdraws its doubt."""
REMEMBERED_INCIDENTS = 64
"""At most this many raised incidents per rule, and as many waiting ones; beyond that an alert does not
wait."""


@dataclass(frozen=True, slots=True)
class RuleMemory:
    """What a rule remembers."""

    ways: tuple[ClauseHistory, ...]
    incidents: tuple[Incident, ...] = ()
    lasting: tuple[Lasting, ...] = ()
    """Open sounds that only have to last."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of one event."""

    memory: RuleMemory
    alerts: tuple[Alert, ...] = ()
    traces: tuple[RuleTrace, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """One rule, ready to be held against events."""

    rule: Rule
    zone: tzinfo | None = None
    transcript_of: Transcripts = field(default=no_transcripts)
    verifiers: frozenset[str] | None = None
    house: HouseValues = field(default_factory=HouseValues)

    def nothing(self) -> RuleMemory:
        """The memory of a rule that has met no event."""
        return RuleMemory(tuple(ClauseHistory() for _ in self.rule.ways))

    def judge(self, memory: RuleMemory, event: SoundEvent) -> Judgement:
        """Hold the event against every way of the rule until one makes an alert."""
        judgement = self._follow_up(memory, event) if self._is_about(event) else Judgement(memory)
        for way, clause in enumerate(self.rule.ways):
            one = self._judge_way(judgement.memory, event, way, clause)
            memory = replace(one.memory, lasting=followed(one.memory.lasting, way, event, one.traces[-1]))
            judgement = Judgement(memory, judgement.alerts + one.alerts, judgement.traces + one.traces)
            if one.traces[-1].outcome != "stopped":
                break
        return judgement

    def _is_about(self, event: SoundEvent) -> bool:
        """Whether the rule names the label at all: most events end here."""
        return any(
            event.label in clause.hear or (clause.then is not None and event.label in clause.then.hear)
            for clause in self.rule.ways
        )

    def due(self, memory: RuleMemory, now: datetime) -> Judgement:
        """Raise what has waited or lasted long enough; forget what is over."""
        memory, alerts = self._outlasted(memory, now)
        incidents = self._recent(memory.incidents, now)
        for incident in incidents:
            joined_another = not any(incident is other for other in incidents)
            if joined_another or incident.doubted or not incident.has_waited(now):
                continue
            why = {"wait_for_verify_s": "no answer"} if incident.waits_for == "verify" else {}
            kept = incident.waits_for == "verify" or incident.ongoing
            incidents, raised = self._release(incidents, incident, now, kept, **why)
            alerts += raised
        return Judgement(replace(memory, incidents=incidents), tuple(alerts))

    def _outlasted(self, memory: RuleMemory, now: datetime) -> tuple[RuleMemory, list[Alert]]:
        """The alerts of open sounds that have now lasted for as long as the rule asks."""
        alerts: list[Alert] = []
        memory = replace(memory, lasting=tuple(one.counted(now) for one in memory.lasting))
        for one in memory.lasting:
            clause = self.rule.ways[one.way]
            if one.lasted_s < clause.lasts_s:
                continue
            left = tuple(other for other in memory.lasting if other is not one)
            judgement = self._judge_way(replace(memory, lasting=left), one.as_of_now, one.way, clause)
            memory = judgement.memory
            alerts += judgement.alerts
        return memory, alerts

    def _follow_up(self, memory: RuleMemory, event: SoundEvent) -> Judgement:
        """The event may be the news for which an alert waits."""
        incidents = self._recent(memory.incidents, event.at)
        alerts: list[Alert] = []
        for incident in incidents:
            if not incident.about(event):
                continue
            fresh = incident.refreshed(event)
            incidents = _replaced(incidents, incident, fresh)
            if fresh.waits_for == "verify" and fresh.verified(self.verifiers):
                who = ", ".join(event.confirmed_by) or event.classifier
                incidents, raised = self._release(incidents, fresh, event.at, True, wait_for_verify_s=who)
                alerts += raised
        return Judgement(replace(memory, incidents=incidents), tuple(alerts))

    def _judge_way(self, memory: RuleMemory, event: SoundEvent, way: int, clause: Clause) -> Judgement:
        steps, hears, follows = self._own(event, clause)
        if not (hears or follows):
            return Judgement(memory, (), (self._trace(way, "stopped", steps),))
        history = memory.ways[way]
        known = history.heard.has(event)
        history = remember(clause, history, event, hears=hears, follows=follows)
        match = find_match(clause, history)
        if hears and not known:
            corroborated = self._corroborate(memory, event, way, history, steps)
            if corroborated:
                return corroborated
        if hears and known and clause.count == 1:
            steps.append(ClauseResult("once", False, "an event of its own", "alerted before"))
        steps += history_steps(clause, history, match)
        if match is None:
            return Judgement(_with_way(memory, way, history), (), (self._trace(way, "stopped", steps),))
        memory = _with_way(memory, way, spent(history, match))
        demoted = demotion(self.rule, event, self.house, self.zone)
        steps += [demoted] if demoted else []
        why = self._why(way, clause, match, history, demoted)
        incident = new_incident(self.rule, clause, match, event.at, why, demoted=demoted is not None)
        return self._raise(memory, incident, way, steps)

    def _own(self, event: SoundEvent, clause: Clause) -> tuple[list[ClauseResult], bool, bool]:
        """The steps that need nothing but the event, and whether it meets `hear` and `then`."""
        rule = self.rule
        follows = (
            clause.then is not None
            and event.label in clause.then.hear
            and (not rule.sources or event.source in rule.sources)
        )
        if event.label not in clause.hear:
            return ([] if follows else [hear_step(clause, event)]), False, follows
        steps = list(own_steps(rule, clause, event, self.zone, self.transcript_of, self.house))
        return steps, all(step.passed for step in steps), follows

    def _corroborate(
        self,
        memory: RuleMemory,
        event: SoundEvent,
        way: int,
        history: ClauseHistory,
        steps: list[ClauseResult],
    ) -> Judgement | None:
        """The same sound at another microphone, or the same danger: one incident, not two."""
        incident = next((i for i in memory.incidents if not i.about(event) and i.may_include(event)), None)
        if incident is None:
            return None
        joined = incident.corroborated(event)
        # It has its alert and must not make another by itself.
        history = replace(history, heard=history.heard.without_event(event))
        memory = _with_way(memory, way, history)
        memory = replace(memory, incidents=_replaced(memory.incidents, incident, joined))
        alerts = () if joined.waits_until or incident.names(event) else (joined.alert,)
        return Judgement(memory, alerts, (self._trace(way, "corroborates", steps),))

    def _raise(
        self, memory: RuleMemory, incident: Incident, way: int, steps: list[ClauseResult]
    ) -> Judgement:
        """Raise the alert, unless it has to wait or a cool-down keeps it back."""
        at, rule = incident.alert.raised_at, self.rule
        blocking = self._blocking(memory.incidents, incident, at)
        if blocking is not None:
            since_s = (at - blocking.alert.raised_at).total_seconds()
            cooldown_s = incident.cooldown_s(rule)
            steps.append(ClauseResult("cooldown_s", False, cooldown_s, round(since_s, 1)))
            if not incident.alert.is_life_safety:
                return Judgement(memory, (), (self._trace(way, "stopped", steps),))
            # An alarm that still sounds when the cool-down is over must raise its alert then.
            until = blocking.alert.raised_at + timedelta(seconds=cooldown_s)
            incident = replace(incident, waits_until=until, waits_for="cooldown")
        elif self._must_wait(memory, incident):
            steps.append(ClauseResult("wait_for_verify_s", False, rule.wait_for_verify_s, "no answer yet"))
            until = at + timedelta(seconds=rule.wait_for_verify_s)
            incident = replace(incident, waits_until=until, waits_for="verify")
        else:
            incidents, incident = _with_rooms_that_wait(memory.incidents, incident)
            memory = replace(memory, incidents=incidents)
        memory = replace(memory, incidents=(*memory.incidents, incident))
        memory = self._counted_everywhere(memory, way, incident.alert.events)
        if incident.waits_until is not None:
            return Judgement(memory, (), (self._trace(way, "waits", steps),))
        return Judgement(memory, (incident.alert,), (self._trace(way, "alert", steps),))

    def _counted_everywhere(self, memory: RuleMemory, way: int, events: Sequence[SoundEvent]) -> RuleMemory:
        """What has its alert by one way makes none by another; where several sounds count, it still does."""
        for other, clause in enumerate(self.rule.ways):
            if other == way or clause.count > 1 or clause.then is not None:
                continue
            history = memory.ways[other]
            for event in (one for one in events if one.label in clause.hear):
                heard = history.heard.plus(event, 0.0, repeats=False).without_event(event)
                history = replace(history, heard=heard)
            memory = _with_way(memory, other, history)
        return memory

    def _must_wait(self, memory: RuleMemory, incident: Incident) -> bool:
        waiting = sum(other.waits_until is not None for other in memory.incidents)
        return (
            self.rule.wait_for_verify_s > 0
            and self.verifiers != frozenset()
            and not incident.alert.is_life_safety
            and not incident.verified(self.verifiers)
            and waiting < REMEMBERED_INCIDENTS
        )

    def _release(
        self, incidents: tuple[Incident, ...], incident: Incident, at: datetime, kept: bool, **why: Any
    ) -> tuple[tuple[Incident, ...], list[Alert]]:
        """Raise a waiting alert, or drop it where it is over or a cool-down has begun since."""
        if not kept or self._blocking(incidents, incident, at):
            return tuple(other for other in incidents if other is not incident), []
        others, raised = _with_rooms_that_wait(incidents, incident.raised(at, **why), incident)
        return _replaced(others, incident, raised), [raised.alert]

    def _blocking(self, incidents: tuple[Incident, ...], incident: Incident, at: datetime) -> Incident | None:
        for other in reversed(incidents):
            cools = other.cools(at, incident.cooldown_s(self.rule))
            if other is not incident and cools and other.swallows(incident):
                return other
        return None

    def _recent(self, incidents: tuple[Incident, ...], now: datetime) -> tuple[Incident, ...]:
        """Those that wait, that still cool, that a microphone which lags may corroborate, and dangers that go
        on: another room may join them."""
        waiting = [i for i in incidents if i.waits_until and self._still_waits(i, now)]
        keep_s = max(self.rule.cooldown_s, CLOCK_SKEW_S)
        raised = [i for i in incidents if not i.waits_until]
        dangers = [i for i in raised if i.alert.is_life_safety and i.ongoing][-REMEMBERED_INCIDENTS:]
        near = [i for i in raised if i not in dangers and i.is_near(now, keep_s)][-REMEMBERED_INCIDENTS:]
        return tuple(i for i in incidents if i in dangers or i in near) + tuple(waiting)

    def _still_waits(self, incident: Incident, now: datetime) -> bool:
        """Also after a long cool-down or a step of the clock: its alert is raised, unless its sound ends."""
        if incident.doubted:
            return incident.is_near(now, REMEMBERED_S)
        return incident.waits_for == "verify" or incident.ongoing

    def _why(
        self, way: int, clause: Clause, match: Match, history: ClauseHistory, demoted: ClauseResult | None
    ) -> dict[str, Any]:
        latest = match.heard[-1].events[0]
        steps = [
            *own_steps(self.rule, clause, latest, self.zone, self.transcript_of, self.house),
            *history_steps(clause, history, match),
            *([demoted] if demoted else []),
        ]
        which = {"any": way + 1} if self.rule.any else {}
        return which | {step.clause: step.found for step in steps}

    def _trace(self, way: int, outcome: RuleOutcome, steps: list[ClauseResult]) -> RuleTrace:
        return RuleTrace(self.rule.name, way, outcome, tuple(steps))


def _replaced(incidents: tuple[Incident, ...], old: Incident, new: Incident) -> tuple[Incident, ...]:
    return tuple(new if incident is old else incident for incident in incidents)


def _with_rooms_that_wait(
    incidents: tuple[Incident, ...], raised: Incident, before: Incident | None = None
) -> tuple[tuple[Incident, ...], Incident]:
    """A new alert of a life danger takes in the rooms that still sound and wait for a cool-down. `before`
    is the alert itself as it waited. Returns the other incidents, and the alert."""
    for other in incidents if raised.alert.is_life_safety else ():
        waits = other is not before and other.waits_for == "cooldown" and other.ongoing
        if waits and all(map(raised.may_include, other.alert.events)):
            raised = raised.with_events([*other.alert.events, *raised.alert.events])
            incidents = tuple(each for each in incidents if each is not other)
    return incidents, raised


def _with_way(memory: RuleMemory, way: int, history: ClauseHistory) -> RuleMemory:
    return replace(memory, ways=(*memory.ways[:way], history, *memory.ways[way + 1 :]))
