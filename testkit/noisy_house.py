"""A house for breaking things in: rooms that bang all the time, a broker, a daemon, and two witnesses.

What the daemon decided is known from its own JSON lines (a channel of its own in the outbox, delivered like
any other); what reached the house is known from a subscriber. Nothing may be in the one and not in the other.
"""

import json
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from paho.mqtt.client import MQTTMessage

from monitor.audio import SAMPLE_RATE_HZ
from monitor.publishers.documents import document
from monitor.store.codec import decode
from testkit.builders import noise
from testkit.mosquitto import USERNAME, Mosquitto, Subscriber
from testkit.process import DaemonProcess
from testkit.wav import write_wav
from testkit.wire import Wire

PATIENCE_S = 60.0
NODE = "earwitness/home"

Key = tuple[str, str, str]
"""Id, state and time of detection: what separates one message from another, whenever it is delivered."""


KEPT = """
    SELECT body FROM delivery JOIN message ON message.number = delivery.number
    WHERE channel = ? AND delivered_at_us IS NULL ORDER BY message.number
"""


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault of the table."""

    fault: str
    must_hold: str
    held: bool
    figures: dict[str, float | int | str]


class Violation(AssertionError):
    """What must hold did not."""


def until(fact: Callable[[], bool], name: str, patience_s: float = PATIENCE_S) -> float:
    """Wait for something outside this process; the seconds it took. Raises Broken when it never comes."""
    began_s = time.monotonic()
    pause = threading.Event()
    while not fact():
        if time.monotonic() - began_s > patience_s:
            raise Violation(f"waited {patience_s:.0f} s for {name}")
        pause.wait(0.02)
    return time.monotonic() - began_s


class HouseWitness(Subscriber):
    """Hears everything of the node, and remembers when."""

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__(broker, f"{NODE}/#")
        self._documents: list[dict[str, Any]] = []
        self._keys: set[Key] = set()
        self._client.reconnect_delay_set(1, 1)
        self._client.on_disconnect = lambda *_: self._subscribed.clear()

    def wait_subscribed(self) -> None:
        """Wait until it would hear."""
        if not self._subscribed.wait(PATIENCE_S):
            raise Violation("the subscriber did not come back")

    def leave(self) -> None:
        """Hear nothing for a while."""
        self._client.disconnect()
        self._client.loop_stop()
        self._subscribed.clear()

    def come_back(self) -> None:
        """Hear again."""
        self._client.connect("127.0.0.1", self._broker.port)
        self._client.loop_start()
        self.wait_subscribed()

    def _on_message(self, client: Any, data: object, message: MQTTMessage) -> None:
        if message.topic.endswith(("/event", "/alert")):
            document = json.loads(message.payload)
            with self._changed:
                self._documents.append(document)
                self._keys.add(key(document))
        super()._on_message(client, data, message)

    def topics(self) -> set[str]:
        """Everything that was spoken of."""
        with self._changed:
            return {message.topic for message in self.heard}

    def messages(self) -> list[dict[str, Any]]:
        """Events and alerts in the order in which they came."""
        with self._changed:
            return list(self._documents)

    def has_all(self, keys: set[Key]) -> bool:
        """Whether every one of these has come."""
        with self._changed:
            return keys <= self._keys


class NoisyHouse:
    """Everything for one fault, in `folder`. Between daemon and broker is a wire that can be cut."""

    module = "monitor"
    """What is run."""

    def __init__(
        self,
        folder: Path,
        rooms: int = 3,
        every_s: float = 1.6,
        password: str | None = None,
        delay_s: float = 0.0,
    ) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.lines = folder / "lines.jsonl"
        self.broker = Mosquitto(folder / "broker", password=password)
        self.wire = Wire(self.broker.port, delay_s)
        self._rooms = rooms
        self._every_s = every_s
        self._account = {"username": USERNAME, "password": password} if password else {}
        self.daemon: DaemonProcess | None = None
        self.environment: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for room in range(self._rooms):
            write_bangs(self.folder / f"room{room}.wav", self._every_s + 0.13 * room)
        self.broker.start()
        self.wire.__enter__()
        self.witness = HouseWitness(self.broker).__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.daemon is not None:
            self.daemon.__exit__()
        self.witness.__exit__()
        self.wire.cut()
        self.broker.stop()

    def sources(self) -> list[dict[str, Any]]:
        """Rooms that begin to bang at different times."""
        return [
            {"type": "file", "name": f"room{n}", "path": str(self.folder / f"room{n}.wav"), "realtime": True,
             "loop": True}
            for n in range(self._rooms)
        ]  # fmt: skip

    def config(self) -> dict[str, Any]:
        """Every bang is an event and an alert."""
        mqtt = {"type": "mqtt", "host": "127.0.0.1", "port": self.wire.port, **self._account}
        return {
            "node": "home",
            "sources": self.sources(),
            "classifiers": self.classifiers(),
            "labels": {"loud_noise": {"hold_s": 0.3}},
            "rules": [{"name": "Bang", "hear": ["loud_noise"], "severity": "warning", "cooldown_s": 0}],
            "publishers": [mqtt, {"type": "jsonl", "path": str(self.lines)}],
        }

    def classifiers(self) -> list[dict[str, Any]]:
        """None: bangs are heard by the gate."""
        return []

    def start(self) -> float:
        """Start the daemon: seconds from its exec until a room is being heard and the house knows."""
        before = self.online_count()
        began_s = time.monotonic()
        self.daemon = DaemonProcess(
            self.config(), self.folder, self.environment, module=self.module
        ).__enter__()
        until(lambda: self.online_count() > before, "the daemon to listen")
        return time.monotonic() - began_s

    def online_count(self) -> int:
        """How often some room has come online."""
        return sum(self.witness.on(f"{NODE}/room{n}/status").count("online") for n in range(self._rooms))

    def sensors_on(self) -> list[str]:
        """Topics of binary sensors whose last word was ON; an alert is active until it is answered."""
        sensors = (topic for topic in self.witness.topics() if not topic.endswith("/alert/active"))
        return [topic for topic in sensors if self.witness.on(topic)[-1] == "ON"]

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        assert self.daemon is not None
        self.daemon.process.send_signal(signal.SIGKILL)
        self.daemon.process.wait()
        self.daemon = None

    def stop(self) -> float:
        """An orderly end: the seconds from SIGTERM to it."""
        assert self.daemon is not None
        self.daemon.__exit__()
        took_s = self.daemon.stopped_in_s
        self.daemon = None
        return took_s

    def decided(self) -> list[dict[str, Any]]:
        """Events and alerts in the order in which the daemon decided them, each once."""
        lines = self.lines.read_text().splitlines() if self.lines.exists() else []
        documents = [json.loads(line) for line in lines if line]
        return list({key(document): document for document in documents}.values())

    def kept(self, channel: str) -> list[dict[str, Any]]:
        """What the store still holds for a channel; read in a copy, for opening it would mend it."""
        with tempfile.TemporaryDirectory() as place:
            for part in self.state.glob("outbox.db*"):
                shutil.copy(part, place)
            with closing(sqlite3.connect(Path(place) / "outbox.db")) as store:
                bodies = store.execute(KEPT, (channel,)).fetchall()
        return [document(decode(body), datetime.now(UTC)) for (body,) in bodies]

    def wait_decided(self, more: int, patience_s: float = PATIENCE_S) -> None:
        """Wait until so many more messages have been decided."""
        goal = len(self.decided()) + more
        until(lambda: len(self.decided()) >= goal, f"{more} events", patience_s)

    def wait_bang(self) -> float:
        """Wait until a sound that is made from now on has been heard: the seconds it took."""
        now = datetime.now(UTC)
        return until(lambda: any(_began_at(each) > now for each in self.witness.messages()), "a bang")

    def wait_delivered(self, patience_s: float = PATIENCE_S) -> float:
        """Wait until the house has heard everything decided so far."""
        keys = {key(document) for document in self.decided()}
        return until(lambda: self.witness.has_all(keys), "everything to be delivered", patience_s)

    def log(self) -> list[dict[str, Any]]:
        """What the present or last daemon has said."""
        lines = (self.folder / "log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"')]

    def logged(self, words: str) -> int:
        """How many lines of the log contain these words."""
        return sum(words in line["event"] for line in self.log())


def _began_at(document: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(document.get("started_at", document.get("raised_at")))


def key(document: dict[str, Any]) -> Key:
    """What identifies a message. An alert goes out again, with its id, when another room joins in."""
    if "rule" in document:
        return document["id"], f"alert of {len(document['sources'])}", document["raised_at"]
    return document["id"], document["state"], document["detected_at"]


@dataclass(frozen=True, slots=True)
class WitnessedHouse:
    """What the two witnesses say together."""

    decided: int
    lost: int
    """Decided, never heard, and not kept for the next start either."""
    unknown: int
    """Heard, and never decided: what should be a duplicate and is none."""
    out_of_order: int
    repeated: int
    """Heard more than once, with the same id."""
    stuck: int
    """Events that began and never ended."""


def verdict(house: NoisyHouse) -> WitnessedHouse:
    """Compare what was decided with what was heard. Ask when the daemon has ended in order."""
    decided, heard = [*house.decided(), *house.kept("jsonl")], house.witness.messages()
    kept = {key(document) for document in house.kept("mqtt")}
    place = {key(document): number for number, document in enumerate(decided)}
    keys = [key(document) for document in heard]
    first = list(dict.fromkeys(keys))
    known = [each for each in first if each in place]
    return WitnessedHouse(
        decided=len(decided),
        lost=len(set(place) - set(first) - kept),
        unknown=len(set(first) - set(place)),
        out_of_order=_out_of_order(known, place, {key(d): d.get("source", "") for d in decided}),
        repeated=len(keys) - len(first),
        stuck=len(_ids(decided, "started") - _ids(decided, "ended")),
    )


def _ids(documents: list[dict[str, Any]], state: str) -> set[str]:
    return {document["id"] for document in documents if document.get("state") == state}


def _out_of_order(keys: list[Key], place: dict[Key, int], source: dict[Key, str]) -> int:
    """First arrivals that came after a later one of the same source."""
    latest: dict[str, int] = {}
    count = 0
    for each in keys:
        count += place[each] < latest.get(source[each], -1)
        latest[source[each]] = max(place[each], latest.get(source[each], -1))
    return count


def write_bangs(path: Path, every_s: float, length_s: float = 160.0, first_s: float = 0.5) -> None:
    """A quiet room with a bang of 0.4 s every `every_s`."""
    samples = noise(length_s, -60.0)
    for number, at_s in enumerate(np.arange(first_s, length_s - 1.0, every_s)):
        bang = noise(0.4, -12.0, seed=number)
        start = round(at_s * SAMPLE_RATE_HZ)
        samples[start : start + len(bang)] = bang
    write_wav(path, samples)


@contextmanager
def noisy_house(folder: Path, **more: Any) -> Iterator[NoisyHouse]:
    """A house in an empty folder, removed afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    with NoisyHouse(folder, **more) as house:
        yield house
    shutil.rmtree(folder, ignore_errors=True)
