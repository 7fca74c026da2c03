"""Memory given back to the system: a daemon that runs for years keeps what it uses and no more.

glibc gives every busy thread an arena of its own and keeps in each what was freed there; with a thread a
source that is tens of megabytes which nobody uses. See mallopt(3) and malloc_trim(3). Elsewhere (musl, macOS)
the allocator gives back of its own accord, and these do nothing.
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_M_ARENA_MAX = -8


def limit_malloc_arenas() -> None:
    """Make all threads share one arena; call it before the first thread starts. A thread that allocates holds
    Python's lock in most cases, so the threads do not wait for one another longer than before."""
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_ARENA_MAX, 1)


def trim_heap() -> None:
    """Return to the system what was freed: after loading models (13 MB) and after long sounds. Takes
    milliseconds."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


@contextmanager
def settled_heap() -> Iterator[None]:
    """Inside the `with` block the garbage collector leaves out what is there at its beginning: modules,
    configuration, models, some 200,000 objects that stay. To look through them again and again takes tens of
    milliseconds each time, in which no source is heard."""
    gc.collect()
    gc.freeze()
    trim_heap()
    try:
        yield
    finally:
        # What a former life of the daemon has left in cycles is garbage in the next.
        gc.unfreeze()


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
