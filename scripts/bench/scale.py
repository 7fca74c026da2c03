"""Many homes on one broker: a real daemon's rates, then as much for so many homes through a real mosquitto.

It first listens to one daemon on its busy scene and counts what a bridge would hand on (events, alerts,
states, health), then publishes as much for every home over a connection of its own.
"""

import argparse
import json
import selectors
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console
from rich.table import Table

from testkit.mosquitto import Mosquitto, Subscriber
from testkit.process import DaemonProcess

BRIDGED = ("event", "alert", "status", "health")


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one kind of message: how many a second, and how large."""

    kind: str
    per_s: float
    size_bytes: int


def main() -> None:
    """Print the rates, and what the broker made of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--homes", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--listen-s", type=float, default=75.0, help="to one daemon; the scene has 75 s")
    parser.add_argument("--times", type=float, default=1.0, help="so many times the measured rate")
    chosen = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        rates = measured(Path(folder), chosen.listen_s)
        for rate in rates:
            console.print(f"{rate.kind}: {rate.per_s:.3f} a second, {rate.size_bytes} bytes each")
        per_s = chosen.times * sum(rate.per_s for rate in rates)
        size_bytes = round(
            sum(rate.per_s * rate.size_bytes for rate in rates) / sum(rate.per_s for rate in rates)
        )
        sent, came, late_s = simulated(Path(folder), chosen.homes, per_s, size_bytes, chosen.seconds)
    table = Table(
        "homes", "messages a second", "bytes each", "sent", "lost", "median ms", "p95 ms", "longest ms"
    )
    spread = quantiles(late_s, n=20)
    table.add_row(
        str(chosen.homes), f"{sent / chosen.seconds:.0f}", str(size_bytes), str(sent), str(sent - came),
        f"{1000 * spread[9]:.1f}", f"{1000 * spread[-1]:.1f}", f"{1000 * max(late_s):.0f}",
    )  # fmt: skip
    console.print(table)


def measured(folder: Path, listen_s: float) -> list[Rate]:
    """What a bridge would hand on of a home in which something happens every few seconds."""
    with Mosquitto(folder / "home") as broker, Subscriber(broker, "earwitness/#") as listener:
        config = {
            "node": "home",
            "sources": [{"type": "demo", "name": "demo"}],
            "classifiers": [{"type": "embedded"}],
            "rules": [
                {"name": "Smoke", "hear": ["smoke_alarm"]},
                {"name": "Door", "hear": ["doorbell", "knock"]},
            ],
            "publishers": [{"type": "mqtt", "port": broker.port, "homeassistant": False}],
        }
        with DaemonProcess(config, folder):
            listener.wait_for("earwitness/home/demo/status", "online")
            time.sleep(listen_s)
            heard = list(listener.heard)
    counts, sizes = Counter[str](), Counter[str]()
    for message in heard:
        kind = message.topic.rsplit("/", 1)[-1]
        if kind in BRIDGED:
            counts[kind] += 1
            sizes[kind] += len(message.payload)
    return [Rate(kind, counts[kind] / listen_s, sizes[kind] // counts[kind]) for kind in counts]


def simulated(
    folder: Path, homes: int, per_s: float, size_bytes: int, seconds: float
) -> tuple[int, int, list[float]]:
    """Messages sent and received, and how late each was, in seconds."""
    late_s: list[float] = []

    def note(client: Client, data: object, message: MQTTMessage) -> None:
        late_s.append(time.monotonic() - float(json.loads(message.payload)["at"]))

    more = "max_connections -1\nmax_inflight_messages 0\nmax_queued_messages 0"
    with Mosquitto(folder / "operator", more=more) as broker:
        consumer = Client(CallbackAPIVersion.VERSION2, client_id="consumer")
        consumer.on_connect = lambda client, *_: client.subscribe("homes/#", qos=1)
        consumer.on_message = note
        consumer.connect("127.0.0.1", broker.port)
        consumer.loop_start()
        clients = [_home(broker.port, number) for number in range(homes)]
        sent = _publish(clients, per_s, size_bytes, seconds)
        until_s = time.monotonic() + 60
        while len(late_s) < sent and time.monotonic() < until_s:
            time.sleep(0.1)
        for client in clients:
            client.disconnect()
        consumer.disconnect()
        consumer.loop_stop()
    return sent, len(late_s), late_s


def _home(port: int, number: int) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"home{number}")
    client.connect("127.0.0.1", port, keepalive=600)
    with selectors.DefaultSelector() as selector:  # paho's own loop asks select(), which ends at 1,024 files
        selector.register(_socket_of(client), selectors.EVENT_READ)
        while not client.is_connected():
            selector.select(1.0)
            client.loop_read()
    return client


def _socket_of(client: Client) -> Any:
    connection = client.socket()
    assert connection is not None
    return connection


def _publish(clients: list[Client], per_s: float, size_bytes: int, seconds: float) -> int:
    """Each home at its own moments; this thread alone serves every connection."""
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(_socket_of(client), selectors.EVENT_READ, client)
    began_s = time.monotonic()
    sent = 0
    pad = "x" * max(0, size_bytes - 30)
    while (elapsed_s := time.monotonic() - began_s) < seconds:
        while sent < elapsed_s * per_s * len(clients):
            client = clients[sent % len(clients)]
            body = json.dumps({"at": time.monotonic(), "pad": pad})
            client.publish(f"homes/home{sent % len(clients)}/home/kitchen/event", body, qos=1)
            client.loop_write()
            sent += 1
        for key, _ in selector.select(0.002):
            key.data.loop_read()
    return sent


if __name__ == "__main__":
    main()
