"""Whether what was sent was also delivered: over MQTT 3.1.1 or with QoS 0 everything, else the silent tests
of the broker alone. Decisions; no sockets.

A broker of that version acknowledges what its access list or its size limit throws away, and with QoS 0
nothing is acknowledged. So we subscribe to what we publish: what comes back has been delivered. Over MQTT 5
with QoS 1 a broker gives its reasons instead.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from monitor.publishers.mqtt.topics import Topics

ECHO_S = 5.0
"""How long after its acknowledgement a message may take to come back: a round trip, on a busy broker."""

EchoResult = Literal["delivered", "missing", "unproven"]


@dataclass(slots=True)
class _Awaited:
    """One message on its way out and back."""

    topic: str
    payload: bytes
    has_come_back: bool = False
    due_at_s: float | None = None
    """When it is missing; None until it is acknowledged."""


class Echo:
    """Follows events and alerts by the number that the connection gave them. One thread."""

    def __init__(self, topics: Topics) -> None:
        self._alert, self._event, self._chain = topics.alert, topics.event("+"), topics.chain
        self.active = False
        self.proven = False
        """Whether anything of ours has come back on this connection."""
        self._denied: set[str] = set()
        self._awaited: dict[int, _Awaited] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        """Where what was sent comes back."""
        return (self._alert, self._event, self._chain) if self.active else (self._chain,)

    def begin(self, *, active: bool) -> None:
        """A new connection."""
        self.active, self.proven = active, False
        self._denied.clear()
        self._awaited.clear()

    def denied(self, topic_filter: str) -> None:
        """The broker does not let us listen there: nothing can be proven."""
        self._denied.add(topic_filter)

    def sent(self, number: int, topic: str, payload: bytes) -> None:
        """A message is on its way."""
        if self.active or topic == self._chain:
            self._awaited[number] = _Awaited(topic, payload)

    def awaits(self, number: int) -> bool:
        """Whether that message is to come back."""
        return number in self._awaited

    def refused(self, number: int) -> None:
        """The broker has not taken it: it will not come back."""
        self._awaited.pop(number, None)

    def acknowledged(self, number: int, now_s: float) -> EchoResult | None:
        """The broker has taken it: what became of it, or None while that is open."""
        awaited = self._awaited.get(number)
        if awaited is None or awaited.has_come_back:
            self._awaited.pop(number, None)
            return "delivered"
        if self._filter_of(awaited.topic) in self._denied:
            del self._awaited[number]
            return "unproven"
        awaited.due_at_s = now_s + ECHO_S
        return None

    def came_back(self, topic: str, payload: bytes) -> int | None:
        """A message on one of our topics: the number of the one that is delivered by it, if it is."""
        for number, awaited in self._awaited.items():
            if awaited.topic == topic and awaited.payload == payload and not awaited.has_come_back:
                self.proven = awaited.has_come_back = True
                return self._settled(number) if awaited.due_at_s is not None else None
        return None

    def overdue(self, now_s: float) -> Iterable[tuple[int, EchoResult]]:
        """Those that should be back by now. An alert counts as lost. So does an event where anything at all
        has come back; where nothing does, we may just not be allowed to read, and events would pile up."""
        for number, awaited in self._due(now_s):
            lost = self.proven or awaited.topic in (self._alert, self._chain)
            yield number, "missing" if lost else "unproven"

    def _filter_of(self, topic: str) -> str:
        return topic if topic in (self._alert, self._chain) else self._event

    def _due(self, now_s: float) -> Iterator[tuple[int, _Awaited]]:
        due = {number: each.due_at_s for number, each in self._awaited.items()}
        for number in [each for each, at_s in due.items() if at_s is not None and now_s >= at_s]:
            yield number, self._awaited.pop(number)

    def _settled(self, number: int) -> int:
        del self._awaited[number]
        return number


class StateEcho(Echo):
    """The same for states that a limit of size could swallow. Each topic is subscribed to by itself, before
    the first state that is sent there on a connection."""

    def __init__(self, topics: Topics) -> None:
        super().__init__(topics)
        self._asked: set[str] = set()

    def begin(self, *, active: bool) -> None:
        """See `Echo`."""
        super().begin(active=active)
        self._asked.clear()

    def asks(self, topic: str) -> bool:
        """Whether the topic is to be subscribed to now."""
        is_new = topic not in self._asked
        self._asked.add(topic)
        return is_new

    def follows(self, topic: str) -> bool:
        """Whether what comes from this topic is an echo."""
        return topic in self._asked

    def expects(self, topic: str, payload: bytes) -> bool:
        """Whether this is one of ours that has not come back yet."""
        return any(
            (each.topic, each.payload, each.has_come_back) == (topic, payload, False)
            for each in self._awaited.values()
        )

    def lost(self, now_s: float) -> Iterable[tuple[str, bytes]]:
        """Topics and payloads that should be back by now."""
        return [(awaited.topic, awaited.payload) for _, awaited in self._due(now_s)]

    def _filter_of(self, topic: str) -> str:
        return topic
