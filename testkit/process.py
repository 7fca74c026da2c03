"""A daemon as a process of its own, for benchmarks: started with a config, asked how it is, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import yaml


class DaemonProcess:
    """`earwitness run` with a configuration in `folder`. Its log goes to `folder`/log. `module` is another
    one to run, which takes the same arguments."""

    def __init__(
        self,
        config: Mapping[str, Any],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        module: str = "monitor",
    ) -> None:
        self._folder = folder
        self._config = folder / "earwitness.yaml"
        # Off unless a test is about it: many daemons at once would want the same port, and a core each.
        off = {"web": {"enabled": False}, "classifiers": []}
        whole = {**off, **config, "state_dir": str(folder / "state")}
        self._config.write_text(yaml.safe_dump(whole))
        self._log = folder / "log"
        self._environment = environment or {}
        self._module = module
        self.started_s = 0.0
        self.stopped_in_s = 0.0

    def __enter__(self) -> Self:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **self._environment}
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._module, "run", "--config", str(self._config)],
                stdin=subprocess.DEVNULL,
                stderr=log,
                stdout=log,
                env=environment,
                # Without a terminal, as a service is.
                start_new_session=True,
            )
        self.started_s = time.monotonic()
        return self

    def __exit__(self, *exc: object) -> None:
        began_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.stopped_in_s = time.monotonic() - began_s

    @contextmanager
    def listening(self, patience_s: float = 120.0) -> Iterator[Self]:
        """Instead of `with` the process itself: begins when it listens, as a service manager is notified."""
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with manager:
            manager.bind(f"\0{self._folder}/manager")
            manager.settimeout(patience_s)
            self._environment = {**self._environment, "NOTIFY_SOCKET": f"@{self._folder}/manager"}
            with self:
                while b"READY=1" not in manager.recv(4096):
                    pass
                manager.close()  # what nobody reads would be waited for
                yield self

    def cpu_s(self) -> float:
        """Processor time used so far, user and system."""
        return sum(map(int, _stat(self.process.pid)[11:13])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def health(self, patience_s: float = 60.0) -> dict[str, Any]:
        """What SIGUSR1 prints."""
        before = len(self._log.read_text())
        self.process.send_signal(signal.SIGUSR1)
        deadline_s = time.monotonic() + patience_s
        while time.monotonic() < deadline_s:
            text = self._log.read_text()[before:]
            start, end = text.find("{\n"), text.find("\n}\n")
            if 0 <= start < end:
                found: dict[str, Any] = json.loads(text[start : end + 2])
                return found
            time.sleep(0.05)
        raise TimeoutError(f"the daemon printed no health; its log is {self._log}")


def tree_cpu_s(pid: int) -> float:
    """Processor time used so far by a process and all below it, user and system."""
    ticks = [sum(map(int, _stat(each)[11:13])) for each in _tree(pid)]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def tree_resident_mb(pid: int) -> float:
    """Resident memory of a process and all below it; what they share counts for each."""
    pages = [int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in _tree(pid)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _tree(pid: int) -> list[int]:
    below = [
        int(child)
        for children in Path(f"/proc/{pid}/task").glob("*/children")
        for child in children.read_text().split()
    ]
    return [pid, *(each for child in below for each in _tree(child))]


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
