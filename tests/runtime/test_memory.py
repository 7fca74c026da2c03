"""Memory that is no longer used goes back to the system."""

import gc
import subprocess
import sys

from monitor.runtime.memory import settled_heap

_FREED = """
import threading
from monitor.runtime.memory import trim_heap, limit_malloc_arenas

def resident_pages():
    return int(open("/proc/self/statm").read().split()[1])

limit_malloc_arenas()
small = [bytes(4000) for _ in range(20_000)]
last = bytes(4000)
del small
before = resident_pages()
trim_heap()
print(before - resident_pages())
"""


def test_what_was_freed_goes_back() -> None:
    """80 MB in small pieces, freed below one that is still used."""
    freed = subprocess.run([sys.executable, "-c", _FREED], capture_output=True, text=True, check=True)
    assert int(freed.stdout) * 4096 > 40e6


def test_what_stays_is_looked_through_once() -> None:
    """While the daemon lives; afterwards what it left in cycles is garbage like any other."""
    with settled_heap():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
