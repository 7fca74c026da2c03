"""What is known of a delivery over MQTT 3.1.1, whose acknowledgement says nothing."""

import queue

import pytest

from monitor.publishers.base import DELIVERED, PublishOutcome, Refused
from monitor.publishers.mqtt.acceptance.echo import ECHO_S, Echo
from monitor.publishers.mqtt.broker import Broker
from monitor.publishers.mqtt.topics import Topics
from testkit.builders import alert, event
from testkit.mosquitto import WITHIN_S, Mosquitto, Subscriber, free_port
from tests.publishers.conftest import Lines, Publish, RunningPublisher

ROOT = "earwitness/home"
TOPICS = Topics("earwitness", "home")
ALERT, EVENT = TOPICS.alert, TOPICS.event("kitchen")


@pytest.fixture
def echo() -> Echo:
    """On a connection of version 3.1.1."""
    found = Echo(TOPICS)
    found.begin(active=True)
    return found


def test_what_comes_back_after_its_acknowledgement_is_delivered(echo: Echo):
    """The usual order of things."""
    echo.sent(1, ALERT, b"fire")

    assert echo.acknowledged(1, 0.0) is None
    assert echo.came_back(ALERT, b"fire") == 1
    assert list(echo.overdue(1000.0)) == []


def test_what_comes_back_before_its_acknowledgement_is_delivered_with_it(echo: Echo):
    """Some brokers deliver first."""
    echo.sent(1, ALERT, b"fire")

    assert echo.came_back(ALERT, b"fire") is None
    assert echo.acknowledged(1, 0.0) == "delivered"


def test_the_words_of_others_prove_nothing(echo: Echo):
    """Anyone may publish on our topic."""
    echo.sent(1, ALERT, b"fire")
    echo.acknowledged(1, 0.0)

    assert echo.came_back(ALERT, b"all is well") is None
    assert echo.came_back(EVENT, b"fire") is None
    assert not echo.proven


def test_an_alert_that_does_not_come_back_is_lost(echo: Echo):
    """Also where nothing ever does: it is kept and published again."""
    echo.sent(1, ALERT, b"fire")
    echo.acknowledged(1, 10.0)

    assert list(echo.overdue(10.0 + ECHO_S / 2)) == []
    assert list(echo.overdue(10.0 + ECHO_S)) == [(1, "missing")]


def test_an_event_that_does_not_come_back_is_lost_where_others_do(echo: Echo):
    """Where nothing comes back we may just not read: events would pile up for ever."""
    echo.sent(1, EVENT, b"a")
    echo.acknowledged(1, 0.0)
    assert list(echo.overdue(ECHO_S)) == [(1, "unproven")]

    echo.sent(2, EVENT, b"b")
    echo.acknowledged(2, ECHO_S)
    echo.sent(3, ALERT, b"fire")
    echo.came_back(ALERT, b"fire")
    assert list(echo.overdue(2 * ECHO_S)) == [(2, "missing")]


def test_where_we_may_not_listen_nothing_is_proven(echo: Echo):
    """The broker says so when we ask."""
    echo.denied(echo.filters[0])
    echo.sent(1, ALERT, b"fire")

    assert echo.acknowledged(1, 0.0) == "unproven"


def test_over_version_5_an_acknowledgement_is_enough():
    """There the broker gives its reasons."""
    echo = Echo(TOPICS)
    echo.begin(active=False)
    echo.sent(1, ALERT, b"fire")

    assert echo.acknowledged(1, 0.0) == "delivered"


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_a_real_broker_brings_back_what_it_delivers(tmp_path, life, publish: Publish, lines: Lines, kind):
    """And so everything counts as delivered, with nothing to complain of."""
    broker = Mosquitto(tmp_path / "broker") if kind == "mosquitto" else Broker(free_port())
    life.enter_context(broker)
    running = publish(port=broker.port, protocol="3.1.1")
    running.wait_ready()
    running.deliver(event())
    running.deliver(alert())

    assert lines.warnings() == []
    assert running.publisher.notes() == {}
    assert running.publisher.refused_commands == 0


def outcome(running: RunningPublisher, message: object) -> PublishOutcome:
    """What becomes of a message."""
    outcomes: queue.SimpleQueue[PublishOutcome] = queue.SimpleQueue()
    running.publisher.publish(message, outcomes.put)  # type: ignore[arg-type]
    return outcomes.get(timeout=WITHIN_S)


def test_what_an_access_list_throws_away_is_not_delivered(tmp_path, life, publish: Publish, lines: Lines):
    """mosquitto acknowledges it over 3.1.1. The fix is logged and in health; what is allowed arrives."""
    rules = tmp_path / "access"
    rules.write_text(f"topic deny {ALERT}\ntopic readwrite #\n")
    broker = life.enter_context(Mosquitto(tmp_path / "broker", more=f"acl_file {rules}"))
    running = publish(port=broker.port, protocol="3.1.1")
    running.wait_ready()

    assert outcome(running, event()) == DELIVERED
    refused = outcome(running, alert(stale_after_s=600.0))
    assert isinstance(refused, Refused)
    assert refused.keep_s == 600.0
    assert lines.warnings() == ["mqtt broker accepts alerts of ours and delivers none"]
    assert "does not deliver" in running.publisher.notes()["mqtt: alerts"]


def test_a_user_who_may_not_read_loses_no_alert_and_no_event(tmp_path, life, publish: Publish):
    """Nobody can tell that from one who may not write: alerts are kept, events go on as unproven."""
    rules = tmp_path / "access"
    rules.write_text(f"topic write {ROOT}/#\ntopic read {ROOT}/+/set\n")
    broker = life.enter_context(Mosquitto(tmp_path / "broker", more=f"acl_file {rules}"))
    running = publish(port=broker.port, protocol="3.1.1")
    running.wait_ready()

    assert isinstance(outcome(running, alert()), Refused)
    assert outcome(running, event()) == DELIVERED
    assert "unproven" in running.publisher.notes()["mqtt: events"]


def test_what_a_size_limit_throws_away_is_sent_without_its_grounds(tmp_path, life, publish: Publish):
    """`message_size_limit`: acknowledged over 3.1.1 all the same, and it did not come back."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", more="message_size_limit 2000"))
    listener = life.enter_context(Subscriber(broker))
    running = publish(port=broker.port, protocol="3.1.1")
    running.wait_ready()

    assert outcome(running, alert(why={"x": "y" * 3000})) == DELIVERED
    listener.wait_for(ALERT)
    assert "why" not in listener.documents(ALERT)[0]
