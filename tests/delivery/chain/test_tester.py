"""The silent test of the chain through a real broker: it comes back, reaches nobody, and failure is told."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import SystemClock
from monitor.config.model import Config
from monitor.delivery.chain.kept import FILE
from monitor.delivery.chain.tester import AGAIN_S, SETTLED_S, WITHIN_S
from monitor.delivery.deliveries import OUTBOX, deliveries
from monitor.delivery.delivery import Delivery
from monitor.types import Alert
from testkit.fakes import raise_it
from testkit.mosquitto import Mosquitto, Subscriber

LOOK_EVERY_S, LONGEST_S = 0.05, 60.0
DAY_S = 86_400.0
CHAIN = "earwitness/home/chain"


class Ahead(SystemClock):
    """Time passes as ever, and a test may let days of it pass at once."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._ahead_s)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self._ahead_s

    def skip(self, seconds: float) -> None:
        """Let them pass."""
        self._ahead_s += seconds


class Chain:
    """What goes out of a house with one broker, tended by hand."""

    def __init__(self, delivery: Delivery, clock: Ahead) -> None:
        self.delivery = delivery
        self.clock = clock
        self.alerts: list[Alert] = []

    def until(self, fact: Callable[[], bool]) -> None:
        """Tend it until something is so."""
        pause, left = threading.Event(), int(LONGEST_S / LOOK_EVERY_S)
        while not fact():
            assert left, (self.figures(), self.delivery.notes(), self.alerts)
            left -= 1
            self.delivery.tend([])
            self.alerts += self.delivery.look()
            pause.wait(LOOK_EVERY_S)

    def figures(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.delivery.health()["chain"]
        return found

    def connected(self) -> None:
        self.until(lambda: self.delivery.figures()["ready"] == {"mqtt": True})

    def is_due(self) -> None:
        """It has run for a while, and the next day's hour has come."""
        self.delivery.tend([])
        self.clock.skip(SETTLED_S + DAY_S)


@contextmanager
def chain(folder: Path, broker: Mosquitto, clock: Ahead | None = None, **drill: Any) -> Iterator[Chain]:
    """Opened as the daemon opens it."""
    broker_block = {"type": "mqtt", "name": "mqtt", "host": "127.0.0.1", "port": broker.port}
    config = Config.model_validate(
        {
            "node": "home",
            "state_dir": str(folder),
            "sources": [{"type": "demo", "name": "hall"}],
            "publishers": [broker_block | drill.pop("mqtt", {})],
            "drill": {"chain_test": "daily", **drill},
        }
    )
    own = clock or Ahead()
    with Delivery(config, lambda _: None, lambda _: None, raise_it, own) as delivery:
        yield Chain(delivery, own)


def is_delivered(state: Path, id: str) -> bool:
    """Whether the disk has it that a message has arrived."""
    found = deliveries(state / OUTBOX, "alert", id)
    return bool(found) and all(one.delivered_at is not None for one in found)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_it_comes_back_from_the_broker_and_reaches_nobody(tmp_path: Path, protocol: str):
    """On its own topic, marked as a test; no alert, nothing active, and health knows when it passed."""
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker, "earwitness/#") as phone:
        with chain(tmp_path / "state", broker, mqtt={"protocol": protocol}) as house:
            house.connected()
            assert house.figures() == {"last": None, "passed": None}
            house.is_due()
            house.until(lambda: house.figures()["passed"] is True)
            assert (house.alerts, house.delivery.notes()) == ([], {})
        [message] = phone.documents(CHAIN)
        assert (message["test"], message["severity"]) == (True, "info")
        assert phone.on("earwitness/home/alert") == []
        assert phone.on("earwitness/home/alert/active") == ["OFF"]


def test_a_broker_that_is_gone_is_told_once_and_is_trouble_until_it_delivers(tmp_path: Path):
    """Over the other channels; the same message passes when the broker is back, also after a kill."""
    clock, state = Ahead(), tmp_path / "state"
    with Mosquitto(tmp_path / "broker") as broker:
        with chain(state, broker, clock) as house:
            house.connected()
            broker.stop()
            house.is_due()
            house.delivery.tend([])
            clock.skip(WITHIN_S)
            house.until(lambda: bool(house.alerts) and "chain test" in house.delivery.notes())
            assert house.figures()["passed"] is False
            [alert] = house.alerts
            assert (alert.severity, alert.rule) in {("warning", "Not delivering"), ("warning", "Chain test")}
        assert json.loads((state / FILE).read_text())["failures"]
        broker.start()
        with chain(state, broker, clock) as house:  # a new life remembers that it failed
            house.connected()
            house.delivery.tend([])
            assert "chain test" in house.delivery.notes()
            clock.skip(SETTLED_S + AGAIN_S)
            house.until(lambda: house.figures()["passed"] is True)
            assert house.delivery.notes() == {}


def test_a_home_assistant_that_is_away_or_does_not_answer_is_told(tmp_path: Path):
    """By its will; or, where an automation answers, by the missing answer."""
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker, (CHAIN, "homeassistant/#")) as home:
        home.say("homeassistant/status", "offline", retain=True)
        with chain(tmp_path / "one", broker) as house:
            house.connected()
            house.is_due()
            house.until(lambda: bool(house.alerts))
            assert "Home Assistant is away" in house.alerts[0].message
        home.say("homeassistant/status", "online", retain=True)
        with chain(tmp_path / "two", broker, home_assistant_answers=True) as house:
            house.connected()
            house.is_due()
            house.until(lambda: len(home.on(CHAIN)) >= 2)
            house.until(lambda: is_delivered(tmp_path / "two", home.documents(CHAIN)[-1]["id"]))
            house.clock.skip(WITHIN_S)
            house.until(lambda: bool(house.alerts))
            assert "has not answered" in house.alerts[0].message
            house.clock.skip(AGAIN_S)
            house.until(lambda: len(home.on(CHAIN)) >= 3)
            home.say(f"{CHAIN}/set", home.documents(CHAIN)[-1]["id"])
            house.until(lambda: house.figures()["passed"] is True)


def test_a_full_disk_and_a_damaged_file_cost_no_test(tmp_path: Path):
    """What was kept cannot be understood: the test is due a day later, and passes."""
    state = tmp_path / "state"
    state.mkdir()
    (state / FILE).write_text('{"began_at": 3')
    with Mosquitto(tmp_path / "broker") as broker, chain(state, broker) as house:
        house.connected()
        house.is_due()
        (state / FILE).unlink()
        (state / FILE).mkdir()  # nothing can be kept there
        house.until(lambda: house.figures()["passed"] is True)
    assert (state / FILE).is_dir()


def test_what_a_full_disk_did_not_take_is_kept_when_it_has_room(tmp_path: Path):
    """A failure that nobody has told outlasts a kill a moment later."""
    state = tmp_path / "state"
    (state / FILE).mkdir(parents=True)  # nothing can be kept there
    with Mosquitto(tmp_path / "broker") as broker, chain(state, broker) as house:
        house.connected()
        house.is_due()
        house.until(lambda: house.figures()["passed"] is True)
        (state / FILE).rmdir()
        house.until((state / FILE).is_file)
        assert json.loads((state / FILE).read_text())["last_at"] == house.figures()["last"]


def test_a_test_from_the_time_to_come_does_not_hold_back_the_next(tmp_path: Path):
    """It ended while the clock was years ahead: the next one is due a day from now."""
    state = tmp_path / "state"
    state.mkdir()
    (state / FILE).write_text(
        '{"began_at": "2026-01-01T00:00:00+00:00", "last_at": "2099-01-01T00:00:00+00:00", "failures": []}'
    )
    with Mosquitto(tmp_path / "broker") as broker, chain(state, broker) as house:
        house.connected()
        house.delivery.tend([])
        house.clock.skip(SETTLED_S)
        house.until(lambda: house.figures() == {"last": None, "passed": None})
        house.is_due()
        house.until(lambda: house.figures()["passed"] is True)
