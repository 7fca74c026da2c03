"""Brokers and publishers of these tests."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest
import structlog

from monitor.clock import SystemClock
from monitor.publishers.base import DELIVERED, House, InboundMessage, OnInbound, PublishOutcome
from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.mqtt.publisher import MqttPublisher
from monitor.types import Alert, Command, SoundEvent
from testkit.builders import house
from testkit.mosquitto import WITHIN_S, Mosquitto, Subscriber


class RunningPublisher:
    """A publisher that runs, with what it called back with."""

    def __init__(
        self, config: MqttConfig, announced: House, obey: OnInbound | None, waiting: SoundEvent | Alert | None
    ) -> None:
        self.commands: list[Command] = []
        self._changed = threading.Condition()
        self._returned = threading.Event()
        self.publisher: MqttPublisher = config.build("home", obey or self._obey, SystemClock())
        self.publisher.on_ready = self._returned.set
        self.publisher.announce(announced)
        if waiting is not None:
            self.publisher.publish(waiting)

    def wait_ready(self) -> None:
        """Wait until the publisher takes alerts, and has announced everything."""
        while not (self.publisher.ready() and self.publisher.settled):
            self.wait_call()

    def wait_call(self) -> None:
        """Wait until the publisher calls whoever delivers."""
        assert self._returned.wait(WITHIN_S), "the publisher never called"
        self._returned.clear()

    def wait_commands(self, count: int) -> list[Command]:
        """Wait for so many commands."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.commands) >= count, WITHIN_S), self.commands
            return self.commands

    def deliver(self, message: Any, *, late: bool = False) -> None:
        """Publish and wait for the acknowledgement."""
        outcomes: queue.SimpleQueue[PublishOutcome] = queue.SimpleQueue()
        self.publisher.publish(message, outcomes.put, late=late)
        assert outcomes.get(timeout=WITHIN_S) == DELIVERED

    def _obey(self, command: InboundMessage) -> None:
        assert isinstance(command, Command)
        with self._changed:
            self.commands.append(command)
            self._changed.notify_all()


Publish = Callable[..., RunningPublisher]


class Lines:
    """What was logged, and a way to wait for it."""

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def __call__(self, logger: Any, level: str, line: Any) -> NoReturn:
        with self._changed:
            self.logged.append(dict(line) | {"level": level})
            self._changed.notify_all()
        raise structlog.DropEvent

    def wait_for(self, event: str, times: int = 1) -> dict[str, Any]:
        """Wait until `event` was logged so many times; the last one."""
        with self._changed:
            in_time = self._changed.wait_for(lambda: len(self.events(event)) >= times, WITHIN_S)
            assert in_time, f"waited for {event!r}; logged: {self.logged}"
            return self.events(event)[-1]

    def wait_until(self, fact: Callable[[], bool]) -> None:
        """Wait until something that is logged makes `fact` true."""
        with self._changed:
            assert self._changed.wait_for(fact, WITHIN_S), self.logged

    def events(self, event: str) -> list[dict[str, Any]]:
        """Every line of one event."""
        return [line for line in self.logged if line["event"] == event]

    def warnings(self) -> list[str]:
        """The events that the owner might act on."""
        return [line["event"] for line in self.logged if line["level"] == "warning"]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The log of a test."""
    processors = structlog.get_config()["processors"]
    before, log = processors.copy(), Lines()
    processors[:] = [log]
    yield log
    processors[:] = before


@pytest.fixture
def life() -> Iterator[ExitStack]:
    """What is open during a test."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def broker(tmp_path: Path, life: ExitStack) -> Mosquitto:
    """A mosquitto that lets anyone in."""
    return life.enter_context(Mosquitto(tmp_path / "broker"))


@pytest.fixture
def listener(broker: Mosquitto, life: ExitStack) -> Subscriber:
    """Somebody who hears everything on `broker`."""
    return life.enter_context(Subscriber(broker))


@pytest.fixture
def publish(life: ExitStack) -> Publish:
    """Start a publisher: `publish(port=..., homeassistant=...)`. It has announced a kitchen, and published
    what is `waiting`."""

    def start(
        announced: House | None = None,
        obey: OnInbound | None = None,
        waiting: SoundEvent | Alert | None = None,
        **config: Any,
    ) -> RunningPublisher:
        running = RunningPublisher(
            MqttConfig.model_validate({"type": "mqtt"} | config), announced or house(), obey, waiting
        )
        life.enter_context(running.publisher)
        return running

    return start
