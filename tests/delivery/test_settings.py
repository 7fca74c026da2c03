"""What was set from outside survives a restart."""

import json
import os
import queue
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.delivery.kept.settings import KeptSettings
from monitor.delivery.kept.writer import KeptWriter
from monitor.types import Setting
from testkit.fakes import raise_it
from testkit.noisy_house import until

CONFIGURED = [Setting("kitchen", "mute", False), Setting("kitchen", "sensitivity", 0.2)]


def settings(folder: Path, configured: list[Setting] = CONFIGURED) -> KeptSettings:
    found = KeptSettings(folder / "settings.json", configured)
    found.read()
    return found


def test_what_was_set_is_found_again(tmp_path: Path) -> None:
    """Mute and sensitivity are after a restart as they were left; the file is nobody else's."""
    before = settings(tmp_path)
    before.keep(Setting("kitchen", "mute", True))
    before.keep(Setting("kitchen", "sensitivity", -0.5))
    before.write()
    after = settings(tmp_path)
    assert after.in_force() == [Setting("kitchen", "mute", True), Setting("kitchen", "sensitivity", -0.5)]
    assert (tmp_path / "settings.json").stat().st_mode & 0o777 == 0o600


def test_the_house_is_as_it_was_left(tmp_path: Path) -> None:
    """The mode that Home Assistant set; what other devices publish comes again by itself."""
    own = Setting("house", "mode", None)
    before = settings(tmp_path, [own])
    before.keep(Setting("house", "mode", "away"))
    before.keep(Setting("house", "tv", "on"))
    before.write()
    assert settings(tmp_path, [own]).in_force() == [Setting("house", "mode", "away")]


def test_who_edits_the_configuration_means_it(tmp_path: Path) -> None:
    """Another sensitivity in the configuration than when it was set from outside: the configuration's."""
    before = settings(tmp_path)
    before.keep(Setting("kitchen", "sensitivity", -0.5))
    before.write()
    edited = [Setting("kitchen", "mute", False), Setting("kitchen", "sensitivity", 0.4)]
    assert settings(tmp_path, edited).in_force() == edited


def test_a_source_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    """Nothing is said of a source that is not configured any more."""
    before = settings(tmp_path)
    before.keep(Setting("kitchen", "mute", True))
    before.write()
    assert settings(tmp_path, []).in_force() == []


@pytest.mark.parametrize(
    "content",
    [
        "", "{}", "[[1]]", '[["kitchen", "mute", "ON"', "\x00", "null", "[7]", "[" * 100_000,
        '[["kitchen", "sensitivity", null, 0.2]]',
        f'[["kitchen", "sensitivity", 1{"0" * 400}, 0.2]]',
        '[["nobody", "mute", true, null]]',
    ],
)  # fmt: skip
def test_a_damaged_file_costs_only_what_was_set(tmp_path: Path, content: str) -> None:
    """Whatever stands in the file, the daemon starts as configured."""
    (tmp_path / "settings.json").write_text(content)
    assert settings(tmp_path).in_force() == CONFIGURED


def test_a_disk_that_takes_nothing_is_said_once(tmp_path: Path) -> None:
    """What was set holds until the next restart; the log reports that, and when it is kept again."""
    (tmp_path / "settings.json").mkdir()
    kept = KeptSettings(tmp_path / "settings.json", CONFIGURED)
    with capture_logs() as logs:
        for mute in (True, False):
            kept.keep(Setting("kitchen", "mute", mute))
            kept.write()
        (tmp_path / "settings.json").rmdir()
        kept.write()
    assert [line["event"] for line in logs] == [
        "mute and sensitivity will be as configured after a restart",
        "mute and sensitivity are kept again",
    ]
    assert kept.in_force() == CONFIGURED


def test_what_the_disk_did_not_take_is_kept_when_it_has_room(tmp_path: Path) -> None:
    """By the writer's thread, and without anybody setting something once more: a kill costs no mute."""
    file = tmp_path / "settings.json"
    file.mkdir()
    kept, late = KeptSettings(file, CONFIGURED), queue.Queue[Sequence[Setting]]()
    with capture_logs() as logs, KeptWriter(kept, late.put, raise_it):
        kept.keep(Setting("kitchen", "mute", True))
        until(lambda: bool(logs), "the disk to refuse it")
        file.rmdir()
        until(file.is_file, "it to be kept")
        assert json.loads(file.read_text()) == [["kitchen", "mute", True, False]]


def test_what_is_set_is_on_disk_when_the_daemon_ends(tmp_path: Path) -> None:
    """The writer's thread writes it, so that whoever decides never waits for the disk."""
    kept = KeptSettings(tmp_path / "settings.json", CONFIGURED)
    with KeptWriter(kept, raise_setting, raise_it):
        kept.keep(Setting("kitchen", "mute", True))

    assert settings(tmp_path).in_force()[0] == Setting("kitchen", "mute", True)


def test_a_disk_that_answers_late_holds_up_no_start(tmp_path: Path) -> None:
    """The start goes on without an answer; what was set holds as soon as the disk gives it, but not over what
    was set meanwhile."""
    file, late = tmp_path / "settings.json", queue.Queue[Sequence[Setting]]()
    os.mkfifo(file)  # whoever reads it waits
    kept = KeptSettings(file, CONFIGURED)
    with KeptWriter(kept, late.put, raise_it):
        assert kept.in_force() == CONFIGURED
        kept.keep(Setting("kitchen", "sensitivity", 0.7))
        file.write_text(json.dumps([["kitchen", "mute", True, False], ["kitchen", "sensitivity", -1, 0.2]]))

        assert Setting("kitchen", "mute", True) in late.get(timeout=30)
        assert kept.in_force() == [Setting("kitchen", "mute", True), Setting("kitchen", "sensitivity", 0.7)]


def raise_setting(settings: Sequence[Setting]) -> None:
    raise AssertionError(f"{settings} were not late")
