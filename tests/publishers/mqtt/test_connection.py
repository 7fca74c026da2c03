"""Connecting to a broker, and what is logged about it."""

import json
import os
import socket
import threading

import pytest

from monitor.clock import SystemClock
from monitor.errors import ConfigError
from monitor.publishers.base import InboundMessage
from monitor.publishers.mqtt import connection, session
from monitor.publishers.mqtt.broker import Broker
from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.mqtt.connection import Connection
from monitor.publishers.mqtt.news import Address
from monitor.publishers.mqtt.options import TlsConfig
from monitor.publishers.terminal.reminder import Reminder
from testkit.builders import alert, event
from testkit.certificates import Certificates, make_certificates
from testkit.mosquitto import PASSWORD, USERNAME, WITHIN_S, Mosquitto, Subscriber, free_port
from testkit.odd_broker import OddBroker
from testkit.wire import Wire
from tests.publishers.conftest import Lines, Publish


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_version_5_comes_first(broker, publish: Publish, lines: Lines):
    """A broker that speaks it is spoken to in it."""
    publish(port=broker.port)

    assert lines.wait_for("mqtt connected")["version"] == "5"


def test_silence_means_another_version(life, publish: Publish, lines: Lines):
    """amqtt answers version 5 with silence: 3.1.1 is tried after three of them, and that is no failure to be
    logged."""
    broker = life.enter_context(Broker(free_port()))
    running = publish(port=broker.port)
    running.wait_ready()
    running.deliver(event())

    assert lines.wait_for("mqtt connected")["version"] == "3.1.1"
    assert lines.warnings() == []


def test_version_5_is_tried_again_at_every_reconnect(life, publish: Publish, lines: Lines):
    """One silence is enough for a broker that has taken 3.1.1 and never 5."""
    broker = life.enter_context(Broker(free_port()))
    wire = life.enter_context(Wire(broker.port))
    publish(port=wire.port, homeassistant=False).wait_ready()
    wire.cut()
    lines.wait_for("mqtt lost")
    before = wire.connections
    wire.mend()
    lines.wait_for("mqtt connected", times=2)

    assert wire.connections == before + 2


def test_one_late_answer_does_not_cost_version_5(life, publish: Publish, lines: Lines):
    """A broker that was busy for a moment is spoken to in 5 for the rest of the connection."""
    broker = life.enter_context(OddBroker(silent_connections=1))
    publish(port=broker.port, homeassistant=False).wait_ready()

    assert lines.wait_for("mqtt connected")["version"] == "5"
    assert broker.levels == [5, 5]


def test_a_refusal_of_version_5_is_believed_for_one_connection(life, publish: Publish, lines: Lines):
    """3.1.1 at once, and 5 first when the connection is made anew: the broker may have been replaced."""
    broker = life.enter_context(OddBroker(refuses_5=True))
    publish(port=broker.port, homeassistant=False).wait_ready()
    assert lines.wait_for("mqtt connected")["version"] == "3.1.1"
    assert broker.levels == [5, 4]

    broker.refuses_5 = False
    broker.hang_up()
    assert lines.wait_for("mqtt connected", times=2)["version"] == "5"
    assert broker.levels == [5, 4, 5]


def test_a_password_is_asked_for_and_given(tmp_path, life, publish: Publish):
    """User name and password, with characters that a URL would not take."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", password=PASSWORD))
    listener = life.enter_context(Subscriber(broker))
    running = publish(port=broker.port, username=USERNAME, password=PASSWORD)
    running.wait_ready()
    running.deliver(event())
    assert json.loads(listener.wait_for("earwitness/home/kitchen/event"))["event_type"] == event().label


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password_is_said_with_its_fix_and_never_shown(
    tmp_path, life, publish: Publish, lines: Lines, protocol
):
    """The owner reads what to check; the password itself is nowhere."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", password=PASSWORD))
    running = publish(port=broker.port, username=USERNAME, password="wr0ng-secret", protocol=protocol)
    refused = lines.wait_for("mqtt refused")

    assert "check `username` and `password` of the mqtt publisher" in refused["reason"]
    assert "wr0ng-secret" not in repr(lines.logged)
    assert "wr0ng-secret" not in repr(running.publisher.__dict__)
    assert not running.publisher.ready()


def test_a_broker_that_took_us_before_is_asked_again_soon(
    tmp_path, life, publish: Publish, lines: Lines, monkeypatch
):
    """While it starts, a broker may refuse everybody; it is not left alone for a minute (here: an hour) for
    that."""
    monkeypatch.setattr(connection, "REFUSED_RETRY_S", (3600.0, 3600.0))
    broker = life.enter_context(Mosquitto(tmp_path / "broker", password=PASSWORD))
    running = publish(port=broker.port, username=USERNAME, password=PASSWORD, homeassistant=False)
    running.wait_ready()
    broker.stop()
    broker.password = "another"
    broker.start()
    lines.wait_for("mqtt refused")
    broker.stop()
    broker.password = PASSWORD
    broker.start()
    lines.wait_for("mqtt connected", times=2)
    running.wait_ready()
    assert running.publisher.connections == 2


def test_an_absent_broker_is_said_once(publish: Publish, lines: Lines, life):
    """Not once per attempt; and it is found when it comes."""
    port = free_port()
    running = publish(port=port, homeassistant=False)
    lines.wait_for("mqtt lost")
    wire = Wire(life.enter_context(Broker(free_port())).port)
    wire.port = port
    life.enter_context(wire)
    running.wait_ready()

    assert lines.warnings() == ["mqtt lost"]
    assert "nobody listens there" in lines.wait_for("mqtt lost")["reason"]


def test_a_broker_that_wants_a_password_names_the_keys(tmp_path, life, publish: Publish, lines: Lines):
    """Whoever gave none reads what to set, and where."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", password=PASSWORD))
    publish(port=broker.port)

    reason = lines.wait_for("mqtt refused")["reason"]
    assert "set `username` and `password` of the mqtt publisher in the configuration" in reason


def test_a_server_that_answers_nothing_is_said_soon(life, publish: Publish, lines: Lines):
    """While the last version is still waited for: that takes ten more seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        running = publish(port=silent.getsockname()[1])
        reason = lines.wait_for("mqtt lost")["reason"]
        running.publisher.__exit__()

    assert "is this an MQTT broker?" in reason


def test_a_lost_broker_is_said_again(life, lines: Lines):
    """While it lasts, with the reason: once at the start was all that a night without a broker left."""
    port = free_port()
    publisher = MqttConfig(type="mqtt", port=port).build("home", _obey, SystemClock())
    address = Address("127.0.0.1", port, "earwitness-home", "earwitness/home/status")
    link = Connection(address, publisher, remind=lambda now_s: Reminder(now_s, first_s=0.001))
    link.start()
    again = lines.wait_for("mqtt still lost", times=2)
    link.stop()

    assert "nobody listens there" in again["reason"]
    assert len(lines.events("mqtt lost")) == 1


def test_two_daemons_of_one_name_are_named(broker, publish: Publish, lines: Lines):
    """In version 3.1.1 the broker only hangs up; after three times within seconds the log and health name the
    cause."""
    twins = [publish(port=broker.port, protocol="3.1.1").publisher for _ in range(2)]
    words = "does another daemon use the client id earwitness-home?"

    def named() -> bool:
        health = any(words in each.notes().get("mqtt: client id", "") for each in twins)
        return health and any(words in line["reason"] for line in lines.events("mqtt lost"))

    lines.wait_until(named)
    assert len(lines.events("mqtt lost")) >= 3


def _obey(command: InboundMessage) -> None:
    raise AssertionError(f"nobody asks for {command}")


def test_a_name_that_cannot_be_one_is_said_with_its_fix(publish: Publish, lines: Lines):
    """No resolver would even ask for it; like any lost connection it is tried again."""
    publish(host="a" * 64 + ".example")

    assert lines.wait_for("mqtt lost")["reason"] == "its name cannot be resolved; check host"


def test_tls_with_an_authority_of_our_own(tmp_path, life, publish: Publish, certificates: Certificates):
    """Encrypted, the broker's certificate checked, our own shown to a broker that asks for it."""
    broker = life.enter_context(
        Mosquitto(tmp_path / "broker", password=PASSWORD, certificates=certificates, client_certificates=True)
    )
    ours = {"cert_file": certificates.client, "key_file": certificates.client_key}
    running = publish(
        port=broker.port, username=USERNAME, password=PASSWORD, tls={"ca_file": certificates.ca} | ours
    )
    running.wait_ready()
    with Subscriber(broker) as listener:
        running.deliver(event())
        said = json.loads(listener.wait_for("earwitness/home/kitchen/event"))
    assert said["event_type"] == event().label


@pytest.mark.parametrize(("host", "tls"), [("127.0.0.1", {}), ("127.0.0.1", None)])
def test_tls_that_cannot_be_trusted_sends_nothing(
    tmp_path, life, publish: Publish, lines: Lines, certificates: Certificates, host, tls
):
    """An unknown authority, or no TLS at all on a TLS port: said with its fix, and not connected."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", certificates=certificates))
    running = publish(host=host, port=broker.port, tls=tls)
    lost = lines.wait_for("mqtt lost")

    assert ("check tls.ca_file" if tls is not None else "does this port expect TLS?") in lost["reason"]
    assert not running.publisher.ready()


def test_a_certificate_for_another_name_is_not_believed(
    tmp_path, life, publish: Publish, lines: Lines, certificates: Certificates
):
    """Trusting the authority is not enough: the name must be the host's."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", certificates=certificates))
    running = publish(host="127.0.0.2", port=broker.port, tls={"ca_file": certificates.ca})
    lines.wait_for("mqtt lost")

    assert not running.publisher.ready()


def test_insecure_is_possible_and_said(
    tmp_path, life, publish: Publish, lines: Lines, certificates: Certificates
):
    """Whoever asks for it gets an unchecked connection, and a warning."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", certificates=certificates))
    publish(port=broker.port, tls={"insecure": True}).wait_ready()

    assert "is not checked" in lines.warnings()[0]


def test_a_certificate_file_that_is_missing_is_a_wrong_configuration(publish: Publish):
    """Patience will not make it appear."""
    with pytest.raises(ConfigError, match=r"/no/such/ca\.pem is not there"):
        publish(tls={"ca_file": "/no/such/ca.pem"})


@pytest.mark.parametrize("key", ["ca_file", "cert_file"])
def test_a_pipe_is_no_certificate(tmp_path, key: str):
    """OpenSSL would wait for ever for somebody to write into it."""
    os.mkfifo(tmp_path / "pipe")
    assert TlsConfig.model_validate({key: tmp_path / "pipe"}).problems() == [
        (key, f"{tmp_path / 'pipe'} is a pipe and no file")
    ]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_connection_whose_other_end_is_gone_is_left_soon(
    broker, listener, life, publish: Publish, lines: Lines, monkeypatch, protocol
):
    """A proxy keeps it open: nothing breaks, and nothing is acknowledged. An alert does not wait for the time
    (here: an hour) that a broker has which answers and acknowledges nothing."""
    monkeypatch.setattr(connection, "UNACKNOWLEDGED_S", 3600.0)
    monkeypatch.setattr(connection, "UNANSWERED_S", 1.0)
    monkeypatch.setattr(session, "ASKED_AFTER_S", 0.5)
    wire = life.enter_context(Wire(broker.port))
    running = publish(port=wire.port, protocol=protocol)
    running.wait_ready()
    wire.bury()
    running.deliver(alert())

    assert "no longer answers" in lines.wait_for("mqtt lost")["reason"]
    listener.wait_for("earwitness/home/alert")
    assert {each["id"] for each in listener.documents("earwitness/home/alert")} == {alert().id}


def test_leaving_is_quick_while_nobody_answers(life, publish: Publish, lines: Lines, monkeypatch):
    """Also in the middle of a back-off, here of an hour."""
    monkeypatch.setattr(connection, "QUICKEST_RETRY_S", 3600.0)
    monkeypatch.setattr(connection, "SLOWEST_RETRY_S", 3600.0)
    running = publish(port=free_port())
    lines.wait_for("mqtt lost")
    [thread] = [each for each in threading.enumerate() if each.name == "mqtt"]
    running.publisher.__exit__()

    thread.join(WITHIN_S)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "x"}, {"host": "mqtt://broker"}, {"host": ""}, {"port": 0}, {"topic_prefix": "a/#"},
        {"topic_prefix": "/a"}, {"discovery_prefix": "+"}, {"keepalive_s": 0}, {"tls": {"key_file": "k"}},
        {"protocol": "4"}, {"qos": 2},
    ],
)  # fmt: skip
def test_what_a_broker_would_not_understand_is_refused(wrong):
    """Found by `check`, before anything runs."""
    with pytest.raises(ValueError, match="validation error"):
        MqttConfig.model_validate({"type": "mqtt"} | wrong)


def test_the_default_port_depends_on_tls():
    """1883, and 8883 encrypted."""
    ports = [MqttConfig(type="mqtt", tls=tls).address("home", "x").port for tls in (None, TlsConfig())]
    assert ports == [1883, 8883]


def test_credentials_are_not_in_what_is_printed(tmp_path):
    """Neither the configuration nor the address shows the password."""
    config = MqttConfig.model_validate({"type": "mqtt", "username": "u", "password": "hunter2"})

    assert "hunter2" not in repr(config) + str(config) + repr(config.address("home", "x"))
