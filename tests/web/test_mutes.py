"""Rooms that are muted for a while, from the page."""

import os
import threading
from datetime import timedelta
from pathlib import Path

from monitor.types import Command
from monitor.web.mutes import FILE, Mutes
from testkit.fakes import FakeClock


def test_a_mute_ends_at_its_time_and_outlasts_a_restart(tmp_path: Path) -> None:
    """The room is heard again, whoever looks after it then."""
    clock, commands = FakeClock(), list[Command]()
    Mutes(tmp_path, commands.append, clock).set("hall", True, 3600.0)
    mutes = Mutes(tmp_path, commands.append, clock)
    assert mutes.until() == {"hall": clock.now() + timedelta(hours=1)}

    clock.advance(3600)
    mutes.due()
    assert commands == [Command("mute", "hall", False, by="page")]
    mutes.keep()
    assert Mutes(tmp_path, commands.append, clock).until() == {}


def test_a_disk_that_hangs_holds_up_only_who_mutes(tmp_path: Path) -> None:
    """The main thread and the one that decides ask for mutes: they never wait for the disk."""
    clock, commands = FakeClock(), list[Command]()
    half = tmp_path / (FILE + ".part")
    os.mkfifo(half)  # whoever opens it to write waits for a reader
    mutes = Mutes(tmp_path, commands.append, clock)
    visitor = threading.Thread(target=mutes.set, args=("hall", True, 60.0), daemon=True)
    visitor.start()
    while not mutes.until():
        assert visitor.is_alive()
    clock.advance(60)
    mutes.due()
    assert (mutes.until(), len(commands), visitor.is_alive()) == ({}, 1, True)

    with half.open("rb"):
        visitor.join(60)
    assert not visitor.is_alive()
