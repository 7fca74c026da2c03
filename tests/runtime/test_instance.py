"""One daemon per state folder."""

import os
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.errors import StoreError
from monitor.runtime.instance import LOCK, OnlyInstance
from testkit.fakes import raise_it


def test_a_second_one_learns_who_was_first(tmp_path):
    """In one line, with the process and the fix."""
    first, second = OnlyInstance(tmp_path, raise_it), OnlyInstance(tmp_path, raise_it)
    with first, pytest.raises(StoreError) as refused, second:
        pass
    assert f"process {os.getpid()}" in str(refused.value)
    assert "state_dir" in str(refused.value)


def test_the_next_one_may_begin_where_the_last_one_ended(tmp_path):
    """Also where a file was left behind by one that was killed."""
    (tmp_path / LOCK).write_text("12345\n")
    for _ in range(2):
        with OnlyInstance(tmp_path, raise_it):
            assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_listen(tmp_path):
    """A full or read-only disk: the alarms are delivered from memory."""
    blocked = tmp_path / "file"
    blocked.touch()
    for folder in (blocked, Path("/proc/nothing")):
        with OnlyInstance(folder, raise_it):
            assert not (folder / LOCK).exists()


def test_a_folder_that_was_deleted_is_locked_anew(tmp_path):
    """The lock on a file without a name would let a second daemon start."""
    folder = tmp_path / "state"
    first, second = OnlyInstance(folder, raise_it), OnlyInstance(folder, raise_it)
    with first:
        shutil.rmtree(folder)
        with capture_logs() as logs:
            first.look()
            first.look()
        with pytest.raises(StoreError), second:
            pass
    assert [line["event"] for line in logs] == ["the state folder was deleted or replaced; a new one is used"]


def test_another_daemon_on_the_same_folder_is_named_while_it_runs(tmp_path):
    """One that started between the deletion and the next look: both go on, for an alert sent twice is better
    than none; log and health name the other."""
    folder = tmp_path / "state"
    first, second = OnlyInstance(folder, raise_it), OnlyInstance(folder, raise_it)
    with first, capture_logs() as logs:
        shutil.rmtree(folder)
        with second:
            first.look()
            first.look()
            assert f"process {os.getpid()}" in first.notes()["state_dir"]
        first.look()
        assert first.notes() == {}
    assert [line["log_level"] for line in logs] == ["warning", "warning", "info"]


def test_a_folder_that_can_be_written_later_is_locked_then(tmp_path):
    """Until then nobody can hold it."""
    blocked = tmp_path / "state"
    blocked.touch()
    first, second = OnlyInstance(blocked, raise_it), OnlyInstance(blocked, raise_it)
    with first:
        blocked.unlink()
        first.look()
        with pytest.raises(StoreError), second:
            pass
