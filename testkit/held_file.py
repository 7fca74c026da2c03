"""A file on a disk that does not answer: whoever opens it waits, until its holder lets go or ends."""

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testkit.noisy_house import until


@contextmanager
def held(path: Path) -> Iterator[threading.Event]:
    """Holds a file by a write lease (fcntl(2)): another process that opens it waits up to 45 s, and sets the
    event. Main thread only, for a signal brings the news."""
    opened = threading.Event()
    before = signal.signal(signal.SIGIO, lambda *_: opened.set())
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield opened
    finally:
        os.close(file)
        signal.signal(signal.SIGIO, before)


def wait_opened(opened: threading.Event) -> None:
    """Wait until somebody waits for the file. A signal is heeded between two steps of the main thread."""
    until(opened.is_set, "the file to be opened")
