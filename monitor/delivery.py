"""Between a decision and those who are told: outbox, couriers, publishers, notifiers, escalation."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Self

from monitor.assembly import build_house
from monitor.clock import Clock
from monitor.config import Config
from monitor.publishers import NotifierConfig
from monitor.publishers.base import OnCommand, Publisher
from monitor.runtime.courier import Courier
from monitor.runtime.escalation import Escalator
from monitor.runtime.storms import Storms
from monitor.store.outbox import SqliteOutbox
from monitor.types import Alert, Command, Message, Setting, SoundEvent

SETTLE_S = 1.0
"""What each receiver gets, on an orderly stop, to acknowledge the last messages."""
OUTBOX = "outbox.db"


class Delivery:
    """Open inside the `with` block; calling it sends a message on its way, from the decider's thread.

    Events and alerts go into the outbox first, and to their receivers from there; states go straight to the
    publishers, of which the latest counts.
    """

    def __init__(
        self,
        config: Config,
        on_command: OnCommand,
        failed: Callable[[BaseException], None],
        clock: Clock,
    ) -> None:
        self._config = config
        self._on_command = on_command
        self._failed = failed
        self._clock = clock
        self.outbox = SqliteOutbox(config.state_folder() / OUTBOX, clock)
        self.publishers: list[Publisher] = []
        self._life = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as life:
            life.enter_context(self.outbox)
            # Before the publishers: an acknowledgement may come with the first message of the broker.
            self._escalator = life.enter_context(self._build_escalator())
            self._open_publishers(life)
            for block in self._config.notifiers:
                self._open_notifier(life, block)
            self._life = life.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._life.close()

    def __call__(self, message: Message) -> None:
        """Send a message on its way."""
        if isinstance(message, Alert):
            self._escalator.raised(message, message.raised_at)
        elif isinstance(message, SoundEvent):
            self.outbox.put(message, [publisher.name for publisher in self.publishers], message.at)
        else:
            self.show(message)

    def show(self, message: Message) -> None:
        """Tell a state to every publisher; from any thread."""
        for publisher in self.publishers:
            publisher.publish(message)

    def figures(self) -> dict[str, Any]:
        """How it keeps up, as plain JSON values; from any thread."""
        return {
            "durable": self.outbox.durable,
            "waiting": self.outbox.backlog(),
            **asdict(self.outbox.counts),
        }

    def _commanded(self, command: Command) -> None:
        """An acknowledgement stops the calls at once; everything else is for the decider."""
        if command.name == "ack":
            self._escalator.acknowledge(str(command.value) if command.value else None)
        else:
            self._on_command(command)

    def _open_publishers(self, life: ExitStack) -> None:
        house = build_house(self._config)
        for block in self._config.publishers:
            publisher = block.build(self._config.node, self._commanded, self._clock)
            publisher.announce(house)
            for source in self._config.sources:
                publisher.publish(Setting(source.name, "mute", False))
                publisher.publish(Setting(source.name, "sensitivity", source.sensitivity))
            courier = life.enter_context(Courier(self.outbox, publisher, self._failed, self._clock))
            life.enter_context(publisher)
            life.callback(courier.settle, SETTLE_S)
            self.publishers.append(publisher)

    def _open_notifier(self, life: ExitStack, block: NotifierConfig) -> None:
        for notifier in block.build(self._clock):
            storms = Storms(pause_s=block.collapse_s, per_minute=block.max_per_minute)
            courier = Courier(self.outbox, notifier, self._failed, self._clock, choice=storms)
            life.enter_context(courier)
            life.enter_context(notifier)

    def _build_escalator(self) -> Escalator:
        always = [block.name for block in self._config.publishers]
        channels = {block.name: block.channels for block in self._config.notifiers}
        return Escalator(self.outbox, always, channels, self._failed, self._clock)
