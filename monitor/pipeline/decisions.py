"""The second half of the loop: detections become events, events become alerts."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.events.tracker import RowsOf, Tracker
from monitor.labels import LIFE_SAFETY
from monitor.logs import get_logger
from monitor.rules.absence.vigil import Vigils
from monitor.rules.drill import Drill
from monitor.rules.engine import RuleEngine
from monitor.rules.loudness.noises import Noises
from monitor.rules.outage import SourceOutage
from monitor.types import (
    HOUSE,
    Alert,
    Command,
    Detection,
    EventEnd,
    LabelState,
    Message,
    Problem,
    Setting,
    SoundEvent,
    SoundLevel,
    SourceStatus,
)

log = get_logger()

TEST_EVERY_S = 10.0
"""A test alert that follows another sooner is ignored. Chosen: a person who tests waits longer, and anyone on
the broker can ask for a thousand."""


class DecisionEngine:
    """Tracker and rules together. Plain and synchronous; one thread.

    Everything returned is in the order in which it is to be published: a sensor's ON first, then the
    alert, then the event.
    """

    def __init__(self, tracker: Tracker, rules: RuleEngine, outage: SourceOutage | None = None) -> None:
        self._tracker = tracker
        self._rules = rules
        self._outage = outage or SourceOutage(0, ())
        self._next: deque[tuple[RuleEngine, RowsOf]] = deque(maxlen=1)
        self._drill: Drill | None = None
        self._tested_at: datetime | None = None
        self._tests_refused = 0
        self._begun: Counter[tuple[str, str]] = Counter()

    @property
    def vigils(self) -> Vigils:
        """What is known of sounds that are waited for, to be kept over a restart."""
        return self._rules.absence.vigils

    @property
    def noises(self) -> Noises:
        """What is known of how loud it has been, to be kept over a restart."""
        return self._rules.loudness.noises

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing waits for time to pass: no open event, no alert that may come, no lost source."""
        waits = self._tracker.is_open or self._rules.waits or self._outage.waits
        return not (waits or self._drill or self._next)

    def exchange(self, rules: RuleEngine, rows_of: RowsOf) -> None:
        """Decide by other rules and thresholds from the next `decide` on; from any thread. Events that go on
        go on, and the rules take over what the former ones remember."""
        self._next.append((rules, rows_of))

    def decide(
        self, detections: Sequence[Detection], now: datetime, times: Mapping[str, datetime] | None = None
    ) -> list[Message]:
        """Return what these detections, and the time that has passed, bring about; see `Tracker.update` for
        the arguments."""
        exchanged = self._exchange(*self._next.pop(), now, times or {}) if self._next else []
        changes = self._messages(self._tracker.update(detections, now, times))
        return [*exchanged, *changes, *self._drilled(detections, now), *self._rules.due(now)]

    def note_source(self, news: SourceStatus | Problem, now_s: float) -> list[Message]:
        """Take a change of a source's status, or of its microphone's faults; `now_s` is of the monotonic
        clock."""
        self._outage.note(news, now_s)
        if isinstance(news, SourceStatus):
            self._rules.absence.note_source(news)
        return [news]

    def note_minute(self, level: SoundLevel) -> list[Message]:
        """Take in how loud a minute was; nothing follows where its source was muted."""
        calibrated = self._rules.loudness.calibrated(level)
        return [] if calibrated is None else [calibrated, *self._rules.loudness.take(calibrated)]

    def due_alerts(self, now: datetime, now_s: float) -> list[Message]:
        """Return the alerts about sources that have delivered no sound for long. They are dated `now`, UTC;
        `now_s` is of the monotonic clock."""
        alerts = self._outage.due(now, now_s)
        self._rules.absence.note_deaf(self._outage.deaf)
        return [*alerts]

    def end_source(self, source: str, at: datetime, ended_by: EventEnd) -> list[Message]:
        """The source is gone: end its open events, and return what that brings about."""
        return self._messages(self._tracker.end_source(source, at, ended_by))

    def apply_command(self, command: Command, now: datetime) -> list[Message]:
        """Carry out a command and return its effects, the value now in force among them."""
        if command.name == "test":
            return [*self._test(now, None if command.value is None else str(command.value))]
        if command.name == "drill" and command.label in LIFE_SAFETY:
            self._drill = Drill(str(command.value), command.label, now, self._rules.without_memory())
            return []
        if command.name == "house" and command.source:
            value = None if command.value is None else str(command.value)
            is_new = self._rules.note_house(command.source, value, now)
            return [Setting(HOUSE, command.source, value)] if is_new else []
        if command.name == "mute" and command.source:
            ended = self._tracker.mute(command.source, bool(command.value), now)
            self._rules.absence.note_mute(command.source, bool(command.value))
            self._rules.loudness.note_mute(command.source, bool(command.value))
            return [*self._messages(ended), Setting(command.source, "mute", bool(command.value))]
        if command.name == "sensitivity" and command.source and isinstance(command.value, float | int):
            self._tracker.set_sensitivity(command.source, float(command.value))
            return [Setting(command.source, "sensitivity", float(command.value))]
        return []

    def apply_settings(self, settings: Sequence[Setting], now: datetime) -> list[Message]:
        """Return the effects of settings that were in force when the daemon started."""
        commands = [setting.command("start") for setting in settings]
        return [message for command in commands for message in self.apply_command(command, now)]

    def _exchange(
        self, rules: RuleEngine, rows_of: RowsOf, now: datetime, times: Mapping[str, datetime]
    ) -> list[Alert]:
        self._tracker.exchange_thresholds(rows_of)
        going_on = [
            replace(event, state="updated", at=max(event.at, times.get(event.source, now)))
            for event in self._tracker.open_events()
        ]
        alerts = rules.take_over(self._rules, going_on)
        self._rules = rules
        log.info("the new rules and thresholds are used now")
        return alerts

    def _test(self, now: datetime, rule: str | None) -> list[Alert]:
        """A test alert, of that rule or of the gravest, at most one in 10 s."""
        if self._tested_at and abs((now - self._tested_at).total_seconds()) < TEST_EVERY_S:
            self._tests_refused += 1
            if self._tests_refused == 1:
                log.warning("a test came too soon after another and is ignored", at_most_every_s=TEST_EVERY_S)
            return []
        self._tested_at, self._tests_refused = now, 0
        try:
            return [self._rules.test(now, rule)]
        except KeyError:
            log.warning("a test of a rule that no longer exists", rule=rule)
            return []

    def _messages(self, events: Sequence[SoundEvent]) -> list[Message]:
        return [message for event in events for message in self._about(event)]

    def _drilled(self, detections: Sequence[Detection], now: datetime) -> list[Message]:
        """What a drill brings: tests that have waited, and alarms that outlasted it, which are real."""
        if self._drill is None:
            return []
        self._drill.pass_time(now)
        real = [replace(event, state="started") for event in self._drill.given_back(detections)]
        tests = self._drill.due(now)
        if self._drill.is_over(now):
            self._drill = None
        return [*tests, *self._messages(real)]

    def _about(self, event: SoundEvent) -> list[Message]:
        if self._drill is not None and self._drill.claims(event):
            return [*self._drill.take(event)]
        alerts: list[Alert] = self._rules.decide(event)
        return [*self._sounding(event), *alerts, event]

    def _sounding(self, event: SoundEvent) -> list[LabelState]:
        """Its sensor's state, where that changes."""
        if event.state == "updated":
            return []
        heard = (event.source, event.label)
        self._begun[heard] += event.state == "started"
        return [LabelState(*heard, event.state != "ended", self._begun[heard])]


def cut_short(
    events: Sequence[SoundEvent], now: datetime, heard_until: Mapping[str, datetime]
) -> list[SoundEvent]:
    """The ends of events that were open when an earlier run stopped (`ended_by: restart`): when their sound
    was last found, by id, where that is known; else at their last update."""
    ends = {event.id: heard_until.get(event.id, event.at) for event in events}
    return [
        replace(
            event, state="ended", at=max(now, ends[event.id]), ended_at=ends[event.id], ended_by="restart"
        )
        for event in events
    ]
