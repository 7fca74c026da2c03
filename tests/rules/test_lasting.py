"""Sounds that must go on for a while."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from monitor.rules.engine import RuleEngine
from monitor.rules.model import Rule
from tests.rules.stories import at, engine, rule, sound


def tap(**more: object) -> Rule:
    return rule("Tap", hear=["water_running"], lasts_s=60, **more)


def ticked(house: RuleEngine, first_s: float, last_s: float, step_s: float = 0.25) -> list[float]:
    """When alerts were raised by time alone."""
    ticks = [first_s + i * step_s for i in range(round((last_s - first_s) / step_s) + 1)]
    return [s for s in ticks for _ in house.due(at(s))]


def test_a_sound_that_goes_on_is_alerted_when_it_has_lasted() -> None:
    """Nothing new is heard of the tap after the first state: the time decides, once."""
    house = engine(tap())

    assert house.decide(sound("water_running", 0)) == []
    assert ticked(house, 0, 59.75) == []
    [raised_s] = ticked(house, 60, 200)
    assert raised_s == 60
    assert house.decide(sound("water_running", 0, state="ended", at=at(210), ended_at=at(205))) == []


def test_a_sound_that_ends_too_soon_is_not_alerted() -> None:
    """A filled glass is none."""
    house = engine(tap())
    running = sound("water_running", 0)
    house.decide(running)
    house.decide(replace(running, state="ended", at=at(40), ended_at=at(35)))

    assert ticked(house, 40, 200) == []


def test_a_recording_that_is_read_fast_is_alerted_at_its_end() -> None:
    """Its time runs ahead of the clock: what its last state says counts."""
    house = engine(tap())
    running = sound("water_running", 0)
    house.decide(running)
    ticked(house, 0, 1)

    [alert] = house.decide(replace(running, state="ended", at=at(75), ended_at=at(70)))
    assert alert.why["lasts_s"] == 70


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_clock_that_is_set_changes_no_length(step_s: float) -> None:
    """Half a minute before the clock is set and half a minute after make one."""
    house = engine(tap())
    house.decide(sound("water_running", 0))

    assert ticked(house, 0, 30) == []
    assert ticked(house, step_s, step_s + 29) == []
    assert len(ticked(house, step_s + 29.25, step_s + 31)) == 1


def test_an_unknown_alarm_warns_when_it_goes_on_or_is_confirmed() -> None:
    """As in the rules that ship: seen at once, and one warning, after 45 s or when a model hears an alarm."""
    shipped = (
        rule("Beeping", hear=["unknown_alarm"], severity="info"),
        rule("Alarm", any=[
            {"hear": ["unknown_alarm"], "lasts_s": 45},
            {"hear": ["unknown_alarm"], "certainty": "confirmed"},
        ]),
    )  # fmt: skip
    beeps = sound("unknown_alarm", 5, certainty="suspected", classifier="rhythm")

    house = engine(*shipped)
    [first] = house.decide(beeps)
    assert (first.rule, first.severity) == ("Beeping", "info")
    late = [(alert.rule, alert.severity, s) for s in range(5, 200) for alert in house.due(at(s))]
    assert late == [("Alarm", "warning", 50)]

    house = engine(*shipped)
    house.decide(beeps)
    [soon] = house.decide(replace(beeps, certainty="confirmed", state="updated", at=at(8)))
    assert (soon.rule, soon.severity) == ("Alarm", "warning")
    assert [alert for s in range(8, 200) for alert in house.due(at(s))] == []


def test_explaining_says_how_long_it_lasted() -> None:
    """The clause that stopped it is named, with what it wanted."""
    [trace] = engine(tap()).explain(sound("water_running", 0, at=at(12)))

    assert trace.stopped_by is not None
    assert (trace.stopped_by.clause, trace.stopped_by.wanted, trace.stopped_by.found) == (
        "lasts_s",
        60,
        12,
    )


@pytest.mark.parametrize("more", [{"count": 2, "within_s": 90}, {"then": {"hear": ["cat"], "within_s": 9}}])
def test_what_cannot_be_meant_is_refused(more: dict[str, object]) -> None:
    """How long one sound lasts says nothing about several."""
    with pytest.raises(ValidationError, match="lasts_s is about one sound"):
        tap(**more)
