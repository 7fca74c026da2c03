"""What figures were measured on."""

import os
import platform
import time
from pathlib import Path


def machine() -> str:
    """Processor, cores and Python, without a name of the host."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.split(":")[1].strip() for line in cpu.splitlines() if "model name" in line), "a CPU")
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, Python {platform.python_version()}"


class OtherWork:
    """How many cores other programs take while this one, and what it runs, measure. For the kernel's figures,
    Linux."""

    def __init__(self) -> None:
        self._began_s, self._others_s = time.monotonic(), _others_s()

    @property
    def cores(self) -> float:
        """Since this was made; programs that were started here count once they have ended."""
        return max(0.0, _others_s() - self._others_s) / max(1e-3, time.monotonic() - self._began_s)


def _others_s() -> float:
    """Processor time of all programs since the machine started, less our own."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    idle, waiting = 3, 4
    busy = sum(int(ticks) for place, ticks in enumerate(fields[:8]) if place not in (idle, waiting))
    own = os.times()
    ours_s = own.user + own.system + own.children_user + own.children_system
    return busy / os.sysconf("SC_CLK_TCK") - ours_s
