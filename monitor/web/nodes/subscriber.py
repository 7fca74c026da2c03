"""Reads what every node publishes, in a thread of its own that never publishes anything."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event, Lock
from typing import Self

from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.publishers.mqtt.connection import Connection
from monitor.publishers.mqtt.news import Acknowledged, Denied, Received
from monitor.publishers.mqtt.options import MqttOptions
from monitor.publishers.mqtt.session import Session
from monitor.web.nodes.ledger import Ledger, Node, NodeState

log = get_logger()

BURST = 30_000
"""Messages that are read at once: what a broker has kept of 1,000 nodes with ten rooms each."""
PER_S = 1000.0
"""After that they are read at this pace, and the broker keeps or drops what is more: 1,000 busy homes publish
400 a second (docs/guides/scale.md), and a flood must not take the processor from the microphones."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known at a moment."""

    connected: bool
    since: datetime
    """When the broker took or lost us; before that, when we began."""
    reason: str
    """What keeps us from reading; empty while nothing does."""
    left_out: int
    """Messages of nodes beyond the most that are kept."""
    revision: int
    count: int
    """Nodes that are known."""
    nodes: tuple[tuple[Node, NodeState], ...]
    """Those that have changed."""


class NodeSubscriber:
    """Listens inside the `with` block. `seen` may be called from any thread; the rest is the link's."""

    def __init__(self, broker: MqttOptions, roots: Sequence[str], node: str, clock: Clock) -> None:
        self._broker, self._node, self._clock = broker, node, clock
        self._lock = Lock()
        self._ledger = Ledger(roots or (f"{broker.topic_prefix}/+",), clock.now())
        self._link: Connection | None = None
        self._connected = False
        self._since = clock.now()
        self._denied: set[str] = set()
        self._fault = ""
        self._credit, self._credited_at_s = float(BURST), clock.monotonic_s()
        self._pause = Event()

    def __enter__(self) -> Self:
        own = self._broker.address(self._node, "")
        address = replace(own, client_id=f"{own.client_id}-nodes", will_topic=None)
        self._link = Connection(address, self, self._broker.protocol)
        self._link.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._pause.set()
        if self._link is not None:
            self._link.stop()

    def seen(self, after: int = 0) -> Seen:
        """What has changed since that revision; all of it after 0."""
        with self._lock:
            now = self._clock.now()
            changed = tuple((_copy(node), node.state(now)) for node in self._ledger.changed(after, now))
            return Seen(
                connected=self._connected,
                since=self._since,
                reason=self._fault or ", ".join(sorted(self._denied)),
                left_out=self._ledger.ignored["more nodes than are kept"],
                revision=self._ledger.revision,
                count=len(self._ledger),
                nodes=changed,
            )

    def connected(self, session: Session) -> None:
        """See `Handler`."""
        with self._lock:
            self._denied.clear()
            self._turn(connected=True)
        session.subscribe(*self._ledger.filters)

    def received(self, message: Received) -> None:
        """See `Handler`; but a flood is waited for, which the broker notices."""
        with self._lock:
            self._ledger.note(message.topic, message.payload, self._clock.now(), retained=message.retained)
        if not self._has_credit():
            self._pause.wait(1 / PER_S)

    def denied(self, news: Denied) -> bool:
        """See `Handler`."""
        with self._lock:
            self._denied.add(f"the broker does not let us read {news.topic_filter}")
        return True

    def acknowledged(self, news: Acknowledged) -> None:
        """See `Handler`: nothing is published."""

    def pump(self, session: Session) -> float:
        """See `Handler`: nothing waits."""
        return 1.0

    def farewell(self, session: Session) -> None:
        """See `Handler`: nobody has to know."""

    def lost(self) -> None:
        """See `Handler`."""
        with self._lock:
            self._turn(connected=False)

    def failed(self) -> None:
        """See `Handler`: the page is for looking, and everything else goes on."""
        with self._lock:
            self._turn(connected=False)
            self._fault = "stopped by a bug, which the log has; a restart brings it back"
        try:
            if self._link is not None:
                self._link.check()
        except BaseException:
            log.exception("other nodes are no longer read; everything else goes on")

    def _turn(self, *, connected: bool) -> None:
        self._connected, self._since = connected, self._clock.now()

    def _has_credit(self) -> bool:
        now_s = self._clock.monotonic_s()
        self._credit = min(float(BURST), self._credit + PER_S * (now_s - self._credited_at_s)) - 1
        self._credited_at_s = now_s
        if self._credit >= 0:
            return True
        self._credit = 0.0
        return False


def _copy(node: Node) -> Node:
    """As it is now; the link goes on with the other."""
    rooms = {name: replace(room) for name, room in node.rooms.items()}
    return replace(node, rooms=rooms, last=type(node.last)(map(replace, node.last), node.last.maxlen))
