"""Smoke, CO and fire: alerts, cool-down and further rooms go by danger and room."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.labels import DANGERS
from monitor.rules.engine import RuleEngine
from monitor.rules.model import LIFE_SAFETY_COOLDOWN_S
from monitor.types import Alert, SoundEvent
from tests.rules.stories import at, engine, rule, sound


def ended(event: SoundEvent, s: float) -> SoundEvent:
    """The end of an event, found `s` seconds after the story began."""
    return replace(event, state="ended", at=at(s), ended_at=at(s), ended_by="quiet")


def alarms(cooldown_s: float = 60.0) -> RuleEngine:
    return engine(rule("Alarms", hear=["smoke_alarm", "fire_alarm", "co_alarm"], cooldown_s=cooldown_s))


def test_a_room_joins_the_danger_that_goes_on() -> None:
    """Twenty minutes after the kitchen the bedroom rings, too: the same id, both rooms named, an update."""
    house = alarms()
    [first] = house.decide(sound("smoke_alarm", 0, "kitchen"))
    [again] = house.decide(sound("smoke_alarm", 1200, "bedroom"))

    assert (again.id, again.raised_at) == (first.id, first.raised_at)
    assert again.message == "Smoke alarm in kitchen and bedroom (confirmed, 90%)"
    assert again.why["corroboration"] == 2
    assert (first.update, again.update) == (False, True)


def test_a_danger_that_has_ended_takes_in_nothing() -> None:
    """A bedroom fire 48 minutes after a kitchen alarm that ended is an alert of its own, and so is one ten
    seconds after."""
    for later_s in (48 * 60, 30):
        house = alarms(cooldown_s=3600)
        kitchen = sound("smoke_alarm", 0, "kitchen")
        [first] = house.decide(kitchen)
        house.decide(ended(kitchen, 20))
        [second] = house.decide(sound("smoke_alarm", later_s, "bedroom"))

        assert second.id != first.id
        assert second.raised_at == at(later_s)
        assert second.message == "Smoke alarm in bedroom (confirmed, 90%)"
        assert not second.update


def test_another_danger_is_an_alert_of_its_own() -> None:
    """CO beside smoke, in the same room or another, is alerted at once under its own id."""
    house = alarms(cooldown_s=600)
    [smoke] = house.decide(sound("smoke_alarm", 0))
    [co] = house.decide(sound("co_alarm", 5))

    assert co.id != smoke.id
    assert [event.label for event in co.events] == ["co_alarm"]


def test_a_fire_alarm_beside_a_smoke_alarm_is_the_same_danger() -> None:
    """A model that calls the smoke alarm a fire alarm, too, raises no second alert in the same room."""
    house = alarms()

    assert len(house.decide(sound("smoke_alarm", 0))) == 1
    assert house.decide(sound("fire_alarm", 4)) == []
    [joined] = house.decide(sound("fire_alarm", 8, "hall"))
    assert (
        joined.message
        == "Smoke alarm in kitchen (confirmed, 90%), Fire alarm in kitchen and hall (confirmed, 90%)"
    )


def test_a_room_that_is_named_already_joins_in_silence() -> None:
    """The kitchen's microphone is lost and comes back while the hall's alarm still sounds: nothing new."""
    house = alarms(cooldown_s=0)
    kitchen = sound("smoke_alarm", 0, "kitchen")
    house.decide(kitchen)
    house.decide(sound("smoke_alarm", 8, "hall"))
    house.decide(ended(kitchen, 20))

    assert house.decide(sound("smoke_alarm", 60, "kitchen")) == []


def test_a_pause_in_one_room_is_alerted_after_the_cooldown() -> None:
    """Within the cool-down the same room rings again only if it still sounds at its end."""
    house = alarms()
    first, second = sound("smoke_alarm", 0), sound("smoke_alarm", 30)
    house.decide(first)
    house.decide(ended(first, 20))

    assert house.decide(second) == []
    assert house.due(at(59)) == []
    [alert] = house.due(at(60))
    assert (alert.events, alert.raised_at, alert.update) == ((second,), at(60), False)


def test_what_is_over_before_the_cooldown_ends_is_not_alerted() -> None:
    """A second burst of toast smoke that has ended is no news at the end of the cool-down."""
    house = alarms()
    first, second = sound("smoke_alarm", 0), sound("smoke_alarm", 30)
    for event in (first, ended(first, 20), second, ended(second, 40)):
        house.decide(event)

    assert house.due(at(60)) == []


def test_a_cooldown_on_a_danger_is_two_minutes_at_most() -> None:
    """Toast at breakfast, and a fire in the same room within the hour for which the rule keeps quiet."""
    house = alarms(cooldown_s=3600)
    toast = sound("smoke_alarm", 0)
    house.decide(toast)
    house.decide(ended(toast, 20))
    house.decide(sound("smoke_alarm", 60))

    assert house.due(at(LIFE_SAFETY_COOLDOWN_S - 1)) == []
    assert len(house.due(at(LIFE_SAFETY_COOLDOWN_S))) == 1


def test_a_room_that_waits_for_a_cooldown_goes_out_with_the_next_room() -> None:
    """The kitchen rings again within its cool-down, then the hall: one alert names both."""
    house = alarms()
    toast = sound("smoke_alarm", 0)
    house.decide(toast)
    house.decide(ended(toast, 20))
    house.decide(sound("smoke_alarm", 30))
    [both] = house.decide(sound("smoke_alarm", 33, "hall"))

    assert both.message == "Smoke alarm in kitchen and hall (confirmed, 90%)"
    assert house.due(at(61)) == []


def test_two_rooms_that_wait_for_a_cooldown_are_one_alert() -> None:
    """Both rooms ring again within their cool-down: one alert at its end, not two."""
    house = alarms()
    rooms = [sound("smoke_alarm", 0, room) for room in ("kitchen", "hall")]
    for event in (*rooms, ended(rooms[0], 20), ended(rooms[1], 20)):
        house.decide(event)
    again = [sound("smoke_alarm", 40, "kitchen"), sound("smoke_alarm", 45, "hall")]
    raised = [alert for event in again for alert in house.decide(event)]

    assert raised == []
    [alert] = house.due(at(61))
    assert alert.message == "Smoke alarm in hall and kitchen (confirmed, 90%)"
    assert house.due(at(62)) == []


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_clock_that_is_set_hides_no_fire(step_s: float) -> None:
    """After the clock was set by an hour, a fire in a room whose alarm had ended is alerted at once."""
    house = alarms()
    toast = sound("smoke_alarm", 0)
    house.decide(toast)
    house.decide(ended(toast, 20))

    assert len(house.decide(sound("smoke_alarm", 200 + step_s))) == 1


@dataclass
class House:
    """A house with one rule, and what its people were notified of."""

    engine: RuleEngine
    now: float = 0.0
    sounding: dict[tuple[str, str], SoundEvent] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    """Since when a danger has sounded somewhere without a break."""
    last_named_at: dict[tuple[str, str], float] = field(default_factory=dict)
    """Danger and room, and when an alert last named them."""
    raised_at: dict[str, float] = field(default_factory=dict)
    """Every alert by id."""

    def take(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            assert alert.update == (alert.id in self.raised_at)
            began_at = self.raised_at.setdefault(alert.id, self.now)
            for danger, room in alert.dangers:
                assert began_at >= self.since[danger], "an alert whose danger had ended took in another room"
                self.last_named_at[danger, room] = self.now

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 5.0)
            self.take(self.engine.due(at(self.now)))

    def turn(self, label: str, room: str) -> None:
        """The alarm begins to sound, or stops."""
        if event := self.sounding.pop((label, room), None):
            self.take(self.engine.decide(ended(event, self.now)))
            return
        if DANGERS[label] not in {DANGERS[other] for other, _ in self.sounding}:
            self.since[DANGERS[label]] = self.now
        event = self.sounding[label, room] = sound(label, self.now, room)
        self.take(self.engine.decide(event))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["smoke_alarm", "fire_alarm", "co_alarm"]),
            st.sampled_from(["kitchen", "hall", "bedroom"]),
            st.floats(1, 200),
        ),
        max_size=30,
    ),
    st.sampled_from([0.0, 30.0, 300.0, 3600.0]),
)
def test_every_danger_in_every_room_is_alerted(
    story: list[tuple[str, str, float]], cooldown_s: float
) -> None:
    """Whatever begins and ends, and however long the cool-down: every room in which a danger has sounded for
    two minutes has been named since the danger began, and what had ended takes in nothing."""
    house = House(alarms(cooldown_s))
    for label, room, wait_s in story:
        house.turn(label, room)
        house.pass_time(wait_s)
        for (name, place), event in house.sounding.items():
            if house.now - (event.started_at - at(0)).total_seconds() >= LIFE_SAFETY_COOLDOWN_S:
                assert house.last_named_at[DANGERS[name], place] >= house.since[DANGERS[name]]
