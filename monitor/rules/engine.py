"""Events in, alerts out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime, tzinfo

from monitor.errors import ConfigError
from monitor.labels import SEVERITIES
from monitor.rules.absence.watch import AbsenceWatch
from monitor.rules.carried import carried_over
from monitor.rules.clauses import Transcripts, no_transcripts
from monitor.rules.house import HouseConfig, HouseValues
from monitor.rules.judge import Judge, RuleMemory
from monitor.rules.loudness.watch import LoudnessWatch
from monitor.rules.model import Rule
from monitor.rules.self_test import FALLBACK_TEST_RULE, build_test_alert
from monitor.rules.trace import RuleTrace
from monitor.types import Alert, SoundEvent


class RuleEngine:
    """Judges every event by every rule. One thread calls it; it has no clock: the time is an argument.

    `zone` is the time zone of `between` and `weekdays`, None for the system's. `transcript_of` returns the
    transcript of an event, for rules with `say`; pass the event to `decide` again when its transcript is
    known. `verifiers` names the classifiers for which `wait_for_verify_s` waits: empty means none; with None
    every classifier but the event's first counts as one. `house` are the
    values that rules may ask for, `sources` the names of all sources; `replayed`: see `AbsenceWatch`;
    `calibrations`: see `LoudnessWatch`. Raises ConfigError when two rules have the same name.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        zone: tzinfo | None = None,
        transcript_of: Transcripts = no_transcripts,
        verifiers: frozenset[str] | None = None,
        house: Mapping[str, HouseConfig] | None = None,
        sources: Sequence[str] = (),
        replayed: bool = False,
        calibrations: Mapping[str, float] | None = None,
    ) -> None:
        if problems := duplicate_names(rules):
            raise ConfigError(problems)
        self._zone = zone
        self._house = HouseValues(house)
        self.absence = AbsenceWatch(rules, sources, self._house, zone, replayed=replayed)
        """The rules about what is not heard; they want to know which sources are listened to."""
        self.loudness = LoudnessWatch(rules, calibrations or {}, self._house, zone)
        """The rules about how loud it is, and the calibrations."""
        self._judges = [Judge(rule, zone, transcript_of, verifiers, self._house) for rule in rules]
        self._memories = [judge.nothing() for judge in self._judges]

    def without_memory(self) -> "RuleEngine":
        """The same rules, which remember nothing yet."""
        fresh = copy(self)
        fresh.absence = AbsenceWatch((), (), self._house)
        fresh.loudness = LoudnessWatch((), {}, self._house)
        fresh._memories = [judge.nothing() for judge in fresh._judges]
        return fresh

    def take_over(self, former: "RuleEngine", open_events: Sequence[SoundEvent]) -> list[Alert]:
        """Go on where `former` was: a rule of the same name keeps its alerts, cool-downs and, where they mean
        the same, counts. The sounds that go on are held against the rules that are new or changed; who had an
        alert of the former rule has none again."""
        self._house.take_over(former._house)
        self.absence.take_over(former.absence)
        self.loudness.take_over(former.loudness)
        before = {judge.rule.name: (judge.rule, memory) for judge, memory in former._remembered()}
        alerts: list[Alert] = []
        for i, judge in enumerate(self._judges):
            rule, memory = before.get(judge.rule.name, (None, self._memories[i]))
            self._memories[i] = carried_over(memory, rule, judge.rule) if rule else memory
            if rule != judge.rule:
                alerts += [alert for event in open_events for alert in self._hold_against(i, event)]
        return alerts

    def _remembered(self) -> Iterator[tuple[Judge, RuleMemory]]:
        return zip(self._judges, self._memories, strict=True)

    def note_house(self, name: str, value: str | None, at: datetime) -> bool:
        """A value of the house is this from `at` on; None: unknown. Whether that is to be recorded."""
        return self._house.note(name, value, at)

    def decide(self, event: SoundEvent) -> list[Alert]:
        """The alerts that this state of an event raises, or re-issues with the same id when another
        microphone corroborates one. An event raises one alert per rule, in whichever of its states the rule
        comes true."""
        alerts: list[Alert] = []
        self.absence.note(event)
        for i in range(len(self._judges)):
            alerts += self._hold_against(i, event)
        return alerts

    def _hold_against(self, i: int, event: SoundEvent) -> tuple[Alert, ...]:
        judgement = self._judges[i].judge(self._memories[i], event)
        self._memories[i] = judgement.memory
        return judgement.alerts

    @property
    def waits(self) -> bool:
        """Whether time alone may raise an alert."""
        return self.absence.waits or any(one.incidents or one.lasting for one in self._memories)

    def due(self, now: datetime) -> list[Alert]:
        """The alerts that have waited long enough. Call it a few times a second."""
        alerts = self.absence.due(now)
        for i, judge in enumerate(self._judges):
            if self._memories[i].incidents or self._memories[i].lasting:
                judgement = judge.due(self._memories[i], now)
                self._memories[i] = judgement.memory
                alerts += judgement.alerts
        return alerts

    def explain(self, event: SoundEvent) -> list[RuleTrace]:
        """What `decide` would make of the event now, rule by rule and clause by clause; decides nothing."""
        traces = [
            trace for judge, memory in self._remembered() for trace in judge.judge(memory, event).traces
        ]
        return [*traces, *self.absence.explain(event)]

    def test(self, now: datetime, rule: str | None = None) -> Alert:
        """An alert of the named rule (else the first of the most severe: who tests wants to know whether that
        one rings) by events made to pass it; nothing is remembered. KeyError when no rule has that name."""
        rules = {judge.rule.name: judge.rule for judge in self._judges}
        chosen = [rules[rule]] if rule is not None else list(rules.values()) or [FALLBACK_TEST_RULE]
        alerts = [build_test_alert(each, now, self._zone) for each in chosen]
        return max(alerts, key=lambda alert: SEVERITIES.index(alert.severity))


def duplicate_names(rules: Sequence[Rule]) -> list[str]:
    """One line for every name that is used more than once."""
    counts = Counter(rule.name for rule in rules)
    return [
        f"rule {name!r} is there {count} times; give each rule its own name"
        for name, count in counts.items()
        if count > 1
    ]
