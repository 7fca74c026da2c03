"""Publishes over MQTT: states, which are remembered and published again, and events and alerts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.publishers.base import (
    DELIVERED,
    House,
    InboundMessage,
    OnInbound,
    OnOutcome,
    PublishOutcome,
    Refused,
    ignore,
    noop,
    topic_of,
)
from monitor.publishers.mqtt.acceptance.complaints import Complaints, kind_of
from monitor.publishers.mqtt.acceptance.echo import Echo, EchoResult
from monitor.publishers.mqtt.commands import CommandReader
from monitor.publishers.mqtt.connection import Connection
from monitor.publishers.mqtt.dispatcher import Dispatcher
from monitor.publishers.mqtt.homeassistant.announcer import Announcer
from monitor.publishers.mqtt.homeassistant.identity import Identity
from monitor.publishers.mqtt.homeassistant.original import QUESTION
from monitor.publishers.mqtt.homeassistant.watch import HomeAssistantWatch
from monitor.publishers.mqtt.intake.inputs import Inputs
from monitor.publishers.mqtt.news import Acknowledged, Denied, Received
from monitor.publishers.mqtt.options import MqttOptions
from monitor.publishers.mqtt.queue import Publication, PublishQueue, Rank
from monitor.publishers.mqtt.session import Session
from monitor.publishers.mqtt.states import topic_states
from monitor.publishers.mqtt.topics import Topics
from monitor.types import HOUSE, ActiveAlert, Alert, Health, Message, Setting, SoundEvent

log = get_logger()


class MqttPublisher:
    """See `Publisher`. Methods may be called from any thread; the network is the link's thread alone."""

    def __init__(self, config: MqttOptions, node: str, on_command: OnInbound, clock: Clock) -> None:
        self.name = config.name
        self.on_ready: Callable[[], None] = noop
        self.connections = 0
        self.topics = Topics(config.topic_prefix, node)
        self._config = config
        self._node = node
        self._on_command = on_command
        self._clock = clock
        self._commands = CommandReader(self.topics, clock)
        self._outgoing = PublishQueue()
        self._link: Connection | None = None
        self._version: str | None = None
        self._echo = Echo(self.topics)
        self._watch = HomeAssistantWatch(config.name)
        self._complaints = Complaints(config.name, self.topics, config.discovery_prefix)
        self._house_status = f"{config.discovery_prefix}/status"
        self._found_documents = f"{config.discovery_prefix}/device/+/config"
        prefix = config.discovery_prefix if config.homeassistant else None
        self.memory = Identity()
        self._announcer = Announcer(self._outgoing, self.topics, prefix, self.memory, config.release())
        self._inputs = Inputs(config.name, self.topics.root, clock)
        self._own: Mapping[str, Sequence[str]] = {}
        self._ready_is_due = True
        self._connected = self._read_back = self._has_left = False
        parts = (self._outgoing, self._echo, self._watch, self._complaints, self._announcer, clock)
        self._dispatcher = Dispatcher(*parts, self.topics, config.discovery_prefix)

    def __enter__(self) -> Self:
        if self._config.tls and self._config.tls.insecure:
            log.warning("mqtt: tls.insecure is on: the broker's certificate is not checked")
        address = self._config.address(self._node, self.topics.status)
        self._outgoing.remember(self.topics.status, b"online", Rank.NODE_STATUS)
        self._link = Connection(address, self, self._config.protocol)
        self._link.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._link is not None:
            self._link.stop()

    def announce(self, house: House) -> None:
        """What there is to hear. Whatever was announced before and is not in it disappears."""
        self._own = {value.name: value.options for value in house.values if value.topic is None}
        self._inputs.announce(house)
        self._announcer.announce(house)
        self._wake()

    def ready(self) -> bool:
        """Connected, and room in the window. Raises the bug that stopped the link's thread, if one did."""
        if self._link is not None:
            self._link.check()
        is_ready = self._connected and not self._outgoing.full()
        if not is_ready:
            self._ready_is_due = True
        return is_ready

    @property
    def settled(self) -> bool:
        """Whether our documents and states are published and had time to be read: events go out, too."""
        is_settled = self._connected and self._watch.settled and not self._outgoing.states_wait()
        if not is_settled:
            self._ready_is_due = True
        return is_settled

    def lost_since(self) -> datetime | None:
        """See `Publisher`."""
        return self._watch.lost_since()

    def figures(self) -> dict[str, Any]:
        """For the health report, as plain JSON values."""
        found = {"connected": self._connected, "version": self._version, **self._inputs.figures()}
        found["largest_packet_bytes"] = self._dispatcher.largest_packet_bytes
        if self._config.homeassistant:
            found["homeassistant"] = self._watch.figures(self._clock.now())
        return found

    def notes(self) -> dict[str, str]:
        """What is wrong now and somebody should mend; empty while all is well."""
        twin = self._link.twin() if self._link is not None else ""
        notes = {f"{self.name}: client id": twin, f"{self.name}: state folder": self._announcer.note}
        return self._complaints.notes() | {about: note for about, note in notes.items() if note}

    @property
    def refused_commands(self) -> int:
        """How many messages on command topics were none that we take."""
        return self._commands.refused.total()

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """See `Publisher`."""
        match message:
            case SoundEvent() | Alert():
                topic = f"{self.topics.root}/{topic_of(message)}"
                self._outgoing.put(Publication(message, done, self._clock.monotonic_s(), late, topic))
            case Setting(source, name) if source == HOUSE and name not in self._own:
                return  # published by whoever it is from
            case _:
                source = "" if isinstance(message, ActiveAlert | Health) else message.source
                room = self._announcer.rooms.get(source)
                for topic, payload, rank in topic_states(message, room, self.topics):
                    self._outgoing.remember(topic, payload, rank)
        self._wake()

    def connected(self, session: Session) -> None:
        """See `Handler`."""
        session.subscribe(*self.topics.commands, *self._inputs.topics, *self.topics.statuses)
        self._obey(self._inputs.connected())
        self._version = session.version
        self._complaints.asked_less(session.terms)
        self._echo.begin(active=session.version == "3.1.1" or session.terms.qos == 0)
        session.subscribe(*self._echo.filters)
        wait_s = self._dispatcher.begin(session)
        if self._config.homeassistant:
            session.subscribe(self._house_status)
            self._watch.connected(self._clock.now(), self._clock.monotonic_s() + wait_s)
            if not self._read_back:
                session.subscribe(self._found_documents)
        self._outgoing.publish_again()
        self.connections += 1
        self._connected = True

    def received(self, message: Received) -> None:
        """See `Handler`."""
        topic, payload = message.topic, message.payload
        if self._announcer.heard(topic, payload, retained=message.retained):
            return
        is_echo = self._dispatcher.is_echo(message)
        if topic == self._house_status:
            self._watch.heard(
                payload, self._clock.now(), self._clock.monotonic_s(), retained=message.retained
            )
        elif self._inputs.takes(topic):
            self._obey(self._inputs.read(message))
        elif topic.startswith(f"{self._config.discovery_prefix}/device/"):
            if not message.retained:
                self._announcer.published(topic, payload)
            elif self._announcer.found(topic, payload):
                self._watch.found_us()
        elif topic == self.topics.status or topic.endswith("/status"):
            self._put_right(message)
        elif topic in (self.topics.alert, self.topics.chain) or topic.endswith("/event"):
            self._came_back(message)
        elif not is_echo:
            rooms = self._announcer.rooms
            command = self._commands.read(topic, payload, rooms, self._own, retained=message.retained)
            self._obey([command] if command is not None else [])

    def denied(self, news: Denied) -> bool:
        """See `Handler`."""
        if news.topic_filter in self.topics.statuses:
            return True
        self._obey(self._inputs.denied(news.topic_filter))
        return self._dispatcher.denied(news.topic_filter)

    def acknowledged(self, news: Acknowledged) -> None:
        """See `Handler`."""
        self._dispatcher.acknowledged(news)
        if not self._outgoing.is_publication(news.number):
            self._outgoing.done(news.number)
            if news.refused is not None:
                self._complaints.refused("states", news.topic, news.refused)
            else:
                self._complaints.taken("states", news.topic)
        elif news.too_large and self._outgoing.shorten(news.number):
            self._ready_is_due = True
        elif news.refused is not None or news.unheard or not self._echo.awaits(news.number):
            self._echo.refused(news.number)
            self._settle(news.number, news)
        elif (verdict := self._echo.acknowledged(news.number, self._clock.monotonic_s())) is not None:
            self._settle(news.number, verdict)

    def pump(self, session: Session) -> float:
        """See `Handler`. Alerts first, also after a new connection: hundreds of states would delay them."""
        now_s = self._clock.monotonic_s()
        for number, verdict in self._echo.overdue(now_s):
            if verdict != "missing" or not self._outgoing.shorten(number):
                self._settle(number, verdict)
        pause_s = self._dispatcher.review(session)
        if self._watch.greets(now_s):
            self._outgoing.publish_again()
        if not self._announcer.is_looking and self._watch.settles(now_s):
            self._read_back = True
            session.unsubscribe(self._found_documents)
            self._ready_is_due = True
        self._dispatcher.send_waiting(session)
        if self._ready_is_due and not self._outgoing.full():
            self._ready_is_due = False
            self.on_ready()
        return min(pause_s, self._watch.next_s(now_s))

    def farewell(self, session: Session) -> None:
        """See `Handler`."""
        self._has_left = True
        session.send(self.topics.status, b"offline", retain=True)

    def lost(self) -> None:
        """See `Handler`."""
        self._connected = False
        self._ready_is_due = True
        self._obey(self._inputs.lost())
        self._dispatcher.ended()
        for publication in self._outgoing.take_back(self._complaints.refused_topics):
            publication.done(Refused("the broker refused its topic, and the connection is gone"))

    def failed(self) -> None:
        """See `Handler`: `ready` will raise it."""
        self.on_ready()

    def _put_right(self, message: Received) -> None:
        """The last will of an earlier connection of ours can come late, and anybody may publish there: Home
        Assistant would take us, or a room, for gone while everything works."""
        if not self._has_left and self._outgoing.put_right(message.topic, message.payload):
            payload = message.payload[:20].decode(errors="replace")
            # What the broker had kept is from a run before; one that is stopped speaks our will and hangs up.
            is_ours = message.topic == self.topics.status and message.payload in (b"offline", QUESTION)
            note = log.debug if message.retained or is_ours else log.info
            note("mqtt: another status than ours was published; put right", topic=message.topic, was=payload)

    def _obey(self, commands: Iterable[InboundMessage]) -> None:
        for command in commands:
            self._on_command(command)

    def _came_back(self, message: Received) -> None:
        """What we published, over 3.1.1 or with QoS 0. Anybody may publish there: our very words count."""
        number = self._echo.came_back(message.topic, message.payload)
        if number is not None:
            self._settle(number, "delivered")

    def _settle(self, number: int, how: EchoResult | Acknowledged) -> None:
        """Give a publication its outcome."""
        publication = self._outgoing.done(number)
        if publication is not None:
            publication.done(self._outcome(publication, how))

    def _outcome(self, publication: Publication, how: EchoResult | Acknowledged) -> PublishOutcome:
        kind, topic = kind_of(publication.message), publication.topic
        match how:
            case Acknowledged(refused=str(reason)):
                self._complaints.refused(kind, topic, reason)
                return Refused(f"the broker refuses {kind}: {reason}")
            case Acknowledged(unheard=True):
                self._complaints.unheard(kind, topic)
                return Refused(f"nobody subscribes to {topic}", publication.keep_s, unheard=True)
            case "missing":
                self._complaints.vanished(kind, topic)
                return Refused(f"taken by the broker, and not delivered on {topic}", publication.keep_s)
            case "unproven":
                self._complaints.unproven(kind, topic)
            case _:
                self._complaints.proven(kind, topic)
        self._complaints.taken(kind, topic)
        return DELIVERED

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()
