"""What Home Assistant is told, and what we learn about it."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment
from pydantic import ValidationError

from monitor.labels import label_name, sounds, vocabulary
from monitor.publishers.documents import alert_document
from monitor.publishers.mqtt.config import MqttConfig
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
from testkit.builders import START, alert, house, room

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


@pytest.mark.parametrize(
    ("version", "shown"),
    [(None, "sound"), ("2024.11", "sound"), ("2026.9.3", "sound"), ("2026.10", "glass_break"),
     ("2026.10.0b1", "glass_break"), ("2027.1.2", "glass_break")],
)  # fmt: skip
def test_breaking_glass_has_its_own_class_only_where_home_assistant_has_it(version: str | None, shown: str):
    """An older one would refuse the sensor; that of a scream stays what it was."""
    release = MqttConfig(type="mqtt", homeassistant_version=version).release()
    kitchen = room("kitchen", ("glass_break", "scream"), ())
    found = source_document(house(), kitchen, TOPICS, release=release)["components"]
    assert found["glass_break"]["device_class"] == shown
    assert found["scream"]["device_class"] == "sound"


@pytest.mark.parametrize("version", [2026.10, "latest", "2026", 2026])
def test_a_version_of_home_assistant_that_is_none_is_refused(version: Any):
    """YAML takes 2026.10 for 2026.1, which would be January."""
    with pytest.raises(
        ValidationError, match="quotes" if isinstance(version, float) else "homeassistant_version"
    ):
        MqttConfig.model_validate({"type": "mqtt", "homeassistant_version": version})


def entities(document: dict[str, Any]) -> dict[str, Any]:
    """The components that are entities; the others are device triggers."""
    found: dict[str, Any] = document["components"]
    return {key: each for key, each in found.items() if each["platform"] != "device_automation"}


def every_document() -> list[dict[str, Any]]:
    """Those of a house with two sources that hear everything."""
    rooms = (room("kitchen", sounds(), ()), room("kitchen_2", sounds(), ()))
    whole = replace(house(*rooms), rules=("Smoke", "Glass"))
    return list(documents(whole, TOPICS, "homeassistant").values())


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


def test_no_class_reads_as_what_we_do_not_know():
    """Home Assistant shows `safety` as Safe and `moisture` as Dry: a room without a scream is not thereby
    safe, nor is it dry because no water runs."""
    assert not {vocabulary()[label].device_class for label in sounds()} & {"safety", "moisture"}


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


def test_a_device_reads_as_its_room():
    """The area's view shows the beginning of a name: eight tiles must not all begin with ours."""
    assert source_document(house(), room("living_room"), TOPICS)["device"]["name"] == "Living room sounds"


def test_a_device_is_called_what_its_people_call_the_room():
    """The name of a source has no umlaut; its entities keep the ids that it gives them."""
    plain, titled = (
        source_document(house(), replace(room("kueche"), title=title), TOPICS) for title in (None, "Küche")
    )
    assert titled["device"]["name"] == "Küche sounds"
    assert titled["components"] == plain["components"]


def test_what_no_rule_uses_has_to_be_switched_on():
    """Twenty sensors that nobody asked for hide the one that matters; whoever wants them finds them."""
    kitchen = replace(room(labels=("smoke_alarm", "groan")), hidden=frozenset({"groan"}))
    components = source_document(house(), kitchen, TOPICS)["components"]

    assert "enabled_by_default" not in components["smoke_alarm"]
    assert components["groan"]["enabled_by_default"] is False
    assert components["floor"]["enabled_by_default"] is False


def test_loudness_is_a_sound_pressure_once_it_is_calibrated():
    """Before, it is relative to full scale, which no device class knows; shown where a rule asks for it."""
    before = source_document(house(), room(), TOPICS)["components"]["laeq"]
    known = replace(room(), calibrated=True, level_in_rules=True)
    after = source_document(house(), known, TOPICS)["components"]["laeq"]

    assert (before["unit_of_measurement"], before["enabled_by_default"]) == ("dBFS", False)
    assert "device_class" not in before
    assert (after["unit_of_measurement"], after["device_class"]) == ("dBA", "sound_pressure")
    assert after["state_class"] == before["state_class"] == "measurement"
    assert "enabled_by_default" not in after
    assert before["state_topic"] == after["state_topic"] == "earwitness/home/kitchen/laeq"


def test_settings_and_diagnostics_are_in_their_categories():
    """Home Assistant keeps them off its dashboards."""
    kitchen = source_document(house(), room(), TOPICS)["components"]
    node = node_document(house(), TOPICS)["components"]

    assert {kitchen[key]["entity_category"] for key in ("mute", "sensitivity")} == {"config"}
    diagnostic = [kitchen[key] for key in ("level", "floor", "problem", "connection")]
    diagnostic += [node[key] for key in ("connection", "health", "lag", "trouble")]
    assert {each["entity_category"] for each in diagnostic} == {"diagnostic"}


def test_the_last_sound_is_readable():
    """`Loud noise`, and the label stays as an attribute for automations."""
    assert component("last_sound")["options"] == ["Smoke alarm", "Glass break", "Speech", "Dog bark"]
    assert rendered(component("last_sound")["value_template"], value="co_alarm") == "CO alarm"
    assert rendered(component("last_sound")["value_template"], value="loud_noise") == "Loud noise"


@pytest.mark.parametrize("label", sounds())
def test_every_label_is_shown_by_its_name(label):
    """Home Assistant refuses a value that is none of the options."""
    assert rendered(component("last_sound")["value_template"], value=label) == label_name(label)


RULES = ("Smoke", 'It\'s "loud" {{ 1 }} 100 %', "Küche: Glas")


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_an_event_entity_and_a_trigger(rule):
    """Each fires for the alerts of its rule alone, whatever its name holds."""
    components = node_document(replace(house(), rules=RULES), TOPICS)["components"]
    entity = next(
        each for key, each in components.items() if key.startswith("rule_") and each["name"] == rule
    )
    trigger = next(each for each in components.values() if each.get("subtype") == rule)

    for other in RULES:
        shown = rendered(entity["value_template"], value_json=as_published(rule=other))
        assert (json.loads(shown)["event_type"] if shown else None) == ("critical" if other == rule else None)
        fires = rendered(trigger["value_template"], value_json=as_published(rule=other)) == trigger["payload"]
        assert fires == (other == rule)


@pytest.mark.parametrize(
    ("more", "severity", "fires"),
    [
        ({}, "critical", True), ({}, "warning", True), ({"test": True}, "warning", True),
        ({"update": True}, "critical", False), ({"late": True}, "warning", False),
        ({"late": True}, "critical", True),
    ],
)  # fmt: skip
def test_a_trigger_rings_once_and_a_late_critical_one_rings_all_the_same(more, severity, fires):
    """Another room that joins does not ring again; a late smoke alarm is better than none."""
    trigger = node_document(house(), TOPICS)["components"][f"trigger_{severity}"]
    assert (trigger["type"], trigger["subtype"]) == ("raises an alert", f"Any {severity} rule")
    for each in ("info", "warning", "critical"):
        shown = rendered(trigger["value_template"], value_json=as_published(severity=each, **more))
        assert (shown == trigger["payload"]) == (fires and each == severity)


def test_the_delay_is_that_of_the_slowest_source():
    """A house is as late as its latest room; one without a source is not late."""
    template = node_document(house(), TOPICS)["components"]["lag"]["value_template"]
    sources = {"kitchen": {"lag_s": 0.2}, "porch": {"lag_s": 7.5}, "tape": {}}

    assert rendered(template, value_json={"sources": sources}) == "7.5"
    assert rendered(template, value_json={}) == "0"


def test_the_page_is_linked_from_the_devices():
    """Where its address is known; a link to 127.0.0.1 would lead to another machine."""
    linked = replace(house(), page="http://10.0.0.7:8199")
    for of in (node_document(linked, TOPICS), source_document(linked, room(), TOPICS)):
        assert of["device"]["configuration_url"] == "http://10.0.0.7:8199"
    assert "configuration_url" not in node_document(house(), TOPICS)["device"]


def as_published(**more: Any) -> dict[str, Any]:
    """An alert as on its topic."""
    return alert_document(alert(), START, late=False) | more


def rendered(template: str, **values: Any) -> str:
    """What Home Assistant makes of a template; its filter `tojson` is plain JSON."""
    environment = Environment()
    environment.filters["tojson"] = json.dumps
    nothing = {"state_attr": lambda entity, name: None, "states": SimpleNamespace(event=[])}
    return environment.from_string(template).render(**nothing, **values)


def test_the_event_entity_declares_every_label_it_may_carry():
    """Home Assistant drops an event whose type was not declared."""
    assert component("event")["event_types"] == ["smoke_alarm", "glass_break", "speech", "dog_bark"]


def test_only_a_source_that_shows_pictures_has_an_image():
    """Pictures are a choice."""
    with_pictures = source_document(house(), replace(room(), pictures=True), TOPICS)["components"]
    without = source_document(house(), room(), TOPICS)["components"]

    assert with_pictures.keys() - without.keys() == {"image"}


def test_no_two_entities_wait_on_the_same_topic():
    """One topic per entity: what one microphone hears never resets another's sensor. But for two: alerts,
    of which an event entity picks its own, and health, of which each sensor shows another figure."""
    shared = (TOPICS.alert, TOPICS.health)
    named = [
        each["state_topic"]
        for document in every_document()
        for key, each in document["components"].items()
        if each.get("state_topic") not in (None, *shared)
    ]
    assert len(named) == len(set(named))


def test_no_two_entities_share_an_id():
    """Also between a source `kitchen` and a source `kitchen_2`."""
    for key in ("unique_id", "default_entity_id"):
        ids = [each[key] for document in every_document() for each in entities(document).values()]
        assert len(ids) == len(set(ids)) > 100


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
