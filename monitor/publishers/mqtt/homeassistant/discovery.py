"""What is announced to Home Assistant: the discovery documents, and what is read from old ones. No sockets.

Device-based MQTT discovery (Home Assistant 2024.11 or newer): one retained document for the node and one for
each source. https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monitor.publishers.base import House, Room
from monitor.publishers.mqtt.homeassistant.components import Release, source_components, words
from monitor.publishers.mqtt.homeassistant.identity import Announced, Ids, may_be_id
from monitor.publishers.mqtt.homeassistant.node import node_components
from monitor.publishers.mqtt.topics import Topics, may_be_state

Discovery = dict[str, Any]

ORIGIN_NAME = "earwitness"
NO_ENTITY = "device_automation"
"""The platform of device triggers, which have no id of their own."""
_TOLD_BY = ("state_topic", "json_attributes_topic", "image_topic")


def document_topic(discovery_prefix: str, *ids: str) -> str:
    """Where the document of a node, or of a node's source, is."""
    return f"{discovery_prefix}/device/{'_'.join((ORIGIN_NAME, *ids))}/config"


def documents(
    house: House,
    topics: Topics,
    discovery_prefix: str,
    ids: Ids | None = None,
    release: Release = (0, 0),
) -> dict[str, Discovery]:
    """Every discovery document by its topic, the node's first: the sources refer to it. Without `ids` the
    names are the ids. `release`: of Home Assistant, year and month."""
    ids = ids or Ids(house.node)
    found = {document_topic(discovery_prefix, ids.node): node_document(house, topics, ids)}
    for room in house.sources:
        topic = document_topic(discovery_prefix, ids.node, ids.of(room.source))
        found[topic] = source_document(house, room, topics, ids, release)
    return found


def node_document(house: House, topics: Topics, ids: Ids | None = None) -> Discovery:
    """The daemon as a device: alive or not, its health, its alerts, the test and acknowledge buttons."""
    ids = ids or Ids(house.node)
    identity = _identity(ids.node)
    device = {
        "identifiers": [identity],
        "name": f"Earwitness {words(house.node)}",
        "manufacturer": ORIGIN_NAME,
        "model": "Listening daemon",
        "sw_version": house.version,
    }
    return {
        "device": device | _page(house),
        "origin": _origin(house),
        "availability": [{"topic": topics.status}],
        "qos": 1,
        "components": _components(identity, house.node, node_components(topics, house)),
    }


def source_document(
    house: House, room: Room, topics: Topics, ids: Ids | None = None, release: Release = (0, 0)
) -> Discovery:
    """One source as a device of its own, reached through the node's."""
    ids = ids or Ids(house.node)
    identity = _identity(ids.node, ids.of(room.source))
    device = {
        "identifiers": [identity],
        "name": f"{room.title or _capitalized(words(room.source))} sounds",
        "manufacturer": ORIGIN_NAME,
        "model": "Sound source",
        "sw_version": house.version,
        "via_device": _identity(ids.node),
    }
    return {
        "device": device | ({"suggested_area": room.area} if room.area else {}) | _page(house),
        "origin": _origin(house),
        "availability": [{"topic": topics.status}, {"topic": topics.source_status(room.source)}],
        "availability_mode": "all",
        "qos": 1,
        "components": _components(identity, room.source, source_components(room, topics, release)),
    }


def without_what_is_gone(old: Discovery, new: Discovery | None) -> Discovery | None:
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


def made_by_us(document: Discovery) -> bool:
    """Whether this or another earwitness wrote it."""
    match document:
        case {"origin": {"name": "earwitness"}}:
            return True
    return False


def is_same_device(document: Discovery, own: Discovery) -> bool:
    """Whether one from the broker is of the device of our `own`."""
    device = document.get("device")
    return isinstance(device, dict) and device.get("identifiers") == own["device"]["identifiers"]


def announced_in(document: Discovery, topics: Topics) -> Announced | None:
    """What an earlier start of this node announced there; None where the document is not ours. Anyone may
    have written it: what cannot be an id is none."""
    match document:
        case {"device": {"identifiers": [str(identity), *_]}, "availability": [_, *rest]} if ours(
            document, topics
        ):
            pass
        case _:
            return None
    match identity.split("."), rest:
        case [[_, str(node_id)], []] if may_be_id(node_id):
            return Announced(node_id)
        case [[_, str(node_id), str(source_id)], [{"topic": str(topic)}, *_]] if may_be_id(
            node_id, source_id
        ):
            source = topic.removeprefix(f"{topics.root}/").removesuffix("/status")
            return Announced(node_id, source, source_id) if topic == topics.source_status(source) else None
    return None


def state_topics(document: Discovery, topics: Topics) -> set[str]:
    """Every topic of ours that the document's entities read. Anyone may have written the document: a topic
    with a wildcard, or of another shape than ours, is left out."""
    named = (component.get(key) for _, component in _components_of(document) for key in _TOLD_BY)
    return {topic for topic in named if isinstance(topic, str) and may_be_state(topic, topics)}


def parsed(payload: bytes) -> Discovery | None:
    """A document from the broker; None for anything that is none."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _origin(house: House) -> Discovery:
    support = {"support_url": f"{house.page.rstrip('/')}/#/house"} if house.page else {}
    return {"name": ORIGIN_NAME, "sw_version": house.version} | support


def _identity(*names: str) -> str:
    """Stable, and unlike an underscore the dot is in no node or source name: no two can meet."""
    return ".".join((ORIGIN_NAME, *names))


def _page(house: House) -> Discovery:
    """*Visit* on the device's page in Home Assistant."""
    return {"configuration_url": house.page} if house.page else {}


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _components(
    identity: str, device: str, components: Iterable[tuple[str, Discovery]]
) -> dict[str, Discovery]:
    """With the ids by which Home Assistant knows an entity for ever, and what it proposes to call it."""
    return {
        key: component
        if component["platform"] == NO_ENTITY
        else _ids(identity, device, key, component) | component
        for key, component in components
    }


def _ids(identity: str, device: str, key: str, component: Discovery) -> Discovery:
    text = unicodedata.normalize("NFKD", f"{ORIGIN_NAME}_{device}_{component['name']}".lower())
    name = re.sub(r"[^a-z0-9]+", "_", text.encode("ascii", "ignore").decode()).strip("_")
    return {"unique_id": f"{identity}.{key}", "default_entity_id": f"{component['platform']}.{name}"}


def _components_of(document: Mapping[str, Any]) -> Iterator[tuple[str, Discovery]]:
    components = document.get("components")
    if isinstance(components, dict):
        yield from ((key, value) for key, value in components.items() if isinstance(value, dict))
