"""Over MQTT 3.1.1 or with QoS 0: states that the broker swallows for their length. Decisions; no sockets.

mosquitto's `message_size_limit` acknowledges a document or picture that is too long, and throws it away. So
what is long is read back. A document that does not come back sets a limit, and is split; a state that cannot
be split is a complaint.
"""

from monitor.publishers.mqtt.acceptance.complaints import Complaints, StateKind
from monitor.publishers.mqtt.acceptance.echo import StateEcho
from monitor.publishers.mqtt.acceptance.suspects import SMALL_BYTES, Suspects
from monitor.publishers.mqtt.news import packet_bytes
from monitor.publishers.mqtt.topics import Topics


class SwallowedStates:
    """Follows long states, and all discovery documents: whether any comes back shows that we may read them.
    One thread."""

    def __init__(
        self, topics: Topics, discovery_prefix: str, suspects: Suspects, complaints: Complaints
    ) -> None:
        self.echo = StateEcho(topics)
        self._documents = f"{discovery_prefix}/device/"
        self._suspects = suspects
        self._complaints = complaints
        self._largest_back_bytes = 0
        self._has_found_limit = self._is_blind = False

    def watches(self, topic: str, payload: bytes) -> bool:
        """Whether a state that is about to be sent is read back."""
        if not self.echo.active or not payload:
            return False
        return topic.startswith(self._documents) or packet_bytes(topic, payload) > SMALL_BYTES

    def came_back(self, topic: str, payload: bytes) -> None:
        """A message on a topic that is followed."""
        if not self.echo.expects(topic, payload):
            return  # what the broker has kept, or somebody else's words
        self.echo.came_back(topic, payload)
        self._is_blind = False
        self._largest_back_bytes = max(self._largest_back_bytes, packet_bytes(topic, payload))
        self._complaints.arrived(self._kind(topic), topic)

    def review(self, now_s: float) -> None:
        """What should be back by now."""
        for topic, payload in self.echo.lost(now_s):
            self._missing(topic, packet_bytes(topic, payload))

    def _missing(self, topic: str, size_bytes: int) -> None:
        kind = self._kind(topic)
        limit_bytes = self._suspects.limit_bytes
        if kind == "documents" and not self._is_blind and size_bytes > SMALL_BYTES:
            if limit_bytes is None or size_bytes <= limit_bytes:
                self._suspects.limit_bytes = max(self._largest_back_bytes, size_bytes // 2, SMALL_BYTES)
                self._has_found_limit = True
                self._complaints.swallows(topic, size_bytes)
            return
        if kind == "documents" and not self.echo.proven:
            # None of any size has come back: it is not the size.
            self._is_blind = True
            if self._has_found_limit:
                self._has_found_limit, self._suspects.limit_bytes = False, None
        self._complaints.swallowed(kind, topic, size_bytes)

    def _kind(self, topic: str) -> StateKind:
        if topic.startswith(self._documents):
            return "documents"
        return "pictures" if topic.endswith("/image") else "long states"
