"""Drills: is the margin that a drill measures the one at which detection truly fails?

    python scripts/bench drill --rooms 40

Each room has an alarm of its own make (T3 or T4, within the standard's tolerance), its reverberation, its
kind of noise and its distance. The drill hears one recording of it. The truth is taken from the alarm alone:
it is made quieter, in other noise of the same room, until fewer than half of 16 draws are found.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.drill.margin import Margin, is_heard, measured
from scripts.bench.table import show
from testkit import alarms, room
from testkit.rhythm_trials import LABELS, noise_of, rhythm_of, sounder_of

BEFORE_S = 12.0
"""What the drill hears of the room before somebody presses the button."""
CYCLES = 3
WITHIN_DB = 2.0
TRUTHS = 16


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
    noises: Samples
    """Two minutes of its noise, of which every draw is a piece."""
    seed: int

    def heard(self, by_db: float, draw: int) -> Samples:
        """The alarm so much quieter, in new noise of the room; the noise is as loud as ever."""
        rng = np.random.default_rng([self.seed, draw, 1])
        start = int(rng.integers(0, len(self.noises) - len(self.alarm)))
        noise = self.noises[start : start + len(self.alarm)]
        mixed = room.mixed_at_band_snr(self.alarm, noise, self.pitch_hz, self.snr_db, SAMPLE_RATE_HZ)
        return np.asarray(mixed - self.alarm * (1 - 10 ** (-by_db / 20)), np.float32)

    @property
    def truth_db(self) -> float:
        """How much quieter it may be until half of the draws are lost."""
        kept_db, lost_db = 0.0, 60.0
        while lost_db - kept_db > 1.0:
            middle_db = round((kept_db + lost_db) / 2)
            heard = (self.heard(middle_db, draw)[self.skip :] for draw in range(TRUTHS))
            found = sum(is_heard(one, LABELS[self.pattern]) for one in heard)
            kept_db, lost_db = (middle_db, lost_db) if 2 * found > TRUTHS else (kept_db, middle_db)
        return (kept_db + lost_db) / 2

    @property
    def skip(self) -> int:
        """Samples before the alarm that are nothing but noise, all but 2 s of them."""
        return round((BEFORE_S - 2) * SAMPLE_RATE_HZ)

    def drilled(self) -> Margin:
        """What the drill makes of one recording."""
        ends_s = len(self.alarm) / SAMPLE_RATE_HZ - 2.0
        return measured(self.heard(0.0, TRUTHS), BEFORE_S, ends_s, LABELS[self.pattern], self.pitch_hz)


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
        padded = np.pad(wet, (round(BEFORE_S * SAMPLE_RATE_HZ), 2 * SAMPLE_RATE_HZ))
        noise = str(rng.choice(["pink", "white", "pink", "babble", "dishes"]))
        noises = noise_of(noise, rng, 120 * SAMPLE_RATE_HZ)
        snr_db = float(rng.uniform(6, 30))
        yield Room(pattern, noise, rt60_s, snr_db, sounder.pitch_hz, padded, noises, number)


def main() -> None:
    """Drill in every room, and find its truth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rooms", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = []
    for one in rooms(options.rooms, options.seed):
        table.append(_row(one))
        print(table[-1], file=sys.stderr, flush=True)
    show(table, "rooms")
    off = [abs(float(str(row["off_db"]))) for row in table if row["off_db"] is not None]
    inside = sum(each <= WITHIN_DB for each in off)
    summary = {
        "rooms": len(table),
        "measured": len(off),
        f"within {WITHIN_DB:g} dB": f"{inside}/{len(off)}",
        "median off, dB": round(float(np.median(off)), 2),
        "95 % within, dB": round(float(np.quantile(off, 0.95)), 2),
    }
    show([summary], "margin against the truth")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _row(one: Room) -> dict[str, object]:
    found, truth_db = one.drilled(), one.truth_db
    off_db = None if found.margin_db is None else round(found.margin_db - truth_db, 2)
    return {
        "pattern": one.pattern, "noise": one.noise, "rt60_s": round(one.rt60_s, 2),
        "snr_db": round(one.snr_db, 1), "over_floor_db": found.over_floor_db, "margin_db": found.margin_db,
        "truth_db": round(truth_db, 1), "off_db": off_db,
    }  # fmt: skip
