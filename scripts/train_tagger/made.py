"""Sounds from arithmetic as examples: what is made for each label, and what a made sound leaves open."""

from dataclasses import dataclass

import numpy as np

from monitor.synthesis.household import Maker
from testkit import alarms, household, impostors


@dataclass(frozen=True, slots=True)
class Made:
    """A maker and what its sounds are."""

    make: Maker
    label: str | None
    """None: a counter-example of every label that it does not leave open."""
    open: tuple[str, ...] = ()
    """Labels that some of its sounds could be given as well: a bell rings for fires, doors and telephones."""


_HOUSEHOLD_OPEN: dict[str, tuple[str, ...]] = {
    "smoke_alarm": ("fire_alarm",),
    "fire_alarm": ("smoke_alarm", "siren", "alarm_clock", "phone_ring", "bell"),
    "siren": ("fire_alarm", "car_alarm"),
    "car_alarm": ("siren", "car_horn"),
    "appliance_beep": ("alarm_clock", "music"),
    "alarm_clock": ("appliance_beep", "phone_ring", "bell"),
    "doorbell": ("bell", "phone_ring"),
    "phone_ring": ("alarm_clock", "doorbell", "bell", "appliance_beep", "music"),
    "bell": ("doorbell",),
}
_OTHERS = (
    Made(alarms.smoke_alarm, "smoke_alarm", ("fire_alarm",)),
    Made(alarms.march_time_alarm, "fire_alarm", ("smoke_alarm", "appliance_beep")),
    Made(alarms.co_alarm, None, ("smoke_alarm", "fire_alarm", "appliance_beep", "alarm_clock")),
    Made(alarms.low_battery_chirp, "appliance_beep", ("smoke_alarm",)),
    Made(impostors.microwave, "appliance_beep", ("alarm_clock",)),
    Made(impostors.oven_timer, "appliance_beep", ("alarm_clock",)),
    Made(impostors.washing_machine, "appliance_beep", ("music", "phone_ring")),
    Made(impostors.reversing_truck, "appliance_beep"),
    Made(impostors.keypad, "appliance_beep"),
    Made(impostors.alarm_clock, "alarm_clock", ("appliance_beep",)),
    Made(impostors.telephone_ring, "phone_ring", _HOUSEHOLD_OPEN["phone_ring"]),
    Made(impostors.call_progress, None, ("phone_ring", "appliance_beep")),
    Made(impostors.dtmf, None, ("phone_ring", "appliance_beep", "music")),
    Made(impostors.bird, "bird"),
    Made(impostors.flute_or_whistle, "music"),
    Made(impostors.electronic_music, "music", ("appliance_beep",)),
    Made(impostors.metronome, "clock_tick", ("appliance_beep", "music")),
    Made(impostors.squeaky_hinge, "door_creak"),
    Made(impostors.dripping_water, "water_drip"),
    Made(impostors.kettle, None),
)
_HOUSEHOLD = [Made(make, label, _HOUSEHOLD_OPEN.get(label, ())) for label, make in household.MAKERS.items()]


def makers_of(label: str) -> list[Made]:
    """All that makes a label's sounds; empty for a label that only recordings show."""
    return [made for made in (*_HOUSEHOLD, *_OTHERS) if made.label == label]


MADE_LABELS = tuple(sorted({made.label for made in (*_HOUSEHOLD, *_OTHERS) if made.label}))
"""Every label whose sounds can be made."""
NO_LABEL: tuple[Made, ...] = tuple(made for made in _OTHERS if made.label is None)
"""Sounds that mean nothing we name, and beep or whistle like something that we do."""

SHARE = {
    "smoke_alarm": 0.5, "fire_alarm": 0.7, "siren": 0.15, "car_alarm": 0.9, "appliance_beep": 1.0,
    "alarm_clock": 0.5, "doorbell": 0.5, "phone_ring": 0.6, "clock_tick": 0.15, "water_drip": 0.25,
    "bell": 0.1, "knock": 0.2, "door_slam": 0.4, "door_creak": 0.3, "dishes": 0.3, "glass_break": 0.04,
    "footsteps": 0.1, "car_horn": 0.05, "mouse_click": 0.05, "keyboard_typing": 0.1, "clapping": 0.15,
    "insect": 0.1, "bird": 0.05, "music": 0.05, "engine": 0.03, "wind": 0.04,
}  # fmt: skip
"""How many of a label's examples are made rather than recorded."""

CONFUSED_WITH: dict[str, tuple[str, ...]] = {
    "smoke_alarm": ("appliance_beep", "alarm_clock", "phone_ring", "bird", "doorbell"),
    "glass_break": ("dishes", "bell", "clapping", "water_drip", "mouse_click"),
    "gunshot": ("fireworks", "thunder", "door_slam", "clapping", "knock", "footsteps"),
    "scream": ("speech", "laughter", "singing", "baby_cry", "cat", "bird", "music"),
    "siren": ("music", "singing", "phone_ring", "wind", "car_horn", "dog_whimper"),
    "baby_cry": ("cat", "laughter", "singing", "speech", "farm_animal"),
    "dog_bark": ("cough", "door_slam", "farm_animal", "speech", "laughter"),
    "knock": ("footsteps", "clapping", "keyboard_typing", "door_slam", "clock_tick"),
    "cough": ("throat_clearing", "sneeze", "dog_bark", "laughter", "snoring"),
    "laughter": ("speech", "crying", "singing", "farm_animal", "dog_bark"),
}
"""Sounds taken for others: they come up more often than their own number of recordings would have it."""


def draw(rng: np.random.Generator, label: str) -> Made:
    """One of a label's makers."""
    makers = makers_of(label)
    return makers[rng.integers(len(makers))]
