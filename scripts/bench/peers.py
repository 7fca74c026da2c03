"""What a stream costs beside a peer: one ffmpeg per stream, a gate by RMS, YAMNet (as Frigate listens).

    python scripts/bench peers --yamnet yamnet.tflite [--rtsp] [--save]

Both take the same recordings in real time, in turns, several rounds: what counts is the ratio. Processor time
and memory are those of whole process trees. The peer needs `ffmpeg` and `pip install ai-edge-litert`.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from scripts.bench.capacity import busy_room, quiet_room
from scripts.bench.page import save
from scripts.bench.table import show
from testkit.process import DaemonProcess, tree_cpu_s, tree_resident_mb
from testkit.rtsp import RtspServer
from testkit.wav import write_wav

SETTLE_S = 6.0
ROOMS = {"quiet": quiet_room, "busy": busy_room}


def main() -> None:
    """Measure every case and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--yamnet", type=Path, required=True, help="the peer's model (.tflite)")
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=12.0, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rtsp", action="store_true", help="streams from a local RTSP server (PCMA) as well")
    parser.add_argument("--save", action="store_true", help="keep the figures for the docs")
    options = parser.parse_args()
    rows = [
        row
        for transport in ("file", *(["rtsp"] if options.rtsp else []))
        for room in ROOMS
        for row in _compared(room, transport, options)
    ]
    show(rows, "peers")
    if options.save:
        save("peers", rows, "python scripts/bench peers --yamnet yamnet.tflite --save")


def _compared(room: str, transport: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    percents: dict[str, list[float]] = {"earwitness": [], "ffmpeg and YAMNet": []}
    resident_mb: dict[str, list[float]] = {name: [] for name in percents}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording = folder / f"{room}.wav"
        write_wav(recording, ROOMS[room]())
        with _inputs(recording, transport, options.streams) as inputs:
            for _ in range(options.rounds):
                for who, running in (("earwitness", _ours), ("ffmpeg and YAMNet", _peer)):
                    with running(inputs, folder, options.yamnet) as pid:
                        time.sleep(SETTLE_S)
                        cpu_s, began_s = tree_cpu_s(pid), time.monotonic()
                        time.sleep(options.seconds)
                        share = (tree_cpu_s(pid) - cpu_s) / (time.monotonic() - began_s)
                        percents[who].append(100 * share / options.streams)
                        resident_mb[who].append(tree_resident_mb(pid))
    ours, peers = percents.values()
    ratio = median(mine / theirs for mine, theirs in zip(ours, peers, strict=True))
    for who, measured in percents.items():
        yield {
            "streams": f"{options.streams} {room}, {transport}",
            "who": who,
            "cpu_percent_per_stream": round(median(measured), 2),
            "resident_mb": round(median(resident_mb[who])),
            "ratio": round(ratio, 2) if who == "earwitness" else "",
        }


@contextmanager
def _inputs(recording: Path, transport: str, streams: int) -> Iterator[list[str]]:
    if transport == "file":
        yield [str(recording)] * streams
        return
    server = RtspServer(recording)
    server.start()
    try:
        yield [server.url("pcma")] * streams
    finally:
        server.kill()


@contextmanager
def _ours(inputs: list[str], folder: Path, _: Path) -> Iterator[int]:
    config = {
        "node": "bench",
        "sources": [_source(f"room{i}", each) for i, each in enumerate(inputs)],
        "classifiers": [{"type": "embedded"}],
        "publishers": [],
        "log": {"level": "warning"},
    }
    with DaemonProcess(config, folder).listening() as daemon:
        yield daemon.process.pid


def _source(name: str, address: str) -> dict[str, Any]:
    if address.startswith("rtsp"):
        return {"type": "stream", "name": name, "url": address}
    return {"type": "file", "name": name, "path": address, "realtime": True, "loop": True}


@contextmanager
def _peer(inputs: list[str], _: Path, model: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "testkit.ffmpeg_yamnet", str(model), *inputs]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment, start_new_session=True)
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    main()
