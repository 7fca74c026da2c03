"""Discovery documents that a broker's packets are too small for: several documents for one device.

Home Assistant takes any number of documents with the same `device`, each with entities of its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.news import packet_bytes

Discovery = dict[str, Any]
_PART = "_P"
"""Begins what a further part's topic has more; a capital is in no node or source name, so no two can meet."""


def fitted(documents: Mapping[str, Discovery], largest_bytes: int | None) -> dict[str, Discovery]:
    """The documents, none larger than a packet may be unless one entity is; what fits is left as it is."""
    if largest_bytes is None:
        return dict(documents)
    return {
        part_topic: part
        for topic, document in documents.items()
        for part_topic, part in _parts(topic, document, largest_bytes)
    }


def _parts(topic: str, document: Discovery, largest_bytes: int) -> Iterator[tuple[str, Discovery]]:
    components: dict[str, Discovery] = {}
    number = 1
    for key, component in document["components"].items():
        more = components | {key: component}
        place = _topic(topic, number)
        if components and packet_bytes(place, encoded(document | {"components": more})) > largest_bytes:
            yield place, document | {"components": components}
            number, more = number + 1, {key: component}
        components = more
    yield _topic(topic, number), document | {"components": components}


def _topic(topic: str, number: int) -> str:
    path = topic.removesuffix("/config")
    return topic if number == 1 else f"{path}{_PART}{number}/config"
