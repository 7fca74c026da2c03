"""Two Home Assistants on one broker: the status topic of both is one."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from monitor.clock import SystemClock
from monitor.delivery.channel import STOPPED, Channel
from monitor.delivery.outbox import SqliteOutbox
from monitor.publishers.mqtt.config import MqttConfig
from testkit.builders import alert, house
from testkit.fakes import raise_it
from testkit.mosquitto import Mosquitto, Subscriber
from testkit.noisy_house import until
from tests.publishers.conftest import Lines

STATUS, ALERT = "homeassistant/status", "earwitness/home/alert"
IDS = {f"a{number:011d}" for number in range(67)}


def ids(listener: Subscriber, *, late: bool) -> set[str]:
    """Of the alerts that were heard."""
    documents: list[dict[str, Any]] = listener.documents(ALERT)
    return {each["id"] for each in documents if each["late"] == late}


def test_one_that_leaves_silences_neither(broker: Mosquitto, life: ExitStack, tmp_path: Path, lines: Lines):
    """While one is away every alert goes out at once, to the other. When it is back, what it may have missed
    is repeated as late. Nothing waits meanwhile, so nothing is trouble; health shows who said `offline`."""
    stays, leaves = (life.enter_context(Subscriber(broker)) for _ in range(2))
    stays.say(STATUS, "online", retain=True)
    outbox = life.enter_context(SqliteOutbox(tmp_path / "outbox.db", SystemClock(), raise_it))
    publisher = MqttConfig(type="mqtt", port=broker.port).build("home", print, SystemClock())
    publisher.announce(house())
    line = Channel(outbox, publisher, raise_it, SystemClock()).open()
    life.callback(line.close, STOPPED)
    until(lambda: publisher.settled and publisher.ready(), "the publisher")

    leaves.say(STATUS, "offline", retain=True)
    until(lambda: publisher.figures()["homeassistant"]["status"] == "offline", "the status")
    for id in sorted(IDS):
        outbox.put(alert(id=id), ["mqtt"])
    stays.wait_until(lambda: ids(stays, late=False) >= IDS, "every alert")
    until(lambda: not outbox.backlog().get("mqtt"), "the acknowledgements")
    assert line.standstill().for_s == 0.0
    assert publisher.notes() == {}
    assert publisher.figures()["homeassistant"]["origin"] == "live"

    leaves.say(STATUS, "online")
    stays.wait_until(lambda: ids(stays, late=True) >= IDS, "every alert again")
    leaves.wait_until(lambda: ids(leaves, late=True) >= IDS, "every alert again, here too")
    assert ids(stays, late=False) == IDS
    assert lines.warnings() == []
