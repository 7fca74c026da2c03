"""From decisions to receivers: outbox, senders, publishers, notifiers, escalation."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Self

from monitor.clock import Clock
from monitor.config.house import build_house, configured_settings
from monitor.config.model import Config
from monitor.delivery.chain.tester import ChainTester, failed_alert
from monitor.delivery.channel import ENDED, STOPPED, Channel, close_all
from monitor.delivery.coalescer import Coalescer
from monitor.delivery.deliveries import OUTBOX
from monitor.delivery.escalator import Escalator
from monitor.delivery.kept.active import ActiveAlerts, of_one_incident
from monitor.delivery.kept.memory import KeptMemory, Signalled, Watched
from monitor.delivery.kept.settings import KeptSettings
from monitor.delivery.kept.writer import KeptWriter
from monitor.delivery.outbox import SqliteOutbox
from monitor.delivery.stuck import DISK, NOT_KEPT, Standstill, Still, StuckChannels
from monitor.logs import get_logger
from monitor.notifiers import NotifierConfig
from monitor.notifiers.apprise import NotifyConfig, NotifyPublisher
from monitor.notifiers.buttons import Buttons
from monitor.notifiers.replies import ReplyReader
from monitor.publishers.base import House, InboundMessage, Memory, OnInbound, Publisher, Remembers, Reports
from monitor.publishers.mqtt.publisher import MqttPublisher
from monitor.publishers.terminal.console import ConsolePublisher
from monitor.runtime.threads import closed_within
from monitor.types import ActiveAlert, Alert, Command, Message, Picture, Setting, SoundEvent

log = get_logger()
CLOSE_S = 1.5
"""What outbox and settings get at the end, together: each waits a second for a disk that does not answer."""
SETTINGS = "settings.json"
ACTIVE = "active.json"


class Delivery:
    """Open inside the `with` block; calling it sends messages on their way, from the decider's thread.

    Events and alerts go into the outbox first, and to their receivers from there; states go straight to the
    publishers, of which the latest counts. `on_left` is given the events that an earlier run left going on
    where the disk gives them only after the start. `on_answer` is given the answers to alerts and events.
    """

    def __init__(
        self,
        config: Config,
        on_command: OnInbound,
        on_left: Callable[[Sequence[SoundEvent]], None],
        failed: Callable[[BaseException], None],
        clock: Clock,
        on_answer: Callable[[Command], None] | None = None,
    ) -> None:
        self._config = config
        self._on_command = on_command
        self._on_answer = on_answer
        self._on_left = on_left
        self._failed = failed
        self._clock = clock
        self.outbox = SqliteOutbox(config.state_folder() / OUTBOX, clock, failed, found_late=self._found_late)
        self._escalator = self._build_escalator()
        self.settings = KeptSettings(config.state_folder() / SETTINGS, configured_settings(config))
        self.active = ActiveAlerts(config.state_folder() / ACTIVE)
        self.publishers: list[Publisher] = []
        self._picture_takers: list[NotifyPublisher] = []
        self._brokers: dict[str, Callable[[], Mapping[str, Any]]] = {}
        self._lines: list[Channel] = []
        self._disk = Standstill(clock)
        self._stuck = StuckChannels({block.name: block.channels for block in config.notifiers})
        self._chain = ChainTester(config.drill, config.state_folder(), self._brokers, self.outbox, clock)
        self._patience = STOPPED
        self._life = ExitStack()
        self._memories = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as life:
            opened: list[SqliteOutbox | KeptWriter[Setting] | KeptWriter[ActiveAlert]] = []
            life.callback(lambda: closed_within([one.__exit__ for one in opened], CLOSE_S, "kept-close"))
            opened.append(self.outbox.__enter__())
            opened.append(KeptWriter(self.settings, self._set_late, self._failed).__enter__())
            opened.append(KeptWriter(self.active, self._active_late, self._failed, "active").__enter__())
            # Before the publishers: an acknowledgement may come with the first message of the broker.
            life.enter_context(self._escalator)
            life.enter_context(self._memories)
            self._memories.enter_context(self.watching("alerts_taken", self._stuck))
            life.callback(lambda: close_all(self._lines, self._patience))
            self._open_publishers()
            for block in self._config.notifiers:
                self._open_notifier(block)
            self._life = life.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._life.close()

    def __call__(self, messages: Sequence[Message]) -> None:
        """Send messages on their way: states at once, the others together into the outbox, in their order."""
        kept = []
        for message in messages:
            if isinstance(message, SoundEvent | Alert):
                kept.append(message)
                continue
            if isinstance(message, Setting):
                self.settings.keep(message)
            self.show(message)
        if kept:
            self._escalator.put_all(kept)
            active = [self.active.raised(each) for each in kept if isinstance(each, Alert)]
            if any(active):
                self.show(self.active.state())

    def ended(self) -> None:
        """The daemon ends because all is heard, not by a signal: the receivers get more time."""
        self._patience = ENDED

    def show(self, message: Message) -> None:
        """Give a state to every publisher; from any thread."""
        for publisher in self.publishers:
            publisher.publish(message)
        if isinstance(message, Picture):
            for notifier in self._picture_takers:
                notifier.show(message)

    def look(self) -> list[Alert]:
        """Log it when the disk has stopped answering, and return an alert for each channel that has stopped
        moving, the disk's too; to be called every second, from one thread; never waits."""
        self.outbox.look()
        # A terminal that somebody holds, to read or to copy, is no fault.
        channels = {
            line.publisher.name: line.standstill()
            for line in self._lines
            if not isinstance(line.publisher, ConsolePublisher)
        }
        channels[DISK] = self._disk_standstill()
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        stuck = self._stuck.look(channels, self.outbox.backlog(), now, now_s)
        notify = [block.name for block in self._config.notifiers]
        failures = [each for each in self._chain.take_failures() if not self._stuck.names_any_of(each)]
        return [*stuck, failed_alert(failures, now, notify)] if failures else stuck

    def _disk_standstill(self) -> Still:
        if self.outbox.durable:
            self._disk.end()
        else:
            self._disk.begin()
            self._disk.because(NOT_KEPT)
        return self._disk.figures()

    def tend(self, pictures: Sequence[Picture]) -> None:
        """Show new pictures and try the chain when it is due; in a thread that may wait for a disk."""
        for picture in pictures:
            self.show(picture)
        self._chain.tend()

    def health(self) -> dict[str, Any]:
        """The channels that have stopped moving, and the figures; in the thread of `look`."""
        return {"stuck": self._stuck.texts, "delivery": self.figures(), "chain": self._chain.figures()}

    def figures(self) -> dict[str, Any]:
        """How it keeps up, as plain JSON values; from any thread."""
        return {
            "durable": self.outbox.durable,
            "ready": {line.publisher.name: line.publisher.ready() for line in self._lines},
            "waiting": self.outbox.backlog(),
            "refused_commands": sum(each.refused_commands for each in self._reporting()),
            "receivers": {each.name: each.figures() for each in self._reporting()},
            **asdict(self.outbox.counts),
        }

    def notes(self) -> dict[str, str]:
        """What a receiver does not take, for the health report; from any thread."""
        found = {name: text for each in self._reporting() for name, text in each.notes().items()}
        return found | self._chain.notes()

    def command(self, command: InboundMessage) -> None:
        """From any thread: an acknowledgement stops the calls at once; what is asked, and what other devices
        detected, is for the decider."""
        if not isinstance(command, Command):
            self._on_command(command)
            return
        others: Sequence[str] = ()
        if command.name in ("ack", "nothing"):
            others = self._acknowledge(str(command.value) if command.value else None)
        if command.name == "chain":
            self._chain.answered(str(command.value))
        elif command.name not in ("ack", "nothing", "verdict"):
            self._on_command(command)
        elif self._on_answer is not None:
            self._on_answer(command)
            for other in others:
                self._on_answer(Command("ack", value=other, by=command.by))

    def announce(self, house: House) -> None:
        """What there is to hear has changed; from any thread."""
        for publisher in self.publishers:
            publisher.announce(house)

    def _acknowledge(self, alert_id: str | None) -> list[str]:
        """The other alerts that this one's answer answers, too."""
        asked = [None] if alert_id is None else sorted(of_one_incident(self.active.waiting(), alert_id))
        ended = frozenset[str]().union(*(self._escalator.acknowledge(one) for one in asked))
        answered = None if alert_id is None else ended.union(one for one in asked if one)
        gone = self.active.acknowledged(answered)
        if gone or ended:
            log.info("acknowledged", alerts=len(gone | ended))
        if gone:
            self.show(self.active.state())
        return [] if answered is None else sorted(answered - {alert_id})

    def _set_late(self, found: Sequence[Setting]) -> None:
        """The disk was slow to return what was set before the start."""
        for setting in found:
            self._on_command(setting.command("restart"))

    def _active_late(self, found: Sequence[ActiveAlert]) -> None:
        """It was slow to return what nobody had acknowledged."""
        for state in found:
            self.show(state)

    def _found_late(self, left_going_on: Sequence[SoundEvent]) -> None:
        """The disk was slow to give what an earlier run left."""
        self._escalator.resume()
        self._on_left(left_going_on)

    def _reporting(self) -> list[Reports]:
        return [each for each in self.publishers if isinstance(each, Reports)]

    def _open_publishers(self) -> None:
        house = build_house(self._config)
        for block in self._config.publishers:
            publisher = block.build(self._config.node, self.command, self._clock)
            publisher.announce(house)
            for setting in self.settings.in_force():
                publisher.publish(setting)
            publisher.publish(self.active.state())
            if isinstance(publisher, Remembers):
                self._remember(publisher)
            if isinstance(publisher, MqttPublisher):
                self._brokers[publisher.name] = publisher.figures
            self._open(Channel(self.outbox, publisher, self._failed, self._clock))
            self.publishers.append(publisher)

    def _remember(self, receiver: Remembers) -> None:
        """Closed after the receivers: what they learn last is kept, too."""
        self._memories.enter_context(self.remembering(receiver.name, receiver.memory))

    def remembering(self, name: str, memory: Memory) -> KeptWriter[None]:
        """Keeps it on disk over restarts, while it is open."""
        kept = KeptMemory(self._config.state_folder(), name, memory)
        return KeptWriter(kept, ignore_late, self._failed, name)

    def watching(self, name: str, rows: Watched) -> KeptWriter[None]:
        """The same for rows of somebody who knows no threads."""
        return self.remembering(name, Signalled(rows))

    def _open_notifier(self, block: NotifierConfig) -> None:
        for notifier in self._built(block):
            if isinstance(notifier, NotifyPublisher):
                self._picture_takers.append(notifier)
            storms = Coalescer(pause_s=block.collapse_s, per_minute=block.max_per_minute)
            self._open(Channel(self.outbox, notifier, self._failed, self._clock, choice=storms))

    def _built(self, block: NotifierConfig) -> Sequence[Publisher]:
        """The notifier's publishers; with answers, somebody listens for these."""
        if not isinstance(block, NotifyConfig) or block.answers is None:
            return block.build(self._clock)
        buttons = Buttons(self._clock)
        reader = ReplyReader(block.name, block.answers, buttons, self.command, self._failed, self._clock)
        self._remember(reader)
        self._memories.enter_context(reader)
        return block.build(self._clock, buttons)

    def _open(self, line: Channel) -> None:
        self._lines.append(line.open())

    def _build_escalator(self) -> Escalator:
        always = [block.name for block in self._config.publishers]
        channels = {block.name: block.channels for block in self._config.notifiers}
        return Escalator(self.outbox, always, channels, self._failed, self._clock)


def ignore_late(found: Sequence[None]) -> None:
    """A receiver takes what it is given, whenever that comes."""
