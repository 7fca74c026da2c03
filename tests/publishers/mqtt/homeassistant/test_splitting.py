"""Documents for brokers with small packets."""

import re

import pytest

from monitor.labels import vocabulary
from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.homeassistant.announcer import LOOK_S, Announcer
from monitor.publishers.mqtt.homeassistant.discovery import documents
from monitor.publishers.mqtt.homeassistant.identity import Identity
from monitor.publishers.mqtt.homeassistant.splitting import fitted
from monitor.publishers.mqtt.news import packet_bytes
from monitor.publishers.mqtt.queue import PublishQueue
from monitor.publishers.mqtt.topics import Topics
from testkit.builders import house, room

TOPICS = Topics("earwitness", "home")
LABELS = tuple(vocabulary())
HOUSE = house(room("kitchen", LABELS[:20]), room("kitchen_2", LABELS[:20]))
WHOLE = documents(HOUSE, TOPICS, "homeassistant")


@pytest.mark.parametrize("largest_bytes", [1800, 2000, 4000, 12000])
def test_no_part_is_too_large_and_no_entity_is_missing(largest_bytes):
    """Each entity once, under its own name, on a topic that the usual access list allows."""
    parts = fitted(WHOLE, largest_bytes)

    assert all(packet_bytes(topic, encoded(part)) <= largest_bytes for topic, part in parts.items())
    entities = [entity for part in parts.values() for entity in part["components"].values()]
    assert entities == [entity for each in WHOLE.values() for entity in each["components"].values()]
    assert all(re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic) for topic in parts)


@pytest.mark.parametrize("largest_bytes", [None, 100_000])
def test_what_fits_is_left_as_it_is(largest_bytes):
    """Most brokers take anything."""
    assert fitted(WHOLE, largest_bytes) == WHOLE


def test_a_part_is_the_same_device():
    """Home Assistant puts all of them together."""
    parts = fitted(WHOLE, 2000)
    kitchen = [part for topic, part in parts.items() if "kitchen" in topic and "kitchen_2" not in topic]

    assert len(kitchen) > 2
    assert all({**part, "components": {}} == {**kitchen[0], "components": {}} for part in kitchen)


def test_an_entity_moves_after_it_was_taken_out_of_its_document():
    """The other way round Home Assistant would refuse the second of one name."""
    outgoing = PublishQueue()
    announcer = Announcer(outgoing, TOPICS, "homeassistant", Identity())
    announcer.announce(house(room("kitchen", LABELS[:20])))
    announcer.connected(0.0)
    announcer.look(LOOK_S)
    while outgoing.next_state():
        pass
    announcer.fit(2000)

    published = []
    while state := outgoing.next_state():
        published.append(state)
    assert all(packet_bytes(state.topic, state.payload) <= 2000 for state in published)
    first = next(k for k, state in enumerate(published) if "_P2" in state.topic)
    tombstone = next(k for k, state in enumerate(published) if state.once and b"sensitivity" in state.payload)
    assert tombstone < first
