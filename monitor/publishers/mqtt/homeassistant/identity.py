"""Under which ids Home Assistant knows the node and its sources: their first names, whatever they are called
now.

The ids are in the topics of the discovery documents, in devices and in entities. Home Assistant cannot change
them: with other ids every entity would be a new one, with `_2` at its end, and the old ones would stay
behind, dead. So a node or source that gets another name keeps its ids, which the state folder remembers.
Where that knows nothing (the first start, or a new disk), the documents on the broker are read first: what we
announced before keeps its ids, and what another node has taken is avoided.
"""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from monitor.publishers.base import House, Room, noop

MOST_FORMER = 8
"""Names that the node had: old documents on the broker are known by them."""
_ID = re.compile(r"[a-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that hold now."""

    node: str
    sources: Mapping[str, str] = field(default_factory=dict)
    """By present name; without an entry the name is the id."""

    def of(self, source: str) -> str:
        """The id of a source."""
        return self.sources.get(source, source)


@dataclass(frozen=True, slots=True)
class Announced:
    """What a document of ours on the broker shows: the name and the id of a source, or of the node."""

    node_id: str
    source: str | None = None
    source_id: str | None = None


class Identity:
    """A `Memory`: see there. Any thread."""

    def __init__(self) -> None:
        self.changed = threading.Event()
        self.on_found: Callable[[], None] = noop
        """Called after something was found on disk."""
        self._lock = threading.RLock()
        self.former: tuple[str, ...] = ()
        """Names that the node had before."""
        self._node_id: str | None = None
        self._node = ""
        self._parted_from: str | None = None
        self._sources: dict[str, tuple[str, str]] = {}

    @property
    def is_known(self) -> bool:
        """Whether the node has its id; of sources that come later it is chosen when they do."""
        return self._node_id is not None

    @property
    def node_id(self) -> str | None:
        """None until it is known."""
        return self._node_id

    def rows(self) -> Mapping[str, Any]:
        """See `Memory`."""
        with self._lock:
            if self._node_id is None:
                return {}
            sources = {name: list(each) for name, each in self._sources.items()}
            ids = {"node_id": self._node_id, "node": self._node, "former": list(self.former)}
            return ids | {"sources": sources}

    def found(self, rows: Mapping[str, Any]) -> None:
        """See `Memory`."""
        if not rows:
            return
        node_id, node, former, sources = (rows[key] for key in ("node_id", "node", "former", "sources"))
        kept = {str(name): (_checked(id), str(origin)) for name, (id, origin) in sources.items()}
        with self._lock:
            self._node_id, self._node = _checked(node_id), str(node)
            self.former, self._sources = tuple(map(str, former)), kept
        self.on_found()

    def former_names(self, node: str) -> tuple[str, ...]:
        """Those of a node that is called `node` now."""
        with self._lock:
            names = (self._node, *self.former)
            return tuple(dict.fromkeys(name for name in names if name and name != node))[:MOST_FORMER]

    def part(self) -> None:
        """The ids are those of another daemon, which lives: `decide` will choose others."""
        with self._lock:
            self._parted_from, self._node_id = self._node_id, None
            self._node, self.former, self._sources = "", (), {}

    def decide(self, house: House, announced: Iterable[Announced], taken: Iterable[str]) -> Ids:
        """The ids of this house. `announced` is what our documents on the broker show, `taken` the ids of
        nodes that others have there; neither counts once the node has its id."""
        with self._lock:
            before = self.rows()
            if self._node_id is None:
                parted_from = {self._parted_from} if self._parted_from else set()
                own = [each for each in announced if each.node_id not in parted_from]
                self._node_id = self._adopt(own) or _free(house.node, {*taken, *parted_from})
            self.former = self.former_names(house.node)
            self._node = house.node
            self._sources = dict(_sources(house.sources, self._sources))
            if self.rows() != before:
                self.changed.set()
            return Ids(self._node_id, {name: id for name, (id, _) in self._sources.items()})

    def _adopt(self, announced: list[Announced]) -> str | None:
        """Take over what we announced before; returns the node's id, None where there is nothing."""
        node_id = next((each.node_id for each in announced), None)
        self._sources = {
            one.source: (one.source_id, "")
            for one in announced
            if one.source and one.source_id and one.node_id == node_id
        }
        return node_id


def _sources(
    rooms: Iterable[Room], before: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Id and origin by name. A source that has a new name and the origin of one that is gone is that one."""
    rooms = list(rooms)
    names = {room.source for room in rooms}
    new = Counter(room.origin for room in rooms if room.source not in before)
    gone = [(origin, id) for name, (id, origin) in before.items() if name not in names]
    renamed = {
        origin: id for origin, id in gone if origin and new[origin] == 1 == sum(o == origin for o, _ in gone)
    }
    used = {before[room.source][0] for room in rooms if room.source in before} | set(renamed.values())
    for room in rooms:
        if room.source in before:
            id = before[room.source][0]
        elif room.origin in renamed:
            id = renamed[room.origin]
        else:
            id = _free(room.source, used)
            used.add(id)
        yield room.source, (id, room.origin)


def _free(name: str, taken: set[str]) -> str:
    """The name itself where it can be had."""
    candidates = chain([name], (f"{name}_{number}" for number in count(2)))
    return next(each for each in candidates if each not in taken)


def may_be_id(*ids: str) -> bool:
    """Whether each could be an id."""
    return all(_ID.fullmatch(id) for id in ids)


def _checked(id: Any) -> str:
    if not isinstance(id, str) or not may_be_id(id):
        raise ValueError(f"not an id: {id!r}")
    return id
