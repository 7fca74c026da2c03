"""A drill: the announced alarm rings as a test; a real or another alarm stays real."""

from datetime import datetime, timedelta

import pytest

from monitor.events.tracker import Tracker
from monitor.pipeline.decisions import DecisionEngine
from monitor.rules.drill import CLOSES_S, LASTS_S, OUTLASTS_S
from monitor.rules.engine import RuleEngine
from monitor.rules.model import Rule
from monitor.types import Alert, Command, Detection, LabelState, Message, SoundEvent
from testkit.builders import START, heard

RULES = [
    Rule(name="Smoke", hear=("smoke_alarm",), severity="critical"),
    Rule(name="CO", hear=("co_alarm",), severity="critical"),
]


def cycle(at_s: float, label: str = "smoke_alarm", source: str = "hall") -> Detection:
    """The rhythm detector has found one more cycle."""
    at = START + timedelta(seconds=at_s)
    more = {"cycles": 2, "pitch_hz": 3200, "pattern": "T3", "hold_s": 12.0}
    return heard(label, 0.9, at, classifier="rhythm", certainty="confirmed", source=source, evidence=more)


class House:
    """Decisions, by seconds since the start."""

    def __init__(self) -> None:
        self.engine = DecisionEngine(Tracker(), RuleEngine(RULES))
        self.messages: list[Message] = []

    def drill(self, at_s: float, label: str = "smoke_alarm") -> None:
        self.engine.apply_command(Command("drill", value="d1", label=label), self._at(at_s))

    def sound(self, since_s: float, until_s: float, label: str = "smoke_alarm", source: str = "hall") -> None:
        """A cycle every 4 s."""
        at_s = since_s
        while at_s <= until_s:
            self.messages += self.engine.decide([cycle(at_s, label, source)], self._at(at_s + 1))
            at_s += 4

    def wait(self, until_s: float) -> None:
        self.messages += self.engine.decide([], self._at(until_s))

    def alerts(self, *, test: bool) -> list[str]:
        return [one.rule for one in self.messages if isinstance(one, Alert) and one.test == test]

    @staticmethod
    def _at(at_s: float) -> datetime:
        return START + timedelta(seconds=at_s)


@pytest.fixture(name="house")
def _house() -> House:
    return House()


def test_the_announced_alarm_rings_as_a_test(house: House):
    """Marked in message and event; no sensor goes ON; nothing escalates."""
    house.drill(0)
    house.sound(20, 30)
    house.wait(60)
    assert house.alerts(test=True) == ["Smoke"]
    assert house.alerts(test=False) == []
    [alert] = [one for one in house.messages if isinstance(one, Alert)]
    assert alert.message.startswith("Test: ")
    assert not alert.is_life_safety
    assert not [one for one in house.messages if isinstance(one, LabelState)]
    events = [one for one in house.messages if isinstance(one, SoundEvent)]
    assert {one.evidence["drill"] for one in events} == {"d1"}
    assert events[-1].state == "ended"


def test_every_room_that_hears_it_is_in_the_test(house: House):
    """The second room comes seconds later."""
    house.drill(0)
    house.sound(20, 30)
    house.sound(24, 34, source="bedroom")
    house.wait(70)
    assert house.alerts(test=False) == []
    assert {one.source for one in house.messages if isinstance(one, SoundEvent)} == {"hall", "bedroom"}


def test_another_alarm_during_a_drill_is_real(house: House):
    """CO while smoke was announced."""
    house.drill(0)
    house.sound(20, 30)
    house.sound(25, 40, "co_alarm", "cellar")
    assert house.alerts(test=False) == ["CO"]


def test_an_alarm_that_sounded_before_is_real(house: House):
    """Who drills while it burns does not silence it, and its event goes on as it began."""
    house.sound(0, 8)
    house.drill(10)
    house.sound(12, 20)
    assert house.alerts(test=False) == ["Smoke"]
    assert house.alerts(test=True) == []


def test_an_alarm_that_goes_on_after_the_drill_is_real(house: House):
    """Nobody keeps a button pressed for so long: the sensor goes ON and the alert rings."""
    house.drill(0)
    house.sound(20, 21 + CLOSES_S + OUTLASTS_S - 6)
    assert house.alerts(test=False) == []
    house.sound(21 + CLOSES_S + OUTLASTS_S, 30 + CLOSES_S + OUTLASTS_S)
    assert house.alerts(test=False) == ["Smoke"]
    assert [one.on for one in house.messages if isinstance(one, LabelState)] == [True]


def test_one_room_of_two_that_goes_on_is_real(house: House):
    """The other one's event is still open then, and stays a test."""
    house.drill(0)
    late_s = 21 + CLOSES_S + OUTLASTS_S
    house.sound(20, 21)
    house.sound(22, late_s - 6, source="bedroom")
    house.sound(late_s - 8, late_s - 6)
    house.sound(late_s + 1, late_s + 9, source="bedroom")
    assert house.alerts(test=False) == ["Smoke"]
    assert {(one.source, one.on) for one in house.messages if isinstance(one, LabelState)} == {
        ("bedroom", True)
    }


@pytest.mark.parametrize("begins_s", [25 + CLOSES_S, LASTS_S + 1])
def test_an_alarm_that_begins_after_the_drill_is_real(house: House, begins_s: float):
    """Two confirmed cycles, or three minutes, end it; the rules remember nothing of the test."""
    house.drill(0)
    if begins_s < LASTS_S:
        house.sound(20, 22)
    house.wait(begins_s - 1)
    house.messages.clear()
    house.sound(begins_s, begins_s + 8)
    assert house.alerts(test=False) == ["Smoke"]
    assert house.alerts(test=True) == []


def test_only_an_alarm_can_be_drilled(house: House):
    """A drill of barking dogs would be a mute."""
    house.drill(0, "dog_bark")
    house.sound(5, 13)
    assert house.alerts(test=False) == ["Smoke"]


def test_a_clock_that_is_set_back_makes_no_alarm_a_test(house: House):
    """The drill would go on for an hour, and a fire with it: what still sounds, and what begins, is real."""
    house.drill(0)
    house.sound(20, 28)
    assert house.alerts(test=False) == []
    house.sound(-3570, -3550)
    assert house.alerts(test=False) == ["Smoke"]
    house.wait(-3400)
    house.sound(100, 110, source="cellar")
    assert house.alerts(test=False) == ["Smoke", "Smoke"]
