"""One daemon per state folder: a second one would deliver the first one's alerts again."""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from monitor.errors import StoreError
from monitor.patience import Patience, Silent

LOCK = "lock"
OPEN_S = 1.0
"""Longest wait for the disk to answer whether another process holds the lock."""


class OnlyInstance:
    """Holds the lock of a state folder (flock(2)) inside the `with` block. The kernel lets it go when the
    process ends, however it ends, so that no stale lock can keep a daemon from starting."""

    def __init__(self, folder: Path, failed: Callable[[BaseException], None]) -> None:
        self._path = folder / LOCK
        self._failed = failed
        self._patience = Patience(str(folder), OPEN_S)
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Raises StoreError when another process holds it; `failed` gets the error when the disk answers only
        after a second. The daemon listens also without a writable folder: the outbox logs that and works in
        memory."""
        with suppress(Silent):
            self._patience.do(self._take, self._failed)
        return self

    def _take(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = self._holder()
            self.__exit__()
            raise StoreError(
                f"{self._path.parent} is used by another earwitness (process {holder}); "
                "stop that one, or give this one a `state_dir` of its own"
            ) from None
        except OSError:
            self.__exit__()

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _holder(self) -> str:
        assert self._file is not None
        return os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
