"""What the broker does not take of ours: logged once for each kind, and kept for the health report."""

import threading
from typing import Literal

from monitor.logs import get_logger
from monitor.publishers.mqtt.news import TooLarge, Unsendable
from monitor.publishers.mqtt.topics import Topics
from monitor.types import Alert, SoundEvent

log = get_logger()

Kind = Literal["alerts", "events", "states"]
_UNPROVEN = "unproven"


class Complaints:
    """Each is logged once, until one of its kind is taken. `notes` from any thread."""

    def __init__(self, publisher: str, topics: Topics, discovery_prefix: str) -> None:
        self._publisher = publisher
        self._root = topics.root
        self._ours = f"{topics.root}/# and {discovery_prefix}/device/#"
        self._logged: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._notes: dict[tuple[str, str], str] = {}

    def notes(self) -> dict[str, str]:
        """What is wrong now, for people: by publisher and kind."""
        with self._lock:
            return {f"{self._publisher}: {kind}": text for (_, kind), text in self._notes.items()}

    def taken(self, kind: Kind) -> None:
        """One of them has arrived."""
        for complaint in ("refused", "unheard", "vanished"):
            self._end(complaint, kind)

    def refused(self, kind: Kind, topic: str, reason: str) -> None:
        """The broker's policy."""
        if self._is_new("refused", kind, f"the broker refuses {kind}: {reason}"):
            fix = (
                f"allow this user to write {self._ours} in the broker's access list; everything else goes on"
            )
            log.warning(f"mqtt broker refuses {kind} of ours", topic=topic, reason=reason, fix=fix)

    def vanished(self, kind: Kind, topic: str) -> None:
        """Acknowledged over 3.1.1, and did not come back."""
        if self._is_new("vanished", kind, f"the broker acknowledges {kind} and does not deliver them"):
            fix = (
                f"allow this user to write and read {self._root}/# in the broker's access list; "
                "they are kept and published again"
            )
            log.warning(f"mqtt broker acknowledges {kind} of ours and delivers none", topic=topic, fix=fix)

    def unproven(self, kind: Kind, topic: str) -> None:
        """Nobody can know whether it was delivered."""
        text = f"delivery of {kind} is unproven: over MQTT 3.1.1 we must read what we publish"
        if self._is_new(_UNPROVEN, kind, text):
            fix = f"allow this user to read {self._root}/# in the broker's access list, or use MQTT 5"
            log.warning(f"mqtt delivery of {kind} cannot be proven", topic=topic, fix=fix)

    def proven(self, kind: Kind) -> None:
        """What was published came back."""
        self._end(_UNPROVEN, kind)

    def unheard(self, kind: Kind, topic: str) -> None:
        """Nobody subscribes."""
        if self._is_new("unheard", kind):
            fix = "is Home Assistant connected to this broker? they are kept and published again"
            log.warning(f"mqtt: nobody subscribes to {kind} of ours", topic=topic, fix=fix)

    def too_large(self, topic: str, error: TooLarge) -> None:
        """More than the broker's packets may hold."""
        if self._is_new("too large", topic, f"too large for the broker: {error}"):
            log.error("too large for the mqtt broker; it is kept", topic=topic, reason=str(error))

    def hung_up_on(self, topic: str, size_bytes: int, limit_bytes: int | None) -> None:
        """The broker ended the connection twice on it."""
        found = f"the broker hangs up on a message of {size_bytes} bytes to {topic}"
        if limit_bytes is not None and size_bytes > limit_bytes:
            fix = f"none is larger than {limit_bytes} bytes from now on; raise max_packet_size of the broker"
        else:
            fix = "it is set aside for an hour, all else goes on; see the broker's log for what it minds"
        if self._is_new("hung up", topic, f"{found}; {fix}"):
            log.error("mqtt broker hangs up on a message", topic=topic, size_bytes=size_bytes, fix=fix)

    def unsendable(self, topic: str, error: Unsendable) -> None:
        """A state that MQTT cannot carry, or this broker will not."""
        if self._is_new("unsendable", topic):
            log.error("a state cannot be told over mqtt", topic=topic[:100], reason=str(error))

    def _is_new(self, complaint: str, kind: str, note: str | None = None) -> bool:
        key = (complaint, kind)
        if note is not None:
            with self._lock:
                self._notes[key] = note
        if key in self._logged:
            return False
        self._logged.add(key)
        return True

    def _end(self, complaint: str, kind: str) -> None:
        self._logged.discard((complaint, kind))
        if self._notes:
            with self._lock:
                self._notes.pop((complaint, kind), None)


def kind_of(message: SoundEvent | Alert) -> Kind:
    """What people call it."""
    return "alerts" if isinstance(message, Alert) else "events"
