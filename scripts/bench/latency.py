"""From the first sample of a sound to the message at an MQTT subscriber, per kind of source and per label.

One daemon listens to the same scene three ways at once: as a recording in real time, over RTSP, and through a
virtual microphone. Each scene begins with a bang that dates it; everything after is where the script put it.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from monitor.synthesis.room import coloured_noise
from scripts.bench.page import save
from scripts.bench.table import show
from testkit import household
from testkit.mosquitto import Mosquitto, Subscriber
from testkit.process import DaemonProcess
from testkit.pulse import PulseServer, sound_environment
from testkit.rtsp import RtspServer
from testkit.wav import write_wav

FLOOR_DBFS = -60.0
BANG_S = 4.0
FIRST_S = 10.0
APART_S = 5.0
SOUNDS = ("knock", "door_slam", "doorbell", "dishes", "glass_break", "car_horn", "bell", "clapping")
"""Sounds of one hit that can be made by arithmetic."""
SNR_DB = (10.0, 20.0, 30.0)


def main() -> None:
    """Play, listen, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=int, default=48, help="how many sounds, five seconds apart")
    parser.add_argument("--save", action="store_true", help="keep the figures for the docs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan, events = listen(Path(folder), options.sounds)
    rows = [*summarised(plan, events)]
    show(rows, "latency")
    if options.save:
        save("latency", rows, "python scripts/bench latency --save")


Plan = list[tuple[float, str, float]]
"""Onset in seconds from the bang, sound, SNR in dB."""


def scene(count: int, seed: int = 7) -> tuple[np.ndarray[Any, Any], Plan]:
    """The samples, shape (samples,), and what is in them."""
    rng = np.random.default_rng(seed)
    length = round((FIRST_S + count * APART_S + 5) * SAMPLE_RATE_HZ)
    samples = coloured_noise(rng, length).astype(np.float64)
    samples *= 10 ** (FLOOR_DBFS / 20) / samples.std()
    _add(samples, BANG_S, rng.standard_normal(1600) * np.exp(-np.arange(1600) / 400), 50.0)
    plan: Plan = []
    for i in range(count):
        name, snr_db = SOUNDS[i % len(SOUNDS)], SNR_DB[i // len(SOUNDS) % len(SNR_DB)]
        onset_s = FIRST_S + i * APART_S
        _add(samples, onset_s, _trimmed(getattr(household, name)(rng, SAMPLE_RATE_HZ)), snr_db)
        plan.append((onset_s - BANG_S, name, snr_db))
    return samples, plan


def _trimmed(sound: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """From its audible beginning: a soft start would count against the daemon."""
    loud = np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max())
    return np.asarray(sound[loud[0] :], np.float64)[: 3 * SAMPLE_RATE_HZ]


def _add(samples: np.ndarray[Any, Any], at_s: float, sound: np.ndarray[Any, Any], snr_db: float) -> None:
    """Its loudest 30 ms stand `snr_db` over the floor."""
    frames = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    loudest = np.sqrt((frames**2).mean(axis=1).max())
    start = round(at_s * SAMPLE_RATE_HZ)
    samples[start : start + len(sound)] += sound / loudest * 10 ** ((FLOOR_DBFS + snr_db) / 20)


Arrival = tuple[float, dict[str, Any]]
"""Unix time at which a document arrived, and the document."""


def listen(folder: Path, count: int) -> tuple[Plan, list[Arrival]]:
    """Every event of the daemon, with the moment at which it arrived here."""
    samples, plan = scene(count)
    recording = folder / "scene.wav"
    write_wav(recording, samples)
    with ExitStack() as life:
        life.enter_context(sound_environment(folder))
        server = PulseServer(folder)
        server.start()
        life.callback(server.kill)
        camera = RtspServer(recording)
        camera.start()
        life.callback(camera.kill)
        broker = life.enter_context(Mosquitto(folder / "broker"))
        listener = life.enter_context(Subscriber(broker, "earwitness/#"))
        life.enter_context(DaemonProcess(config(recording, camera.url("pcma"), broker.port), folder))
        listener.wait_for("earwitness/bench/microphone/status", "online")
        subprocess.run(["paplay", "--device=vmic", str(recording)], check=True)
        time.sleep(3)
        since_1970_s = time.time() - time.monotonic()
        events = [message for message in listener.heard if message.topic.endswith("/event")]
    return plan, [(message.timestamp + since_1970_s, json.loads(message.payload)) for message in events]


def config(recording: Path, url: str, port: int) -> dict[str, Any]:
    """One scene, three ways."""
    return {
        "node": "bench",
        "sources": [
            {"type": "file", "name": "file", "path": str(recording), "realtime": True},
            {"type": "stream", "name": "rtsp", "url": url},
            {"type": "microphone", "name": "microphone", "device": "porch"},
        ],
        "classifiers": [{"type": "embedded"}],
        "publishers": [{"type": "mqtt", "host": "127.0.0.1", "port": port}],
    }


def summarised(plan: Plan, arrivals: list[Arrival]) -> Iterator[dict[str, Any]]:
    """Per source: the first word about each sound, the share of each stage, and per label."""
    for source in ("file", "rtsp", "microphone"):
        began = [(at, doc) for at, doc in arrivals if doc["source"] == source and doc["state"] == "started"]
        bangs = [doc for _, doc in began if doc["label"] == "loud_noise"]
        if not bangs:
            print(f"{source}: the bang that dates the scene was not heard")
            continue
        zero_s = _unix(bangs[0]["started_at"])
        labels: dict[str, list[float]] = defaultdict(list)
        firsts, named = [], []
        for onset_s, name, snr_db in plan:
            about = [(at, doc) for at, doc in began if 0 <= at - zero_s - onset_s < APART_S - 0.5]
            for at, doc in about:
                labels[doc["label"]].append(at - zero_s - onset_s)
            if about:
                firsts.append((snr_db, zero_s + onset_s, *min(about, key=lambda pair: pair[0])))
            if own := [one for one in about if one[1]["label"] == name]:
                named.append((snr_db, zero_s + onset_s, *min(own, key=lambda pair: pair[0])))
        yield _stages(source, "any, first word", firsts, len(plan))
        if named:
            yield _stages(source, "its own", named, len(plan))
        for label, delays in sorted(labels.items()):
            if len(delays) >= 3:
                yield {"source": source, "label": label, "heard": len(delays)} | _spread(delays)


def _stages(source: str, label: str, firsts: list[Any], count: int) -> dict[str, Any]:
    """How the time from onset to arrival is divided. An event is dated by its sound: what follows until it is
    sent is the wait for the piece that ends it, the model, the decision and the outbox."""
    whole = [at - onset for _, onset, at, _ in firsts]
    sounded = [_unix(doc["detected_at"]) - onset for _, onset, _, doc in firsts]
    sent = [_unix(doc["delivered_at"]) - _unix(doc["detected_at"]) for _, _, _, doc in firsts]
    arrived = [at - _unix(doc["delivered_at"]) for _, _, at, doc in firsts]
    return {
        "source": source,
        "label": label,
        "heard": f"{len(firsts)} of {count}",
        **_spread(whole),
        "sound_s": round(float(np.median(sounded)), 3),
        "judge_and_send_s": round(float(np.median(sent)), 3),
        "broker_s": round(float(np.median(arrived)), 3),
    }


def _spread(delays: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(delays, [50, 95])
    return {"p50_s": round(float(p50), 3), "p95_s": round(float(p95), 3), "max_s": round(max(delays), 3)}


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
