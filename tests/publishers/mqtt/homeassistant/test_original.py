"""A node with another name than its state folder remembers: renamed, or begun with a copy of one that lives.

Real daemons on a real broker. The first is `home`; the other has its state folder and is called `villa`.
"""

import json
import shutil
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from monitor.publishers.documents import encoded
from monitor.publishers.mqtt.homeassistant.announcer import LOOK_S, Announcer
from monitor.publishers.mqtt.homeassistant.discovery import documents
from monitor.publishers.mqtt.homeassistant.identity import Identity
from monitor.publishers.mqtt.homeassistant.original import UNANSWERED_S
from monitor.publishers.mqtt.queue import PublishQueue
from monitor.publishers.mqtt.topics import Topics
from testkit.builders import house, room
from testkit.mosquitto import Mosquitto, Subscriber, kept
from testkit.noisy_house import until
from testkit.process import DaemonProcess

IDS_OF_HOME, IDS_OF_VILLA = (
    {
        f"homeassistant/device/earwitness_{node}/config",
        f"homeassistant/device/earwitness_{node}_hall/config",
    }
    for node in ("home", "villa")
)
NODE_OF_HOME, NODE_OF_VILLA = (min(each, key=len) for each in (IDS_OF_HOME, IDS_OF_VILLA))
CELLAR_OF_HOME = "homeassistant/device/earwitness_home_cellar/config"
ASKED = "?"


class Nodes:
    """Daemons on one broker, each with a folder of its own."""

    def __init__(self, broker: Mosquitto, folder: Path, life: ExitStack) -> None:
        self.listener = life.enter_context(Subscriber(broker))
        self._broker = broker
        self._folder = folder
        self._life = life

    def begin(self, node: str, *more: str) -> DaemonProcess:
        """Its process. `more`: rooms beside the hall."""
        (self._folder / node).mkdir(exist_ok=True)
        rooms = [{"type": "demo", "name": name, "speech": False} for name in ("hall", *more)]
        mqtt = {"type": "mqtt", "port": self._broker.port}
        config = {"node": node, "sources": rooms, "publishers": [mqtt]}
        return self._life.enter_context(DaemonProcess(config, self._folder / node))

    def start(self, node: str, *more: str) -> DaemonProcess:
        """It is online and has announced its hall when this returns."""
        before = self._times_here(node)
        daemon = self.begin(node, *more)
        self.listener.wait_until(
            lambda: all(now > then for now, then in zip(self._times_here(node), before, strict=True)),
            f"{node} to be online and announced",
        )
        return daemon

    def end(self, daemon: DaemonProcess, node: str, how: signal.Signals = signal.SIGTERM) -> None:
        """It is gone, and the broker has said so."""
        status = f"earwitness/{node}/status"
        before = self.listener.on(status).count("offline")
        daemon.process.send_signal(how)
        daemon.process.wait()
        self.listener.wait_until(lambda: self.listener.on(status).count("offline") > before, f"{node} to go")

    def copy(self) -> None:
        """`villa` begins with what `home` remembers."""
        shutil.copytree(self._folder / "home" / "state", self._folder / "villa" / "state")

    def node_id(self, node: str) -> str:
        """As its state folder has it, once it is there."""
        path = self._folder / node / "state" / "receiver-mqtt.json"
        until(path.exists, f"the memory of {node}")
        return str(json.loads(path.read_text())["node_id"])

    def log(self, node: str) -> str:
        """Of its last life."""
        return (self._folder / node / "log").read_text()

    def removed(self, node: str, ids: set[str]) -> list[str]:
        """What was ever taken off the broker of the states of a node, and of these documents."""
        gone = [each.topic for each in self.listener.heard if not each.payload]
        return [topic for topic in gone if topic.startswith(f"earwitness/{node}/") or topic in ids]

    def _times_here(self, node: str) -> tuple[int, int]:
        """How often it came online, and announced its hall."""
        halls = (
            topic for ids in (IDS_OF_HOME, IDS_OF_VILLA) for topic in ids if topic.endswith("hall/config")
        )
        payloads = [payload for topic in halls for payload in self.listener.on(topic) if payload]
        online = self.listener.on(f"earwitness/{node}/status").count("online")
        return online, [author(payload) for payload in payloads].count(node)


@pytest.fixture
def nodes(broker: Mosquitto, tmp_path: Path, life: ExitStack) -> Nodes:
    """A broker, and nobody on it yet."""
    return Nodes(broker, tmp_path, life)


def author(payload: str) -> str:
    """The node that wrote a document."""
    topic: str = json.loads(payload)["availability"][0]["topic"]
    return topic.split("/")[1]


def announced(found: dict[str, str]) -> dict[str, str]:
    """Who has written each document that the broker keeps."""
    return {topic: author(found[topic]) for topic in found if topic.endswith("/config")}


def states(found: dict[str, str], node: str) -> set[str]:
    """The topics that a node of this name keeps on the broker."""
    return {topic for topic in found if topic.startswith(f"earwitness/{node}/")}


def both(nodes: Nodes, broker: Mosquitto) -> bool:
    """Whether each is announced under ids of its own, is online, and nothing else is announced."""
    found = kept(broker)
    online = {found.get(f"earwitness/{node}/status") for node in ("home", "villa")}
    whose = dict.fromkeys(IDS_OF_HOME, "home") | dict.fromkeys(IDS_OF_VILLA, "villa")
    return online == {"online"} and announced(found) == whose


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_renamed_node_takes_its_ids_along(nodes: Nodes, broker: Mosquitto, how: signal.Signals):
    """And nothing of its first name is left on the broker, however the daemon ended."""
    home = nodes.start("home")
    assert nodes.node_id("home") == "home"
    nodes.end(home, "home", how)
    nodes.copy()
    nodes.start("villa")
    until(lambda: not states(kept(broker), "home"), "the first name to go")
    assert announced(kept(broker)) == dict.fromkeys(IDS_OF_HOME, "villa")
    assert nodes.node_id("villa") == "home"
    assert "copy" not in nodes.log("villa")


def test_a_copy_beside_the_first_takes_nothing_from_it(nodes: Nodes, broker: Mosquitto):
    """A cloned card: the second took itself for the renamed first, and cleared what the broker kept of it."""
    nodes.end(nodes.start("home"), "home")
    nodes.copy()
    nodes.start("home")
    before = states(kept(broker), "home")
    villa = nodes.start("villa")
    nodes.listener.wait_for("earwitness/villa/trouble", "ON")
    [note] = nodes.listener.documents("earwitness/villa/health")[-1]["notes"].values()

    assert "copied from the node home" in note
    assert nodes.log("villa").count("is a copy of a node's that still runs") == 1
    assert both(nodes, broker)
    assert states(kept(broker), "home") >= before
    assert nodes.removed("home", IDS_OF_HOME) == []
    assert nodes.listener.on("earwitness/home/status").count(ASKED) == 1

    until(lambda: nodes.node_id("villa") == "villa", "the new id on disk")
    nodes.end(villa, "villa")
    again = nodes.start("villa")
    assert again.health()["notes"] == {}
    assert both(nodes, broker)
    assert nodes.removed("home", IDS_OF_HOME) == []


@pytest.mark.parametrize("copy_runs", [True, False])
def test_a_copy_gives_the_ids_back_when_the_first_returns(nodes: Nodes, broker: Mosquitto, copy_runs: bool):
    """It was begun while the first was down, so nobody could tell it from the renamed first. The first has
    its ids again at once, the other takes its own, and what only the other had is removed."""
    nodes.end(nodes.start("home"), "home")
    nodes.copy()
    villa = nodes.start("villa", "cellar")
    until(lambda: CELLAR_OF_HOME in announced(kept(broker)), "its own room")
    if copy_runs:
        nodes.start("home")
    else:
        nodes.end(villa, "villa")
        nodes.start("home")
        nodes.start("villa", "cellar")

    own = IDS_OF_VILLA | {CELLAR_OF_HOME.replace("_home_", "_villa_")}
    whose = dict.fromkeys(IDS_OF_HOME, "home") | dict.fromkeys(own, "villa")
    until(lambda: announced(kept(broker)) == whose, "both to be announced under ids of their own")
    found = kept(broker)
    assert found["earwitness/home/status"] == found["earwitness/villa/status"] == "online"
    until(lambda: nodes.node_id("villa") == "villa", "the new id on disk")
    assert nodes.node_id("home") == "home"


@pytest.mark.parametrize("moment", ["asked", "announced", "the first returns"])
def test_kill_9_in_the_middle(nodes: Nodes, broker: Mosquitto, moment: str):
    """Of the copy: when it has asked, when it has announced its own ids and the disk may not have them yet,
    and when the first has just announced itself again. After the next start both have ids of their own."""
    nodes.end(nodes.start("home"), "home")
    nodes.copy()
    if moment == "the first returns":
        villa = nodes.start("villa")
        before = len(nodes.listener.on(NODE_OF_HOME))
        home = nodes.begin("home")
        nodes.listener.wait_until(lambda: len(nodes.listener.on(NODE_OF_HOME)) > before, "the first")
    else:
        home = nodes.start("home")
        villa = nodes.begin("villa")
        if moment == "asked":
            nodes.listener.wait_for("earwitness/home/status", ASKED)
        else:
            nodes.listener.wait_for(NODE_OF_VILLA)
    nodes.end(villa, "villa", signal.SIGKILL)
    nodes.start("villa")
    until(lambda: both(nodes, broker), "both under ids of their own")

    nodes.end(home, "home", signal.SIGKILL)
    nodes.start("home")
    until(lambda: both(nodes, broker), "both after kill -9 of the first")
    assert announced(kept(broker)).keys() == {*IDS_OF_HOME, *IDS_OF_VILLA}


REMEMBERED = {"node_id": "home", "node": "home", "former": [], "sources": {"kitchen": ["kitchen", ""]}}


class Copy:
    """An announcer with the memory of `home`, called `villa`, on a broker that keeps the documents of `home`
    and shows it as online; its clock is in the hand of the test."""

    def __init__(self) -> None:
        self.outgoing, identity = PublishQueue(), Identity()
        self.announcer = Announcer(self.outgoing, Topics("earwitness", "villa"), "homeassistant", identity)
        self.announcer.announce(house(room("kitchen"), node="villa"))
        identity.found(REMEMBERED)
        self.announcer.connected(0.0)
        self.announcer.filters(0.0)
        kept_by_broker = documents(house(room("kitchen")), Topics("earwitness", "home"), "homeassistant")
        for topic, document in kept_by_broker.items():
            self.announcer.found(topic, encoded(document))
        self.says("status", "online", retained=True)

    def says(self, what: str, payload: str, *, retained: bool = False) -> None:
        """The first one does."""
        assert self.announcer.heard(f"earwitness/home/{what}", payload.encode(), retained=retained)

    def ids(self, now_s: float) -> set[str]:
        """Under which it announces once it has looked, at this time."""
        self.announcer.look(now_s)
        published: dict[str, Any] = {}
        while state := self.outgoing.next_state():
            published[state.topic] = state.payload
        return {topic for topic, payload in published.items() if topic.endswith("config") and payload}


def test_one_that_is_kept_as_online_and_never_answers_is_gone():
    """The broker stopped together with it, and so never spoke its last will: it is a new name, after the time
    in which one that lives reports its health."""
    copy = Copy()
    assert copy.announcer.question(0.0) == "earwitness/home/status"
    assert copy.announcer.question(1.0) is None
    assert copy.ids(UNANSWERED_S - 0.1) == set()
    assert NODE_OF_HOME in copy.ids(UNANSWERED_S)
    assert copy.announcer.note == ""


@pytest.mark.parametrize(
    ("what", "payload", "lives"),
    [("status", "online", True), ("health", "{}", True), ("status", "offline", False)],
)
def test_a_word_of_it_ends_the_waiting(what: str, payload: str, lives: bool):
    """Its answer, a health report over a bridge that takes no question to it, or its last will."""
    copy = Copy()
    copy.announcer.question(0.0)
    assert copy.ids(LOOK_S) == set()
    copy.says(what, ASKED)  # our own question comes back
    assert copy.ids(LOOK_S) == set()
    copy.says(what, payload)
    assert (NODE_OF_VILLA if lives else NODE_OF_HOME) in copy.ids(LOOK_S)
