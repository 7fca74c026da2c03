"""Every node on the broker, as it says it is; only where `web: {nodes: {}}` asks for it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.nodes.ledger import Node, NodeSound, NodeSource, NodeState, Waiting


class NodesQuery(Model):
    """Where to go on."""

    after: Annotated[int, Field(ge=0, lt=2**53)] = 0
    """The `revision` of the last answer."""


class NodeSourceView(Model):
    """A source of a node."""

    name: str
    online: bool | None
    reason: str


class WaitingView(Model):
    """The gravest alert there that nobody has acknowledged."""

    rule: str
    severity: Literal["warning", "critical"]
    message: str
    raised_at: str
    count: int
    """How many wait."""


class NodeSoundView(Model):
    """A sound that was heard there."""

    id: str
    label: str
    source: str
    at: str
    score: float | None
    ended: bool


class NodeView(Model):
    """A node by its own words."""

    id: str
    """What stands for each `+` of `topics`, such as `home17/villa`."""
    state: NodeState
    """`online`; `silent`: called so by the broker, with nothing said since `heard_at`; `away`; `unknown`."""
    since: str | None
    """When it came or went."""
    heard_at: str | None
    """When it last said how it is."""
    page: str | None
    troubles: list[str]
    alert: WaitingView | None
    rooms: list[NodeSourceView]
    last: list[NodeSoundView]
    """The newest first."""


class NodesView(Model):
    """Nodes, and whether they can be heard at all."""

    connected: bool
    since: str
    """Of `connected`."""
    reason: str
    """What keeps us from reading."""
    left_out: int
    """Messages of nodes beyond the most that are kept."""
    revision: int
    """To be sent as `after`."""
    count: int
    """Nodes that are known; with fewer than before some were removed."""
    nodes: list[NodeView]
    """Those that have changed since `after`."""


def nodes(ask: Ask) -> Answer:
    """Every node on the broker that `web: {nodes: …}` names."""
    page = ask.page
    if page.nodes is None:
        raise Refusal(409, "only this node is shown here; `web: {nodes: {}}` shows every node on the broker")
    seen = page.nodes.seen(ask.query.after)
    return NodesView(
        connected=seen.connected,
        since=page.time.iso(seen.since),
        reason=seen.reason,
        left_out=seen.left_out,
        revision=seen.revision,
        count=seen.count,
        nodes=[_node(ask, node, state) for node, state in seen.nodes],
    )


def _node(ask: Ask, node: Node, state: NodeState) -> NodeView:
    def iso(at: datetime | None) -> str | None:
        return ask.page.time.iso(at) if at else None

    return NodeView(
        id=node.id,
        state=state,
        since=iso(node.since),
        heard_at=iso(node.heard_at),
        page=node.page,
        troubles=list(node.troubles),
        alert=_waiting(ask, node.alert) if node.alert else None,
        rooms=[_room(name, room) for name, room in sorted(node.rooms.items())],
        last=[_sound(ask, sound) for sound in reversed(node.last)],
    )


def _room(name: str, room: NodeSource) -> NodeSourceView:
    return NodeSourceView(name=name, online=room.online, reason=room.reason)


def _waiting(ask: Ask, alert: Waiting) -> WaitingView:
    return WaitingView(
        rule=alert.rule,
        severity=alert.severity,
        message=alert.message,
        raised_at=ask.page.time.iso(alert.raised_at),
        count=alert.count,
    )


def _sound(ask: Ask, sound: NodeSound) -> NodeSoundView:
    return NodeSoundView(
        id=sound.id,
        label=sound.label,
        source=sound.source,
        at=ask.page.time.iso(sound.at),
        score=sound.score,
        ended=sound.ended,
    )


ROUTES = (
    Route("GET", "api/nodes", "Every node on the broker", nodes, query=NodesQuery, answer=NodesView,
          waits=False, fails=(409,)),
)  # fmt: skip
