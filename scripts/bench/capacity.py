"""What a source costs: processor, memory and drops, for quiet and busy rooms, with and without the model.

Every row is a daemon process of its own that listens to recordings in real time, as it would to microphones.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from scripts.bench.page import save
from scripts.bench.table import show
from testkit.process import DaemonProcess
from testkit.wav import write_wav

SETTLE_S = 6.0
LOOKS = 8
"""How often every source is asked how far it is behind."""


def main() -> None:
    """Measure every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each measurement")
    parser.add_argument("--sources", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--save", action="store_true", help="keep the figures for the docs")
    options = parser.parse_args()
    cases = [
        (count, room, model)
        for model in (False, True)
        for room in ("quiet", "busy")
        for count in options.sources
    ]
    rows = []
    for count, room, model in cases:
        rows.append(measure(count, room, model, options.seconds))
        print(json.dumps(rows[-1]), flush=True)
    show(rows, "capacity")
    if options.save:
        save("capacity", rows, "python scripts/bench capacity --save")


def measure(count: int, room: str, model: bool, seconds: float) -> dict[str, Any]:
    """One daemon with `count` sources in such a room."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording = folder / "room.wav"
        write_wav(recording, quiet_room() if room == "quiet" else busy_room())
        source = {"type": "file", "path": str(recording), "realtime": True, "loop": True}
        config = {
            "node": "bench",
            "sources": [{**source, "name": f"room{i}"} for i in range(count)],
            "classifiers": [{"type": "embedded"}] if model else [],
            "publishers": [],
            "log": {"level": "warning"},
        }
        with DaemonProcess(config, folder).listening() as daemon:
            time.sleep(SETTLE_S)
            cpu_s, began_s = daemon.cpu_s(), time.monotonic()
            lags_s = [lag_s for _ in range(LOOKS) for lag_s in _lags_s(daemon, seconds / LOOKS)]
            share = (daemon.cpu_s() - cpu_s) / (time.monotonic() - began_s)
            health, resident_mb = daemon.health(), daemon.resident_mb()
    return {
        "sources": count,
        "room": room,
        "model": model,
        "cpu_percent": round(100 * share, 2),
        "cpu_percent_per_source": round(100 * share / count, 3),
        "resident_mb": round(resident_mb, 1),
        "dropped": sum(queue["dropped"] for queue in health["queues"].values()),
        "lag_p99_s": round(float(np.quantile(lags_s, 0.99)), 3),
        "worst_lag_s": max(lags_s),
        "segments": sum(each["segments"] for each in health["classifiers"].values()),
        "stopped_in_s": round(daemon.stopped_in_s, 2),
    }


def _lags_s(daemon: DaemonProcess, after_s: float) -> list[float]:
    """How far every source is behind the clock, a while later."""
    time.sleep(after_s)
    return [source["lag_s"] for source in daemon.health()["sources"].values()]


def quiet_room(duration_s: float = 60.0) -> np.ndarray[Any, Any]:
    """A room at night: pink-ish noise around -62 dBFS, nothing else. Shape (samples,)."""
    rng = np.random.default_rng(1)
    white = rng.standard_normal(round(duration_s * SAMPLE_RATE_HZ))
    smooth = np.convolve(white, np.exp(-np.arange(32) / 8), mode="same")
    return np.asarray(smooth / smooth.std() * 10 ** (-62 / 20))


def busy_room(duration_s: float = 60.0) -> np.ndarray[Any, Any]:
    """A sound of 0.3 to 2.5 s every three seconds, 20 to 40 dB above the floor. Shape (samples,)."""
    rng = np.random.default_rng(2)
    samples = quiet_room(duration_s)
    for start_s in np.arange(2, duration_s - 3, 3):
        length = round(rng.uniform(0.3, 2.5) * SAMPLE_RATE_HZ)
        level = 10 ** (rng.uniform(-42, -22) / 20)
        carrier = np.sin(2 * np.pi * rng.uniform(300, 3000) * np.arange(length) / SAMPLE_RATE_HZ)
        burst = (rng.standard_normal(length) + 2 * carrier) * np.hanning(length) * level
        start = round(start_s * SAMPLE_RATE_HZ)
        samples[start : start + length] += burst
    return samples
