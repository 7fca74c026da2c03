"""Other rules while the daemon hears: what the former ones remember stays."""

from dataclasses import replace

from monitor.rules.engine import RuleEngine
from monitor.rules.model import Rule
from monitor.types import Alert, SoundEvent
from tests.rules.stories import at, engine, rule, sound


def exchanged(former: RuleEngine, *rules: Rule, going_on: tuple[SoundEvent, ...] = ()) -> RuleEngine:
    """The engine of the new rules; nobody rings by the exchange."""
    fresh = engine(*rules)
    assert fresh.take_over(former, going_on) == []
    return fresh


def test_a_cooldown_outlasts_the_exchange() -> None:
    """Also when the rule asks for more now; it is kept by the name."""
    former = engine(rule("Door", hear=["doorbell"], cooldown_s=60))
    assert former.decide(sound("doorbell", 0))

    for more in ({}, {"min_score": 0.2}, {"hear": ["doorbell", "knock"]}):
        fresh = exchanged(former, rule("Door", **{"hear": ["doorbell"], "cooldown_s": 60} | more))
        assert fresh.decide(sound("doorbell", 30)) == []
        assert fresh.decide(sound("doorbell", 61))


def test_a_rule_that_hears_something_else_is_not_held_back_by_a_former_alert() -> None:
    """The cool-down was of door bells."""
    former = engine(rule("Rule", hear=["doorbell"], cooldown_s=60))
    assert former.decide(sound("doorbell", 0))
    fresh = exchanged(former, rule("Rule", hear=["glass_break"], cooldown_s=60))
    assert fresh.decide(sound("glass_break", 5))


def test_an_alarm_that_goes_on_keeps_its_alert() -> None:
    """It does not ring again, and another room joins the same alert."""
    smoke = sound("smoke_alarm", 0)
    former = engine(rule("Smoke", hear=["smoke_alarm"]))
    [first] = former.decide(smoke)
    later = replace(smoke, state="updated", at=at(300))

    for more in ({}, {"severity": "critical"}, {"hear": ["smoke_alarm", "co_alarm"]}):
        changed = rule("Smoke", **{"hear": ["smoke_alarm"]} | more)
        fresh = exchanged(former, changed, going_on=(later,))
        assert fresh.decide(later) == []
        [joined] = fresh.decide(sound("smoke_alarm", 301, source="bedroom"))
        assert (joined.id, joined.update) == (first.id, True)


def test_a_sound_that_goes_on_is_held_against_a_new_rule() -> None:
    """An even sound brings no news by itself: whoever adds a rule while it sounds wants to know."""
    water = replace(sound("water_running", 0), state="updated", at=at(600))
    former = engine(rule("Smoke", hear=["smoke_alarm"]))
    fresh = engine(rule("Smoke", hear=["smoke_alarm"]), rule("Water", hear=["water_running"]))
    [alert] = fresh.take_over(former, [water])
    assert isinstance(alert, Alert)
    assert (alert.rule, alert.raised_at) == ("Water", at(600))
    assert fresh.decide(replace(water, at=at(610))) == []


def test_a_sound_that_a_rule_was_too_strict_for_rings_when_it_is_no_longer() -> None:
    """The score was not enough before."""
    glass = sound("glass_break", 0, score=0.6)
    former = engine(rule("Glass", hear=["glass_break"], min_score=0.9))
    assert former.decide(glass) == []
    fresh = engine(rule("Glass", hear=["glass_break"], min_score=0.5))
    assert len(fresh.take_over(former, [glass])) == 1


def test_counts_go_on_where_the_rule_asks_the_same() -> None:
    """Two knocks before, the third after; only whom it notifies has changed."""
    knocks = {"hear": ["knock"], "count": 3, "within_s": 30}
    former = engine(rule("Knocks", **knocks))
    assert not former.decide(sound("knock", 0))
    assert not former.decide(sound("knock", 5))
    assert exchanged(former, rule("Knocks", **knocks, notify=["phone"])).decide(sound("knock", 10))
    assert not exchanged(former, rule("Knocks", **knocks | {"within_s": 60})).decide(sound("knock", 10))


def test_what_has_to_last_goes_on_lasting() -> None:
    """A minute of crying, of which half was before."""
    crying = {"hear": ["baby_cry"], "lasts_s": 60}
    cry = sound("baby_cry", 0)
    former = engine(rule("Baby", **crying))
    assert not former.decide(cry)
    fresh = exchanged(former, rule("Baby", **crying, notify=["phone"]))
    raised = [s for s in range(1, 90) if fresh.due(at(s))]
    assert [s in range(59, 63) for s in raised] == [True]
