"""Figures onto a disk that takes nothing."""

from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.recordings.saving import saved


def test_a_full_disk_is_a_line_and_no_traceback() -> None:
    """The device of Linux on which everything is full."""
    from matplotlib.figure import Figure

    with pytest.raises(StoreError, match="No space left"):
        saved(Figure(), Path("/dev/full"), 50)
    assert Path("/dev/full").exists()
