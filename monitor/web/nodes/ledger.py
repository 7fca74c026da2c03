"""What is known of every node: a pure function of messages and times, bounded whatever is published."""

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from monitor.web.nodes.reading import fields, moment, name, page, score, seconds, text

MOST_NODES = 1000
MOST_ROOMS = 64
MOST_WORDS = 8
"""Lines of trouble that are kept of a node."""
LAST = 5
"""Sounds that are kept of a node."""
SILENT = timedelta(seconds=100)
"""A node reports its health twice a minute. One that is called online and has said nothing for three reports
is behind a bridge that is cut, or on a broker that remembers what is no longer so."""
STATUS, HEALTH, ALERT, EVENT, WHY = (
    "status",
    "health",
    "alert/active/attributes",
    "event",
    "status/attributes",
)
TAILS = (STATUS, HEALTH, ALERT, f"+/{STATUS}", f"+/{WHY}", f"+/{EVENT}")
"""What is read below the root of a node."""
NodeState = Literal["online", "silent", "away", "unknown"]


@dataclass(slots=True)
class NodeSource:
    """A source of a node."""

    online: bool | None = None
    reason: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The gravest alert that nobody has acknowledged, and how many there are."""

    rule: str
    severity: Literal["warning", "critical"]
    message: str
    raised_at: datetime
    count: int


@dataclass(slots=True)
class NodeSound:
    """A sound that was heard; `ended` once it is over."""

    id: str
    source: str
    label: str
    at: datetime
    score: float | None
    ended: bool


@dataclass(slots=True)
class Node:
    """One node, by what it has said."""

    id: str
    online: bool | None = None
    since: datetime | None = None
    """When it came or went, where that was seen or it has said so."""
    heard_at: datetime | None = None
    """When it last said how it is."""
    page: str | None = None
    troubles: tuple[str, ...] = ()
    alert: Waiting | None = None
    rooms: dict[str, NodeSource] = field(default_factory=dict)
    last: deque[NodeSound] = field(default_factory=lambda: deque(maxlen=LAST))
    revision: int = 0
    _was_silent: bool = False

    def state(self, now: datetime) -> NodeState:
        """Whether it lives, as far as anybody can know from here."""
        if self.online is None:
            return "unknown"
        if not self.online:
            return "away"
        is_silent = self.heard_at is not None and now - self.heard_at > SILENT
        return "silent" if is_silent else "online"


class Ledger:
    """Every node that speaks below `roots` (`earwitness/+`, `homes/+/+`): what stands for a `+` is its name.
    One thread at a time."""

    def __init__(self, roots: Sequence[str], began: datetime) -> None:
        self.filters = tuple(f"{root}/{tail}" for root in roots for tail in TAILS)
        self.ignored: Counter[str] = Counter()
        """Messages that say nothing, by reason."""
        self._roots = tuple(re.compile(_pattern(root)) for root in roots)
        self._nodes: dict[str, Node] = {}
        # Above that of an earlier life, so that whoever asks for what is new gets everything.
        self._revision = int(began.timestamp() * 1000)

    @property
    def revision(self) -> int:
        """Rises with every change."""
        return self._revision

    def __len__(self) -> int:
        return len(self._nodes)

    def note(self, topic: str, payload: bytes, now: datetime, *, retained: bool) -> None:
        """Take a message; never raises, whatever it is."""
        place = self._place(topic)
        if place is None:
            self.ignored["no topic of a node"] += 1
            return
        id, tail = place
        if tail == STATUS and not payload:
            self._forget(id)
            return
        node = self._nodes.get(id) or (Node(id) if len(self._nodes) < MOST_NODES else None)
        if node is None:
            self.ignored["more nodes than are kept"] += 1
        elif not self._apply(node, tail, payload, now, retained):
            self.ignored["nothing of ours"] += 1
        else:
            self._nodes[id] = node
            self._touch(node)

    def changed(self, after: int, now: datetime) -> Iterator[Node]:
        """The nodes of which something is another than at that revision."""
        for node in self._nodes.values():
            is_silent = node.state(now) == "silent"
            if is_silent != node._was_silent:
                node._was_silent = is_silent
                self._touch(node)
            if node.revision > after:
                yield node

    def _touch(self, node: Node) -> None:
        self._revision += 1
        node.revision = self._revision

    def _forget(self, id: str) -> None:
        """Its status was taken off the broker (`earwitness forget`)."""
        if self._nodes.pop(id, None) is not None:
            self._revision += 1

    def _place(self, topic: str) -> tuple[str, str] | None:
        """The node that a topic is of, and what follows its root."""
        for root in self._roots:
            if found := root.fullmatch(topic):
                *names, tail = found.groups()
                return "/".join(names), tail
        return None

    def _apply(self, node: Node, tail: str, payload: bytes, now: datetime, retained: bool) -> bool:
        """Whether it says something."""
        if tail == STATUS:
            return _note_status(node, payload, now, retained)
        if tail == HEALTH:
            return _note_health(node, fields(payload), now, retained)
        if tail == ALERT:
            return _note_alert(node, fields(payload))
        source, _, rest = tail.partition("/")
        if not name(source):
            return False
        if rest == EVENT:
            return _note_event(node, source, fields(payload))
        room = node.rooms.get(source) or (NodeSource() if len(node.rooms) < MOST_ROOMS else None)
        if room is None or not _note_room(room, rest, payload):
            return False
        node.rooms[source] = room
        return True


def _pattern(root: str) -> str:
    levels = ("([a-z0-9_-]{1,64})" if level == "+" else re.escape(level) for level in root.split("/"))
    return f"{'/'.join(levels)}/(.{{1,150}})"


def _word(payload: bytes) -> bool | None:
    return {b"online": True, b"offline": False}.get(payload)


def _note_status(node: Node, payload: bytes, now: datetime, retained: bool) -> bool:
    online = _word(payload)
    if online is None:
        return False
    if online != node.online:
        node.since = None if retained else now
    node.online = online
    return True


def _note_health(node: Node, found: Any, now: datetime, retained: bool) -> bool:
    at = moment(found.get("at")) if found else None
    if found is None or at is None:
        return False
    node.heard_at = min(at, now) if retained else now
    uptime_s = seconds(found.get("uptime_s"))
    if node.online and uptime_s is not None and uptime_s < at.timestamp():
        node.since = at - timedelta(seconds=uptime_s)
    node.page = page(found.get("page"))
    notes = found.get("notes")
    said = [f"{text(key)}: {text(why)}" for key, why in notes.items()] if isinstance(notes, dict) else []
    lines = [text(one) for key in ("stalled", "stuck") for one in _list(found.get(key))]
    node.troubles = tuple([line for line in (*lines, *said) if line][:MOST_WORDS])
    return True


def _list(value: Any) -> list[Any]:
    return value[:MOST_WORDS] if isinstance(value, list) else []


def _note_alert(node: Node, found: Any) -> bool:
    if found is None or "rule" not in found:
        return False
    raised_at, rule, severity = moment(found.get("raised_at")), text(found["rule"]), found.get("severity")
    if found.get("id") is None:
        node.alert = None
        return True
    if raised_at is None or not rule or severity not in ("warning", "critical"):
        return False
    count = found.get("count")
    count = count if isinstance(count, int) and 1 <= count <= 10**6 else 1
    node.alert = Waiting(rule, severity, text(found.get("message")), raised_at, count)
    return True


def _note_event(node: Node, source: str, found: Any) -> bool:
    if found is None:
        return False
    id, label, at = name(found.get("id")), name(found.get("label")), moment(found.get("started_at"))
    if not id or not label or at is None:
        return False
    known = next((one for one in node.last if one.id == id), None)
    if known is None:
        known = NodeSound(id, source, label, at, None, ended=False)
        node.last.append(known)
    known.label, known.score = label, score(found.get("score"))
    known.ended = found.get("state") == "ended"
    return True


def _note_room(room: NodeSource, rest: str, payload: bytes) -> bool:
    if rest == WHY:
        found = fields(payload)
        if found is None:
            return False
        room.reason, room.since = text(found.get("reason")), moment(found.get("since"))
        return True
    online = _word(payload) if rest == STATUS else None
    if online is None:
        return False
    room.online = online
    return True
