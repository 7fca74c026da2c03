"""Tells the house over MQTT: states that are remembered and said again, events and alerts that arrive."""

import random
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.publishers.base import DELIVERED, OnCommand, OnOutcome, Refused, ignore, noop, topic_of
from monitor.publishers.documents import alert_document, encoded, event_document
from monitor.publishers.mqtt.commands import CommandReader
from monitor.publishers.mqtt.connection import Connection
from monitor.publishers.mqtt.homeassistant.announcer import Announcer
from monitor.publishers.mqtt.homeassistant.presence import Presence
from monitor.publishers.mqtt.news import Acknowledged, Address, Received, TooLarge, Unsendable
from monitor.publishers.mqtt.queue import Publication, PublishQueue, Rank, Statement
from monitor.publishers.mqtt.session import Session
from monitor.publishers.mqtt.states import said
from monitor.publishers.mqtt.tls import TlsConfig
from monitor.publishers.mqtt.topics import Topics
from monitor.schema import Block, Port, Secret, Slug
from monitor.types import Alert, Health, House, Message, SoundEvent

log = get_logger()

LATE_AFTER_S = 5.0
"""What waited longer than this for its connection is marked late."""
SETTLE_S = 1.0
"""What Home Assistant takes to make entities of our documents; an event before that finds nobody."""
UNHEARD_S = 86400.0
"""What nobody subscribes to is kept so long, unless its rule says when it is stale."""
BIRTH_PAUSE_S = (0.1, 0.6)
"""On its birth everybody speaks at once; a random moment later it has time to listen."""

_TopicPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", max_length=64)]


def _check_bare(host: object) -> object:
    if isinstance(host, str) and ("://" in host or "/" in host or "@" in host):
        raise ValueError(
            "write the name or address alone, such as 192.168.1.2; port, user name and password have keys of "
            "their own, and `tls: {}` encrypts"
        )
    return host


class MqttConfig(Block):
    """An MQTT broker, with Home Assistant behind it or not."""

    type: Literal["mqtt"]
    name: Slug = "mqtt"
    """Names this publisher in logs and in the outbox."""
    host: Annotated[
        str,
        Field(min_length=1, max_length=253, pattern=r"^[^\s/@]+$"),
        BeforeValidator(_check_bare),
    ] = "127.0.0.1"
    """Name or address of the broker; no scheme, no port."""
    port: Port | None = None
    """Default 1883, with `tls` 8883."""
    username: str | None = None
    """Name of this daemon at the broker."""
    password: Secret | None = None
    """Its password; write `${NAME}` and keep the secret out of the file."""
    tls: TlsConfig | None = None
    """Absent: not encrypted."""
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """MQTT version; `auto` tries 5 and falls back to 3.1.1."""
    client_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Default `earwitness-<node>`."""
    topic_prefix: _TopicPath = "earwitness"
    """Topics are `<topic_prefix>/<node>/...`."""
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    """After one and a half times this the broker takes us for dead and says so."""
    homeassistant: bool = True
    """Announce devices and entities to Home Assistant, and repeat at its return what it may have missed."""
    discovery_prefix: _TopicPath = "homeassistant"
    """The discovery prefix set in Home Assistant."""

    @model_validator(mode="after")
    def _password_needs_name(self) -> Self:
        if self.password is not None and self.username is None:
            raise ValueError("password is given without username; give both")
        return self

    def build(self, node: str, on_command: OnCommand, clock: Clock) -> "MqttPublisher":
        """The publisher; nothing is opened yet."""
        return MqttPublisher(self, node, on_command, clock)

    def address(self, node: str, will_topic: str) -> Address:
        """Whom to connect to. Raises ConfigError when a certificate file cannot be used."""
        return Address(
            host=self.host,
            port=self.port or (8883 if self.tls else 1883),
            client_id=self.client_id or f"earwitness-{node}",
            will_topic=will_topic,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            tls=self.tls.context() if self.tls else None,
            keepalive_s=self.keepalive_s,
        )


class MqttPublisher:
    """See `Publisher`. Methods may be called from any thread; the network is the link's thread alone."""

    def __init__(self, config: MqttConfig, node: str, on_command: OnCommand, clock: Clock) -> None:
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
        self._connected = False
        self._presence = Presence()
        self._house_status = f"{config.discovery_prefix}/status"
        self._found_documents = f"{config.discovery_prefix}/device/+/config"
        discovery_prefix = config.discovery_prefix if config.homeassistant else None
        self._announcer = Announcer(self._outgoing, self.topics, discovery_prefix)
        self._lock = threading.Lock()
        self._lost_since: datetime | None = None
        self._told_not_ready = True
        self._read_back = False
        self._settled_at_s: float | None = None
        self._greet_at_s: float | None = None
        self._refusals_logged: set[str] = set()
        self._unheard_logged: set[str] = set()
        self._unsendable: set[str] = set()

    # -- what others call -------------------------------------------------------------------------------

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
        self._announcer.announce(house)
        self._wake()

    def ready(self) -> bool:
        """Connected, our documents read, and room in the window. Raises what stopped the link's
        thread, if something did: a bug, for which the daemon is to stop."""
        if self._link is not None:
            self._link.check()
        is_ready = self._may_send() and not self._outgoing.full()
        if not is_ready:
            self._told_not_ready = True
        return is_ready

    def lost_since(self) -> datetime | None:
        """See `Publisher`."""
        with self._lock:
            since, self._lost_since = self._lost_since, None
            return since

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
            case _:
                room = None if isinstance(message, Health) else self._announcer.rooms.get(message.source)
                for topic, payload, rank in said(message, room, self.topics):
                    self._outgoing.remember(topic, payload, rank)
        self._wake()

    # -- what the link calls ----------------------------------------------------------------------------

    def connected(self, session: Session) -> None:
        """See `Handler`."""
        session.subscribe(*self.topics.commands)
        if self._config.homeassistant:
            session.subscribe(self._house_status)
            self._house_may_be_back(self._presence.connected(self._clock.now()))
            if self._settled_at_s is None:
                self._settled_at_s = self._clock.monotonic_s() + SETTLE_S
            if not self._read_back:
                session.subscribe(self._found_documents)
        self._outgoing.say_all_again()
        self.connections += 1
        self._connected = True

    def received(self, message: Received) -> None:
        """See `Handler`."""
        if message.topic == self._house_status:
            self._hear_house(message)
        elif message.topic.startswith(f"{self._config.discovery_prefix}/device/"):
            if message.retained:
                self._announcer.found(message.topic, message.payload)
        else:
            command = self._commands.read(
                message.topic, message.payload, self._announcer.rooms, retained=message.retained
            )
            if command is not None:
                self._on_command(command)

    def acknowledged(self, news: Acknowledged) -> None:
        """See `Handler`."""
        publication = self._outgoing.done(news.number)
        if news.refused is not None:
            kind = "states" if publication is None else _kind(publication.message)
            self._log_refusal(kind, news.topic, news.refused)
            if publication is not None:
                publication.done(Refused(f"the broker refuses {kind}: {news.refused}"))
        elif publication is not None:
            kind = _kind(publication.message)
            self._refusals_logged.discard(kind)
            publication.done(self._unheard(publication) if news.unheard else DELIVERED)
            if not news.unheard:
                self._unheard_logged.discard(kind)

    def pump(self, session: Session) -> float:
        """See `Handler`."""
        now_s = self._clock.monotonic_s()
        if self._greet_at_s is not None and now_s >= self._greet_at_s:
            self._greet_at_s = None
            self._outgoing.say_all_again()
        if self._config.homeassistant and not self._read_back and self._may_send():
            self._read_back = True
            session.unsubscribe(self._found_documents)
        while session.room and (state := self._outgoing.next_state()):
            self._say_state(session, state)
        while session.room and self._may_send() and (publication := self._outgoing.next_publication()):
            self._send(session, publication)
        if self._told_not_ready and self._may_send() and not self._outgoing.full():
            self._told_not_ready = False
            self.on_ready()
        return self._next_s(now_s)

    def farewell(self, session: Session) -> None:
        """See `Handler`."""
        session.send(self.topics.status, b"offline", retain=True)

    def lost(self) -> None:
        """See `Handler`."""
        self._connected = False
        self._told_not_ready = True
        self._outgoing.take_back()

    def failed(self) -> None:
        """See `Handler`: `ready` will raise it."""
        self.on_ready()

    # -- how ---------------------------------------------------------------------------------------------

    def _may_send(self) -> bool:
        """Whether events and alerts are published now. Never withheld for Home Assistant: its status can be
        retained, forged or another one's, and others subscribe, too. What it may have missed is repeated."""
        now_s = self._clock.monotonic_s()
        settled = self._settled_at_s is None or now_s >= self._settled_at_s
        return self._connected and settled

    def _next_s(self, now_s: float) -> float:
        times_s = (self._greet_at_s, self._settled_at_s)
        return min((at_s - now_s for at_s in times_s if at_s is not None and at_s > now_s), default=1.0)

    def _say_state(self, session: Session, state: Statement) -> None:
        try:
            self._outgoing.state_sent(session.send(state.topic, state.payload, retain=True), state)
        except Unsendable as error:
            self._outgoing.settled()
            if state.topic not in self._unsendable:
                self._unsendable.add(state.topic)
                log.error("a state cannot be told over mqtt", topic=state.topic[:100], reason=str(error))

    def _send(self, session: Session, publication: Publication) -> None:
        now = self._clock.now()
        waited_s = self._clock.monotonic_s() - publication.handed_at_s
        late = publication.late or publication.sends > 0 or waited_s > LATE_AFTER_S
        topic = publication.topic
        if isinstance(publication.message, Alert):
            document = alert_document(publication.message.aged(waited_s), now, late=late)
        else:
            document = event_document(publication.message, now, late=late)
        try:
            self._outgoing.sent(_send_fitting(session, topic, document), publication)
        except TooLarge as error:
            self._outgoing.settled()
            self._log_too_large(topic, error)
            publication.done(Refused(str(error)))
        except Unsendable:
            # As in the sender: stopping for one message would silence the alarms behind it at every start.
            self._outgoing.settled()
            log.exception(
                "cannot be told over mqtt and is given up", id=publication.message.id, topic=topic[:100]
            )
            publication.done(DELIVERED)

    def _hear_house(self, message: Received) -> None:
        was_here = self._presence.here
        since = self._presence.heard(message.payload, self._clock.now(), retained=message.retained)
        if since is not None and self._greet_at_s is None:
            log.info("home assistant is back", publisher=self.name)
            self._greet_at_s = self._clock.monotonic_s() + random.uniform(*BIRTH_PAUSE_S)  # noqa: S311
            self._settled_at_s = self._greet_at_s + SETTLE_S
        self._house_may_be_back(since)
        if was_here and not self._presence.here:
            log.info(
                "home assistant has gone; alerts go out all the same and are repeated when it is back",
                publisher=self.name,
                retained=message.retained,
            )

    def _house_may_be_back(self, since: datetime | None) -> None:
        if since is None:
            return
        self._told_not_ready = True
        with self._lock:
            self._lost_since = min(since, self._lost_since or since)

    def _unheard(self, publication: Publication) -> Refused:
        """Nobody subscribes: kept for as long as the alert would ring, and published again."""
        kind, message = _kind(publication.message), publication.message
        if kind not in self._unheard_logged:
            self._unheard_logged.add(kind)
            fix = "is Home Assistant connected to this broker? they are kept and published again"
            log.warning(f"mqtt: nobody subscribes to {kind} of ours", topic=publication.topic, fix=fix)
        stale_after_s = message.stale_after_s if isinstance(message, Alert) else None
        return Refused(
            f"nobody subscribes to {publication.topic}", UNHEARD_S if stale_after_s is None else stale_after_s
        )

    def _log_too_large(self, topic: str, error: TooLarge) -> None:
        if topic not in self._unsendable:
            self._unsendable.add(topic)
            log.error("too large for the mqtt broker; it is kept", topic=topic, reason=str(error))

    def _log_refusal(self, kind: str, topic: str, reason: str) -> None:
        """Once for each kind of message, until one of it is taken."""
        if kind not in self._refusals_logged:
            self._refusals_logged.add(kind)
            topics = f"{self.topics.root}/# and {self._config.discovery_prefix}/device/#"
            fix = f"allow this user to write {topics} in the broker's access list; everything else goes on"
            log.warning(f"mqtt broker refuses {kind} of ours", topic=topic, reason=reason, fix=fix)

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()


def _send_fitting(session: Session, topic: str, document: dict[str, Any]) -> int:
    """Send a document; what the broker's limit leaves no room for is its grounds. Raises Unsendable."""
    try:
        return session.send(topic, encoded(document), retain=False)
    except TooLarge:
        left_out = {"why", "evidence"}
        short = {key: value for key, value in document.items() if key not in left_out}
        return session.send(topic, encoded(short), retain=False)


def _kind(message: SoundEvent | Alert) -> str:
    return "alerts" if isinstance(message, Alert) else "events"
