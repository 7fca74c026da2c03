"""What Home Assistant is told about us, and what we learn about it. Documents and decisions; no sockets.

Device-based MQTT discovery (Home Assistant 2024.11 or newer): one retained document for the node and one for
each source. https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from monitor.labels import SEVERITIES, label_name, vocabulary
from monitor.publishers.mqtt.topics import Topics, may_be_state
from monitor.types import House, Room

Document = dict[str, Any]

ORIGIN_NAME = "earwitness"
_UNSEEN_LOSS = timedelta(seconds=120)
"""Home Assistant may be gone this long before its broker notices (its keep-alive is 60 s)."""
_LONGEST_START = timedelta(minutes=10)
"""After a power cut we are up long before Home Assistant is."""

_TOLD_BY = ("state_topic", "json_attributes_topic", "image_topic")
_ALERT_AS_EVENT = "{{ dict(value_json, event_type=value_json.severity) | tojson }}"


def node_topic(topics: Topics, discovery_prefix: str) -> str:
    """Where the node's document is."""
    return f"{discovery_prefix}/device/earwitness_{topics.node}/config"


def source_topic(topics: Topics, discovery_prefix: str, source: str) -> str:
    """Where a source's document is."""
    return f"{discovery_prefix}/device/earwitness_{topics.node}_{source}/config"


def documents(house: House, topics: Topics, discovery_prefix: str) -> dict[str, Document]:
    """Every discovery document by its topic, the node's first: the sources refer to it."""
    found = {node_topic(topics, discovery_prefix): node_document(house, topics)}
    for room in house.sources:
        topic = source_topic(topics, discovery_prefix, room.source)
        found[topic] = source_document(house, room, topics)
    return found


def node_document(house: House, topics: Topics) -> Document:
    """The daemon as a device: alive or not, its health, its alerts, the test and acknowledge buttons."""
    identity = _identity(topics.node)
    return {
        "device": {
            "identifiers": [identity],
            "name": f"Earwitness {_words(house.node)}",
            "manufacturer": ORIGIN_NAME,
            "model": "Listening daemon",
            "sw_version": house.version,
        },
        "origin": _origin(house),
        "availability": [{"topic": topics.status}],
        "qos": 1,
        "components": _components(identity, _node_components(topics)),
    }


def source_document(house: House, room: Room, topics: Topics) -> Document:
    """One source as a device of its own, reached through the node's."""
    identity = _identity(topics.node, room.source)
    device = {
        "identifiers": [identity],
        "name": f"Earwitness {_words(room.source)}",
        "manufacturer": ORIGIN_NAME,
        "model": "Sound source",
        "sw_version": house.version,
        "via_device": _identity(topics.node),
    }
    return {
        "device": device | ({"suggested_area": room.area} if room.area else {}),
        "origin": _origin(house),
        "availability": [{"topic": topics.status}, {"topic": topics.source_status(room.source)}],
        "availability_mode": "all",
        "qos": 1,
        "components": _components(identity, _source_components(room, topics)),
    }


def without_what_is_gone(old: Document, new: Document | None) -> Document | None:
    """`new` with a tombstone (its platform alone) for each component that only `old` has, to be published
    before `new`; None when there is none. Home Assistant keeps a component that merely stops being named."""
    if new is None:
        return None
    gone = {
        key: {"platform": component["platform"]}
        for key, component in _components_of(old)
        if key not in new["components"] and "platform" in component
    }
    return new | {"components": new["components"] | gone} if gone else None


def ours(document: Any, topics: Topics) -> bool:
    """Whether a document found on the broker was written by this node (an earlier start of it)."""
    match document:
        case {"origin": {"name": "earwitness"}, "availability": [{"topic": topic}, *_]}:
            return bool(topic == topics.status)
    return False


def made_by_us(document: Document) -> bool:
    """Whether this or another earwitness wrote it."""
    match document:
        case {"origin": {"name": "earwitness"}}:
            return True
    return False


def state_topics(document: Document, topics: Topics) -> set[str]:
    """Every topic of ours on which the document's entities wait to be told something. Anyone may have written
    the document: one with a wildcard, or of another shape than ours, is none."""
    named = (component.get(key) for _, component in _components_of(document) for key in _TOLD_BY)
    return {topic for topic in named if isinstance(topic, str) and may_be_state(topic, topics)}


def parsed(payload: bytes) -> Document | None:
    """A document from the broker; None for anything that is none."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


class Presence:
    """Whether Home Assistant is there to hear, by its birth and last will (`<discovery_prefix>/status`).

    It connects with a clean session and throws away what was sent while it restarted. As long as it has
    said nothing on this connection, it counts as being there.
    """

    def __init__(self) -> None:
        self.here = True
        self._left_at: datetime | None = None
        self._unknown_since: datetime | None = None

    def connected(self, now: datetime) -> datetime | None:
        """A new connection: it may have come or gone unseen. If it was away: the time since when what we
        sent may have been lost, for its return may be what we missed."""
        self.here = True
        left_at, self._left_at = self._left_at, None
        self._unknown_since = now
        return left_at - _UNSEEN_LOSS if left_at else None

    def heard(self, payload: bytes, now: datetime, *, retained: bool) -> datetime | None:
        """Take in a status. On a birth: the time since when what we sent may have been lost. A retained
        `online` is old news and no birth."""
        if payload == b"offline":
            self.here = False
            self._left_at = self._left_at or now
        elif payload == b"online":
            self.here = True
            if not retained:
                return self._lost_since(now) - _UNSEEN_LOSS
        return None

    def _lost_since(self, now: datetime) -> datetime:
        """When it left, or when we lost sight of it, or just now."""
        left_at, self._left_at = self._left_at, None
        unknown_since, self._unknown_since = self._unknown_since, None
        if left_at is None and unknown_since is not None and now - unknown_since < _LONGEST_START:
            return unknown_since
        return left_at or now


def _origin(house: House) -> Document:
    return {"name": ORIGIN_NAME, "sw_version": house.version}


def _identity(*names: str) -> str:
    """Stable, and unlike an underscore the dot is in no node or source name: no two can meet."""
    return ".".join((ORIGIN_NAME, *names))


def _words(slug: str) -> str:
    return slug.replace("_", " ").replace("-", " ")


def _components(identity: str, components: Iterable[tuple[str, Document]]) -> dict[str, Document]:
    return {key: {"unique_id": f"{identity}.{key}"} | component for key, component in components}


def _components_of(document: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    components = document.get("components")
    if isinstance(components, dict):
        yield from ((key, value) for key, value in components.items() if isinstance(value, dict))


def _node_components(topics: Topics) -> Iterator[tuple[str, Document]]:
    # Always available: a dead daemon is to read "disconnected".
    yield "connection", _connectivity(topics.status) | {"availability": []}
    yield (
        "health",
        {
            "platform": "sensor",
            "name": "Health",
            "device_class": "timestamp",
            "entity_category": "diagnostic",
            "state_topic": topics.health,
            "value_template": "{{ value_json.at }}",
            "json_attributes_topic": topics.health,
        },
    )
    yield (
        "trouble",
        {
            "platform": "binary_sensor",
            "name": "Trouble",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": topics.trouble,
            "json_attributes_topic": topics.trouble_attributes,
        },
    )
    yield (
        "alert",
        {
            "platform": "event",
            "name": "Alert",
            "icon": "mdi:bell-alert",
            "state_topic": topics.alert,
            "event_types": list(SEVERITIES),
            "value_template": _ALERT_AS_EVENT,
        },
    )
    yield "test", _button("Test alert", "mdi:bell-check", topics.test_set)
    yield "acknowledge", _button("Acknowledge alerts", "mdi:bell-off", topics.ack_set)


def _source_components(room: Room, topics: Topics) -> Iterator[tuple[str, Document]]:
    for label in room.labels:
        yield label, _sounding(label, topics.sounding(room.source, label))
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
            "options": list(room.event_labels),
            "state_topic": topics.last_sound(room.source),
        },
    )
    yield "level", _decibels("Level", topics.level(room.source))
    yield "floor", _decibels("Noise floor", topics.floor(room.source))
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
    yield (
        "connection",
        _connectivity(topics.source_status(room.source))
        | {
            # Not the source's own status: a lost source is to read "disconnected", not "unavailable".
            "availability": [{"topic": topics.status}],
            "json_attributes_topic": topics.source_status_attributes(room.source),
        },
    )
    if room.pictures:
        yield "image", _image(room.source, topics)
    yield from _setting_components(room.source, topics)


def _setting_components(source: str, topics: Topics) -> Iterator[tuple[str, Document]]:
    """Settings act on the daemon, so they can be set while the source itself is away."""
    reachable = {"availability": [{"topic": topics.status}]}
    yield (
        "mute",
        {
            "platform": "switch",
            "name": "Mute",
            "icon": "mdi:microphone-off",
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


def _sounding(label: str, topic: str) -> Document:
    device_class = vocabulary()[label].device_class
    component = {"platform": "binary_sensor", "name": _sensor_name(label), "state_topic": topic}
    return component | ({"device_class": device_class} if device_class else {})


def _sensor_name(label: str) -> str:
    """Home Assistant reads the classes smoke and carbon monoxide as "there is smoke": what we know is that an
    alarm sounds."""
    alarm = vocabulary()[label].device_class in ("smoke", "carbon_monoxide")
    return f"{label_name(label)} sounding" if alarm else label_name(label)


def _decibels(name: str, topic: str) -> Document:
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


def _image(source: str, topics: Topics) -> Document:
    return {
        "platform": "image",
        "name": "Last sound picture",
        "content_type": "image/png",
        "image_topic": topics.image(source),
        "json_attributes_topic": topics.image_attributes(source),
    }


def _connectivity(topic: str) -> Document:
    return {
        "platform": "binary_sensor",
        "name": "Connection",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topic,
        "payload_on": "online",
        "payload_off": "offline",
    }


def _button(name: str, icon: str, topic: str) -> Document:
    return {"platform": "button", "name": name, "icon": icon, "command_topic": topic}
