"""Drills: is the margin that a drill measures the one at which detection truly fails?

    python scripts/bench drill --rooms 40

Each room has an alarm of its own make (T3 or T4, within the standard's tolerance), its reverberation, its
kind of noise and its distance. The drill hears one recording of it, after half a minute of the room and
before more of it. The truth is taken from the alarm alone: it is made quieter in steps of 3 dB, in 24
pieces of two minutes of the same room's noise at each step at which not all are found, and fails at the level
at which it is lost on average. `truth_pm_db` is how far that may be off with so many pieces, for 95 rooms of
100, were they drawn by chance; they are spread evenly, and it is less.
Where the drill names no figure but a range, the truth has to lie in that.
"""

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.drill.margin import Margin, is_heard, measured
from monitor.drill.report import RoomReport
from scripts.bench.table import show
from testkit import alarms, room
from testkit.rhythm_trials import LABELS, noise_of, rhythm_of, sounder_of

BEFORE_S = 30.0
"""What the drill hears of the room before somebody presses the button, as the command asks for."""
AFTER_S = 80.0
"""What it hears after the alarm: it closes 30 s after the first room has confirmed it, and listens on."""
CYCLES = 3
WITHIN_DB = 2.0
STEP_DB, FARTHEST_DB = 3, 66
TRUTHS = 24
FEW = 4
"""Draws that show where it is being lost."""
DRILLED = 99
"""The draw that is drilled; none of the truth's."""
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Room:
    """One room and its alarm."""

    pattern: str
    noise: str
    rt60_s: float
    snr_db: float
    pitch_hz: float
    alarm: Samples
    """Without noise, in the room, with silence before and after."""
    ends_s: float
    """Where the alarm ends in it."""
    noises: Samples
    """Two minutes of its noise at the level that it has there; every draw is a piece of it."""
    seed: int

    def heard(self, by_db: float, draw: int) -> Samples:
        """The alarm so much quieter, in new noise of the room; the noise is as loud as ever. Draws that
        follow one another begin evenly spread over the two minutes."""
        first = float(np.random.default_rng([self.seed, round(by_db), 1]).random())
        start = int((first + draw * GOLDEN) % 1 * len(self.noises))
        noise = np.resize(np.roll(self.noises, -start), len(self.alarm))
        return np.asarray(self.alarm * 10 ** (-by_db / 20) + noise, np.float32)

    @property
    def truth(self) -> tuple[float, float]:
        """How much quieter it may be until it is lost, averaged over draws of the noise, and how far that may
        be off, dB."""
        shares: list[float] = []
        variance = 0.0
        for by_db in range(STEP_DB, FARTHEST_DB, STEP_DB):
            found = [self._is_found(by_db, draw) for draw in range(FEW)]
            if not all(found) and not (shares and not shares[-1] and not any(found)):
                found += [self._is_found(by_db, draw) for draw in range(FEW, TRUTHS)]
            shares.append(sum(found) / len(found))
            variance += shares[-1] * (1 - shares[-1]) / len(found)
            if shares[-3:] == [0.0] * 3:
                break
        return STEP_DB * (0.5 + sum(shares)), 1.96 * STEP_DB * math.sqrt(variance)

    def _is_found(self, by_db: float, draw: int) -> bool:
        first, last = (round(at_s * SAMPLE_RATE_HZ) for at_s in (BEFORE_S - 2, self.ends_s + 2))
        return is_heard(self.heard(by_db, draw)[first:last], LABELS[self.pattern])

    def drilled(self) -> Margin:
        """What the drill makes of one recording."""
        return measured(self.heard(0.0, DRILLED), BEFORE_S, self.ends_s, LABELS[self.pattern], self.pitch_hz)


def rooms(count: int, seed: int) -> Iterator[Room]:
    """Drawn."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        pattern = str(rng.choice(["T3", "T3", "T4"]))
        sounder = sounder_of(str(rng.choice(["disc", "disc", "square"])), rng)
        rhythm = alarms.with_tolerance(rhythm_of(pattern, CYCLES), rng)
        dry = alarms.played(sounder, rhythm, SAMPLE_RATE_HZ)
        rt60_s = float(rng.uniform(0.2, 0.8))
        wet = room.in_room(dry, room.impulse_response(rng, rt60_s, SAMPLE_RATE_HZ), tail=True)
        padded = np.pad(wet, [round(at_s * SAMPLE_RATE_HZ) for at_s in (BEFORE_S, AFTER_S)])
        noise = str(rng.choice(["pink", "white", "pink", "babble", "dishes"]))
        noises = noise_of(noise, rng, 120 * SAMPLE_RATE_HZ)
        snr_db = float(rng.uniform(6, 30))
        # One level for all of it: were each draw brought to the ratio by itself, few dishes in it would
        # clatter louder than many, and what is drilled would be another room than the truth's.
        noises *= room.noise_gain(wet, noises, sounder.pitch_hz, snr_db, SAMPLE_RATE_HZ)
        ends_s = BEFORE_S + len(wet) / SAMPLE_RATE_HZ
        yield Room(pattern, noise, rt60_s, snr_db, sounder.pitch_hz, padded, ends_s, noises, number)


def main() -> None:
    """Drill in every room, and find its truth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rooms", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", default="1/1", help="k/n: of the rooms only every n-th, from the k-th on")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--read", type=Path, nargs="*", help="sum up rooms that --json has written")
    options = parser.parse_args()
    table = [row for file in options.read or () for row in json.loads(file.read_text(encoding="utf-8"))]
    if options.read is None:
        first, step = map(int, options.every.split("/"))
        for one in itertools.islice(rooms(options.rooms, options.seed), first - 1, None, step):
            table.append(_row(one))
            print(table[-1], file=sys.stderr, flush=True)
    show(table, "rooms")
    show([_summary(table)], "margin against the truth")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _row(one: Room) -> dict[str, Any]:
    began_s = time.process_time()
    found = one.drilled()
    took_s = time.process_time() - began_s
    report = RoomReport(
        one.noise, margin_db=found.margin_db, surely_db=found.surely_db, hardly_db=found.hardly_db
    )
    truth_db, truth_pm_db = one.truth
    off_db = None if found.margin_db is None else round(found.margin_db - truth_db, 1)
    is_right = off_db is not None and abs(off_db) <= WITHIN_DB
    if (between := report.between_db) is not None:
        is_right = between[0] - WITHIN_DB <= truth_db <= between[1] + WITHIN_DB
    return {
        "pattern": one.pattern, "noise": one.noise, "rt60_s": round(one.rt60_s, 2),
        "snr_db": round(one.snr_db, 1), "over_floor_db": found.over_floor_db, "margin_db": found.margin_db,
        "between_db": between and list(between), "truth_db": round(truth_db, 1),
        "truth_pm_db": round(truth_pm_db, 1), "off_db": off_db,
        "right": is_right, "cpu_s": round(took_s, 1),
    }  # fmt: skip


def _summary(table: Sequence[dict[str, Any]]) -> dict[str, Any]:
    off = [abs(row["off_db"]) for row in table if row["off_db"] is not None]
    figures, ranges = ([row for row in table if bool(row["between_db"]) is it] for it in (False, True))
    widths = [row["between_db"][1] - row["between_db"][0] for row in ranges]
    return {
        "rooms": len(table),
        f"mean level within {WITHIN_DB:g} dB": f"{sum(each <= WITHIN_DB for each in off)}/{len(off)}",
        "median off, dB": round(float(np.median(off)), 1),
        "said as a figure, right": f"{sum(row['right'] for row in figures)}/{len(figures)}",
        "said as a range, right": f"{sum(row['right'] for row in ranges)}/{len(ranges)}",
        "median range, dB": float(np.median(widths)) if widths else None,
        "seconds of a core, median and most": (
            f"{np.median([row['cpu_s'] for row in table]):.1f}, {max(row['cpu_s'] for row in table):.1f}"
        ),
    }
