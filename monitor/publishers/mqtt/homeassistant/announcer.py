"""Keeps the published discovery documents in step with the configuration, across restarts of the daemon."""

import threading
from collections.abc import Mapping
from types import MappingProxyType

from monitor.logs import get_logger
from monitor.publishers.base import House, Room
from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.homeassistant.components import Release
from monitor.publishers.mqtt.homeassistant.discovery import (
    Discovery,
    announced_in,
    document_topic,
    documents,
    is_same_device,
    made_by_us,
    ours,
    parsed,
    state_topics,
    without_what_is_gone,
)
from monitor.publishers.mqtt.homeassistant.identity import Identity
from monitor.publishers.mqtt.homeassistant.original import COPIED, Original
from monitor.publishers.mqtt.homeassistant.splitting import fitted
from monitor.publishers.mqtt.queue import PublishQueue, Rank
from monitor.publishers.mqtt.states import first_states
from monitor.publishers.mqtt.topics import Topics

log = get_logger()

LOOK_S = 0.5
"""What a broker gets to hand out the documents that it keeps, where nothing else knows our ids, or another
may have them: it does so at once."""


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
        the broker to have shown what it keeps; those of a node that had another name, for that at each
        connection: see `Original`. `release`: of Home Assistant."""
        self.rooms: Mapping[str, Room] = MappingProxyType({})
        self.copied_from: str | None = None
        """The node whose ids were ours, too, and which lives: we have taken others in this run."""
        self._outgoing = outgoing
        self._topics = topics
        self._discovery_prefix = discovery_prefix
        self._release = release
        self._identity = identity
        self._lock = threading.Lock()
        self._house: House | None = None
        self._whole: dict[str, Discovery] = {}
        self._largest_bytes: int | None = None
        self._documents: dict[str, Discovery] | None = None
        self._found: dict[str, Discovery] = {}
        self._looks_until_s: float | None = None
        self._is_look_due = False
        self._withdrawn: dict[str, Discovery] = {}
        self._original = Original(topics, discovery_prefix, identity)
        identity.on_found = self.remembered

    def announce(self, house: House) -> None:
        """From now on this is what there is; what was announced before, and is not in it, disappears."""
        self.rooms = MappingProxyType({room.source: room for room in house.sources})
        version = encoded({"installed_version": house.version})
        self._outgoing.remember(self._topics.version, version, Rank.STATE)
        with self._lock:
            self._house = house
            is_known = self._identity.is_known and not self._original.may_be
            if self._documents is not None or is_known or self._discovery_prefix is None:
                self._compose(house)
            for room in house.sources:
                self._begin(room)

    def remembered(self) -> None:
        """The ids were found on disk, perhaps late: what was announced under others disappears."""
        with self._lock:
            if self._house is None:
                return
            if self._original.may_be:
                self._withdraw()
            else:
                self._compose(self._house)

    @property
    def is_looking(self) -> bool:
        """Whether documents wait for what the broker shows."""
        with self._lock:
            return self._is_look_due or self._looks_until_s is not None

    @property
    def note(self) -> str:
        """What is wrong, for the health report; empty while nothing is."""
        return "" if self.copied_from is None else COPIED.format(self.copied_from)

    def connected(self, now_s: float) -> float:
        """A new connection: the seconds until documents go out."""
        with self._lock:
            self._original.connected()
            self._looks_until_s = None
            if self._house is not None and self._original.may_be:
                self._withdraw()
            waits = self._documents is None and self._house is not None
            self._looks_until_s = now_s + LOOK_S if waits else None
            return LOOK_S if waits else 0.0

    def filters(self, now_s: float) -> tuple[str, ...]:
        """What to subscribe to now, so that a look shows whether another has our ids."""
        with self._lock:
            if not self._is_look_due or self._discovery_prefix is None:
                return ()
            self._is_look_due = False
            self._looks_until_s = now_s + LOOK_S
            return (*self._original.filters(), f"{self._discovery_prefix}/device/+/config")

    def asks(self, topic_filter: str) -> bool:
        """Whether it is for such a look alone."""
        with self._lock:
            return topic_filter in self._original.filters()

    def question(self, now_s: float) -> str | None:
        """A topic on which to ask whether its node lives."""
        with self._lock:
            claimant = self._original.claimant(self._found)
            topic = self._original.question(claimant, now_s) if claimant else None
        if topic is not None:
            log.info("asking whether the node that first had these ids still runs", original=claimant)
        return topic

    def look(self, now_s: float) -> float:
        """Announce where the broker has had its time; the seconds until that."""
        with self._lock:
            if self._looks_until_s is None:
                return 1.0
            claimant = self._original.claimant(self._found)
            answer_s = self._original.waits_until_s(claimant) if claimant else 0.0
            if now_s < (until_s := max(self._looks_until_s, answer_s)):
                return min(until_s - now_s, 1.0)
            self._looks_until_s = None
            if self._documents is None and self._house is not None:
                if claimant and self._original.lives(claimant):
                    self._part(claimant)
                self._compose(self._house)
            return 0.0

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> bool:
        """What may be of a node that has a former name of ours: whether it was."""
        with self._lock:
            return self._original.heard(topic, payload, retained=retained)

    def published(self, topic: str, payload: bytes) -> None:
        """A document that somebody, or we, have just published."""
        document = parsed(payload)
        if document is None or not made_by_us(document):
            return
        with self._lock:
            if self._original.published(topic, document) and self._documents is not None:
                self._withdraw()
            if self._documents is None:
                self._found[topic] = document

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
                self._take_back(topic, document, self._documents)
        return ours(document, self._topics) and self._topics.alert in state_topics(document, self._topics)

    def _withdraw(self) -> None:
        """Look whose ids these are. Until that is known no document of ours goes out: it could overwrite
        another's."""
        for topic in self._documents or {}:
            self._outgoing.leave(topic)
        self._withdrawn = self._documents or self._withdrawn
        self._documents = None
        self._is_look_due = True

    def _part(self, original: str) -> None:
        """Leave the ids to the node they are of. What only our document had would stay there, as entities of
        the other's device."""
        for topic, theirs in self._found.items():
            before = self._withdrawn.get(topic)
            if before and self._original.author(theirs) and (gone := without_what_is_gone(before, theirs)):
                for part in (*self._farewells(topic, gone, theirs), theirs):
                    self._outgoing.publish_before(topic, encoded(part))
        self._withdrawn = {}
        self._identity.part()
        self.copied_from = original
        fix = "all is well; to begin without the other's history, stop this one and empty its state folder"
        log.warning(
            "the state folder is a copy of a node's that still runs: this node takes ids of its own",
            node=self._topics.node,
            original=original,
            fix=fix,
        )

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
        own = self._documents or {t: each for t, each in self._withdrawn.items() if t not in self._found}
        before |= {topic: (document, self._topics) for topic, document in own.items()}
        self._documents, self._found, self._withdrawn = new, {}, {}
        for topic, document in new.items():
            self._outgoing.remember(topic, encoded(document), Rank.DOCUMENT)
        for topic, (document, author) in before.items():
            if author is not None:
                self._retire(topic, document, author, new)
            else:
                self._take_back(topic, document, new)

    def _author(self, document: Discovery) -> Topics | None:
        """The topics of the node that wrote it: this one, under its present or a former name; None:
        another."""
        if ours(document, self._topics):
            return self._topics
        former = self._original.author(document)
        return Topics(self._topics.prefix, former) if former else None

    def _take_back(self, topic: str, theirs: Discovery, now: Mapping[str, Discovery]) -> None:
        """Two daemons can have one topic: a node `home` with a source `kitchen`, and a node `home_kitchen`.
        The topics stay as they are: with other ones Home Assistant would take every entity for a new one.
        Where it is our very device (of a copy of our state folder, while we were down), what only theirs had
        disappears."""
        if topic not in now:
            return
        if is_same_device(theirs, now[topic]) and (gone := without_what_is_gone(theirs, now[topic])):
            for part in self._farewells(topic, gone, now[topic]):
                self._outgoing.publish_before(topic, encoded(part))
        fix = (
            "give one of them another `node`; all is well if this one had another topic_prefix before, or if "
            "the other began with a copy of its state folder"
        )
        log.warning("another daemon announces its devices where this one does", topic=topic, fix=fix)

    def _begin(self, room: Room) -> None:
        for topic, payload, rank in first_states(room, self._topics):
            if not self._outgoing.knows(topic):
                self._outgoing.remember(topic, payload, rank)

    def _retire(self, topic: str, old: Discovery, author: Topics, now: Mapping[str, Discovery]) -> None:
        """Make what only the old document names disappear, with what the broker keeps for it."""
        if topic not in now:
            self._outgoing.forget(topic)
        elif farewell := without_what_is_gone(old, now[topic]):
            for part in self._farewells(topic, farewell, now[topic]):
                self._outgoing.publish_before(topic, encoded(part))
        kept = {each for document in now.values() for each in state_topics(document, self._topics)}
        for gone in state_topics(old, author) - kept:  # after the document: nobody reads them any more
            self._outgoing.forget(gone)

    def _farewells(self, topic: str, farewell: Discovery, now: Discovery) -> list[Discovery]:
        """Where packets have a limit, with the tombstones alone: these still fit when it turns out to be
        lower. As many as it takes."""
        if self._largest_bytes is None:
            return [farewell]
        gone = {k: each for k, each in farewell["components"].items() if k not in now["components"]}
        return list(fitted({topic: farewell | {"components": gone}}, self._largest_bytes).values())
