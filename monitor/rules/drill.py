"""A drill: the alarm that somebody announced rings as a test, and whatever else sounds stays real. Pure.

It claims the events of one label that begin while it is open. Their alerts come from rules without memory,
are marked as tests, and leave no trace in the rules that guard the house: no cool-down, no open incident. A
claimed alarm that goes on after everybody should have let go of the button is given back, and alarms.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.clock import CLOCK_JUMP_S
from monitor.language.words import say
from monitor.rules.engine import RuleEngine
from monitor.types import Alert, Detection, SoundEvent

LASTS_S = 180.0
"""So long somebody has to press the button."""
CLOSES_S = 30.0
"""After the first room has confirmed the alarm it is open for so long: other rooms may need more cycles."""
OUTLASTS_S = 30.0
"""So long after the drill closed an alarm that still sounds is real: nobody keeps a button pressed."""
_LEAST_SCORE = 0.5


class Drill:
    """One drill. Belongs to the decider's thread."""

    def __init__(self, id: str, label: str, begins_at: datetime, rules: RuleEngine) -> None:
        self.id = id
        self.label = label
        self._begins_at = begins_at
        self._closes_at = begins_at + timedelta(seconds=LASTS_S)
        self._rules = rules
        self._confirmed = False
        self._claimed: dict[str, SoundEvent] = {}
        self._real: set[str] = set()
        self._latest = begins_at

    def claims(self, event: SoundEvent) -> bool:
        """Whether it is the alarm of the drill. One that sounded before, one of another kind and one that
        begins after it closed are real."""
        if event.id in self._claimed:
            return True
        if event.id in self._real:
            return False
        return event.label == self.label and self._begins_at <= event.started_at < self._closes_at

    def take(self, event: SoundEvent) -> list[Alert | SoundEvent]:
        """The next state of a claimed event: its alerts as tests, and itself, marked."""
        self._claimed[event.id] = event
        if event.certainty == "confirmed" and not self._confirmed:
            self._confirmed = True
            self._closes_at = min(self._closes_at, event.at + timedelta(seconds=CLOSES_S))
        alerts = [_as_test(alert) for alert in self._rules.decide(event)]
        if event.state == "ended":
            del self._claimed[event.id]
        return [*alerts, replace(event, evidence={**event.evidence, "drill": self.id})]

    def pass_time(self, now: datetime) -> None:
        """A clock that is set back would keep the drill open, and an alarm that lasts a test: it closes, and
        what still sounds is real."""
        if (self._latest - now).total_seconds() > CLOCK_JUMP_S:
            self._closes_at = min(self._closes_at, now - timedelta(seconds=OUTLASTS_S))
        self._latest = max(self._latest, now)

    def due(self, now: datetime) -> list[Alert]:
        """Test alerts that have waited long enough."""
        return [_as_test(alert) for alert in self._rules.due(now)]

    def given_back(self, detections: Sequence[Detection]) -> list[SoundEvent]:
        """Claimed events whose alarm these detections find so long after the drill has closed; they are no
        longer claimed."""
        late = self._closes_at + timedelta(seconds=OUTLASTS_S)
        sources = {
            one.source
            for one in detections
            if one.label == self.label
            and one.ends_at > late
            and (one.certainty is not None or one.score >= _LEAST_SCORE)
        }
        real = [event for event in self._claimed.values() if event.source in sources]
        for event in real:
            del self._claimed[event.id]
            self._real.add(event.id)
        return real

    def is_over(self, now: datetime) -> bool:
        """Closed, and everything that it claimed has ended or was given back."""
        return now >= self._closes_at and not self._claimed


def _as_test(alert: Alert) -> Alert:
    return replace(alert, test=True, message=say("notice.test", text=alert.message))
