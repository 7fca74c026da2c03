"""What the house was told, kept in step with what there is."""

import json

from structlog.testing import capture_logs

from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.homeassistant.announcer import LOOK_S, Announcer
from monitor.publishers.mqtt.homeassistant.discovery import documents
from monitor.publishers.mqtt.homeassistant.identity import Identity
from monitor.publishers.mqtt.queue import PublishQueue
from monitor.publishers.mqtt.topics import Topics
from testkit.builders import house, room

TOPICS = Topics("earwitness", "home")
PORCH = "homeassistant/device/earwitness_home_porch/config"


def announcer_to(outgoing: PublishQueue, node: str = "home", identity: Identity | None = None) -> Announcer:
    """One that has looked at what the broker keeps, if `identity` knows nothing."""
    return Announcer(outgoing, Topics("earwitness", node), "homeassistant", identity or Identity())


def look(announcer: Announcer) -> None:
    """The broker has had its time."""
    announcer.connected(0.0)
    announcer.look(LOOK_S)


def found_by(announcer: Announcer, *sources: str) -> None:
    """The broker has kept the documents of an earlier start with these sources."""
    kept = documents(house(*map(room, sources)), TOPICS, "homeassistant")
    for topic, document in kept.items():
        announcer.found(topic, encoded(document))


def published(outgoing: PublishQueue) -> dict[str, bytes]:
    """What goes out, the last word on each topic."""
    states = {}
    while state := outgoing.next_state():
        states[state.topic] = state.payload
    return states


def test_what_is_found_before_anything_is_announced_waits():
    """Nobody can know yet what is gone: retiring it all would throw away the owner's own names and areas."""
    outgoing = PublishQueue()
    announcer = announcer_to(outgoing)
    found_by(announcer, "kitchen", "porch")
    assert published(outgoing) == {}

    announcer.announce(house(room("kitchen")))
    assert not [topic for topic in published(outgoing) if topic.startswith("homeassistant")]
    look(announcer)
    changed = published(outgoing)
    assert changed[PORCH] == changed["earwitness/home/porch/status"] == b""
    assert b"kitchen" in changed["homeassistant/device/earwitness_home_kitchen/config"]


def test_what_is_found_and_still_there_is_left_as_it_is():
    """A restart with the same configuration changes nothing."""
    outgoing = PublishQueue()
    announcer = announcer_to(outgoing)
    announcer.announce(house(room("kitchen")))
    look(announcer)
    published(outgoing)
    found_by(announcer, "kitchen")

    assert published(outgoing) == {}


def test_a_second_announcement_leaves_states_alone():
    """What sounds goes on sounding: only what is new begins with OFF."""
    outgoing = PublishQueue()
    announcer = announcer_to(outgoing)
    announcer.announce(house(room("kitchen", ("smoke_alarm",))))
    look(announcer)
    published(outgoing)
    announcer.announce(house(room("kitchen", ("smoke_alarm", "siren"))))

    changed = published(outgoing)
    assert changed["earwitness/home/kitchen/siren/state"] == b"OFF"
    assert "earwitness/home/kitchen/smoke_alarm/state" not in changed


def test_without_discovery_there_are_no_documents():
    """States alone."""
    outgoing = PublishQueue()
    Announcer(outgoing, TOPICS, None, Identity()).announce(house())

    assert not [topic for topic in published(outgoing) if topic.startswith("homeassistant")]


def test_two_daemons_that_announce_at_one_topic_are_said():
    """A node `home_kitchen` has its own document where a node `home` has its kitchen's: either would take the
    other's devices away."""
    other = Topics("earwitness", "home_kitchen")
    documents_of_other = documents(house(room("tap"), node="home_kitchen"), other, "homeassistant")
    outgoing = PublishQueue()
    announcer = announcer_to(outgoing)
    announcer.announce(house(room("kitchen")))
    look(announcer)
    with capture_logs() as logged:
        for topic, document in documents_of_other.items():
            announcer.found(topic, encoded(document))

    assert [(line["event"], line["topic"]) for line in logged] == [
        (
            "another daemon announces its devices where this one does",
            "homeassistant/device/earwitness_home_kitchen/config",
        )
    ]


def test_what_a_copy_of_ours_had_announced_in_our_place_disappears():
    """It took our ids while we were down. A component that merely stops being named would stay in Home
    Assistant, as an entity of ours that shows what the copy hears."""
    theirs = documents(house(room("kitchen", ("siren",)), node="villa"), Topics("earwitness", "villa"), "h")
    at_ours = documents(house(room("kitchen", ("smoke_alarm",))), TOPICS, "homeassistant")
    node, kitchen = (
        encoded(document | {"device": own["device"]})
        for document, own in zip(theirs.values(), at_ours.values(), strict=True)
    )
    outgoing, identity = PublishQueue(), Identity()
    sources = {"kitchen": ["kitchen", ""]}
    identity.found({"node_id": "home", "node": "home", "former": [], "sources": sources})
    announcer = announcer_to(outgoing, identity=identity)
    announcer.announce(house(room("kitchen", ("smoke_alarm",))))
    for topic, payload in zip(at_ours, (node, kitchen), strict=True):
        announcer.found(topic, payload)
    look(announcer)
    sent = []
    while state := outgoing.next_state():
        sent.append(state)
    removal, whole = (state for state in sent if state.topic == list(at_ours)[1])
    assert json.loads(removal.payload)["components"]["siren"] == {"platform": "binary_sensor"}
    assert "siren" not in json.loads(whole.payload)["components"]
