"""A node that is no more disappears from the broker, and nothing else does."""

import pytest

from monitor.errors import PublishError
from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.mqtt.homeassistant.discovery import documents
from monitor.publishers.mqtt.homeassistant.forgetting import Forgetting
from monitor.publishers.mqtt.topics import Topics
from testkit.builders import house, room
from testkit.mosquitto import Mosquitto, Subscriber, free_port, kept


def settle(broker: Mosquitto, *nodes: str, status: str = "offline") -> None:
    """Each node has left its documents and states, 30 of them: more than a connection takes at once."""
    with Subscriber(broker, "nothing") as client:
        for node in nodes:
            topics = Topics("earwitness", node)
            found = documents(house(room("kitchen"), room("porch"), node=node), topics, "homeassistant")
            for topic, document in found.items():
                client.say(topic, encoded(document).decode(), retain=True)
            client.say(topics.status, status, retain=True)
            for i in range(30):
                client.say(topics.sounding("kitchen", f"label_{i}"), "OFF", retain=True)
        client.say("zigbee2mqtt/lamp", "ON", retain=True)


def test_a_node_is_forgotten_and_others_stay(broker: Mosquitto) -> None:
    """Also one whose name begins alike, and what is no daemon's."""
    settle(broker, "old", "old_2")
    others = {topic: text for topic, text in kept(broker).items() if "earwitness/old/" not in topic}
    with Forgetting(MqttConfig(type="mqtt", port=broker.port), "old") as forgetting:
        found = forgetting.found()
        forgetting.forget(found)

    assert len(found) == 3 + 31
    assert [topic for topic in found if topic.startswith("homeassistant/")] == found[:3]
    assert kept(broker) == {topic: text for topic, text in others.items() if topic not in found}


def test_a_node_that_runs_is_seen(broker: Mosquitto) -> None:
    """Its daemon would announce everything again."""
    settle(broker, "home", status="online")
    with Forgetting(MqttConfig(type="mqtt", port=broker.port), "home") as forgetting:
        forgetting.found()
    assert forgetting.is_running


def test_nothing_is_found_of_a_node_that_never_was(broker: Mosquitto) -> None:
    """A typing error removes nothing."""
    settle(broker, "home")
    with Forgetting(MqttConfig(type="mqtt", port=broker.port), "hom") as forgetting:
        assert forgetting.found() == []


def test_without_a_broker_it_is_an_error_with_its_place() -> None:
    """And no traceback."""
    port = free_port()
    with pytest.raises(PublishError, match=f"127.0.0.1:{port}"):
        Forgetting(MqttConfig(type="mqtt", port=port), "old").__enter__()
