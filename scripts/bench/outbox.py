"""What the outbox costs: time to keep a message, to release it, and to drain a backlog over a real broker."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

from monitor.clock import SystemClock
from monitor.delivery.outbox import SqliteOutbox
from monitor.delivery.sender import Sender
from monitor.publishers.mqtt.config import MqttConfig
from monitor.types import Alert, SoundEvent
from testkit.builders import alert, event, house
from testkit.mosquitto import Mosquitto, Subscriber


def main() -> None:
    """Measure in `--folder`, which decides what disk is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: a temporary one")
    parser.add_argument("--messages", type=int, default=2000)
    chosen = parser.parse_args()
    table = Table("step", "median ms", "95 % ms", "longest ms")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for name, times_s in _steps(Path(folder), chosen.messages).items():
            spread = (median(times_s), quantiles(times_s, n=20)[-1], max(times_s))
            table.add_row(name, *(f"{1000 * each_s:.2f}" for each_s in spread))
        per_s, alert_s = _drain(Path(folder), chosen.messages)
    table.add_row("alert, from put to a subscriber", *(f"{1000 * each_s:.2f}" for each_s in alert_s))
    console = Console()
    console.print(table)
    console.print(f"a backlog of {chosen.messages} leaves at {per_s:.0f} messages a second")


def _steps(folder: Path, count: int) -> dict[str, list[float]]:
    clock = SystemClock()
    with SqliteOutbox(folder / "steps.db", clock, _fail) as outbox:

        def keep(make: Callable[..., SoundEvent | Alert]) -> list[float]:
            return [
                _timed(lambda n=n: outbox.put(make(id=f"{n:012d}"), ["mqtt", "jsonl"]))  # type: ignore[misc]
                for n in range(count)
            ]

        events_s, alerts_s = keep(event), keep(alert)
        releases_s: list[float] = []
        while entries := outbox.waiting("mqtt"):
            releases_s += [_timed(lambda e=e: outbox.release(e, clock.now())) for e in entries]  # type: ignore[misc]
    return {"put an event": events_s, "put an alert (fsync)": alerts_s, "release": releases_s}


def _drain(folder: Path, count: int) -> tuple[float, tuple[float, float, float]]:
    clock = SystemClock()
    config = MqttConfig.model_validate({"type": "mqtt", "homeassistant": False})
    with Mosquitto(folder / "broker") as broker, Subscriber(broker) as listener:
        publisher = config.model_copy(update={"port": broker.port}).build("home", lambda command: None, clock)
        publisher.announce(house())
        with (
            SqliteOutbox(folder / "drain.db", clock, _fail) as outbox,
            Sender(outbox, publisher, _fail, clock) as sender,
        ):
            for number in range(count):
                outbox.put(event(id=f"{number:012d}"), ["mqtt"])
            with publisher:
                listener.wait_for("earwitness/home/status", "online")
                began_s = time.monotonic()
                listener.wait_until(lambda: len(listener.documents("earwitness/home/kitchen/event")) >= 1)
                while not sender.settle(60.0):
                    continue
                per_s = count / (time.monotonic() - began_s)
                alerts_s = [_timed(lambda n=n: _deliver(outbox, listener, n)) for n in range(200)]  # type: ignore[misc]
    return per_s, (median(alerts_s), quantiles(alerts_s, n=20)[-1], max(alerts_s))


def _deliver(outbox: SqliteOutbox, listener: Subscriber, number: int) -> None:
    heard = len(listener.heard)
    outbox.put(alert(id=f"a{number:011d}"), ["mqtt"])
    listener.wait_until(lambda: len(listener.heard) > heard)


def _timed(do: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    do()
    return time.perf_counter() - began_s


def _fail(error: BaseException) -> None:
    raise error
