"""One SQLite file of the state directory: how it is opened, brought up to date, shared by threads, and what
happens when the disk fails it.

The journal is a write-ahead log (https://www.sqlite.org/wal.html), which survives kill -9 at any instruction.
A commit survives a power cut once `flush` has returned; that costs an fsync: for what must not be lost.
"""

import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from monitor.clock import Clock
from monitor.errors import StoreError
from monitor.logs import get_logger
from monitor.patience import Patience, Silent

log = get_logger()

BUSY_S = 1.0
"""How long to wait for another process that reads or writes the file (`earwitness explain`)."""
CACHE_KB = 256
"""Pages kept in memory, instead of SQLite's 2 MB a file: nearly everything is written once and read once, and
the system's own cache has the rest."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
"""SQLITE_ERROR is a missing table or column: the file is not what we wrote."""


class DamagedStore(StoreError):
    """The file is there and is not a database of ours."""


class Database:
    """A connection and a lock. Every method may be called from any thread; one transaction at a time.

    `path` None keeps everything in memory. `migrations[n]` is the SQL script that leads from version n to
    n + 1 (SQLite's `user_version`). `verify` reads the whole file on opening, to find damage before it is
    needed (about 0.1 s for 50 MB): leave it out for large histories that can be lost. With `patience_s`
    opening and closing wait no longer than that for a disk that does not answer.
    """

    def __init__(
        self,
        path: Path | None,
        migrations: Sequence[str],
        clock: Clock,
        *,
        verify: bool = True,
        patience_s: float | None = None,
    ) -> None:
        self._path = path
        self._migrations = migrations
        self._clock = clock
        self._verify = verify
        self._patience = None if patience_s is None else Patience(self._name, patience_s)
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._flushed_log: int | None = None

    def __enter__(self) -> Self:
        """Open; a damaged file is set aside and a new one begun. Raises StoreError when the directory cannot
        keep a file at all, or does not answer; entering again takes what it has opened meanwhile."""
        if self._connection is None:
            self._patiently(self._open)
        return self

    def _open(self) -> None:
        try:
            self._connection = self._opened()
        except DamagedStore as error:
            aside = self.set_aside()
            log.warning(
                "the store was damaged; it was set aside and a new one begun", kept_as=aside, why=str(error)
            )
            self._connection = self._opened()

    def __exit__(self, *exc: object) -> None:
        """Close; what is in the log is folded into the file when the disk allows it."""
        with suppress(Silent):
            self._patiently(self._close)

    def _patiently(self, work: Callable[[], None]) -> None:
        if self._patience is None:
            work()
        else:
            self._patience.do(work)

    def _close(self) -> None:
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def ask_for_room(self, size: int) -> None:
        """Raises StoreError unless so many bytes more fit where the file is to be."""
        if self._path is None:
            return
        with self._explaining():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._path.parent) as probe:
                os.posix_fallocate(probe.fileno(), 0, size)

    def set_aside(self) -> Path | None:
        """Close, and rename the file and its log with the date as suffix; nothing is deleted. The new name,
        or None for a store in memory. Raises StoreError when the directory refuses."""
        self._close()
        if self._path is None:
            return None
        suffix = self._clock.now().strftime(".%Y%m%dT%H%M%SZ")
        with self._explaining():
            for part in ("-wal", "-shm", ""):
                old = self._path.with_name(self._path.name + part)
                if old.exists():
                    old.rename(self._path.with_name(self._path.name + suffix + part))
        return self._path.with_name(self._path.name + suffix)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Kept from then on, except that a power cut may lose the newest transactions that
        were not flushed, never the file. Raises StoreError for the disk, DamagedStore for the file."""
        with self._lock, self._explaining():
            connection = self._usable()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full disk has often rolled back by itself, and ROLLBACK then fails in turn.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def check_in_place(self) -> None:
        """Raises StoreError when the file was deleted or replaced since it was opened."""
        with self._lock:
            self._usable()

    def flush(self) -> None:
        """Wait until every transaction committed so far would survive a power cut. Others go on meanwhile:
        SQLite's own `synchronous = FULL` would hold them up as long as the disk takes. Raises StoreError."""
        if self._path is None:
            return
        log_path = self._path.with_name(self._path.name + "-wal")
        with self._explaining():
            try:
                log_file = os.open(log_path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return  # Closed meanwhile: SQLite has folded the log into the file and flushed that.
            try:
                os.fdatasync(log_file)
                self._flush_name(os.fstat(log_file).st_ino)
            finally:
                os.close(log_file)

    def _flush_name(self, inode: int) -> None:
        """A new log must also be found again by its name."""
        if self._path is None or inode == self._flushed_log:
            return
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._flushed_log = inode

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Look only; also at a file that was deleted since it was opened. Raises as `transaction` does."""
        with self._lock, self._explaining():
            yield self._connected()

    def _opened(self) -> sqlite3.Connection:
        with self._explaining():
            if self._path is not None:
                self._make_private(self._path)
            connection = sqlite3.connect(
                self._path or ":memory:", timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._inode = self._inode_now()
            return connection

    def _make_private(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the -wal and -shm files the mode of the main one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        if self._verify:
            self._check(connection)
        self._migrate(connection)

    def _check(self, connection: sqlite3.Connection) -> None:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise DamagedStore(f"{self._name}: {verdict}")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(self._migrations):
            raise DamagedStore(f"{self._name}: written by a newer version of earwitness")
        for number in range(version, len(self._migrations)):
            script = self._migrations[number]
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number + 1}; COMMIT")

    def _usable(self) -> sqlite3.Connection:
        """The connection. A file deleted or replaced under it would take everything and keep nothing."""
        connection = self._connected()
        if self._path is not None and self._inode_now() != self._inode:
            raise StoreError(f"{self._name} was deleted or replaced while in use")
        return connection

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self._name} is closed")
        return self._connection

    def _inode_now(self) -> int | None:
        if self._path is None:
            return None
        try:
            return self._path.stat().st_ino
        except OSError:
            return None

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            kind = DamagedStore if code in _DAMAGED else StoreError
            raise kind(f"{self._name}: {error}") from error
        except OSError as error:
            raise StoreError(f"{self._name}: {error.strerror or error}") from error

    @property
    def _name(self) -> str:
        return str(self._path or "the store in memory")
