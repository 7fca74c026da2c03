"""What Home Assistant is told, and what we learn about it."""

from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from monitor.labels import sounds, vocabulary
from monitor.publishers.mqtt.homeassistant.components import sensor_name
from monitor.publishers.mqtt.homeassistant.discovery import (
    documents,
    node_document,
    ours,
    parsed,
    source_document,
    state_topics,
    without_what_is_gone,
)
from monitor.publishers.mqtt.homeassistant.presence import Presence
from monitor.publishers.mqtt.topics import Topics
from testkit.builders import START, house, room

TOPICS = Topics("earwitness", "home")

BINARY_SENSOR_CLASSES = {
    "battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas",
    "heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug", "power",
    "presence", "problem", "running", "safety", "smoke", "sound", "tamper", "update", "vibration", "window",
}  # fmt: skip
"""https://www.home-assistant.io/integrations/binary_sensor/#device-class"""


def component(name: str, **more: Any) -> dict[str, Any]:
    """One entity of the kitchen."""
    found: dict[str, Any] = source_document(house(), room(**more), TOPICS)["components"][name]
    return found


def every_document() -> list[dict[str, Any]]:
    """Those of a house with two sources that hear everything."""
    rooms = (room("kitchen", sounds(), ()), room("kitchen_2", sounds(), ()))
    return list(documents(house(*rooms), TOPICS, "homeassistant").values())


def test_a_document_for_the_node_and_one_for_each_source():
    """Where they are is fixed: others build against it."""
    assert list(documents(house(room("kitchen"), room("porch")), TOPICS, "homeassistant")) == [
        "homeassistant/device/earwitness_home/config",
        "homeassistant/device/earwitness_home_kitchen/config",
        "homeassistant/device/earwitness_home_porch/config",
    ]


def test_a_missing_model_is_trouble():
    """Whoever looks at Home Assistant sees that nothing can hear glass break, and need not read a log."""
    trouble = node_document(house(), TOPICS)["components"]["trouble"]
    assert trouble["device_class"] == "problem"
    assert trouble["state_topic"] == "earwitness/home/trouble"


def test_a_source_is_a_device_behind_the_node():
    """Home Assistant shows the microphone in its room and the daemon as the way to it."""
    node = node_document(house(), TOPICS)["device"]
    device = source_document(house(), room(), TOPICS)["device"]

    assert device["via_device"] in node["identifiers"]
    assert device["suggested_area"] == "Kitchen"


def test_a_source_is_available_when_it_and_the_node_are():
    """A dead daemon and a lost microphone both make the entities unavailable."""
    document = source_document(house(), room(), TOPICS)

    assert document["availability_mode"] == "all"
    assert [each["topic"] for each in document["availability"]] == [
        "earwitness/home/status",
        "earwitness/home/kitchen/status",
    ]


@pytest.mark.parametrize("label", sounds())
def test_every_label_has_its_device_class(label):
    """The class is the one in labels.csv, and one that Home Assistant knows."""
    sensor = component(label, labels=(label,))

    assert sensor["platform"] == "binary_sensor"
    assert sensor["device_class"] == vocabulary()[label].device_class
    assert sensor["device_class"] in BINARY_SENSOR_CLASSES


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("smoke_alarm", "Smoke alarm sounding"),
        ("co_alarm", "CO alarm sounding"),
        ("fire_alarm", "Fire alarm sounding"),
        ("low_battery_chirp", "Low battery chirp"),
        ("glass_break", "Glass break"),
    ],
)
def test_an_alarm_is_not_called_smoke(label, name):
    """We hear an alarm; whether there is smoke we do not know."""
    assert sensor_name(label) == name


def test_the_event_entity_declares_every_label_it_may_carry():
    """Home Assistant drops an event whose type was not declared."""
    assert component("event")["event_types"] == ["smoke_alarm", "glass_break", "speech", "dog_bark"]


def test_only_a_source_that_shows_pictures_has_an_image():
    """Pictures are a choice."""
    with_pictures = source_document(house(), replace(room(), pictures=True), TOPICS)["components"]
    without = source_document(house(), room(), TOPICS)["components"]

    assert with_pictures.keys() - without.keys() == {"image"}


def test_no_two_entities_wait_on_the_same_topic():
    """One topic per entity: what one microphone hears never resets another's sensor."""
    named = [
        each["state_topic"]
        for document in every_document()
        for key, each in document["components"].items()
        if "state_topic" in each
    ]
    assert len(named) == len(set(named))


def test_no_two_entities_share_an_id():
    """Also between a source `kitchen` and a source `kitchen_2`."""
    ids = [each["unique_id"] for document in every_document() for each in document["components"].values()]

    assert len(ids) == len(set(ids))


def test_ids_hold_when_everything_else_changes():
    """Another area, another label and another version leave the entities their history."""
    before = source_document(house(), room(), TOPICS)["components"]
    after = source_document(house(), room(labels=("smoke_alarm", "siren")), TOPICS)["components"]

    assert before["smoke_alarm"]["unique_id"] == after["smoke_alarm"]["unique_id"]


def test_a_gone_component_is_buried_before_it_is_left_out():
    """Home Assistant removes an entity that is sent with its platform alone, not one that is missing."""
    old = source_document(house(), room(labels=("smoke_alarm", "siren")), TOPICS)
    new = source_document(house(), room(labels=("smoke_alarm",)), TOPICS)

    farewell = without_what_is_gone(old, new)

    assert farewell is not None
    assert farewell["components"]["siren"] == {"platform": "binary_sensor"}
    assert farewell["components"].items() >= new["components"].items()
    assert without_what_is_gone(new, new) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"availability": "x"}',
        b'{"origin": {"name": "earwitness"}, "availability": [{"topic": "earwitness/other/status"}]}',
        b'{"origin": {"name": "zigbee2mqtt"}, "availability": [{"topic": "earwitness/home/status"}]}',
    ],
)  # fmt: skip
def test_documents_of_others_are_left_alone(payload):
    """Nor does what somebody forged or broke there stop us."""
    assert not ours(parsed(payload), TOPICS)


def test_our_own_documents_are_recognised():
    """After a restart we know what we announced before."""
    assert all(ours(document, TOPICS) for document in every_document())


def test_a_forged_document_names_no_topic_outside_ours():
    """What is cleared with a retired document is ours alone."""
    forged = {"components": {"x": {"state_topic": "zigbee2mqtt/lock"}, "y": 7, "z": {"state_topic": None}}}

    assert state_topics(forged, TOPICS) == set()


@pytest.mark.parametrize(
    "path",
    [
        "#",
        "+/event",
        "kitchen/+",
        "a/b/c/d",
        "",
        "kitchen/",
        "kitchen/mute/set",
        "x" * 70_000,
        "\ud83d",
        "\0",
    ],
)
def test_a_forged_document_names_no_topic_that_we_never_publish(path):
    """Whatever is written below our root: a wildcard cannot be published, and stands for all our states."""
    assert state_topics({"components": {"x": {"state_topic": f"earwitness/home/{path}"}}}, TOPICS) == set()


def test_our_own_topics_are_known_again():
    """Every topic that a document of ours names is found in it at the next start."""
    named = {
        component[key]
        for document in every_document()
        for component in document["components"].values()
        for key in ("state_topic", "json_attributes_topic")
        if key in component
    }
    assert set.union(*(state_topics(document, TOPICS) for document in every_document())) == named


def test_every_topic_of_a_document_lies_under_the_node():
    """Nothing of ours is published or obeyed elsewhere."""
    topics = chain.from_iterable(
        [value for key, value in each.items() if key.endswith("_topic")]
        for document in every_document()
        for each in document["components"].values()
    )
    assert all(topic.startswith("earwitness/home/") for topic in topics)


def after(seconds: float) -> Any:
    """A moment."""
    return START + timedelta(seconds=seconds)


def test_silence_counts_as_presence():
    """Many brokers have no Home Assistant behind them, or one that says nothing."""
    assert Presence().here


def test_what_was_published_before_it_left_may_be_lost():
    """Home Assistant may have been gone 120 s when its broker noticed."""
    presence = Presence()

    assert presence.heard(b"offline", after(1000), retained=False) is None
    assert not presence.here
    assert presence.heard(b"online", after(2000), retained=False) == after(1000 - 120)
    assert presence.here


def test_a_birth_without_an_offline_looks_back_from_itself():
    """It may restart faster than its broker notices."""
    presence = Presence()
    presence.connected(after(0))

    assert presence.heard(b"online", after(5000), retained=False) == after(5000 - 120)


def test_after_a_power_cut_it_looks_back_to_our_start():
    """We are up long before Home Assistant: what was told in between found nobody."""
    presence = Presence()
    presence.connected(after(0))

    assert presence.heard(b"online", after(300), retained=False) == after(-120)


def test_a_retained_online_is_no_birth():
    """It is what the broker remembers of an old one."""
    presence = Presence()

    assert presence.heard(b"online", after(0), retained=True) is None
    assert presence.here


def test_a_birth_missed_while_disconnected_holds_nothing_back():
    """It left, then we lost the broker: it may have come back unseen, so it counts as being there, and what
    it may have lost is told again."""
    presence = Presence()
    presence.heard(b"offline", after(1000), retained=False)

    assert presence.connected(after(1100)) == after(1000 - 120)
    assert presence.here


def test_the_second_offline_does_not_move_the_first():
    """The loss began when it left, however often that is repeated."""
    presence = Presence()
    presence.heard(b"offline", after(1000), retained=False)
    presence.heard(b"offline", after(1500), retained=True)

    assert presence.heard(b"online", after(1600), retained=False) == after(1000 - 120)


def test_nonsense_on_the_status_topic_changes_nothing():
    """Only the two words count."""
    presence = Presence()

    assert presence.heard(b"\xff" * 1000, after(0), retained=False) is None
    assert presence.here
