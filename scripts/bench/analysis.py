"""How many times faster than real time `analyze` is on one core, with and without the sound model."""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from monitor.config.loading import default_config
from monitor.config.model import Config
from monitor.pipeline.build import LoadedClassifiers, load_classifiers
from monitor.recordings.analysis import analyze
from scripts.bench.capacity import busy_room, quiet_room
from scripts.bench.page import save
from scripts.bench.table import show
from testkit.wav import write_wav

ROUNDS = 5


def main() -> None:
    """Measure, interleaved, and print; `--save` also writes the figures of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    rows = measured()
    show(rows, "analysis")
    if options.save:
        save("analysis", rows, "python scripts/bench analysis --save")


def measured() -> list[dict[str, Any]]:
    """Medians over rounds in which every case has its turn."""
    config = default_config([{"type": "demo", "name": "demo"}])
    cases = [(room, model) for room in ("quiet", "busy") for model in (False, True)]
    taken: dict[tuple[str, bool], list[float]] = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        recordings = {name: Path(folder) / f"{name}.wav" for name in ("quiet", "busy")}
        write_wav(recordings["quiet"], quiet_room())
        write_wav(recordings["busy"], busy_room())
        for _ in range(ROUNDS):
            for room, model in cases:
                taken[room, model].append(_once(recordings[room], config, model=model))
    return [
        {"room": room, "model": model, "times_real_time": round(60 / median(seconds))}
        for (room, model), seconds in taken.items()
    ]


def _once(recording: Path, config: Config, *, model: bool) -> float:
    """Processor seconds for a minute of sound."""
    classifiers = load_classifiers(config) if model else LoadedClassifiers()
    began_s = time.process_time()
    analyze(recording, config, classifiers)
    return time.process_time() - began_s
