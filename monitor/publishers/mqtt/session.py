"""One connection to an MQTT broker, from CONNECT to its end; everything of paho is in here.

paho's own loop calls back while it holds its locks, and resends on its own what we must know to be late.
So sockets are waited for here, callbacks only take notes, and every connection is a new client.
"""

import selectors
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, Any, Literal

from monitor.publishers.mqtt.inbound import LARGEST_PACKET_BYTES, PacketLimit
from monitor.publishers.mqtt.news import (
    Accepted,
    Acknowledged,
    Address,
    Denied,
    Ended,
    MqttVersion,
    News,
    Received,
    Terms,
    TooLarge,
    Unsendable,
    packet_bytes,
)

if TYPE_CHECKING:
    from paho.mqtt.client import Client

CONNECT_TIMEOUT_S = 3.0
IN_FLIGHT = 20
"""Messages on their way at once: what mosquitto takes by default before it hangs up on us."""

ASKED_AFTER_S = 5.0
"""A broker that owes an acknowledgement for so long is asked whether it is still there, and again after as
long: what stands between may keep open a connection whose other end is gone."""
_NO_TOPIC = "earwitness/is-anybody-there"
"""Never subscribed to: a broker answers a request to unsubscribe all the same, whatever its access list."""
_SUCCESS_BELOW = 0x80
_PACKET_TOO_LARGE = 0x95
_NO_MATCHING_SUBSCRIBERS = 0x10
_UNSPECIFIED = 128
_UNSUPPORTED_VERSION = 132
_BAD_CLIENT_ID = 133
_SESSION_TAKEN_OVER = 142
_NO_RETAIN = 154
_NO_QOS = 155
_REFUSED = frozenset({_BAD_CLIENT_ID, 134, 135, 138, 140})
"""Client id, user name or password, not authorized, banned, authentication method."""

_FULL_TERMS = Terms()


class Session:
    """One client, one connection, one thread. `open` once, then `step` until it returns `Ended`."""

    def __init__(self, address: Address, version: MqttVersion, terms: Terms = _FULL_TERMS) -> None:
        self.accepted = False
        self._address = address
        self.version: MqttVersion = version
        self._news: list[News] = []
        self._in_flight: dict[int, str] = {}
        self._asked: dict[int, tuple[str, ...]] = {}
        self._most_in_flight = IN_FLIGHT
        self.largest_packet: int | None = None
        """In bytes, as the broker says, or as it was found out; None: any."""
        self.terms = terms
        """What the broker takes, as it says once it has accepted us."""
        self._client: Client | None = None
        self._selector = selectors.DefaultSelector()
        self._last_heard_s = 0.0
        self._asked_at_s: float | None = None
        """Since when the broker owes an answer to the question whether it is there."""
        self._answered_at_s = 0.0

    def open(self, bell: socket.socket) -> None:
        """Connect; `bell` wakes `step` when it becomes readable. Blocks up to 3 s for the network; raises
        OSError when nobody is there or its certificate is not to be trusted."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        is_5 = self.version == "5"
        client = self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._address.client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
            clean_session=None if is_5 else True,
            reconnect_on_failure=False,
        )
        self._introduce(client)
        more: dict[str, Any] = {"clean_start": True, "properties": _connect_properties()} if is_5 else {}
        # Private, for paho has no bound of its own; a test measures that it holds.
        client._sock_recv = PacketLimit(client._sock_recv)  # type: ignore[method-assign, assignment]
        client.connect(self._address.host, self._address.port, self._address.keepalive_s, **more)
        connection = client.socket()
        assert connection is not None
        # Nagle's algorithm and delayed acknowledgements would wait 40 ms for one another (measured).
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # type: ignore[attr-defined]
        self._selector.register(connection, selectors.EVENT_READ)
        self._selector.register(bell, selectors.EVENT_READ)

    def _introduce(self, client: "Client") -> None:
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(IN_FLIGHT)
        if self._address.will_topic is not None:
            client.will_set(self._address.will_topic, "offline", qos=self.terms.qos, retain=self.terms.retain)
        if self._address.username is not None:
            client.username_pw_set(self._address.username, self._address.password)
        if self._address.tls is not None:
            client.tls_set_context(self._address.tls)
            client.tls_insecure_set(not self._address.tls.check_hostname)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_disconnect = self._on_disconnect

    @property
    def room(self) -> int:
        """How many more messages may be on their way now."""
        return self._most_in_flight - len(self._in_flight) if self.accepted else 0

    @property
    def idle(self) -> bool:
        """Whether everything sent has been acknowledged."""
        return not self._in_flight

    @property
    def unacknowledged_s(self) -> float:
        """How long the broker has owed us an acknowledgement without giving any."""
        return time.monotonic() - self._last_heard_s if self._in_flight else 0.0

    @property
    def unanswered_s(self) -> float:
        """How long the broker has not answered the question whether it is there; 0 where it was not asked."""
        return 0.0 if self._asked_at_s is None else time.monotonic() - self._asked_at_s

    def send(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """Publish, with QoS 1 if the broker takes it: the number that `Acknowledged` will carry. With QoS 0
        that comes at once, and proves nothing. Raises Unsendable."""
        assert self._client is not None
        size = packet_bytes(topic, payload)
        if self.largest_packet is not None and size > self.largest_packet:
            raise TooLarge(f"{size} bytes, and the broker takes {self.largest_packet} (max_packet_size)")
        if not self._in_flight:
            self._last_heard_s = time.monotonic()
        try:
            retained = retain and self.terms.retain
            number = self._client.publish(topic, payload, qos=self.terms.qos, retain=retained).mid
        except ValueError as error:  # UnicodeEncodeError among them
            raise Unsendable(str(error)) from error
        if self.terms.qos:
            self._in_flight[number] = topic
        else:
            self._news.append(Acknowledged(number, None, topic))
        return number

    def subscribe(self, *filters: str) -> None:
        """Ask for messages; retained ones follow."""
        assert self._client is not None
        number = self._client.subscribe([(each, 1) for each in filters])[1]
        if number is not None:
            self._asked[number] = filters

    def unsubscribe(self, *filters: str) -> None:
        """Ask for no more of them."""
        assert self._client is not None
        self._client.unsubscribe(list(filters))

    def step(self, bell: socket.socket, timeout_s: float) -> list[News]:
        """Wait for the network or the bell, handle what came, and return the news."""
        from paho.mqtt import MQTTException

        try:
            self._wait(bell, 0.0 if self._news else timeout_s)
            self._ask_whether_it_is_there()
        except (MQTTException, ValueError, LookupError, struct.error) as error:
            # paho's decoders raise these on a packet that is not MQTT.
            self._news.append(Ended(self._lost(), f"not understood ({type(error).__name__})"))
        news, self._news = self._news, []
        return news

    def _wait(self, bell: socket.socket, timeout_s: float) -> None:
        client = self._client
        assert client is not None
        connection = client.socket()
        if connection is None:
            self._news.append(Ended("lost", "connection closed"))
            return
        writing = selectors.EVENT_WRITE if client.want_write() else 0
        self._selector.modify(connection, selectors.EVENT_READ | writing)
        pending = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        ready = dict.fromkeys(key.fileobj for key, _ in self._selector.select(0 if pending else timeout_s))
        if bell in ready:
            bell.recv(4096)
        if writing:
            client.loop_write()
        if pending or connection in ready:
            client.loop_read()
        client.loop_misc()

    def _ask_whether_it_is_there(self) -> None:
        """Not by a ping, of which paho sends its own and minds others."""
        now_s = time.monotonic()
        is_due = min(self.unacknowledged_s, now_s - self._answered_at_s) > ASKED_AFTER_S
        if is_due and self._asked_at_s is None and self.accepted:
            self._asked_at_s = now_s
            self.unsubscribe(_NO_TOPIC)

    def leave(self) -> None:
        """Say goodbye, so that the broker does not speak the will."""
        assert self._client is not None
        if self._client.socket() is not None:
            self._client.on_disconnect = None
            self._client.disconnect()

    def close(self) -> None:
        """Close the socket. Without `leave` before, the broker publishes our last will."""
        self._selector.close()
        if self._client is not None and (connection := self._client.socket()) is not None:
            connection.close()

    def _lost(self) -> Literal["hung up", "lost"]:
        """A connection that ends before it was accepted may do so for the version it spoke."""
        return "lost" if self.accepted else "hung up"

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.value < _SUCCESS_BELOW:
            self.accepted = True
            self._most_in_flight = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))
            self.largest_packet = getattr(properties, "MaximumPacketSize", None)
            retains = bool(getattr(properties, "RetainAvailable", 1))
            qos: Literal[0, 1] = 1 if getattr(properties, "MaximumQoS", 1) else 0
            self.terms = Terms(self.terms.retain and retains, min(self.terms.qos, qos))
            self._news.append(Accepted())
        elif reason.value == _UNSUPPORTED_VERSION:
            self._news.append(Ended("version", str(reason)))
        elif reason.value == _NO_RETAIN and self.terms.retain:
            self._news.append(Ended("retain", str(reason)))
        elif reason.value == _NO_QOS and self.terms.qos:
            self._news.append(Ended("qos", str(reason)))
        elif reason.value == _BAD_CLIENT_ID:
            fix = "set `client_id` of the mqtt publisher to one that this broker takes"
            self._news.append(Ended("refused", str(reason), fix))
        else:
            self._news.append(Ended("refused" if reason.value in _REFUSED else "lost", str(reason)))

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        self._news.append(Received(message.topic, bytes(message.payload), bool(message.retain)))

    def _on_publish(self, client: Any, data: Any, number: int, reason: Any, properties: Any) -> None:
        self._last_heard_s = time.monotonic()
        self._asked_at_s = None
        if not self.terms.qos:
            return  # paho calls for every message that it has written; `send` has reported it
        topic = self._in_flight.pop(number, "")
        refused = str(reason) if reason.value >= _SUCCESS_BELOW else None
        too_large, unheard = reason.value == _PACKET_TOO_LARGE, reason.value == _NO_MATCHING_SUBSCRIBERS
        self._news.append(Acknowledged(number, refused, topic, too_large, unheard))

    def _on_unsubscribe(self, client: Any, data: Any, number: int, reasons: Any, properties: Any) -> None:
        self._asked_at_s, self._answered_at_s = None, time.monotonic()

    def _on_subscribe(self, client: Any, data: Any, number: int, reasons: Any, properties: Any) -> None:
        answers = zip(self._asked.pop(number, ()), reasons, strict=False)
        self._news += [Denied(str(why), asked) for asked, why in answers if why.value >= _SUCCESS_BELOW]

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.value == _SESSION_TAKEN_OVER:
            fix = "another client uses the same client id; give each daemon its own node"
        elif not self.accepted and self._address.tls is None:
            fix = "it hung up without accepting us; does this port expect TLS?"
        else:
            fix = "the connection broke" if reason.value == _UNSPECIFIED else str(reason)
        self._news.append(Ended(self._lost(), fix))


def _connect_properties() -> Any:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = LARGEST_PACKET_BYTES
    return properties
