"""Keeps the published discovery documents in step with the configuration, across restarts of the daemon."""

import threading
from collections.abc import Mapping
from types import MappingProxyType

from monitor.logs import get_logger
from monitor.publishers.base import House, Room
from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.homeassistant.components import Release
from monitor.publishers.mqtt.homeassistant.discovery import (
    Document,
    announced_in,
    document_topic,
    documents,
    made_by_us,
    ours,
    parsed,
    state_topics,
    without_what_is_gone,
)
from monitor.publishers.mqtt.homeassistant.identity import Identity
from monitor.publishers.mqtt.homeassistant.splitting import fitted
from monitor.publishers.mqtt.queue import PublishQueue, Rank
from monitor.publishers.mqtt.states import first_states
from monitor.publishers.mqtt.topics import Topics

log = get_logger()

LOOK_S = 0.5
"""What a broker gets to hand out the documents that it keeps, where nothing else knows our ids: it does so at
once."""


class Announcer:
    """Turns a House into documents and first states. Any thread."""

    def __init__(
        self,
        outgoing: PublishQueue,
        topics: Topics,
        discovery_prefix: str | None,
        identity: Identity,
        release: Release = (0, 0),
    ) -> None:
        """Without a `discovery_prefix` there are no documents. They wait for `identity` to be known, or for
        the broker to have shown what it keeps. `release`: of Home Assistant."""
        self.rooms: Mapping[str, Room] = MappingProxyType({})
        self._outgoing = outgoing
        self._topics = topics
        self._discovery_prefix = discovery_prefix
        self._release = release
        self._identity = identity
        self._lock = threading.Lock()
        self._house: House | None = None
        self._whole: dict[str, Document] = {}
        self._largest_bytes: int | None = None
        self._documents: dict[str, Document] | None = None
        self._found: dict[str, Document] = {}
        self._looks_until_s: float | None = None
        identity.on_found = self.remembered

    def announce(self, house: House) -> None:
        """From now on this is what there is; what was announced before, and is not in it, disappears."""
        self.rooms = MappingProxyType({room.source: room for room in house.sources})
        version = encoded({"installed_version": house.version})
        self._outgoing.remember(self._topics.version, version, Rank.STATE)
        with self._lock:
            self._house = house
            if self._documents is not None or self._identity.is_known or self._discovery_prefix is None:
                self._compose(house)
            for room in house.sources:
                self._begin(room)

    def remembered(self) -> None:
        """The ids were found on disk, perhaps late: what was announced under others disappears."""
        with self._lock:
            if self._house is not None:
                self._compose(self._house)

    def connected(self, now_s: float) -> float:
        """A new connection: the seconds until documents go out."""
        with self._lock:
            waits = self._documents is None and self._house is not None
            self._looks_until_s = now_s + LOOK_S if waits else None
            return LOOK_S if waits else 0.0

    def look(self, now_s: float) -> float:
        """Announce where the broker has had its time; the seconds until that."""
        with self._lock:
            if self._looks_until_s is None:
                return 1.0
            if now_s < self._looks_until_s:
                return self._looks_until_s - now_s
            self._looks_until_s = None
            if self._documents is None and self._house is not None:
                self._compose(self._house)
            return 0.0

    def fit(self, largest_bytes: int | None) -> None:
        """From now on no document is larger than this; None: any size."""
        with self._lock:
            if largest_bytes != self._largest_bytes:
                self._largest_bytes = largest_bytes
                if self._documents is not None:
                    self._replace()

    def found(self, topic: str, payload: bytes) -> bool:
        """A document that the broker has kept: if an earlier start of ours wrote it, its entities may be
        gone from the configuration. Before anything is announced nobody can know. Whether it has the entity
        of our alerts."""
        document = parsed(payload)
        if document is None or not made_by_us(document):
            return False
        with self._lock:
            if self._documents is None:
                self._found[topic] = document
            elif (author := self._author(document)) is not None:
                self._retire(topic, document, author, self._documents)
            else:
                self._log_shared(topic, self._documents)
        return ours(document, self._topics) and self._topics.alert in state_topics(document, self._topics)

    def _compose(self, house: House) -> None:
        prefix = self._discovery_prefix
        if prefix is not None:
            found = (announced_in(document, self._topics) for document in self._found.values())
            ids = self._identity.decide(house, filter(None, found), self._taken(house.node, prefix))
            self._whole = documents(house, self._topics, prefix, ids, self._release)
        self._replace()

    def _taken(self, node: str, prefix: str) -> set[str]:
        """Ids of a node of this name that others announce under."""
        names = [node, *(f"{node}_{number}" for number in range(2, 10))]
        return {name for name in names if document_topic(prefix, name) in self._found}

    def _replace(self) -> None:
        new = fitted(self._whole, self._largest_bytes)
        before = {topic: (document, self._author(document)) for topic, document in self._found.items()}
        before |= {topic: (document, self._topics) for topic, document in (self._documents or {}).items()}
        self._documents, self._found = new, {}
        for topic, document in new.items():
            self._outgoing.remember(topic, encoded(document), Rank.DOCUMENT)
        for topic, (document, author) in before.items():
            if author is not None:
                self._retire(topic, document, author, new)
            else:
                self._log_shared(topic, new)

    def _author(self, document: Document) -> Topics | None:
        """The topics of the node that wrote it: this one, under its present or a former name; None:
        another."""
        if ours(document, self._topics):
            return self._topics
        former = (Topics(self._topics.prefix, name) for name in self._identity.former)
        written = ((announced_in(document, topics), topics) for topics in former)
        ids = self._identity.node_id
        return next((topics for seen, topics in written if seen is not None and seen.node_id == ids), None)

    def _log_shared(self, topic: str, now: Mapping[str, Document]) -> None:
        """Two daemons can have one topic: a node `home` with a source `kitchen`, and a node `home_kitchen`.
        The topics stay as they are: with other ones Home Assistant would take every entity for a new one."""
        if topic in now:
            fix = "give one of them another `node`; all is well if this one had another topic_prefix before"
            log.warning("another daemon announces its devices where this one does", topic=topic, fix=fix)

    def _begin(self, room: Room) -> None:
        for topic, payload, rank in first_states(room, self._topics):
            if not self._outgoing.knows(topic):
                self._outgoing.remember(topic, payload, rank)

    def _retire(self, topic: str, old: Document, author: Topics, now: Mapping[str, Document]) -> None:
        """Make what only the old document names disappear, with what the broker keeps for it."""
        if topic not in now:
            self._outgoing.forget(topic)
        elif farewell := without_what_is_gone(old, now[topic]):
            for part in self._farewells(topic, farewell, now[topic]):
                self._outgoing.publish_before(topic, encoded(part))
        kept = {each for document in now.values() for each in state_topics(document, self._topics)}
        for gone in state_topics(old, author) - kept:  # after the document: nobody reads them any more
            self._outgoing.forget(gone)

    def _farewells(self, topic: str, farewell: Document, now: Document) -> list[Document]:
        """Where packets have a limit, with the tombstones alone: these still fit when it turns out to be
        lower. As many as it takes."""
        if self._largest_bytes is None:
            return [farewell]
        gone = {k: each for k, each in farewell["components"].items() if k not in now["components"]}
        return list(fitted({topic: farewell | {"components": gone}}, self._largest_bytes).values())
