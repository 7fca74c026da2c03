"""One daemon per state folder."""

import os
from pathlib import Path

import pytest

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
