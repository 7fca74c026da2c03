"""What happens to alerts when the disk under the outbox gives no error, but no answer either."""

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from testkit.faults.store import KEPT, NOT_KEPT
from testkit.faults.watchdog import LIMIT_S, Manager
from testkit.noisy_house import NODE, FaultRow, NoisyHouse, key, noisy_house, until, verdict

HOLDS = "every alert within 1 s, one clear message, health answers, watchdog fed, recovers alone"
FREEZE = "a disk that is frozen (fsfreeze of ext4)"
LOCK = "a store that another program holds locked (no file system may be mounted here)"


def while_running(folder: Path, events: int, within_s: float) -> FaultRow:
    """The disk of the state directory stops answering while events go on; later it answers again."""
    with noisy_house(folder) as house, _stalling_disk(house) as (kind, stall, release):
        with Manager(folder / "notify") as manager:
            house.environment = manager.environment
            house.start()
            house.wait_decided(4)
            house.wait_delivered()
            began_s = time.monotonic()
            stall()
            figures = _alerting(house, events)
            figures["watchdog fed each s"] = round(manager.longest_gap_s(began_s, time.monotonic()), 2)
        release()
        return _recovered(f"{kind}, during {events} events", house, figures, within_s)


def stopped(folder: Path, within_s: float) -> FaultRow:
    """SIGTERM while the disk of the state directory does not answer. The process itself cannot end before
    that: its threads wait in the kernel."""
    with noisy_house(folder) as house, _stalling_disk(house) as (kind, stall, release):
        house.start()
        house.wait_decided(4)
        house.wait_delivered()
        stall()
        house.wait_decided(4)
        assert house.daemon is not None
        house.daemon.process.send_signal(signal.SIGTERM)
        took_s = until(lambda: house.witness.on(f"{NODE}/status")[-1:] == ["offline"], "the last word")
        release()
        house.stop()
        lost = verdict(house).lost
    return FaultRow(
        f"{kind}, and SIGTERM meanwhile",
        "`offline` is published within 3 s, nothing lost",
        took_s <= within_s and lost == 0,
        {"offline after s": round(took_s, 2), "lost": lost},
    )


def at_the_start(folder: Path, events: int, within_s: float) -> FaultRow:
    """The daemon is killed, and starts again on a disk that does not answer."""
    with noisy_house(folder) as house, _stalling_disk(house) as (kind, stall, release):
        house.start()
        house.wait_decided(4)
        house.wait_delivered()
        house.kill()
        stall()
        start_s = house.start()
        figures = _alerting(house, events) | {"start s": round(start_s, 2)}
        release()
        return _recovered(f"{kind}, from the start, {events} events", house, figures, within_s)


def _alerting(house: NoisyHouse, events: int) -> dict[str, Any]:
    """Let events happen during the fault: how soon after their detection they were heard."""
    before = {key(document) for document in house.decided()}
    house.wait_decided(events)
    until(lambda: house.logged(NOT_KEPT) > 0, "the log to say it")
    house.wait_delivered()
    assert house.daemon is not None
    asked_s = time.monotonic()
    durable = house.daemon.health(patience_s=60.0)["delivery"]["durable"]
    answered_s = time.monotonic() - asked_s
    delays_s = [
        _seconds(document["delivered_at"]) - _seconds(document["detected_at"])
        for document in house.witness.messages()
        if key(document) not in before and "detected_at" in document
    ]
    return {
        "events meanwhile": len(delays_s),
        "longest delay s": round(max(delays_s), 3),
        "health after s": round(answered_s, 2),
        "called kept": "yes" if durable else "no",
    }


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _recovered(fault: str, house: NoisyHouse, figures: dict[str, Any], within_s: float) -> FaultRow:
    """The store is whole again by itself, and everything that was ever decided was heard."""
    recovery_s = until(lambda: house.logged(KEPT) > 0, "the store to recover")
    house.wait_decided(2)
    house.stop()
    found = verdict(house)
    logged = house.logged(NOT_KEPT)
    held = (
        found.lost == found.unknown == found.stuck == 0
        and figures["longest delay s"] <= within_s
        and figures.get("watchdog fed each s", 0.0) <= LIMIT_S / 2
        and figures["called kept"] == "no"
        and logged == house.logged(KEPT) == 1
    )
    more = {"lost": found.lost, "lines in the log": logged, "kept again after s": round(recovery_s, 1)}
    return FaultRow(fault, HOLDS, held, figures | more)


Stall = tuple[str, Callable[[], None], Callable[[], None]]
"""What it is, and what begins and ends it."""


@contextmanager
def _stalling_disk(house: NoisyHouse) -> Iterator[Stall]:
    """A real file system that the kernel freezes, where we may mount one; else a lock on the store."""
    house.state.mkdir(mode=0o700)
    image = house.folder / "disk.img"
    with image.open("wb") as out:
        out.truncate(32 * 2**20)
    if not (_ran("mkfs.ext4", "-q", image) and _ran("mount", "-o", "loop", image, house.state)):
        yield _locked(house)
        return
    try:
        if not (_ran("fsfreeze", "-f", house.state) and _ran("fsfreeze", "-u", house.state)):
            yield _locked(house)
            return
        yield (
            FREEZE,
            lambda: _run("fsfreeze", "-f", house.state),
            lambda: _run("fsfreeze", "-u", house.state),
        )
    finally:
        _ran(
            "fsfreeze", "-u", house.state
        )  # or nobody could stop the daemon, whose threads wait in the kernel
        if house.daemon is not None:
            house.stop()
        _run("umount", house.state)


def _locked(house: NoisyHouse) -> Stall:
    """SQLite waits for a lock as it would for a disk, and gives up in the end."""
    holder: list[sqlite3.Connection] = []

    def take() -> None:
        connection = sqlite3.connect(house.state / "outbox.db", isolation_level=None, timeout=30)
        connection.execute("BEGIN IMMEDIATE")
        holder.append(connection)

    return LOCK, take, lambda: holder.pop().close()


def _ran(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
