"""Whether the node whose ids we have lives under its own name: our state folder is a copy of its one then.

A node of another name than its state folder remembers is the same node under a new name, or a second one that
was begun with a copy, as on a cloned card. Who was renamed answers to the old name no more. No sockets.
"""

from collections.abc import Mapping

from monitor.publishers.mqtt.homeassistant.discovery import Discovery, announced_in, document_topic
from monitor.publishers.mqtt.homeassistant.identity import Identity
from monitor.publishers.mqtt.topics import Topics

QUESTION = b"?"
"""Published on a node's status, not retained: a daemon that lives puts its status right at once. Neither
`online` nor `offline`, it changes nothing in Home Assistant."""
UNANSWERED_S = 75.0
"""A node that the broker shows as online and that says nothing for so long is gone, and its last will was
lost with a broker that stopped. One that lives reports its health every 30 s, also over a bridge that takes
no question to it; one that is cut off is given up by its broker after 45 s."""

COPIED = (
    "copied from the node {}, which lives: this one took ids of its own; to begin without the other's "
    "history, stop it and empty its state folder, else start it anew"
)


class Original:
    """Follows what the nodes of our former names say. Under the lock of the announcer."""

    def __init__(self, topics: Topics, discovery_prefix: str | None, identity: Identity) -> None:
        self._topics = topics
        self._discovery_prefix = discovery_prefix
        self._identity = identity
        self._said: dict[str, str] = {}
        """By name: `kept` (as online by the broker), `lives` or `gone`."""
        self._asked_at_s: dict[str, float] = {}

    @property
    def may_be(self) -> bool:
        """Whether we had another name, or somebody has it."""
        return bool(self._former()) and self._discovery_prefix is not None

    def filters(self) -> tuple[str, ...]:
        """What shows whether it lives."""
        of = [Topics(self._topics.prefix, name) for name in self._former()]
        return (*(topic for each in of for topic in (each.status, each.health)), *self._document_topic())

    def connected(self) -> None:
        """A new connection: nothing is known."""
        self._said.clear()
        self._asked_at_s.clear()

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> bool:
        """Take in what somebody published: whether one of a former name of ours could have."""
        of = ((name, Topics(self._topics.prefix, name)) for name in self._former())
        name = next((name for name, topics in of if topic in (topics.status, topics.health)), None)
        if name is None:
            return False
        if payload == b"offline":
            self._said[name] = "gone"
        elif not retained and payload not in (b"", QUESTION):
            self._said[name] = "lives"
        elif payload == b"online":
            self._said.setdefault(name, "kept")
        return True

    def published(self, topic: str, document: Discovery) -> bool:
        """A document was published just now: whether one of a former name of ours did, under our ids. So it
        lives."""
        name = self.author(document) if topic in self._document_topic() else None
        if name is not None:
            self._said[name] = "lives"
        return name is not None

    def author(self, document: Discovery) -> str | None:
        """The former name of ours under which it was written, with our ids."""
        for name in self._former():
            seen = announced_in(document, Topics(self._topics.prefix, name))
            if seen is not None and seen.node_id == self._identity.node_id:
                return name
        return None

    def claimant(self, found: Mapping[str, Discovery]) -> str | None:
        """Who announces under our ids, by a former name of ours: itself, or we ourselves before."""
        written = (self.author(found[topic]) for topic in self._document_topic() if topic in found)
        return next(written, None)

    def lives(self, name: str) -> bool:
        """Whether a daemon of this name is there."""
        return self._said.get(name) == "lives"

    def question(self, name: str, now_s: float) -> str | None:
        """Where to ask it, once; None where it is known to live, or to be gone."""
        if self._said.get(name) != "kept" or name in self._asked_at_s:
            return None
        self._asked_at_s[name] = now_s
        return Topics(self._topics.prefix, name).status

    def waits_until_s(self, name: str) -> float:
        """Until when to wait for its word."""
        asked_at_s = self._asked_at_s.get(name)
        return 0.0 if asked_at_s is None or self._said.get(name) != "kept" else asked_at_s + UNANSWERED_S

    def _former(self) -> tuple[str, ...]:
        return self._identity.former_names(self._topics.node)

    def _document_topic(self) -> tuple[str, ...]:
        """Of the node."""
        id, prefix = self._identity.node_id, self._discovery_prefix
        return () if id is None or prefix is None else (document_topic(prefix, id),)
