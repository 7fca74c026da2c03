"""Home Assistant knows the node and its sources by their first names, whatever they are called later."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.publishers.base import House
from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.homeassistant.announcer import LOOK_S, Announcer
from monitor.publishers.mqtt.homeassistant.discovery import documents
from monitor.publishers.mqtt.homeassistant.identity import Identity
from monitor.publishers.mqtt.queue import PublishQueue
from monitor.publishers.mqtt.topics import Topics
from testkit.builders import house, room

NODE = "homeassistant/device/earwitness_home/config"
KITCHEN = "homeassistant/device/earwitness_home_kitchen/config"


def named(node: str = "home", **origins: str) -> House:
    """A house whose sources have these origins."""
    rooms = (replace(room(name), origin=origin) for name, origin in origins.items())
    return house(*rooms, node=node)


def life(
    of: House, remembered: dict[str, Any] | None, *kept: tuple[str, bytes]
) -> tuple[Identity, dict[str, bytes]]:
    """One life of the daemon on a broker that has kept these documents: its identity, and what was
    published."""
    outgoing, identity = PublishQueue(), Identity()
    announcer = Announcer(outgoing, Topics("earwitness", of.node), "homeassistant", identity)
    announcer.announce(of)
    if remembered is not None:
        identity.found(json.loads(json.dumps(remembered)))
    announcer.connected(0.0)
    for topic, payload in kept:
        announcer.found(topic, payload)
    announcer.look(LOOK_S)
    published = {}
    while state := outgoing.next_state():
        published[state.topic] = state.payload
    return identity, published


def kept_by_broker(of: House) -> list[tuple[str, bytes]]:
    """The documents of an earlier version, which knew no ids but the names."""
    made = documents(of, Topics("earwitness", of.node), "homeassistant")
    return [(topic, encoded(document)) for topic, document in made.items()]


def ids_in(published: dict[str, bytes]) -> set[str]:
    """Every unique id that is announced."""
    found = (
        json.loads(payload)
        for topic, payload in published.items()
        if topic.startswith("homeassistant/") and payload
    )
    return {
        each["unique_id"]
        for document in found
        for each in document["components"].values()
        if "unique_id" in each
    }


@pytest.mark.parametrize("from_disk", [True, False])
def test_a_new_name_of_the_node_keeps_every_id(from_disk):
    """61 entities stayed behind, dead, and every new one had `_2` at its end. The broker's documents show a
    node with a new state folder nothing of its former name: then nothing can be kept."""
    before, after = named(kitchen="microphone 1"), named("villa", kitchen="microphone 1")
    identity, first = life(before, None)
    remembered = dict(identity.rows()) if from_disk else None
    _, second = life(after, remembered, *kept_by_broker(before))

    assert (ids_in(second) == ids_in(first)) is from_disk
    if from_disk:
        assert json.loads(second[NODE])["device"]["name"] == "Earwitness villa"
        assert json.loads(second[KITCHEN])["availability"][1]["topic"] == "earwitness/villa/kitchen/status"
        assert second["earwitness/home/kitchen/status"] == second["earwitness/home/status"] == b""


def test_a_new_name_of_a_source_keeps_its_ids():
    """It is the same microphone; what a person named in Home Assistant stays."""
    identity, first = life(named(kitchen="microphone 1", porch="stream a"), None)
    renamed = named(cooking="microphone 1", porch="stream a")
    _, second = life(renamed, dict(identity.rows()), *kept_by_broker(named(kitchen="", porch="")))

    assert ids_in(second) == ids_in(first)
    assert json.loads(second[KITCHEN])["device"]["name"] == "Cooking sounds"
    assert second["earwitness/home/kitchen/status"] == b""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"kitchen": "microphone 1"}, {"cooking": "microphone 2"}),
        ({"kitchen": ""}, {"cooking": ""}),
        ({"kitchen": "a", "porch": "b"}, {"kitchen": "b", "porch": "a"}),
        ({"left": "a", "right": "a"}, {"one": "a", "two": "a"}),
    ],
)  # fmt: skip
def test_another_source_is_another_source(before, after):
    """Another microphone, one of which nothing is known, two that changed places, and two that cannot be told
    apart: their names are their ids."""
    identity, _ = life(named(**before), None)
    again, _ = life(named(**after), dict(identity.rows()))
    assert {name: id for name, (id, _) in again.rows()["sources"].items()} == {name: name for name in after}


def test_a_new_source_of_a_former_name_gets_an_id_of_its_own():
    """Two devices of one id would fight for Home Assistant's entities."""
    identity, _ = life(named(kitchen="a"), None)
    identity, _ = life(named(cooking="a"), dict(identity.rows()))
    identity, _ = life(named(cooking="a", kitchen="b"), dict(identity.rows()))
    assert identity.rows()["sources"] == {"cooking": ["kitchen", "a"], "kitchen": ["kitchen_2", "b"]}


def test_a_node_of_a_name_that_another_gave_up_gets_an_id_of_its_own():
    """The other keeps the ids of its first name: with the same ones each would take the other's entities."""
    identity, _ = life(named(kitchen="a"), None)
    _, other = life(named("villa", kitchen="a"), dict(identity.rows()))
    kept = [(topic, payload) for topic, payload in other.items() if topic.startswith("homeassistant/")]
    identity, ours = life(named(kitchen="c"), None, *kept)

    assert identity.rows()["node_id"] == "home_2"
    assert not ids_in(ours) & ids_in(other)
    assert not [topic for topic, _ in kept if topic in ours]
    # Nor does the other take away what is announced under its former name.
    kept_now = [(topic, payload) for topic, payload in ours.items() if topic.startswith("homeassistant/")]
    _, again = life(named("villa", kitchen="a"), dict(_memory(other)), *kept_now)
    assert not [topic for topic, _ in kept_now if topic in again]


def _memory(published: dict[str, bytes]) -> dict[str, Any]:
    assert published
    return {"node_id": "home", "node": "villa", "former": ["home"], "sources": {"kitchen": ["kitchen", "a"]}}


def test_a_new_state_folder_takes_the_ids_from_the_broker():
    """The disk died after a rename: what the broker kept still has them."""
    identity, _ = life(named(kitchen="a"), None)
    _, renamed = life(named("villa", cooking="a"), dict(identity.rows()))
    kept = [(topic, payload) for topic, payload in renamed.items() if topic.startswith("homeassistant/")]
    identity, again = life(named("villa", cooking="a"), None, *kept)

    assert ids_in(again) == ids_in(renamed)
    assert identity.rows()["node_id"] == "home"


def test_ids_that_the_disk_returns_late_hold():
    """What was announced meanwhile under the wrong ones disappears."""
    outgoing, identity = PublishQueue(), Identity()
    announcer = Announcer(outgoing, Topics("earwitness", "villa"), "homeassistant", identity)
    announcer.announce(named("villa", kitchen="a"))
    announcer.connected(0.0)
    announcer.look(LOOK_S)
    identity.found(_memory({"": b""}))
    announcer.filters(1.0)
    announcer.look(1.0 + LOOK_S)
    published = {}
    while state := outgoing.next_state():
        published[state.topic] = state.payload
    assert published["homeassistant/device/earwitness_villa/config"] == b""
    assert b"earwitness.home.kitchen" in published[KITCHEN]


ROWS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["home", "kitchen"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["node_id", "node", "former", "sources", "kitchen"]), inner, max_size=5
        )
    ),
    max_leaves=10,
)


@given(ROWS)
def test_a_damaged_memory_is_refused(rows):
    """KeptFile begins without it then, and logs that."""
    identity = Identity()
    try:
        identity.found(rows)
    except (LookupError, TypeError, ValueError, AttributeError):
        assert identity.rows() == {}


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["", "1", "2", "3"]), min_size=1),
        min_size=1,
    )
)
def test_no_two_sources_ever_have_one_id(houses):
    """Whatever is renamed, added and taken away."""
    remembered: dict[str, Any] | None = None
    for origins in houses:
        identity, _ = life(named(**origins), remembered)
        remembered = dict(identity.rows())
        ids = [id for id, _ in remembered["sources"].values()]
        assert len(set(ids)) == len(ids) == len(origins)
