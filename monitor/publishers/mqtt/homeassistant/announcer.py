"""Keeps the published discovery documents in step with the configuration, across restarts of the daemon."""

import threading
from collections.abc import Mapping
from types import MappingProxyType

from monitor.logs import get_logger
from monitor.publishers.base import House, Room
from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.homeassistant.discovery import (
    Document,
    documents,
    made_by_us,
    ours,
    parsed,
    state_topics,
    without_what_is_gone,
)
from monitor.publishers.mqtt.homeassistant.splitting import fitted
from monitor.publishers.mqtt.queue import PublishQueue, Rank
from monitor.publishers.mqtt.states import first_states
from monitor.publishers.mqtt.topics import Topics

log = get_logger()


class Announcer:
    """Turns a House into documents and first states. Any thread."""

    def __init__(self, outgoing: PublishQueue, topics: Topics, discovery_prefix: str | None) -> None:
        """Without a `discovery_prefix` there are no documents."""
        self.rooms: Mapping[str, Room] = MappingProxyType({})
        self._outgoing = outgoing
        self._topics = topics
        self._discovery_prefix = discovery_prefix
        self._lock = threading.Lock()
        self._whole: dict[str, Document] = {}
        self._largest_bytes: int | None = None
        self._documents: dict[str, Document] | None = None
        self._found: dict[str, Document] = {}

    def announce(self, house: House) -> None:
        """From now on this is what there is; what was announced before, and is not in it, disappears."""
        self.rooms = MappingProxyType({room.source: room for room in house.sources})
        with self._lock:
            self._whole = (
                documents(house, self._topics, self._discovery_prefix) if self._discovery_prefix else {}
            )
            self._replace()
            for room in house.sources:
                self._begin(room)

    def fit(self, largest_bytes: int | None) -> None:
        """From now on no document is larger than this; None: any size."""
        with self._lock:
            if largest_bytes != self._largest_bytes:
                self._largest_bytes = largest_bytes
                if self._documents is not None:
                    self._replace()

    def _replace(self) -> None:
        new = fitted(self._whole, self._largest_bytes)
        before = self._found | (self._documents or {})
        self._documents, self._found = new, {}
        for topic, document in new.items():
            self._outgoing.remember(topic, encoded(document), Rank.DOCUMENT)
        for topic, document in before.items():
            self._retire(topic, document, new)

    def found(self, topic: str, payload: bytes) -> bool:
        """A document that the broker has kept: if an earlier start of ours wrote it, its entities may be
        gone from the configuration. Before anything is announced nobody can know. Whether it has the entity
        of our alerts."""
        document = parsed(payload)
        if document is None:
            return False
        if not ours(document, self._topics):
            self._log_shared(topic, document)
            return False
        with self._lock:
            if self._documents is None:
                self._found[topic] = document
            else:
                self._retire(topic, document, self._documents)
        return self._topics.alert in state_topics(document, self._topics)

    def _log_shared(self, topic: str, document: Document) -> None:
        """Two daemons can have one topic: a node `home` with a source `kitchen`, and a node `home_kitchen`.
        The topics stay as they are: with other ones Home Assistant would take every entity for a new one."""
        with self._lock:
            shared = topic in (self._documents or {})
        if shared and made_by_us(document):
            fix = "give one of them another `node`; all is well if this one had another topic_prefix before"
            log.warning("another daemon announces its devices where this one does", topic=topic, fix=fix)

    def _begin(self, room: Room) -> None:
        for topic, payload, rank in first_states(room, self._topics):
            if not self._outgoing.knows(topic):
                self._outgoing.remember(topic, payload, rank)

    def _retire(self, topic: str, old: Document, now: Mapping[str, Document]) -> None:
        """Make what only the old document names disappear, with what the broker keeps for it."""
        if topic not in now:
            self._outgoing.forget(topic)
        elif farewell := without_what_is_gone(old, now[topic]):
            for part in self._farewells(topic, farewell, now[topic]):
                self._outgoing.publish_before(topic, encoded(part))
        kept = {each for document in now.values() for each in state_topics(document, self._topics)}
        for gone in state_topics(old, self._topics) - kept:  # after the document: nobody reads them any more
            self._outgoing.forget(gone)

    def _farewells(self, topic: str, farewell: Document, now: Document) -> list[Document]:
        """Where packets have a limit, with the tombstones alone: these still fit when it turns out to be
        lower. As many as it takes."""
        if self._largest_bytes is None:
            return [farewell]
        gone = {k: each for k, each in farewell["components"].items() if k not in now["components"]}
        return list(fitted({topic: farewell | {"components": gone}}, self._largest_bytes).values())
