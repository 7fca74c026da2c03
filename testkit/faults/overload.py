"""What happens to alarms when everything else is too much: a model that hangs, raises or leaks, and
rooms that bang and bang."""

import json
import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from testkit.alarms import smoke_alarm
from testkit.builders import noise
from testkit.faults.allowance import ALLOWANCE
from testkit.faults.leaking_daemon import NAME
from testkit.noisy_house import FaultRow, NoisyHouse, until
from testkit.wav import write_wav

HOLDS = "alarms still within their latency bar; the large model is shed first"
MODEL = "large"
MAY_TAKE_MB = 400
ALARM_S = 4.4 + 1.0
"""Suspected within 1.1 cycles of the rhythm, and then a second to notify."""
QUIET_S = 12.0
"""Between two alarms in the recording: long enough for the first to end."""

HealthDocument = dict[str, Any]


class BurdenedHouse(NoisyHouse):
    """Noisy rooms, a smoke alarm twice a minute, the embedded model, and a large one that is no help."""

    def __init__(self, folder: Path, rooms: int, server: str | None) -> None:
        super().__init__(folder, rooms=rooms, every_s=0.7)
        self._server = server
        folder.mkdir(parents=True, exist_ok=True)
        write_wav(folder / "alarm.wav", _alarms())

    def sources(self) -> list[dict[str, Any]]:
        """The rooms, and the hall with its smoke alarm."""
        alarm = {"type": "file", "name": "hall", "path": str(self.folder / "alarm.wav"), "realtime": True}
        return [*super().sources(), alarm]

    def classifiers(self) -> list[dict[str, Any]]:
        """Every segment goes to the embedded model, and from there to the large one."""
        embedded = {"type": "embedded"}
        if self._server is None:
            return [embedded]
        large = {"type": "remote", "url": self._server, "model": MODEL, "everything": True, "timeout_s": 60}
        return [embedded, large]

    def alarms(self) -> list[dict[str, Any]]:
        """The first word of each smoke alarm."""
        return [d for d in self.witness.messages()
                if d.get("label") == "smoke_alarm" and d.get("state") == "started"]  # fmt: skip


class LeakyHouse(BurdenedHouse):
    """Its large model keeps 25 MB of every segment, and the process may take 400 MB."""

    module = "testkit.faults.leaking_daemon"

    def __init__(self, folder: Path, rooms: int) -> None:
        super().__init__(folder, rooms, server=None)

    def start(self) -> float:
        """With `ulimit -m`."""
        soft, hard = resource.getrlimit(resource.RLIMIT_RSS)
        resource.setrlimit(resource.RLIMIT_RSS, (MAY_TAKE_MB * 1_000_000, hard))
        try:
            return super().start()
        finally:
            resource.setrlimit(resource.RLIMIT_RSS, (soft, hard))


def model_hangs(folder: Path, alarms: int, rooms: int) -> FaultRow:
    """The large model takes requests and never answers, and every room floods it."""
    with _server(answers=False) as url, BurdenedHouse(folder, rooms, url) as house:
        figures, health = _flooded(house, alarms, lambda health: _large_model(health)["busy_since_s"] > 0)
        shed = health["queues"]["remote"]["dropped"]
        return _row(f"large model hangs, {rooms} rooms flood it", figures, {"segments shed": shed})


def model_raises(folder: Path, alarms: int, rooms: int) -> FaultRow:
    """The large model's server answers every question with an error."""
    with _server(answers=True) as url, BurdenedHouse(folder, rooms, url) as house:
        figures, health = _flooded(house, alarms, lambda health: _large_model(health)["failures"] > 0)
        fault = f"large model raises every time, {rooms} rooms flood it"
        return _row(fault, figures, {"segments it failed at": _large_model(health)["failures"]})


def model_leaks(folder: Path, alarms: int, rooms: int) -> FaultRow:
    """The large model takes more and more memory."""
    with LeakyHouse(folder, rooms) as house:
        figures, _ = _flooded(house, alarms, lambda health: "taken off" in health["notes"].get(NAME, ""))
        fault = (
            f"large model leaks 25 MB a segment where {MAY_TAKE_MB} MB may be taken, {rooms} rooms flood it"
        )
        row = _row(fault, figures, {"taken off": "yes"})
        return replace(row, held=row.held and figures["MB at the end"] <= MAY_TAKE_MB)


def _large_model(health: HealthDocument) -> dict[str, Any]:
    found: dict[str, Any] = health["classifiers"]["remote"]
    return found


def _row(fault: str, figures: dict[str, Any], more: dict[str, Any]) -> FaultRow:
    """Held when no alarm minded what befell the large model."""
    on_time = figures["longest from onset to the house s"] <= ALARM_S * ALLOWANCE.get()
    held = on_time and figures["decisions dropped"] == 0 and figures["stalled"] == 0
    return FaultRow(fault, HOLDS, held, figures | more)


def _flooded(
    house: BurdenedHouse, alarms: int, befell: Callable[[HealthDocument], bool]
) -> tuple[dict[str, Any], HealthDocument]:
    """What came of the alarms until the fault had befallen the large model, and the daemon's own health
    report. Raises Broken when it never does."""
    house.start()
    until(lambda: len(house.alarms()) >= alarms, f"{alarms} alarms", 60.0 + 40.0 * alarms)
    daemon = house.daemon
    assert daemon is not None
    # On a slow machine the first alarm can be over before the model's server has refused its first segment.
    until(lambda: befell(daemon.health()), "the fault to befall the large model")
    health = daemon.health()
    found = house.alarms()
    figures = {
        "alarms": len(found),
        "longest from onset to decision s": round(max(map(_decision_s, found)), 2),
        "longest from onset to the house s": round(max(map(_delay_s, found)), 2),
        "decisions dropped": health["queues"]["decisions"]["dropped"],
        "stalled": len(health["stalled"]),
        "processor share": health["cpu_share"],
        "load per core": round(os.getloadavg()[0] / (os.cpu_count() or 1), 1),
        "MB at the end": round(daemon.resident_mb()),
    }
    return figures, health


def _delay_s(document: dict[str, Any]) -> float:
    return (_time(document["delivered_at"]) - _time(document["started_at"])).total_seconds()


def _decision_s(document: dict[str, Any]) -> float:
    return (_time(document["detected_at"]) - _time(document["started_at"])).total_seconds()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _alarms(count: int = 20) -> np.ndarray[Any, Any]:
    """Alarms of different makes, apart from each other, over a quiet floor."""
    rng = np.random.default_rng(0)
    parts = []
    for number in range(count):
        alarm = 0.1 * smoke_alarm(rng, SAMPLE_RATE_HZ, cycles=3)
        parts += [
            noise(QUIET_S, -65.0, seed=number),
            alarm + noise(len(alarm) / SAMPLE_RATE_HZ, -65.0)[: len(alarm)],
        ]
    return np.concatenate(parts)


class _Large(BaseHTTPRequestHandler):
    """Says which models it serves; a question to one is answered with an error, or never."""

    over: threading.Event
    answers: bool

    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        if self.answers:
            self.send_error(500, "out of memory")
        else:
            self.over.wait()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def _server(*, answers: bool) -> Iterator[str]:
    over = threading.Event()
    handler = type("Handler", (_Large,), {"over": over, "answers": answers})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        over.set()
        server.shutdown()
