"""Waiting for threads to end, without waiting for ever."""

import threading
import time
from collections.abc import Sequence

from monitor.logs import get_logger

log = get_logger()


def join_all(threads: Sequence[threading.Thread], within_s: float) -> None:
    """Wait until all have ended, `within_s` for all together. One that hangs is named and left behind; ours
    are daemon threads, which end with the process."""
    until_s = time.monotonic() + within_s
    for thread in threads:
        if thread.ident is None:
            continue  # a start-up that was interrupted
        thread.join(max(0.0, until_s - time.monotonic()))
    if left := [thread.name for thread in threads if thread.is_alive()]:
        log.warning("does not stop and is left behind", threads=left)
