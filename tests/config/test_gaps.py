"""What a configuration leaves out that somebody may count on."""

from typing import Any

import pytest

from monitor.config.capabilities import gaps as gaps_of
from monitor.config.model import Config

AT_ONCE = {"name": "Alarms", "hear": ["smoke_alarm", "co_alarm", "fire_alarm"], "severity": "critical"}
PHONE = {"type": "notify", "name": "phone", "urls": ["json://127.0.0.1"]}


def gaps(*rules: dict[str, Any], **more: Any) -> list[str]:
    house = {
        "node": "home",
        "sources": [{"type": "demo", "name": "hall"}, {"type": "demo", "name": "kitchen"}],
        "rules": list(rules),
        "publishers": [{"type": "mqtt", "host": "127.0.0.1"}],
    }
    return list(gaps_of(Config.model_validate(house | more)))


def test_a_house_that_takes_every_alarm_at_once_has_no_gap() -> None:
    assert gaps(AT_ONCE) == []


def test_a_house_without_rules_is_warned_of() -> None:
    [text] = gaps()
    assert text.startswith("rules: there is none")


def test_alerts_for_nobody_are_warned_of() -> None:
    [text] = gaps(AT_ONCE, publishers=[])
    assert "reaches only people" in text
    assert gaps(AT_ONCE, publishers=[], notifiers=[PHONE]) == []


def test_an_alarm_that_no_rule_hears_is_warned_of() -> None:
    found = gaps({"name": "Dog", "hear": ["dog_bark"]})
    assert [text.split(",")[0] for text in found] == [
        f"no rule hears {label}" for label in ("co_alarm", "fire_alarm", "smoke_alarm")
    ]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"between": "22:00-07:00"}, "only from 22:00 to 07:00"),
        ({"weekdays": ["sat"]}, "only on sat"),
        ({"severity": "info"}, "only as info"),
        ({"lasts_s": 3600}, "only after 3600 s"),
        ({"count": 3, "within_s": 60}, "only the 3. time"),
        ({"then": {"hear": ["shout"], "within_s": 30}}, "only before shout"),
        ({"sources": ["kitchen"]}, "only in kitchen"),
    ],
)
def test_an_alarm_that_every_rule_limits_is_warned_of(limit: dict[str, Any], words: str) -> None:
    """Each limit alone; a second rule that has none closes the gap."""
    limited = AT_ONCE | limit
    found = gaps(limited)
    assert len(found) == 3
    assert all(words in text and "'Alarms'" in text for text in found)
    assert gaps(limited, AT_ONCE | {"name": "At once"}) == []


def test_two_rules_that_each_take_one_room_leave_no_gap() -> None:
    here, there = AT_ONCE | {"sources": ["hall"]}, AT_ONCE | {"name": "There", "sources": ["kitchen"]}
    assert gaps(here, there) == []
    [one, *_] = gaps(here, there | {"severity": "info"})
    assert one.startswith("co_alarm in kitchen")
    assert "only in hall" in one
    assert "only as info" in one


def test_a_room_that_can_hear_no_alarm_needs_no_rule_for_it() -> None:
    other = {
        "type": "external",
        "name": "gate",
        "topic": "gate/events",
        "path": "kind",
        "label_map": {"x": "scream"},
    }
    assert gaps({"name": "Scream", "hear": ["scream"]}, sources=[other]) == []


@pytest.mark.parametrize("kind", [{"type": "file", "path": "night.flac"}, {"type": "demo"}])
def test_a_sound_that_is_repeated_without_pause_is_warned_of(kind: dict[str, Any]) -> None:
    tape = {**kind, "name": "tape", "loop": True, "realtime": False}
    [text] = gaps(AT_ONCE, sources=[tape])
    assert "source 'tape'" in text
    assert "ahead of the clock" in text
    assert "realtime: true" in text
    assert gaps(AT_ONCE, sources=[tape | {"realtime": True}]) == []
    assert gaps(AT_ONCE, sources=[tape | {"loop": False}]) == []
