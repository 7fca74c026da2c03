"""The delivering half of the daemon (outbox, sender, MQTT publisher), fed by hand."""

import queue
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from monitor.clock import SystemClock
from monitor.delivery.delivery import ignore_late
from monitor.delivery.kept.memory import KeptMemory
from monitor.delivery.kept.writer import KeptWriter
from monitor.delivery.outbox import SqliteOutbox
from monitor.delivery.sender import Sender
from monitor.labels import sounds
from monitor.publishers.base import House, HouseValue, InboundMessage, Room
from monitor.publishers.mqtt.config import MqttConfig
from monitor.types import Alert, Command, LabelState, Message, Setting, SoundEvent, SourceStatus, new_id

LABELS = (
    "smoke_alarm",
    "co_alarm",
    "glass_break",
    "loud_noise",
    "water_running",
    "scream",
    "groan",
    "baby_cry",
)


def house(labels: tuple[str, ...] = LABELS, node: str = "probe", kitchen: str = "kitchen") -> House:
    """One node with two sources."""
    hidden = frozenset({"groan"})
    rooms = (
        Room(
            kitchen, labels, sounds(), "Kitchen", pictures=True, hidden=hidden, calibrated=True,
            level_in_rules=True, origin="microphone 1",
        ),
        Room("porch", ("glass_break",), sounds()),
    )  # fmt: skip
    rules = ("Glass", "Smoke alarm", 'Küche: "laut" 100 %')
    values = (HouseValue("mode", ("home", "away")), HouseValue("guests", ("on", "off")))
    return House(node, "check", rooms, rules, "http://127.0.0.1:8199", values)


class ScriptedDaemon:
    """Open inside the `with` block; `post` takes any message."""

    def __init__(
        self, folder: Path, port: int, username: str, password: str, announced: House | None = None
    ) -> None:
        self.house = announced or house()
        self.commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self._life = ExitStack()
        clock = SystemClock()
        login: dict[str, Any] = {"username": username, "password": password}
        config = MqttConfig.model_validate({"type": "mqtt", "port": port} | login)
        self.publisher = config.build(self.house.node, self._obey, clock)
        self._outbox = SqliteOutbox(folder / "outbox.db", clock, self._failures.put)
        self._sender = Sender(self._outbox, self.publisher, self._failures.put, clock)
        kept = KeptMemory(folder, self.publisher.name, self.publisher.memory)
        self._memory = KeptWriter(kept, ignore_late, self._failures.put)

    def _obey(self, word: InboundMessage) -> None:
        assert isinstance(word, Command)
        self.commands.put(word)

    def __enter__(self) -> Self:
        self.publisher.announce(self.house)
        for message in first_states(self.house):
            self.publisher.publish(message)
        for part in (self._memory, self._outbox, self._sender, self.publisher):
            self._life.enter_context(part)
        return self

    def __exit__(self, *exc: object) -> None:
        self._life.close()
        if not self._failures.empty():
            raise self._failures.get()

    def post(self, message: Message) -> None:
        """Events and alerts by way of the outbox, states at once."""
        match message:
            case SoundEvent() | Alert():
                self._outbox.put(message, [self.publisher.name])
            case _:
                self.publisher.publish(message)


def first_states(announced: House) -> list[Message]:
    """Every source online, nothing muted."""
    now = datetime.now(UTC)
    names = [room.source for room in announced.sources]
    online = [SourceStatus(source, True, now) for source in names]
    settings: list[Message] = [Setting(names[0], "mute", False), Setting(names[0], "sensitivity", 0.0)]
    return [*online, *settings]


def heard(label: str = "glass_break", source: str = "kitchen") -> SoundEvent:
    """An event of this moment."""
    now = datetime.now(UTC)
    return SoundEvent(new_id(), label, source, "started", "confirmed", now, now, 0.93, "embedded")


def raised() -> Alert:
    """An alert of this moment."""
    event = heard()
    return Alert(
        new_id(), "Glass", "critical", (event,), event.at, "Glass breaks in the kitchen", {"score": 0.93}
    )


def live_until_killed(folder: Path, port: int, username: str, password: str) -> None:
    """A process of its own, for kill -9; a smoke alarm is sounding."""
    with ScriptedDaemon(folder, port, username, password) as daemon:
        daemon.post(LabelState("kitchen", "smoke_alarm", True))
        sys.stdin.read()


if __name__ == "__main__":
    live_until_killed(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
