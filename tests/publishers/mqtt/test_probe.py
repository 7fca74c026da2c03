"""Who answers on the broker's port."""

import socket
import threading

from monitor.publishers.mqtt.broker import Broker
from monitor.publishers.mqtt.probe import ask
from testkit.mosquitto import PASSWORD, Mosquitto, Subscriber, free_port


def test_a_broker_takes_us(broker, listener: Subscriber):
    """Any of them does, and nothing is left there: no will is spoken."""
    assert ask("127.0.0.1", broker.port) == "takes us"
    assert listener.heard == []


def test_our_own_broker_takes_us(life):
    """It speaks 3.1.1 only, and answers at once."""
    broker = life.enter_context(Broker(free_port()))
    assert ask("127.0.0.1", broker.port) == "takes us"


def test_a_broker_that_knows_its_users_wants_a_password(tmp_path, life):
    """It is there, and would refuse us for ever."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", password=PASSWORD))
    assert ask("127.0.0.1", broker.port) == "wants a password"


def test_nobody_is_there():
    """Then a broker of our own may be started."""
    assert ask("127.0.0.1", free_port()) == "nobody"


def test_a_server_that_says_nothing_is_no_broker():
    """It takes connections, and that is all."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert ask("127.0.0.1", silent.getsockname()[1], within_s=0.2) == "no broker"


def test_a_server_of_another_kind_is_no_broker():
    """It says something that is not MQTT, or hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        assert ask("127.0.0.1", server.getsockname()[1]) == "no broker"
        thread.join()


def test_a_broker_that_keeps_no_messages_takes_us(tmp_path, life):
    """The question leaves no last will, which such a broker refuses."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", more="retain_available false\nmax_qos 0"))
    assert ask("127.0.0.1", broker.port) == "takes us"
