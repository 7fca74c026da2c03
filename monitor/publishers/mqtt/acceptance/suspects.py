"""Which message a broker hangs up on. Decisions; no sockets.

A broker may end the connection for a packet that is too large (MQTT 3.1.1 has no other answer) or for a topic
that it forbids. The same message would then end every connection, and nothing else would be delivered.
"""

from collections.abc import Hashable
from dataclasses import dataclass

ASIDE_S = 3600.0
"""How long what ended the connection twice is not sent. Shorter: it interrupts everything more often."""
SMALL_BYTES = 1500
"""Hardly a broker's limit is lower: a message of this size is refused for something else, as its topic."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way."""

    key: Hashable
    """The same for the same message on the next connection."""
    topic: str
    size_bytes: int


class Suspects:
    """After a connection ended, everything that was on its way is suspected and sent alone, one by one. What
    is on its way alone when the next one ends is guilty: too large, or it is set aside. One thread."""

    def __init__(self) -> None:
        self.limit_bytes: int | None = None
        """The largest packet that the broker seems to take; None while nothing speaks for a limit."""
        self._on_the_way: dict[int, Sent] = {}
        self._suspected: set[Hashable] = set()
        self._aside_until_s: dict[Hashable, float] = {}
        self._largest_taken_bytes = 0

    @property
    def one_by_one(self) -> bool:
        """Whether one message is to be sent at a time."""
        return bool(self._suspected)

    def is_aside(self, key: Hashable, now_s: float) -> bool:
        """Whether it is not to be sent now."""
        return now_s < self._aside_until_s.get(key, now_s)

    def sent(self, number: int, key: Hashable, topic: str, size_bytes: int) -> None:
        """A message is on its way under the connection's `number`."""
        self._on_the_way[number] = Sent(key, topic, size_bytes)

    def acknowledged(self, number: int, *, too_large: bool = False) -> None:
        """The broker has answered and goes on: the message is innocent. `too_large`: it says that it is."""
        sent = self._on_the_way.pop(number, None)
        if sent is None:
            return
        self._suspected.discard(sent.key)
        if too_large:
            self._lower_limit(sent.size_bytes)
        else:
            self._largest_taken_bytes = max(self._largest_taken_bytes, sent.size_bytes)

    def drained(self) -> None:
        """Nothing is left to send: what was suspected and did not come again is forgotten."""
        self._suspected.clear()

    def ended(self, now_s: float) -> Sent | None:
        """The connection is gone: the message that is to blame, if that is known now."""
        sent, self._on_the_way = list(self._on_the_way.values()), {}
        if len(sent) != 1 or sent[0].key not in self._suspected:
            self._suspected |= {each.key for each in sent}
            return None
        guilty = sent[0]
        self._suspected.discard(guilty.key)
        if guilty.size_bytes > max(self._largest_taken_bytes, SMALL_BYTES):
            self._lower_limit(guilty.size_bytes)
        else:
            self._largest_taken_bytes = 0  # the broker may have got another limit since
            self._aside_until_s[guilty.key] = now_s + ASIDE_S
        return guilty

    def _lower_limit(self, refused_bytes: int) -> None:
        """Halved until it fits: the true one is between what was taken and what was refused."""
        self.limit_bytes = max(self._largest_taken_bytes, refused_bytes // 2, SMALL_BYTES)
