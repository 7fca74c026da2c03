"""Ctrl-C while there is nothing to clean up."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C has ended."""


@contextmanager
def quits_at_once() -> Iterator[None]:
    """While modules are imported and models loaded, which takes seconds on a small machine: a
    KeyboardInterrupt would end in a traceback, or be swallowed by whatever it happens to interrupt."""
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
