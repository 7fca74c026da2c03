"""From what a recording says of itself to what the network should say: labels, open ones, emotion."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from monitor.labels import emotions, vocabulary

EMOTION_OF_NAME = {
    "neutral": "neutral",
    "calm": "neutral",
    "happy": "happy",
    "sad": "sad",
    "angry": "angry",
    "fearful": "fearful",
    "disgust": "disgusted",
    "surprised": "surprised",
}
"""Manifest emotion to ours; "bored" has no place here and is dropped."""

LABELS: tuple[str, ...] = tuple(label.id for label in vocabulary().values() if label.audioset_names)
"""What the network's label head says, in this order: every sound that has AudioSet names."""
EMOTIONS: tuple[str, ...] = emotions()
INDEX = {label: number for number, label in enumerate(LABELS)}

HITS = {"siren": 2, "baby_cry": 3}
"""Hits that begin an event at this model's scores, where others than the tracker's own serve better: a faint
siren's score wavers, and other sounds pass for a baby for a second (docs/decisions/sound-model.md)."""

_LABELS_OF_NAME: dict[str, list[int]] = {}
for _label in vocabulary().values():
    for _name in _label.audioset_names:
        _LABELS_OF_NAME.setdefault(_name, []).append(INDEX[_label.id])

_ALSO: dict[str, tuple[str, ...]] = {
    "Door": ("door_slam", "door_creak", "knock"),
    "Glass": ("glass_break", "dishes"),
    "Breaking": ("glass_break",),
    "Water": ("water_running", "water_drip", "toilet_flush", "rain"),
    "Liquid": ("water_running", "water_drip"),
    "Alarm": ("smoke_alarm", "fire_alarm", "car_alarm", "siren", "appliance_beep", "alarm_clock"),
    "Smoke detector, smoke alarm": ("fire_alarm", "appliance_beep"),
    "Fire alarm": ("smoke_alarm", "siren"),
    "Alarm clock": ("appliance_beep",),
    "Car alarm": ("siren", "car_horn"),
    "Traffic noise, roadway noise": ("engine", "car_horn"),
    "Mechanisms": ("washing_machine", "engine", "vacuum_cleaner", "power_tool"),
    "Air conditioning": ("engine",),
    "Inside, small room": ("speech", "music"),
    "Children playing": ("speech", "shout", "scream", "laughter", "crying", "baby_cry"),
    "Crowd": ("speech", "shout", "laughter", "clapping"),
    "Animal": ("dog_bark", "cat", "bird", "farm_animal", "dog_whimper", "insect"),
    "Domestic animals, pets": ("dog_bark", "cat"),
    "Bird": ("bird",),
    "Wail, moan": ("groan", "scream"),
    "Screaming": ("shout", "speech"),
    "Shout": ("scream", "speech"),
    "Thunderstorm": ("rain", "wind"),
    "Hiss": ("water_running",),
    "Subway, metro, underground": ("train",),
    "Railroad car, train wagon": ("train",),
    "Vehicle": ("engine", "car_horn"),
    "Helicopter": ("engine",),
    "Whimper": ("dog_whimper", "groan"),
    "Dog": ("dog_whimper",),
    "Explosion": ("gunshot", "fireworks"),
    "Gunshot, gunfire": ("explosion",),
    "Fireworks": ("gunshot", "explosion"),
    "Crying, sobbing": ("groan", "baby_cry"),
    "Baby cry, infant cry": ("crying",),
    "Church bell": ("music",),
    "Music": ("singing", "speech"),
    "Sigh": ("breathing",),
    "Gasp": ("sigh",),
    "Breathing": ("sigh", "sniff"),
    "Pour": ("water_drip",),
    "Rain": ("wind", "water_running"),
    "Waves, surf": ("wind", "water_running"),
    "Computer keyboard": ("mouse_click",),
    "Typing": ("mouse_click",),
    "Vacuum cleaner": ("engine",),
    "Power tool": ("engine",),
    "Doorbell": ("bell",),
    "Keys jangling": ("dishes",),
}
"""Names that leave other labels open: such a clip is neither an example nor a counter-example of them."""


def labels_of(names: Iterable[str]) -> npt.NDArray[np.float32]:
    """1 for every label that the AudioSet names say, shape (labels,)."""
    told = np.zeros(len(LABELS), np.float32)
    for name in names:
        told[_LABELS_OF_NAME.get(name, [])] = 1
    return told


def open_of(names: Iterable[str]) -> npt.NDArray[np.float32]:
    """1 for every label on which a clip of these names says nothing, shape (labels,).

    A clip without any name is a counter-example of critical sounds alone: sets of "no snoring" or
    "background" hold babies, sirens and running water that nobody wrote down.
    """
    names = tuple(names)
    unknown = np.zeros(len(LABELS), np.float32)
    if not names:
        unknown[:] = [
            label.severity_default != "critical" for label in vocabulary().values() if label.audioset_names
        ]
    for name in names:
        unknown[[INDEX[label] for label in _ALSO.get(name, ())]] = 1
    return unknown * (1 - labels_of(names))


CRITICAL = np.array(
    [label.severity_default == "critical" for label in vocabulary().values() if label.audioset_names]
)
"""Labels for which only a person's word counts, never the teacher's guess."""


def teacher_mapping(display_names: Iterable[str]) -> list[list[int]]:
    """For every label, the rows of the teacher's classes that mean it."""
    row = {name: number for number, name in enumerate(display_names)}
    return [
        [row[name] for name in label.audioset_names if name in row]
        for label in vocabulary().values()
        if label.audioset_names
    ]
