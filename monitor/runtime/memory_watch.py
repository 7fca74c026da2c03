"""What the process may take of the machine's memory, and what is given up when it takes more."""

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

from monitor.clock import Clock
from monitor.logs import get_logger

log = get_logger()

SHARE = 0.9
"""Share of the limit: beyond the limit the kernel throttles or kills the whole process, alarms included."""
PATIENCE_S = 30.0
"""How long the process may stay above it after the large models were unloaded."""

_CGROUPS = Path("/sys/fs/cgroup")
_PROC = Path("/proc/self")


class MemoryWatch:
    """Keeps the process below its limit, or ends it in order: systemd then starts a fresh one, and
    undelivered messages wait in the outbox. Call `check` about once a second, from one thread."""

    def __init__(
        self,
        shed_large_models: Callable[[str], bool],
        clock: Clock,
        limit_mb: float | None,
        taken_mb: Callable[[], float] | None = None,
    ) -> None:
        """`shed_large_models` unloads them, logs why, and returns whether there were any."""
        self.limit_mb = limit_mb
        self._shed_large_models = shed_large_models
        self._clock = clock
        self._taken_mb = taken_mb or anonymous_mb
        self._since_s: float | None = None

    def check(self) -> None:
        """Act on what is taken now. Raises MemoryError when letting go did not help."""
        if self.limit_mb is None or (taken_mb := self._taken_mb()) <= self.limit_mb:
            self._since_s = None
            return
        what = f"the process takes {taken_mb:.0f} MB and may take {self.limit_mb:.0f}"
        now_s = self._clock.monotonic_s()
        if self._since_s is None:
            self._since_s = now_s
            if not self._shed_large_models(what):
                log.warning("too much memory is used, and nothing can be unloaded", why=what)
        elif now_s - self._since_s > PATIENCE_S:
            raise MemoryError(f"{what}; the daemon starts again before the kernel kills it")


def anonymous_mb() -> float:
    """What is taken now that the kernel cannot take back by itself: without the pages of files. 0 where it
    cannot be read: a process that has no file descriptor left is not to end for want of a figure."""
    try:
        lines = (_PROC / "status").read_text().splitlines()
    except OSError:
        return 0.0
    for line in lines:
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def memory_limit_mb() -> float | None:
    """What the process may take: SHARE of the least of `LimitRSS=` (`ulimit -m`, which the kernel itself does
    not enforce), the limits of its control groups and the machine's memory. None if unknown (not Linux).
    """
    if not (_PROC / "status").exists():
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_RSS)
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    least = min([machine, *([soft] if soft != resource.RLIM_INFINITY else []), *_cgroup_limits()])
    return SHARE * least / 1e6


def _cgroup_limits() -> Iterator[int]:
    """`memory.high` and `memory.max` of our control group and those above it (cgroups(7), version 2)."""
    try:
        own = (_PROC / "cgroup").read_text().strip().rpartition("::")[2].lstrip("/")
    except OSError:
        return
    for group in [_CGROUPS / own, *(_CGROUPS / own).parents]:
        for name in ("memory.high", "memory.max") if group.is_relative_to(_CGROUPS) else ():
            try:
                yield int((group / name).read_text())
            except (OSError, ValueError):
                continue  # none is set: "max", or no such control group
