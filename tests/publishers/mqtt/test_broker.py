"""The broker of a first run."""

import json
import logging
import os
import threading
from pathlib import Path

import pytest

from monitor.errors import PublishError
from monitor.publishers.mqtt.broker import Broker
from monitor.types import LabelState
from testkit.builders import event
from testkit.mosquitto import Subscriber, free_port
from tests.publishers.conftest import Publish


def test_somebody_on_this_machine_hears_everything(life, publish: Publish):
    """States are kept for newcomers, events arrive."""
    broker = life.enter_context(Broker(free_port()))
    running = publish(port=broker.port, protocol="3.1.1")
    running.wait_ready()
    running.publisher.publish(LabelState("kitchen", "smoke_alarm", True))
    running.deliver(event())
    listener = life.enter_context(Subscriber(broker, protocol="3.1.1"))
    assert listener.wait_for("earwitness/home/kitchen/smoke_alarm/state") == "ON"
    running.deliver(event())
    assert json.loads(listener.wait_for("earwitness/home/kitchen/event"))["event_type"] == event().label


def test_nothing_is_left_of_it():
    """No thread, and the port can be listened on again at once."""
    port = free_port()
    before = threading.active_count()
    for _ in range(2):
        with Broker(port):
            assert threading.active_count() > before
    assert threading.active_count() == before


def test_a_taken_port_is_one_clear_error():
    """It names the port and the fix, and leaves nothing behind."""
    before = threading.active_count()
    with Broker(free_port()) as broker:
        said = rf"127\.0\.0\.1:{broker.port}.*use another port"
        with pytest.raises(PublishError, match=said):
            Broker(broker.port).__enter__()
    assert threading.active_count() == before


def test_it_listens_on_loopback_alone():
    """On one port of 127.0.0.1, and nowhere else: anyone may speak there."""
    before = listening()
    with Broker(free_port()) as broker:
        assert listening() - before == {f"0100007F:{broker.port:04X}"}


def listening() -> set[str]:
    """Where this process listens, as the kernel writes it."""
    ours = {os.readlink(each) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}
    tables = [Path(f"/proc/self/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [row.split() for table in tables for row in table]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in ours}


def test_it_says_nothing(life, publish: Publish, caplog):
    """amqtt would log a line for every message and a warning for every client."""
    with caplog.at_level(logging.WARNING):
        broker = life.enter_context(Broker(free_port()))
        running = publish(port=broker.port, protocol="3.1.1", homeassistant=False)
        running.wait_ready()
        running.deliver(event())
        running.publisher.__exit__()
    assert caplog.records == []
