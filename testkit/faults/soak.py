"""A day of sound through the whole daemon, faster than real time: does anything grow, or drift?"""

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from testkit.noisy_house import FaultRow, NoisyHouse, Violation, write_bangs

APART_S = 54.0
LENGTH_S = 162.0
"""Three bangs, and a whole number of frames: the recording repeats without a seam."""
GROWTH = 1.02
DRIFT_S = 0.05
STALLED_S = 300.0
LOOKED_EVERY_S = 0.1
"""A quarter of an hour of sound passes in a second."""


class LongHouse(NoisyHouse):
    """Rooms with a bang now and then, played as fast as the machine can."""

    def __enter__(self) -> "LongHouse":
        super().__enter__()
        for room in range(self._rooms):
            write_bangs(self.folder / f"room{room}.wav", APART_S, LENGTH_S, first_s=20.0 + room)
        return self

    def sources(self) -> list[dict[str, Any]]:
        """The same recordings, unpaced."""
        return [source | {"realtime": False} for source in super().sources()]

    def classifiers(self) -> list[dict[str, Any]]:
        """The embedded model hears what the gate lets through."""
        return [{"type": "embedded"}]

    def began_at(self) -> dict[str, list[datetime]]:
        """When the bangs of each room were heard, in the time of the sound."""
        found: dict[str, list[datetime]] = {}
        for document in self.witness.messages():
            if document.get("label") == "loud_noise" and document["state"] == "started":
                found.setdefault(document["source"], []).append(
                    datetime.fromisoformat(document["started_at"])
                )
        return found


def a_day(folder: Path, hours: float, rooms: int) -> FaultRow:
    """`hours` of sound, shared between the rooms."""
    with LongHouse(folder, rooms=rooms) as house:
        house.start()
        assert house.daemon is not None
        first_mb = 0.0
        while (heard_h := _heard_h(house)) < hours:
            _progress(house, heard_h)
            if not first_mb and heard_h >= min(1.0, hours / 2):
                first_mb = house.daemon.resident_mb()
        last_mb = house.daemon.resident_mb()
        health = house.daemon.health(60.0)
        house.stop()
        drift_s = max(_drift_s(times) for times in house.began_at().values())
        dropped = sum(queue["dropped"] for queue in health["queues"].values())
        figures = {
            "hours of sound": round(heard_h, 1),
            "rooms": rooms,
            "events": sum(map(len, house.began_at().values())),
            "MB after the first hour": round(first_mb),
            "MB at the end": round(last_mb),
            "drift ms": round(1000 * drift_s, 1),
            "dropped": dropped,
        }
        held = last_mb <= GROWTH * first_mb and drift_s <= DRIFT_S
        fault = f"{hours:g} h of sound at accelerated speed, {rooms} sources"
        return FaultRow(fault, "memory flat (2 % after the first hour), no drift over 50 ms", held, figures)


def _heard_h(house: LongHouse) -> float:
    return sum((times[-1] - times[0]).total_seconds() for times in house.began_at().values()) / 3600


def _progress(house: LongHouse, heard_h: float) -> None:
    """Wait until more was heard. Raises Broken when nothing is."""
    pause = threading.Event()
    for _ in range(int(STALLED_S / LOOKED_EVERY_S)):
        pause.wait(LOOKED_EVERY_S)
        if _heard_h(house) > heard_h:
            return
    raise Violation(f"nothing heard any more after {heard_h:.1f} h of sound")


def _drift_s(times: list[datetime]) -> float:
    """How far the bangs leave their beat of 54 s; one that was not published is passed over."""
    gaps_s = [(at - times[0]).total_seconds() for at in times]
    return max(abs(gap_s - APART_S * round(gap_s / APART_S)) for gap_s in gaps_s)
