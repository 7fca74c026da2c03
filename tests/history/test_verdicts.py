"""Verdicts: kept for good, and never in the way of listening."""

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.errors import StoreError
from monitor.history.verdicts import Judged, Verdicts
from testkit.builders import START
from testkit.fakes import FakeClock

DOG = Judged("event-1", "dog_bark", "kitchen", START, 0.9, "embedded")


def test_a_later_word_replaces_an_earlier_one(tmp_path: Path) -> None:
    """A person may change their mind; only `wrong` names another label."""
    with Verdicts(tmp_path, FakeClock()) as verdicts:
        verdicts.judge(DOG, "right", "cough", START, "me")
        verdicts.judge(DOG, "wrong", "door_slam", START, "me")

        [found] = verdicts.of(["event-1", "event-2"]).values()
        assert (found.verdict, found.label) == ("wrong", "door_slam")
        assert verdicts.counts() == {"dog_bark": {"right": 0, "wrong": 1, "unsure": 0}}
        assert verdicts.undo("event-1")
        assert not verdicts.undo("event-1")


def test_an_unusable_folder_does_not_stop_the_daemon(tmp_path: Path) -> None:
    """Entering succeeds; a verdict raises until the folder is repaired, and is kept then."""
    folder = tmp_path / "state"
    folder.touch()
    with Verdicts(folder, FakeClock()) as verdicts:
        with pytest.raises(StoreError):
            verdicts.judge(DOG, "right", None, START, "me")
        folder.unlink()
        with capture_logs() as logs:
            verdicts.of(["event-1"])
        verdicts.judge(DOG, "right", None, START, "me")
        assert verdicts.of(["event-1"])["event-1"].by == "me"
    assert [line["event"] for line in logs] == ["verdicts are kept again"]


def test_a_folder_that_was_deleted_meanwhile_is_begun_anew(tmp_path: Path) -> None:
    """The next verdict is kept, in a new file; those before are gone with the folder."""
    folder = tmp_path / "state"
    with Verdicts(folder, FakeClock()) as verdicts:
        verdicts.judge(DOG, "right", None, START, "me")
        shutil.rmtree(folder)
        verdicts.judge(DOG, "unsure", None, START, "me")
    with Verdicts(folder, FakeClock()) as verdicts:
        assert verdicts.of(["event-1"])["event-1"].verdict == "unsure"
