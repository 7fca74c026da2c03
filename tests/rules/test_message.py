"""What an alert says to a person."""

import pytest

from monitor.rules.message import alert_message
from monitor.types import SoundEvent
from tests.rules.stories import sound

T3 = {"pattern": "temporal_three", "pitch_hz": 3120, "cycles": 2}


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([sound("smoke_alarm", evidence=T3)], "Smoke alarm in kitchen (confirmed, T3, 3.1 kHz)"),
        (
            [
                sound(
                    "co_alarm", evidence={"pattern": "temporal_four", "pitch_hz": 520}, certainty="suspected"
                )
            ],
            "CO alarm in kitchen (suspected, T4, 520 Hz)",
        ),
        (
            [sound("smoke_alarm", certainty="suspected", score=0.87)],
            "Smoke alarm in kitchen (suspected, 87%)",
        ),
        (
            [sound("fire_alarm", evidence={"pattern": "march_time"}, certainty="suspected")],
            "Fire alarm in kitchen (suspected, march time)",
        ),
        ([sound("glass_break", source="front_door", score=0.914)], "Breaking glass in front door (91%)"),
        ([sound("dog_bark", certainty="suspected")], "Dog bark in kitchen (suspected, 90%)"),
        (
            [sound("speech", emotion={"neutral": 0.2, "fearful": 0.8})],
            "Speech in kitchen (90%, fearful 80%)",
        ),
        (
            [sound("shout", score=0.6), sound("shout", 1, "hall", score=0.8), sound("shout", 1, "attic")],
            "Shout in kitchen, hall and attic (90%)",
        ),
    ],
)
def test_a_message_says_what_where_and_how_sure(events: list[SoundEvent], text: str) -> None:
    """One line, readable on a phone."""
    assert alert_message(events) == text


def test_a_message_says_what_followed_and_how_often() -> None:
    """A sequence reads in its order, and an abbreviation stays one."""
    glass, co = sound("glass_break"), sound("co_alarm", 3, evidence={"pattern": "temporal_four"})

    assert alert_message([glass, co], then="co_alarm") == (
        "Breaking glass in kitchen (90%), then CO alarm in kitchen (confirmed, T4)"
    )
    assert alert_message([sound("knock"), sound("knock", 2)], times=2) == "Knock in kitchen (90%), 2 times"
