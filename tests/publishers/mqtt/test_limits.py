"""Brokers that take only so much: packet size, message size, messages at once, no retained ones, no QoS 1."""

import json

import pytest

from monitor.labels import vocabulary
from monitor.publishers.mqtt.homeassistant.discovery import documents
from monitor.publishers.mqtt.topics import Topics
from monitor.types import Picture
from testkit.builders import alert, event, house, room
from testkit.mosquitto import Mosquitto, Subscriber
from testkit.odd_broker import OddBroker
from tests.publishers.conftest import Lines, Publish

ALERT = "earwitness/home/alert"
LABELS = tuple(vocabulary())[:10]
WHOLE = documents(house(room("kitchen", LABELS)), Topics("earwitness", "home"), "homeassistant")
ENTITIES = {
    entity["unique_id"]
    for each in WHOLE.values()
    for entity in each["components"].values()
    if entity["platform"] != "device_automation"
}


def announced(listener: Subscriber) -> set[str]:
    """The entities that Home Assistant could read."""
    found = set()
    for message in list(listener.heard):
        if message.topic.startswith("homeassistant/device/") and message.payload:
            entities = json.loads(message.payload)["components"].values()
            found |= {entity["unique_id"] for entity in entities if "unique_id" in entity}
    return found


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("limit", ["max_packet_size 2000", "max_packet_size 4000", "message_size_limit 2000"])
def test_every_alert_arrives_whatever_the_brokers_limit(
    tmp_path, life, publish: Publish, lines: Lines, limit, protocol
):
    """Documents are split, an alert's grounds left out; what breaks the connection is found out."""
    broker = life.enter_context(Mosquitto(tmp_path / "small", more=limit))
    listener = life.enter_context(Subscriber(broker))
    running = publish(house(room("kitchen", LABELS)), port=broker.port, protocol=protocol)
    running.wait_ready()
    running.deliver(event())
    running.deliver(alert(why={"x": "y" * 5000}))
    running.deliver(alert(why={"x": "short"}))
    listener.wait_for(ALERT, times=2)

    assert [each.get("why") for each in listener.documents(ALERT)] == [None, {"x": "short"}]
    listener.wait_until(lambda: announced(listener) == ENTITIES, "every entity")
    assert not lines.events("a state cannot be published over mqtt")
    assert not any("another daemon" in line["reason"] for line in lines.events("mqtt lost"))


def test_a_picture_that_a_broker_swallows_is_named(tmp_path, life, publish: Publish, lines: Lines):
    """Over 3.1.1 mosquitto acknowledges what its `message_size_limit` throws away. A smaller one ends it."""
    broker = life.enter_context(Mosquitto(tmp_path / "small", more="message_size_limit 12000"))
    running = publish(house(room("kitchen", LABELS)), port=broker.port, protocol="3.1.1")
    running.wait_ready()
    running.publisher.publish(picture(bytes(20_000)))
    lines.wait_for("mqtt broker accepts pictures of ours and delivers none")

    assert "20" in running.publisher.notes()["mqtt: pictures"]
    running.publisher.publish(picture(bytes(9_000)))
    lines.wait_for("mqtt broker delivers pictures of ours again")
    assert running.publisher.notes() == {}
    assert running.publisher.refused_commands == 0


def picture(png: bytes) -> Picture:
    """Of the last sound in the kitchen."""
    return Picture("kitchen", "0123456789ab", "glass_break", png)


def test_a_limit_that_is_known_costs_no_connection(tmp_path, life, publish: Publish, lines: Lines):
    """MQTT 5 names it with the acceptance."""
    broker = life.enter_context(Mosquitto(tmp_path / "small", more="max_packet_size 2000"))
    life.enter_context(Subscriber(broker))
    running = publish(port=broker.port)
    running.wait_ready()
    running.deliver(alert())

    assert running.publisher.connections == 1
    assert running.publisher.figures()["largest_packet_bytes"] == 2000
    assert lines.warnings() == []


def test_no_more_is_on_its_way_than_the_broker_takes_at_once(life, publish: Publish):
    """Its receive maximum; one more, and it would hang up."""
    broker = life.enter_context(OddBroker(receive_maximum=2))
    publish(port=broker.port)
    for count in (2, 4, 6):
        broker.wait_for_messages(count, 60.0)
        broker.acknowledge_all()

    assert broker.most_unacknowledged == 2


@pytest.mark.parametrize(
    ("limit", "protocol", "wrong"),
    [
        ("retain_available false", "5", {"mqtt: states"}),
        ("max_qos 0", "5", {"mqtt: alerts"}),
        ("retain_available false\nmax_qos 0", "auto", {"mqtt: states", "mqtt: alerts"}),
        ("retain_available false", "3.1.1", {"mqtt: states"}),
    ],
)
def test_every_alert_arrives_where_nothing_is_retained_or_acknowledged(
    tmp_path, life, publish: Publish, lines: Lines, limit, protocol, wrong
):
    """A broker that refuses our last will is asked for less; what is missing is in the log and in health."""
    broker = life.enter_context(Mosquitto(tmp_path / "plain", more=limit))
    listener = life.enter_context(Subscriber(broker))
    running = publish(house(room("kitchen", LABELS)), port=broker.port, protocol=protocol)
    running.wait_ready()
    running.deliver(alert())
    listener.wait_for(ALERT)
    listener.wait_until(lambda: announced(listener) == ENTITIES, "every entity")
    listener.say("homeassistant/status", "online", qos=0)
    listener.wait_for("earwitness/home/status", "online", times=2)

    assert running.publisher.notes().keys() == wrong
    expected = {"mqtt: states": "keeps no retained messages", "mqtt: alerts": "accepts only QoS 0"}
    warnings = [each for each in lines.warnings() if each != "mqtt lost"]  # 3.1.1 has no other way to refuse
    assert {f"mqtt broker {expected[each]}" for each in wrong} <= set(warnings)


def test_a_broker_that_was_mended_is_asked_for_all_again(tmp_path, life, publish: Publish, lines: Lines):
    """The complaint ends with the connection that it was about."""
    broker = life.enter_context(Mosquitto(tmp_path / "plain", more="retain_available false"))
    running = publish(port=broker.port)
    running.wait_ready()
    broker.stop()
    broker.more = ""
    broker.start()
    lines.wait_for("mqtt connected", times=2)
    running.wait_ready()
    newcomer = life.enter_context(Subscriber(broker))

    assert running.publisher.notes() == {}
    assert newcomer.wait_for("earwitness/home/status") == "online"
