"""One daemon per state folder: a second one would deliver the first one's alerts again."""

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from monitor.errors import StoreError
from monitor.logs import Lapse, get_logger
from monitor.patience import Patience, Silent

log = get_logger()

LOCK = "lock"
OPEN_S = 1.0
"""Longest wait for the disk to answer whether another process holds the lock."""


def is_running(folder: Path) -> bool:
    """Whether a daemon holds the lock of a state folder."""
    try:
        with (folder / LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class OnlyInstance:
    """Holds the lock of a state folder (flock(2)) inside the `with` block. The kernel lets it go when the
    process ends, however it ends, so that no stale lock can keep a daemon from starting."""

    def __init__(self, folder: Path, failed: Callable[[BaseException], None]) -> None:
        self._path = folder / LOCK
        self._failed = failed
        self._patience = Patience(str(folder), OPEN_S)
        self._lock = threading.Lock()
        self._file: int | None = None
        self._other = ""
        self._lapse = Lapse(
            "another earwitness uses the same state folder; stop one of the two",
            "the state folder is used by this earwitness alone",
        )

    def __enter__(self) -> Self:
        """Raises StoreError when another process holds it; `failed` gets the error when the disk answers only
        after a second. The daemon listens also without a writable folder: the outbox logs that and works in
        memory."""
        with suppress(Silent):
            self._patience.do(self._begin, self._failed)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def look(self) -> None:
        """Take the lock again if the folder was deleted or replaced meanwhile, or could not be written
        before: a second daemon would start on the new one. In a thread that may wait for a disk."""
        with self._lock:
            if self._is_held():
                return
            was_held = self._file is not None
            self._other = self._take()
        if self._other:
            self._lapse.begin(folder=str(self._path.parent), process=self._other)
        elif was_held and self._is_held():
            log.warning(
                "the state folder was deleted or replaced; a new one is used", folder=str(self._path.parent)
            )
        if not self._other:
            self._lapse.end(folder=str(self._path.parent))

    def notes(self) -> dict[str, str]:
        """What is wrong now, for the health report; any thread."""
        fix = (
            f"{self._path.parent} is used by another earwitness (process {self._other}); stop one of the two"
        )
        return {"state_dir": fix} if self._other else {}

    def _begin(self) -> None:
        with self._lock:
            holder = self._take()
        if holder:
            raise StoreError(
                f"{self._path.parent} is used by another earwitness (process {holder}); "
                "stop that one, or give this one a `state_dir` of its own"
            )

    def _is_held(self) -> bool:
        """Whether the file that we have locked is still the one of this name."""
        if self._file is None:
            return False
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except OSError:
            return False

    def _take(self) -> str:
        """Lock the file of this name, in place of the one locked before: the process that holds it, or
        nothing when we do, or when nobody can."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return ""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            return holder
        except OSError:
            os.close(file)
            return ""
        with suppress(OSError):  # a full disk
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self.__exit__()
        self._file = file
        return ""
