"""Where a second of sound goes, stage by stage, in microseconds, and the floor that the hardware sets.

    python scripts/bench profile [--rounds 15] [--save]

A minute of a quiet and of a busy room passes through the daemon's own parts, one stage after the other, on
one core. Of every 0.6 s the least of all rounds counts: what other programs take meanwhile does not show. The
floor is the stage's arithmetic at the rate at which this machine multiplies matrices. Every stage is measured
with warm caches; a daemon in a quiet house finds them cold, and needs two to four times as much.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import Piece
from monitor.classifiers.base import judged
from monitor.classifiers.taggers.embedded import EmbeddedConfig
from monitor.clock import SystemClock
from monitor.gate.gate import Gate, GateConfig
from monitor.gate.listening import FrameMarker
from monitor.rhythm.detector import RhythmDetector
from monitor.rhythm.history import LevelHistory
from monitor.rhythm.spectrum import BLOCK, BLOCK_HOPS, Spectrum
from monitor.sources.base import PIECE_S
from monitor.sources.file import FileConfig
from monitor.sources.timing.pacing import PIECE_FRAMES, in_step
from monitor.types import Segment
from scripts.bench.capacity import busy_room, quiet_room
from scripts.bench.page import save
from scripts.bench.table import show
from testkit.wav import write_wav

TOGETHER = 5
"""Pieces that are timed at once: 0.6 s, less than the turn that a scheduler gives."""
LEVEL_FLOP = 2 * 480 * 9
"""Of a frame: seven cosines, energy and extremes."""
SPECTRA_FLOP = BLOCK_HOPS * (9_000 + 19_000 + 4_000 + 338 * 40)
"""Of a block of 120 ms: two transforms, unpacking, and for each bin logarithm, surroundings and fading."""


def main() -> None:
    """Measure both rooms and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--save", action="store_true", help="keep the figures for the docs")
    options = parser.parse_args()
    gflops = _gflops()
    rows = [
        row
        for room, sound in (("quiet", quiet_room()), ("busy", busy_room()))
        for row in _profiled(room, sound, gflops, options.rounds)
    ]
    show(rows, f"microseconds per second of sound, one source; {gflops:.0f} GFLOP/s")
    if options.save:
        save("profile", rows, "python scripts/bench profile --save")


def _profiled(room: str, sound: np.ndarray[Any, Any], gflops: float, rounds: int) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "room.wav"
        write_wav(recording, sound)
        open_recording = partial(_pieces, recording)
        pieces = list(open_recording())
        capture = _least(lambda: partial(next, open_recording()), [()] * len(pieces), rounds)
    each = [(piece,) for piece in pieces]
    levels = _least(_levels, each, rounds)
    gate = _least(lambda: Gate("room", GateConfig()).hear, each, rounds)
    spectra = _least(_spectra, each, rounds)
    rhythm = _least(lambda: RhythmDetector("room").hear, each, rounds)
    frames_s, blocks_s = 1 / 0.03, 1 / PIECE_S
    for stage, took_us, flop_s in (
        ("woken eight times", _woken_us() / PIECE_S, None),
        ("read, decode, frame", capture, 0.0),
        ("levels and floor", levels, LEVEL_FLOP * frames_s),
        ("gate, segments, faults", gate - levels, None),
        ("spectra", spectra, SPECTRA_FLOP * blocks_s),
        ("rhythm", rhythm - spectra, None),
        ("sound model", _classified_us(pieces, rounds), None),
    ):
        floor_us = "" if flop_s is None else round(flop_s / gflops / 1e3, 1)
        yield {"room": room, "stage": stage, "us": round(took_us), "floor_us": floor_us}


def _least(begin: Callable[[], Callable[..., Any]], calls: Sequence[tuple[Any, ...]], rounds: int) -> float:
    """Microseconds per second of sound: the least of the rounds for every stretch of calls, added up."""
    least = [float("inf")] * (len(calls) // TOGETHER)
    for _ in range(rounds):
        call = begin()
        for number in range(len(least)):
            began_s = time.perf_counter()
            for arguments in calls[number * TOGETHER : (number + 1) * TOGETHER]:
                call(*arguments)
            least[number] = min(least[number], time.perf_counter() - began_s)
    return sum(least) * 1e6 / (len(least) * TOGETHER * PIECE_S)


def _pieces(recording: Path) -> Iterator[Piece]:
    with FileConfig(type="file", name="room", path=recording).build(SystemClock()) as source:
        # A recording comes a second at a time; the stages are measured on what a microphone hands on.
        yield from in_step(source.pieces(), PIECE_FRAMES)


def _levels() -> Callable[[Piece], None]:
    marker = FrameMarker(GateConfig())

    def hear(piece: Piece) -> None:
        first = 0
        while first < len(piece):
            count = min(len(piece) - first, marker.frames_wanted)
            marker.hear(piece.audio.samples, first, count)
            first += count

    return hear


def _spectra() -> Callable[[Piece], object]:
    spectrum, history, block = Spectrum(), LevelHistory(), np.zeros(BLOCK, np.float32)
    put_rows = partial(spectrum.put_rows, block.ctypes.data)

    def hear(piece: Piece) -> None:
        block[: len(piece.audio)] = piece.audio.samples
        history.append(put_rows)

    return hear


def _classified_us(pieces: Sequence[Piece], rounds: int) -> float:
    """What the sound model needs for the segments and early looks of a second."""
    gate, cuts = Gate("room", GateConfig()), list[Segment]()
    for piece in pieces:
        cuts += [cut for _, output in gate.hear(piece) for cut in output.segments]
    model = EmbeddedConfig(type="embedded").build()
    model.load()
    least = [float("inf")] * len(cuts)
    for _ in range(max(2, rounds // 3)):
        for number, cut in enumerate(cuts):
            began_s = time.perf_counter()
            judged(model, [cut])
            least[number] = min(least[number], time.perf_counter() - began_s)
    return sum(least) * 1e6 / (len(pieces) * PIECE_S)


def _woken_us(times: int = 100) -> float:
    """Processor time of a thread that does nothing but wait for the next piece."""
    never = threading.Event()
    began_s = time.process_time()
    for _ in range(times):
        never.wait(0.01)
    return (time.process_time() - began_s) / times * 1e6


def _gflops(size: int = 512, products: int = 40) -> float:
    """Single precision, of one core: products of matrices that fit the caches. numpy may multiply on every
    core at once, so the time of all threads counts: of many products, for other threads' time is counted in
    steps of milliseconds."""
    matrix = np.ones((size, size), np.float32)
    least_s = float("inf")
    for _ in range(5):
        began_s = time.process_time()
        for _ in range(products):
            matrix @ matrix
        least_s = min(least_s, time.process_time() - began_s)
    return products * 2 * size**3 / least_s / 1e9


if __name__ == "__main__":
    main()
