"""What happens to alarms when everything else is too much: a model that hangs, rooms that bang and bang."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from monitor.synthesis.alarms import smoke_alarm
from scripts.bench.capacity import write_wav
from scripts.bench.noisy_house import NoisyHouse, Row, until
from tests.builders import noise

MODEL = "hangs"
ALARM_S = 4.4 + 1.0
"""Suspected within 1.1 cycles of the rhythm, and then a second to tell."""
QUIET_S = 12.0
"""Between two alarms in the recording: long enough for the first to end."""


class BurdenedHouse(NoisyHouse):
    """Noisy rooms, a smoke alarm twice a minute, the embedded model, and a large one that never answers."""

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
        """Every segment goes to the embedded model, and from there to the one that hangs."""
        embedded = {"type": "embedded"}
        if self._server is None:
            return [embedded]
        hanging = {
            "type": "remote",
            "url": self._server,
            "model": MODEL,
            "everything": True,
            "timeout_s": 60,
        }
        return [embedded, hanging]

    def alarms(self) -> list[dict[str, Any]]:
        """The first word of each smoke alarm."""
        return [d for d in self.witness.messages()
                if d.get("label") == "smoke_alarm" and d.get("state") == "started"]  # fmt: skip


def model_hangs(folder: Path, alarms: int, rooms: int) -> Row:
    """The large model takes requests and never answers, and every room floods it."""
    with _hanging_server() as url, BurdenedHouse(folder, rooms, url) as house:
        house.start()
        until(lambda: len(house.alarms()) >= alarms, f"{alarms} alarms", 60.0 + 40.0 * alarms)
        assert house.daemon is not None
        health = house.daemon.health()
        delays_s = [_delay_s(document) for document in house.alarms()]
        events_s = [_lag_s(d) for d in house.witness.messages() if "detected_at" in d]
        dropped = {name: queue["dropped"] for name, queue in health["queues"].items()}
        figures = {
            "rooms": rooms,
            "alarms": len(delays_s),
            "longest from onset to decision s": round(max(map(_decision_s, house.alarms())), 2),
            "longest from onset to the house s": round(max(delays_s), 2),
            "median from decision to the house s": round(median(events_s), 3),
            "segments shed from the large model": dropped.get("remote", 0),
            "dropped on the way to a decision": dropped["decisions"],
            "load per core": round(os.getloadavg()[0] / (os.cpu_count() or 1), 1),
            "MB": round(house.daemon.resident_mb()),
        }
        held = max(delays_s) <= ALARM_S and dropped["decisions"] == 0 and not health["stalled"]
        fault = f"large model hangs, {rooms} rooms flood it"
        return Row(
            fault, "alarms still within their latency bar; the large model is shed first", held, figures
        )


def _delay_s(document: dict[str, Any]) -> float:
    return (_time(document["delivered_at"]) - _time(document["started_at"])).total_seconds()


def _decision_s(document: dict[str, Any]) -> float:
    return (_time(document["detected_at"]) - _time(document["started_at"])).total_seconds()


def _lag_s(document: dict[str, Any]) -> float:
    return (_time(document["delivered_at"]) - _time(document["detected_at"])).total_seconds()


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


class _Hanging(BaseHTTPRequestHandler):
    """Says which models it serves; a question to one is never answered."""

    over: threading.Event

    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.over.wait()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def _hanging_server() -> Iterator[str]:
    over = threading.Event()
    handler = type("Handler", (_Hanging,), {"over": over})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        over.set()
        server.shutdown()
