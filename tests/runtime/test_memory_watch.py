"""Too much memory: what is let go, and when the daemon begins anew."""

import resource
import subprocess
import sys

import pytest

from monitor.runtime.memory_watch import PATIENCE_S, MemoryWatch, memory_limit_mb
from testkit.fakes import FakeClock


class Household:
    """A process of which the test says how much it takes."""

    def __init__(self, *, can_spare: bool = True, limit_mb: float | None = 500.0) -> None:
        self.taken_mb = 100.0
        self.reasons: list[str] = []
        self.clock = FakeClock()
        self.watch = MemoryWatch(self._relieve, self.clock, limit_mb, lambda: self.taken_mb)
        self._can_spare = can_spare

    def _relieve(self, why: str) -> bool:
        self.reasons.append(why)
        return self._can_spare

    def take(self, mb: float, after_s: float = 1.0) -> None:
        self.clock.advance(after_s)
        self.taken_mb = mb
        self.watch.check()


def test_nothing_is_let_go_below_the_limit():
    """A large model that fits may stay."""
    house = Household()
    house.take(500.0)
    assert house.reasons == []


def test_beyond_the_limit_what_can_be_spared_goes_once():
    """With both figures in the reason; and back below it, all is well."""
    house = Household()
    house.take(501.0)
    house.take(501.0)
    house.take(200.0)
    house.take(200.0, after_s=10 * PATIENCE_S)
    assert house.reasons == ["the process takes 501 MB and may take 500"]


@pytest.mark.parametrize("can_spare", [True, False])
def test_what_did_not_help_ends_in_a_fresh_start(can_spare):
    """It is not left to the kernel which process dies, and when."""
    house = Household(can_spare=can_spare)
    house.take(600.0)
    house.take(600.0, after_s=PATIENCE_S)
    with pytest.raises(MemoryError, match="600 MB and may take 500"):
        house.take(600.0)


def test_without_a_limit_nothing_is_asked():
    """Where the system does not say what there is."""
    house = Household(limit_mb=None)
    house.take(1e9)
    assert house.reasons == []


def test_what_is_taken_grows_with_what_is_kept():
    """Pages that were written count; they are this process's own."""
    # In a process of its own: what ran before in this one may be given back to the system meanwhile.
    code = (
        "import mmap\n"
        "from monitor.runtime.memory_watch import anonymous_mb\n"
        "before_mb = anonymous_mb()\n"
        "kept = mmap.mmap(-1, 50_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
        "kept.write(b'x' * 50_000_000)\n"
        "print(anonymous_mb() - before_mb)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 40 < float(ran.stdout) < 60


def test_without_a_file_descriptor_nothing_is_known_and_nothing_ends():
    """Whoever takes the last one must not end the daemon by it."""
    code = (
        "import os, resource\n"
        "from monitor.runtime.memory_watch import anonymous_mb\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))\n"
        "taken = []\n"
        "try:\n    while True: taken.append(os.open('/dev/null', os.O_RDONLY))\n"
        "except OSError: pass\n"
        "print(anonymous_mb())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.stderr) == ("0.0", "")


def test_the_least_limit_counts():
    """`ulimit -m`, of which the kernel takes no notice, is heeded here."""
    machine_mb = memory_limit_mb()
    assert machine_mb is not None
    code = "from monitor.runtime.memory_watch import memory_limit_mb; print(memory_limit_mb())"
    limited = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_RSS, (100_000_000, -1)),
    )
    assert float(limited.stdout) == 90.0 < machine_mb
