"""A source's entities in the discovery documents, one by one.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from collections.abc import Iterator
from typing import Any

from monitor.labels import label_name, shipped, vocabulary
from monitor.publishers.base import Room
from monitor.publishers.mqtt.topics import Topics

Component = dict[str, Any]
Release = tuple[int, int]
"""Year and month of a version of Home Assistant."""
_NEWER_CLASSES: dict[str, tuple[Release, str]] = {"glass_break": ((2026, 10), "glass_break")}
"""By label: since when Home Assistant has a class for it. An older one refuses the whole entity for it.
https://github.com/home-assistant/core/pull/181332"""

_IRREGULAR = {
    label: name for label in shipped() if (name := label_name(label)) != label.replace("_", " ").capitalize()
}
_LABEL_NAME = f"{{{{ {_IRREGULAR}.get(value, value | replace('_', ' ') | capitalize) }}}}"
"""A label as people read it."""
LOUDNESS_HOLDS_S = 180
"""Three minutes: one that was lost does not make it unavailable."""
_LABEL_ATTRIBUTE = "{{ {'label': value} | tojson }}"


def words(slug: str) -> str:
    """A name as people read it."""
    return slug.replace("_", " ").replace("-", " ")


def source_components(
    room: Room, topics: Topics, release: Release = (0, 0)
) -> Iterator[tuple[str, Component]]:
    """A source's entities by key."""
    for label in room.labels:
        shown = {"enabled_by_default": False} if label in room.hidden else {}
        yield label, _sounding(label, topics.sounding(room.source, label), release) | shown
        if label not in room.hidden:
            yield f"{label}_count", _count(label, topics.count(room.source, label))
    yield (
        "event",
        {
            "platform": "event",
            "name": "Sound",
            "icon": "mdi:ear-hearing",
            "state_topic": topics.event(room.source),
            "event_types": list(room.event_labels),
        },
    )
    yield (
        "last_sound",
        {
            "platform": "sensor",
            "name": "Last sound",
            "device_class": "enum",
            "options": [label_name(label) for label in room.event_labels],
            "state_topic": topics.last_sound(room.source),
            "value_template": _LABEL_NAME,
            "json_attributes_topic": topics.last_sound(room.source),
            "json_attributes_template": _LABEL_ATTRIBUTE,
        },
    )
    yield from _diagnostic_components(room, topics)
    if room.pictures:
        yield "image", _image(room.source, topics)
    for key, component in _setting_components(room.source, topics):
        if room.has_sound or key != "sensitivity":
            yield key, component


def _diagnostic_components(room: Room, topics: Topics) -> Iterator[tuple[str, Component]]:
    if room.has_sound:
        yield from _sound_components(room, topics)
    yield (
        "connection",
        connectivity(topics.source_status(room.source))
        | {
            # Not the source's own status: a lost source is to read "disconnected", not "unavailable".
            "availability": [{"topic": topics.status}],
            "json_attributes_topic": topics.source_status_attributes(room.source),
        },
    )


def _sound_components(room: Room, topics: Topics) -> Iterator[tuple[str, Component]]:
    yield "level", _decibels("Level", topics.level(room.source))
    yield "floor", _decibels("Noise floor", topics.floor(room.source)) | {"enabled_by_default": False}
    yield "laeq", _loudness(room, topics)
    yield (
        "problem",
        {
            "platform": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": topics.problem(room.source),
            "json_attributes_topic": topics.problem_attributes(room.source),
        },
    )


def _setting_components(source: str, topics: Topics) -> Iterator[tuple[str, Component]]:
    """Settings act on the daemon, so they can be set while the source itself is away."""
    reachable = {"availability": [{"topic": topics.status}]}
    yield (
        "mute",
        {
            "platform": "switch",
            "name": "Mute",
            "icon": "mdi:microphone-off",
            "entity_category": "config",
            "state_topic": topics.setting(source, "mute"),
            "command_topic": topics.setting_set(source, "mute"),
        }
        | reachable,
    )
    yield (
        "sensitivity",
        {
            "platform": "number",
            "name": "Sensitivity",
            "icon": "mdi:tune-variant",
            "entity_category": "config",
            "mode": "slider",
            "min": -1,
            "max": 1,
            "step": 0.05,
            "state_topic": topics.setting(source, "sensitivity"),
            "command_topic": topics.setting_set(source, "sensitivity"),
        }
        | reachable,
    )


def _sounding(label: str, topic: str, release: Release) -> Component:
    device_class = vocabulary()[label].device_class
    since, newer_class = _NEWER_CLASSES.get(label, ((9999, 1), ""))
    if release >= since:
        device_class = newer_class
    component = {"platform": "binary_sensor", "name": sensor_name(label), "state_topic": topic}
    return component | ({"device_class": device_class} if device_class else {})


def _count(label: str, topic: str) -> Component:
    """Home Assistant keeps statistics of it for years; a restart of ours begins at 0, which it allows for."""
    return {
        "platform": "sensor",
        "name": f"{label_name(label)} count",
        "icon": "mdi:counter",
        "entity_category": "diagnostic",
        "state_class": "total_increasing",
        "suggested_display_precision": 0,
        "state_topic": topic,
    }


def sensor_name(label: str) -> str:
    """Home Assistant reads the classes smoke and carbon monoxide as "there is smoke": what we know is that an
    alarm sounds."""
    alarm = vocabulary()[label].device_class in ("smoke", "carbon_monoxide")
    return f"{label_name(label)} sounding" if alarm else label_name(label)


def _decibels(name: str, topic: str) -> Component:
    # No device class: sound_pressure knows dB and dBA, which dBFS is neither of.
    return {
        "platform": "sensor",
        "name": name,
        "icon": "mdi:volume-medium",
        "entity_category": "diagnostic",
        "state_class": "measurement",
        "unit_of_measurement": "dBFS",
        "suggested_display_precision": 1,
        "state_topic": topic,
    }


def _loudness(room: Room, topics: Topics) -> Component:
    """Once a minute; of a minute that was not measured nothing is published, and it is soon unknown."""
    calibrated = {"device_class": "sound_pressure", "unit_of_measurement": "dBA"}
    return (
        _decibels("Loudness", topics.laeq(room.source))
        | {"json_attributes_topic": topics.laeq_attributes(room.source), "expire_after": LOUDNESS_HOLDS_S}
        | (calibrated if room.calibrated else {})
        | ({} if room.level_in_rules else {"enabled_by_default": False})
    )


def _image(source: str, topics: Topics) -> Component:
    return {
        "platform": "image",
        "name": "Last sound picture",
        "content_type": "image/png",
        "image_topic": topics.image(source),
        "json_attributes_topic": topics.image_attributes(source),
    }


def connectivity(topic: str) -> Component:
    """On while what publishes there is connected."""
    return {
        "platform": "binary_sensor",
        "name": "Connection",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topic,
        "payload_on": "online",
        "payload_off": "offline",
    }
