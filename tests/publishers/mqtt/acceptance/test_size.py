"""What a broker swallows for its length, over MQTT 3.1.1."""

import pytest

from monitor.publishers.mqtt.acceptance.complaints import Complaints
from monitor.publishers.mqtt.acceptance.echo import ECHO_S
from monitor.publishers.mqtt.acceptance.size import SwallowedStates
from monitor.publishers.mqtt.acceptance.suspects import SMALL_BYTES, Suspects
from monitor.publishers.mqtt.topics import Topics

TOPICS = Topics("earwitness", "home")
DOCUMENT = "homeassistant/device/earwitness_home/config"
IMAGE = TOPICS.image("kitchen")


class Link:
    """A connection to a broker that throws away what is longer than `limit_bytes`, or lets nobody read."""

    def __init__(self, limit_bytes: int | None, *, readable: bool = True) -> None:
        self.limit_bytes, self.readable = limit_bytes, readable
        self.suspects = Suspects()
        self.complaints = Complaints("mqtt", TOPICS, "homeassistant")
        self.states = SwallowedStates(TOPICS, "homeassistant", self.suspects, self.complaints)
        self.states.echo.begin(active=True)
        self._sent = 0

    def publish(self, topic: str, size_bytes: int) -> None:
        """Send a state of this size, and wait until it should be back."""
        payload = bytes(size_bytes)
        if self.states.watches(topic, payload):
            self._sent += 1
            self.states.echo.asks(topic)
            self.states.echo.sent(self._sent, topic, payload)
            self.states.echo.acknowledged(self._sent, 0.0)
            if self.readable and size_bytes <= (self.limit_bytes or size_bytes):
                self.states.came_back(topic, payload)
        self.states.review(ECHO_S)


@pytest.mark.parametrize("limit_bytes", [2000, 4000, 6000])
def test_the_limit_is_found_and_no_document_above_it_is_sent(limit_bytes: int) -> None:
    """Each that does not come back halves it; the parts that do come back prove it."""
    link = Link(limit_bytes)
    size_bytes = 7000
    for _ in range(4):
        link.publish(DOCUMENT, size_bytes)
        size_bytes = min(size_bytes, (link.suspects.limit_bytes or size_bytes) - 100)

    assert link.suspects.limit_bytes is not None
    assert limit_bytes / 2.5 < link.suspects.limit_bytes <= limit_bytes
    assert link.complaints.notes() == {}


def test_where_nothing_may_be_read_no_limit_is_believed() -> None:
    """No document of any size comes back: they are published whole again, and health names it."""
    link = Link(None, readable=False)
    for size_bytes in (7000, 3000, 1600, 1200):
        link.publish(DOCUMENT, size_bytes)

    assert link.suspects.limit_bytes is None
    assert "does not deliver" in link.complaints.notes()["mqtt: documents"]
    link.publish(DOCUMENT, 7000)
    assert link.suspects.limit_bytes is None


def test_what_cannot_be_split_is_named_until_one_arrives() -> None:
    """A picture: whoever sees health can raise the limit."""
    link = Link(12_000)
    link.publish(IMAGE, 20_000)
    assert "20" in link.complaints.notes()["mqtt: pictures"]

    link.publish(IMAGE, 9000)
    assert link.complaints.notes() == {}
    assert link.suspects.limit_bytes is None


def test_what_the_broker_kept_is_no_echo() -> None:
    """An older picture comes with the subscription."""
    link = Link(12_000)
    link.publish(IMAGE, 20_000)
    link.states.came_back(IMAGE, bytes(5000))

    assert link.complaints.notes()


def test_short_states_are_not_read_back() -> None:
    """Nothing swallows them, and there are hundreds."""
    link = Link(None)

    assert not link.states.watches(TOPICS.status, b"online")
    assert not link.states.watches(IMAGE, b"")
    assert link.states.watches(IMAGE, bytes(SMALL_BYTES))
