"""Which message a broker hangs up on, and what becomes of it."""

import queue

from monitor.publishers.base import PublishOutcome, Refused
from monitor.publishers.mqtt.acceptance.suspects import ASIDE_S, Suspects
from testkit.builders import alert, event
from testkit.mosquitto import WITHIN_S
from testkit.odd_broker import OddBroker
from tests.publishers.conftest import Lines, Publish

EVENT = "earwitness/home/kitchen/event"


def broke_on(suspects: Suspects, *keys: str, size_bytes: int = 100) -> str | None:
    """A connection that ended with these on the way: who is to blame."""
    for number, key in enumerate(keys):
        suspects.sent(number, key, key, size_bytes)
    guilty = suspects.ended(0.0)
    return guilty.topic if guilty else None


def test_a_connection_that_breaks_once_blames_nobody():
    """Networks break. What was on its way goes one by one until it is taken."""
    suspects = Suspects()

    assert broke_on(suspects, "a", "b") is None
    assert suspects.one_by_one
    suspects.sent(1, "a", "a", 100)
    suspects.acknowledged(1)
    suspects.sent(2, "b", "b", 100)
    suspects.acknowledged(2)
    assert not suspects.one_by_one


def test_what_was_alone_when_it_broke_again_is_set_aside():
    """For an hour; the other suspect is innocent until it is seen alone, too."""
    suspects = Suspects()
    broke_on(suspects, "a", "b")

    assert broke_on(suspects, "b") == "b"
    assert suspects.is_aside("b", 0.0)
    assert not suspects.is_aside("b", ASIDE_S)
    assert not suspects.is_aside("a", 0.0)


def test_a_new_message_is_not_blamed_for_the_first_break():
    """It was not on its way then."""
    suspects = Suspects()
    broke_on(suspects, "a")

    assert broke_on(suspects, "new") is None


def test_the_largest_message_yet_is_blamed_for_its_size():
    """The limit is between what was taken and what was not: halved until it fits."""
    suspects = Suspects()
    suspects.sent(1, "small", "small", 2500)
    suspects.acknowledged(1)
    broke_on(suspects, "large", size_bytes=7000)

    assert broke_on(suspects, "large", size_bytes=7000) == "large"
    assert suspects.limit_bytes == 3500
    assert not suspects.is_aside("large", 0.0)
    broke_on(suspects, "large", size_bytes=3400)
    broke_on(suspects, "large", size_bytes=3400)
    assert suspects.limit_bytes == 2500


def test_what_a_broker_calls_too_large_lowers_the_limit():
    """Over MQTT 5 it says so, and nothing breaks."""
    suspects = Suspects()
    suspects.sent(1, "large", "large", 7000)
    suspects.acknowledged(1, too_large=True)

    assert suspects.limit_bytes == 3500


def test_one_message_that_ends_every_connection_blocks_nothing(life, publish: Publish, lines: Lines):
    """A broker that hangs up for a topic it forbids: the event is set aside and logged, the alert arrives."""
    broker = life.enter_context(OddBroker(breaks_on=EVENT.encode()))
    running = publish(port=broker.port, homeassistant=False)
    running.wait_ready()
    outcomes: queue.SimpleQueue[PublishOutcome] = queue.SimpleQueue()
    running.publisher.publish(event(), outcomes.put)

    refused = outcomes.get(timeout=WITHIN_S)
    assert isinstance(refused, Refused)
    assert "set aside" in refused.reason
    assert lines.wait_for("mqtt broker closes the connection at a message")["topic"] == EVENT
    assert any("closes the connection" in note for note in running.publisher.notes().values())
    running.wait_ready()
    running.deliver(alert())
