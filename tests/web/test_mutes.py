"""Rooms that are muted for a while, from the page."""

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", '{"hall": 1}', "\x00"])
def test_a_damaged_file_of_mutes_stops_no_start(tmp_path: Path, text: str) -> None:
    """It is logged, and nobody is muted for a while."""
    (tmp_path / FILE).write_text(text)
    assert Mutes(tmp_path, list[Command]().append, FakeClock()).until() == {}


def test_a_time_without_a_zone_is_a_time(tmp_path: Path) -> None:
    """Somebody has edited the file: the mute ends, and nothing else does."""
    commands = list[Command]()
    (tmp_path / FILE).write_text('{"hall": "2020-01-01T00:00:00"}')
    Mutes(tmp_path, commands.append, FakeClock()).due()
    assert [command.source for command in commands] == ["hall"]


def test_a_mute_that_was_made_while_the_clock_was_ahead_is_over_when_it_is_right(tmp_path: Path) -> None:
    """Its end is years away; no mute for a while is longer than a week."""
    clock, commands = FakeClock(), list[Command]()
    clock.set_wall(3650 * 86_400.0)
    Mutes(tmp_path, commands.append, clock).set("hall", True, 7 * 86_400.0)
    mutes = Mutes(tmp_path, commands.append, clock)
    mutes.due()
    assert commands == []
    clock.set_wall(-3650 * 86_400.0)
    mutes.due()
    assert [(command.source, command.value) for command in commands] == [("hall", False)]
