"""Temporary files in memory: our stores wait a second for a disk, and on a busy machine a sound one may take
longer. The tests that are about slow disks freeze one of their own."""

import os
import shutil
import tempfile
from pathlib import Path

_FOLDER = Path("/dev/shm")
_ROOM_BYTES = 4 * 2**30
"""A whole run leaves 0.5 GB, and pytest keeps that of three runs. Docker gives containers 64 MB."""


def keep_temporary_files_in_memory() -> None:
    """For this process and what it starts, where there is room and programs may be run from there. A TMPDIR
    that somebody has set is left."""
    if "TMPDIR" in os.environ or not _is_fit(_FOLDER):
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(_FOLDER)


def _is_fit(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free >= _ROOM_BYTES and not os.statvfs(folder).f_flag & os.ST_NOEXEC
    except OSError:
        return False
