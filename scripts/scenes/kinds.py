"""What is placed in scenes, what lies underneath, and how a house spends its day."""

from monitor.labels import vocabulary

PLACED = [
    "glass_break",
    "siren",
    "baby_cry",
    "dog_bark",
    "scream",
    "gunshot",
    "smoke_alarm",
    "knock",
    "cough",
    "laughter",
    "car_horn",
    "doorbell",
    "snoring",
    "sneeze",
    "crying",
    "shout",
    "alarm_clock",
]
"""Sounds that are placed in scenes, where the recordings have them."""
CRITICAL = tuple(label.id for label in vocabulary().values() if label.severity_default == "critical")
ALERTS = tuple(dict.fromkeys([*PLACED, *CRITICAL, "car_alarm"]))
"""Labels whose events count as false where none of their sound was placed."""

KIN = (
    frozenset({"fire_alarm", "smoke_alarm"}),
    frozenset({"alarm_clock", "appliance_beep"}),
    frozenset({"shout", "scream"}),
    frozenset({"explosion", "gunshot"}),
    frozenset({"crying", "baby_cry"}),
)
"""Sounds so near that the name of one for the other is neither heard nor false."""

BACKGROUNDS: dict[str, tuple[str, ...]] = {
    "talk": ("speech", "breathing"),
    "music": ("music", "singing"),
    "kitchen": ("dishes", "water_running", "washing_machine"),
    "cleaning": ("vacuum_cleaner", "power_tool"),
    "weather": ("rain", "wind", "waves", "thunder"),
    "outside": ("engine", "train", "aircraft", "bird", "insect"),
    "desk": ("keyboard_typing", "clock_tick", "footsteps", "mouse_click"),
    "fire": ("crackling_fire",),
}
"""Kinds of background, and the labels that make them."""
BED_LABELS = [
    "rain",
    "wind",
    "music",
    "speech",
    "vacuum_cleaner",
    "washing_machine",
    "clock_tick",
    "keyboard_typing",
    "engine",
    "bird",
    "insect",
    "water_running",
    "crackling_fire",
    "train",
    "aircraft",
    "waves",
    "breathing",
]
"""What lies under the placed sounds."""
HOUSE_HOURS: dict[str, float] = {
    "quiet": 12.0,
    "talk": 3.5,
    "music": 3.5,
    "kitchen": 1.5,
    "cleaning": 0.5,
    "weather": 1.5,
    "outside": 0.5,
    "desk": 0.75,
    "fire": 0.25,
}
"""A day of a lived-in house, in hours of each kind of background: the microphone's own noise at night and
while nobody is in, company and television in the evening, cooking, cleaning, weather at the window."""


def kin(one: str, other: str) -> bool:
    """Whether two labels are the same sound to a listener."""
    return one == other or frozenset({one, other}) in KIN
