"""What the broker does not take of ours, and that it takes it again: logged once for each kind, and kept for
the health report."""

import threading
from typing import Literal

from monitor.logs import get_logger
from monitor.publishers.mqtt.news import Terms, TooLarge, Unsendable
from monitor.publishers.mqtt.topics import Topics
from monitor.types import Alert, SoundEvent

log = get_logger()

MessageKind = Literal["alerts", "events", "states", "tests"]
StateKind = Literal["documents", "pictures", "long states"]
_NOT_TAKEN = ("refused", "unheard", "vanished")
_UNPROVEN = "unproven"
_NO_RETAIN, _NO_QOS = "no retain", "no qos"


class Complaints:
    """Each is logged once, until all topics that it was about are taken. `notes` from any thread; the rest
    from one."""

    def __init__(self, publisher: str, topics: Topics, discovery_prefix: str) -> None:
        self._publisher = publisher
        self._root = topics.root
        self._ours = f"{topics.root}/# and {discovery_prefix}/device/#"
        self._logged: dict[tuple[str, str], set[str]] = {}
        """The topics of each complaint that was logged and is not over."""
        self._lock = threading.Lock()
        self._notes: dict[tuple[str, str], str] = {}

    def notes(self) -> dict[str, str]:
        """What is wrong now, for people: by publisher and kind."""
        with self._lock:
            return {f"{self._publisher}: {kind}": text for (_, kind), text in self._notes.items()}

    @property
    def refused_topics(self) -> frozenset[str]:
        """What the broker's policy keeps us from publishing on."""
        each = (topics for (complaint, _), topics in self._logged.items() if complaint == "refused")
        return frozenset().union(*each)

    def taken(self, kind: MessageKind, topic: str) -> None:
        """One of them has arrived."""
        over = [self._end(complaint, kind, topic) for complaint in _NOT_TAKEN]
        if any(over):
            log.info(f"mqtt broker accepts {kind} of ours again", topic=topic)

    def asked_less(self, terms: Terms) -> None:
        """What the broker takes on this connection."""
        if terms.retain:
            self._end(_NO_RETAIN, "states")
        elif self._is_new(_NO_RETAIN, "states", note="the broker keeps no states (no retained messages)"):
            fix = (
                "allow retained messages in the broker (mosquitto: `retain_available true`); until then "
                "states are published when they change, at every connection and when Home Assistant starts"
            )
            log.warning("mqtt broker keeps no retained messages", fix=fix)
        if terms.qos:
            self._end(_NO_QOS, "alerts")
        elif self._is_new(_NO_QOS, "alerts", note="the broker accepts only QoS 0 and acknowledges nothing"):
            fix = (
                "allow QoS 1 in the broker (mosquitto: `max_qos 1`); until then an alert counts as delivered "
                "when it has come back from the broker"
            )
            log.warning("mqtt broker accepts only QoS 0", fix=fix)

    def refused(self, kind: MessageKind, topic: str, reason: str) -> None:
        """The broker's policy."""
        if self._is_new("refused", kind, topic, f"the broker refuses {kind}: {reason}"):
            fix = (
                f"allow this user to write {self._ours} in the broker's access list; everything else goes on"
            )
            log.warning(f"mqtt broker refuses {kind} of ours", topic=topic, reason=reason, fix=fix)

    def vanished(self, kind: MessageKind, topic: str) -> None:
        """Sent over 3.1.1 or with QoS 0, and did not come back."""
        if self._is_new("vanished", kind, topic, f"the broker accepts {kind} and does not deliver them"):
            fix = (
                f"allow this user to write and read {self._root}/# in the broker's access list; "
                "they are kept and published again"
            )
            log.warning(f"mqtt broker accepts {kind} of ours and delivers none", topic=topic, fix=fix)

    def swallows(self, topic: str, size_bytes: int) -> None:
        """A document was acknowledged over 3.1.1 or sent with QoS 0, and did not come back: it is split."""
        if self._is_new("swallows", "documents", topic):
            fix = "raise message_size_limit of the broker, or use MQTT 5; until then documents are split"
            log.warning(
                "mqtt broker drops long messages without a report",
                topic=topic,
                size_bytes=size_bytes,
                fix=fix,
            )

    def swallowed(self, kind: StateKind, topic: str, size_bytes: int) -> None:
        """The same of what cannot be split."""
        found = f"the broker accepts {kind} and does not deliver them (one of {size_bytes} bytes)"
        if self._is_new("swallowed", kind, topic, found):
            fix = (
                "raise message_size_limit of the broker, or allow this user to write and read "
                f"{self._ours} in its access list"
            )
            log.warning(f"mqtt broker accepts {kind} of ours and delivers none", topic=topic, fix=fix)

    def arrived(self, kind: StateKind, topic: str) -> None:
        """One that was read back."""
        if self._end("swallowed", kind, topic):
            log.info(f"mqtt broker delivers {kind} of ours again", topic=topic)

    def unproven(self, kind: MessageKind, topic: str) -> None:
        """Nobody can know whether it was delivered."""
        text = f"delivery of {kind} is unproven: over MQTT 3.1.1, or with QoS 0, we must read what we publish"
        if self._is_new(_UNPROVEN, kind, topic, text):
            fix = (
                f"allow this user to read {self._root}/# in the broker's access list, or use MQTT 5 and QoS 1"
            )
            log.warning(f"mqtt delivery of {kind} cannot be proven", topic=topic, fix=fix)

    def proven(self, kind: MessageKind, topic: str) -> None:
        """What was published came back."""
        if self._end(_UNPROVEN, kind, topic):
            log.info(f"mqtt delivery of {kind} is proven again", topic=topic)

    def unheard(self, kind: MessageKind, topic: str) -> None:
        """Nobody subscribes."""
        if self._is_new("unheard", kind, topic):
            fix = "is Home Assistant connected to this broker? they are kept and published again"
            log.warning(f"mqtt: nobody subscribes to {kind} of ours", topic=topic, fix=fix)

    def too_large(self, topic: str, error: TooLarge) -> None:
        """More than the broker's packets may hold."""
        if self._is_new("too large", topic, note=f"too large for the broker: {error}"):
            log.error("too large for the mqtt broker; it is kept", topic=topic, reason=str(error))

    def hung_up_on(self, topic: str, size_bytes: int, limit_bytes: int | None) -> None:
        """The broker ended the connection twice on it."""
        found = f"the broker closes the connection at a message of {size_bytes} bytes to {topic}"
        if limit_bytes is not None and size_bytes > limit_bytes:
            fix = f"none is larger than {limit_bytes} bytes from now on; raise max_packet_size of the broker"
        else:
            fix = "it is set aside for an hour, all else goes on; see the broker's log for what it minds"
        if self._is_new("hung up", topic, note=f"{found}; {fix}"):
            log.error(
                "mqtt broker closes the connection at a message", topic=topic, size_bytes=size_bytes, fix=fix
            )

    def unsendable(self, topic: str, error: Unsendable) -> None:
        """A state that MQTT cannot carry, or this broker will not."""
        if self._is_new("unsendable", topic):
            log.error("a state cannot be published over mqtt", topic=topic[:100], reason=str(error))

    def _is_new(self, complaint: str, kind: str, topic: str = "", note: str | None = None) -> bool:
        """Whether the complaint is to be logged. `kind` is what it is about: a kind, else a topic."""
        key = (complaint, kind)
        if note is not None:
            with self._lock:
                self._notes[key] = note
        is_new = key not in self._logged
        self._logged.setdefault(key, set()).add(topic)
        return is_new

    def _end(self, complaint: str, kind: str, topic: str = "") -> bool:
        """The topic is well: whether that ends the complaint."""
        topics = self._logged.get((complaint, kind))
        if topics is None:
            return False
        topics.discard(topic)
        if topics:
            return False
        del self._logged[complaint, kind]
        with self._lock:
            self._notes.pop((complaint, kind), None)
        return True


def kind_of(message: SoundEvent | Alert) -> MessageKind:
    """What people call it."""
    if isinstance(message, Alert):
        return "tests" if message.is_chain_test else "alerts"
    return "events"
