"""What happens to alerts when the disk under the outbox fails."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from testkit.faults.allowance import ALLOWANCE
from testkit.noisy_house import FaultRow, NoisyHouse, key, noisy_house, until, verdict

HOLDS = "keeps alerting live, one clear message, recovers alone"
LIVE_S = 1.0
NOT_KEPT = "history is not being kept"
KEPT = "history is being kept again"


def disk_full(folder: Path, events: int) -> FaultRow:
    """No byte more fits on the file system of the state directory; later there is room again."""
    with noisy_house(folder) as house, _small_disk(house) as disk:
        house.start()
        house.wait_decided(4)
        disk.fill()
        figures = _alerting(house, events)
        disk.free()
        return _recovered(f"disk full during {events} events ({disk.kind})", house, figures)


def disk_unusable(folder: Path, events: int) -> FaultRow:
    """The daemon starts with a state directory in which it cannot write."""
    with noisy_house(folder) as house:
        house.state.write_text("a file where the directory should be")
        house.start()
        figures = _alerting(house, events)
        house.state.unlink()
        return _recovered(f"state directory unusable from the start, {events} events", house, figures)


def store_overwritten(folder: Path, events: int) -> FaultRow:
    """Random bytes over the store and its log, while the daemon has them open."""
    with noisy_house(folder) as house:
        house.start()
        house.wait_decided(4)
        house.wait_delivered()
        spoil(house.state)
        figures = _alerting(house, events)
        return _recovered(
            f"store overwritten with random bytes while running, {events} events", house, figures
        )


def store_damaged(folder: Path, events: int) -> FaultRow:
    """Random bytes over the store between two runs."""
    with noisy_house(folder) as house:
        house.start()
        house.wait_decided(4)
        house.wait_delivered()
        house.kill()
        spoil(house.state)
        start_s = house.start()
        figures = _alerting(house, events)
        set_aside = house.logged("set aside")
        house.stop()
        found = verdict(house)
        held = found.lost == 0 and figures["live p95 s"] < LIVE_S * ALLOWANCE.get() and set_aside == 1
        more = {"lost": found.lost, "lines in the log": set_aside, "start s": round(start_s, 2)}
        return FaultRow("store damaged between two runs", HOLDS, held, figures | more)


def spoil(state: Path) -> None:
    """Write over every file of the store, to its length and in place: cutting a file to nothing first would
    take away memory that SQLite has mapped, and the kernel ends a process that then reads it (SIGBUS)."""
    for part in state.glob("outbox.db*"):
        with part.open("r+b", buffering=0) as file:
            file.write(os.urandom(part.stat().st_size))


def _alerting(house: NoisyHouse, events: int) -> dict[str, Any]:
    """Let events happen during the fault: how soon after their detection they were heard."""
    before = {key(document) for document in house.decided()}
    house.wait_decided(events)
    house.wait_delivered()
    delays_s = [
        _seconds(document["delivered_at"]) - _seconds(document["detected_at"])
        for document in house.witness.messages()
        if key(document) not in before and "detected_at" in document
    ]
    return {"events meanwhile": len(delays_s), "live p95 s": round(quantiles(delays_s, n=20)[-1], 3)}


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _recovered(fault: str, house: NoisyHouse, figures: dict[str, Any]) -> FaultRow:
    """Wait for the store to be whole again, by itself; then everything that was ever decided was heard."""
    recovery_s = until(lambda: house.logged(KEPT) > 0, "the store to recover")
    house.wait_decided(2)
    house.stop()
    found = verdict(house)
    logged = house.logged(NOT_KEPT)
    held = (
        found.lost == 0
        and figures["live p95 s"] < LIVE_S * ALLOWANCE.get()
        and logged == house.logged(KEPT) == 1
    )
    more = {"lost": found.lost, "lines in the log": logged, "kept again after s": round(recovery_s, 1)}
    return FaultRow(fault, HOLDS, held, figures | more)


class Disk:
    """A way to let the state directory run full."""

    def __init__(self, kind: str, fill: Callable[[], None], free: Callable[[], None]) -> None:
        self.kind = kind
        self.fill = fill
        self.free = free


@contextmanager
def _small_disk(house: NoisyHouse) -> Iterator[Disk]:
    """A real file system of 16 MB where we may mount one, else a limit on the size of the daemon's files."""
    house.state.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "earwitness-faults", str(house.state)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        yield _limited(house)
        return
    ballast = house.state / "ballast"
    try:
        yield Disk("tmpfs of 16 MB", lambda: _fill(ballast), ballast.unlink)
    finally:
        if house.daemon is not None:
            house.stop()
        subprocess.run(["umount", str(house.state)], check=True)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            return


def _limited(house: NoisyHouse) -> Disk:
    """The limit also holds for the log and the lines, which are shorter than the store's own log."""

    def limit(soft: int) -> None:
        assert house.daemon is not None
        _, hard = resource.prlimit(house.daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(house.daemon.process.pid, resource.RLIMIT_FSIZE, (soft, hard))

    def fill() -> None:
        limit(max(part.stat().st_size for part in house.state.iterdir()))

    return Disk("limit on file size", fill, lambda: limit(resource.RLIM_INFINITY))
