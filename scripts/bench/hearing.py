"""What hearing costs a source, part by part: capture, gate and segments, rhythm.

Eight recordings are heard in real time, a thread each, by the daemon's own sources, gates and rhythm
listeners, first one part, then two, then all: the difference is what a part adds. Beside it, what the same
frames cost when they are heard in one go: the rest is the price of being woken, with cold caches, and differs
much between machines. As in the daemon, sound comes a second at a time where nothing goes on. Cases take
turns.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from monitor.audio import FRAME_S, Piece
from monitor.clock import SystemClock
from monitor.gate.gate import Gate, GateConfig
from monitor.rhythm.detector import RhythmDetector
from monitor.sources.file import FileConfig
from scripts.bench.capacity import busy_room, quiet_room
from scripts.bench.page import save
from scripts.bench.table import show
from testkit.wav import write_wav

SOURCES = 8
PARTS = ("capture", "capture and gate", "capture, gate and rhythm")
OPENS_FROM = 3e-6
"""What opens the gate of the quiet room, where no gate listens."""


def main() -> None:
    """Measure every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the figures for the docs")
    options = parser.parse_args()
    rows = measured(options.seconds, options.rounds)
    show(rows, "hearing")
    if options.save:
        save("hearing", rows, "python scripts/bench hearing --save")


def measured(seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Medians over rounds in which every case has its turn."""
    cases = [(room, part) for room in ("quiet", "busy") for part in PARTS]
    percents: dict[tuple[str, str], list[float]] = {case: [] for case in cases}
    at_once_us: dict[tuple[str, str], list[float]] = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        recordings = {name: Path(folder) / f"{name}.wav" for name in ("quiet", "busy")}
        write_wav(recordings["quiet"], quiet_room())
        write_wav(recordings["busy"], busy_room())
        for _ in range(rounds):
            for room, part in cases:
                percents[room, part].append(_percent(recordings[room], part, seconds))
                at_once_us[room, part].append(_at_once_us(recordings[room], part))
    return [
        {
            "room": room,
            "part": part,
            "cpu_percent_per_source": round(median(percents[room, part]), 3),
            "us_per_frame": round(median(percents[room, part]) / 100 * FRAME_S * 1e6),
            "us_per_frame_in_one_go": round(median(at_once_us[room, part]), 1),
        }
        for room, part in cases
    ]


def _percent(recording: Path, part: str, seconds: float) -> float:
    """Of one core, for each source."""
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_hear, args=(f"room{i}", recording, part, stopping)) for i in range(SOURCES)
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    cpu_s, began_s = time.process_time(), time.monotonic()
    time.sleep(seconds)
    share = (time.process_time() - cpu_s) / (time.monotonic() - began_s)
    stopping.set()
    for thread in threads:
        thread.join()
    return 100 * share / SOURCES


def _at_once_us(recording: Path, part: str) -> float:
    """Of every frame, the recording being heard as fast as possible."""
    began_s = time.process_time()
    frames = sum(len(piece) for piece in _heard("room", recording, part, realtime=False))
    return (time.process_time() - began_s) / frames * 1e6


def _hear(name: str, recording: Path, part: str, stopping: threading.Event) -> None:
    for _ in _heard(name, recording, part, realtime=True):
        if stopping.is_set():
            return


def _heard(name: str, recording: Path, part: str, *, realtime: bool) -> Iterator[Piece]:
    """Every piece, once the parts have heard it; in real time without end."""
    gate, rhythm = Gate(name, GateConfig()), RhythmDetector(name)
    config = FileConfig(type="file", name=name, path=recording, realtime=realtime, loop=realtime)
    with config.build(SystemClock()) as source:
        for piece in source.pieces():
            if part != "capture":
                gate.hear(piece)
            if part.endswith("rhythm"):
                rhythm.hear(piece)
            is_calm = part == "capture" or (gate.opens_from and not rhythm.is_following)
            source.calm_below = (gate.opens_from or OPENS_FROM) if is_calm else 0.0
            yield piece
