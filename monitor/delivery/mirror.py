"""The outbox's file: what changes in memory is written there by a thread that alone waits for the disk.

A dying SD card, a snapshot or a network drive gives no error, it gives no answer, for a minute or for ever.
So nobody else touches the file: a put waits for the disk for 100 ms, once, and after that not at all until
the disk has answered.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from monitor.clock import Backoff, Clock
from monitor.delivery.outbox_tables import MIGRATIONS, Contents, Statement, everything, repeat, replace
from monitor.errors import StoreError
from monitor.logs import get_logger
from monitor.runtime.threads import join_all
from monitor.store.database import DamagedStore, Database

log = get_logger()

WAIT_S = 0.1
"""What a put gives the disk: a hundred times what a busy SSD takes, and no source notices it."""
SILENT_S = 1.0
"""A disk that has owed an answer for so long keeps nothing, and that is logged."""
OPEN_S = 3.0
"""What a start gives the disk to hand out what an earlier run left."""
CLOSE_S = 1.0
MOST_PENDING = 10_000
"""Changes that wait for a disk; with more of them it is quicker to write the file anew."""
STABLE_S = 60.0
"""A disk that fails again sooner than this after a return is tried, and so logged, less and less often."""
LONGEST_RETRY_S = 600.0
ROOM_BYTES = 8 * 2**20
"""What must fit on a disk that failed before it is taken again: twice what the store's log grows to. On the
few blocks that closing the store has freed it would fail again at once."""
_NEVER_S = -float("inf")
LOOK_S = 1.0
"""How often the time for another attempt is looked for."""


class Mirror:
    """A SQLite file that follows the memory of its owner. Every method may be called from any thread.

    `meet` is called in the mirror's thread whenever the file can be written, with what the file holds (None
    after the first time): the owner takes it in, calls `begin`, and returns everything that the file is to
    hold, or None where that is what it holds. A file that fails is left, tried again after `retry_s`, and
    then replaced whole. Bugs reach `failed`.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        meet: Callable[[Contents | None], Contents | None],
        failed: Callable[[BaseException], None],
        retry_s: float,
    ) -> None:
        self._path = path
        self._clock = clock
        self._meet = meet
        self._failed = failed
        self._backoff = Backoff(retry_s, LONGEST_RETRY_S, jitter=0)
        self._file: Database | None = None
        self._was_read = False
        self._changed = threading.Condition()
        self._pending: deque[tuple[Sequence[Statement], bool]] = deque()
        self._accepts = False
        self._accepted = self._written = 0
        self._is_slow = False
        self._busy_since_s: float | None = None
        self._error: StoreError | None = None
        self._tried = False
        self._retry_at_s = _NEVER_S
        self._returned_at_s = _NEVER_S
        self._is_logged = False
        self._closing = False
        self._unflushed = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            for work, name in ((self._write_behind, "outbox-write"), (self._keep_flushing, "outbox-flush"))
        ]

    def __enter__(self) -> Self:
        """Begin, and wait until the file was read or has failed, 3 s at most."""
        for thread in self._threads:
            thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._tried, OPEN_S)
        self.look()
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what waits, also to a disk that failed, and close; a disk that does not answer is left."""
        with self._changed:
            self._closing = True
            self._tried = False
            self._changed.notify_all()
        self._unflushed.set()
        join_all(self._threads, CLOSE_S)

    @property
    def keeps(self) -> bool:
        """Whether changes are on disk, or will be within a second."""
        with self._changed:
            return self._accepts and not self._is_silent()

    def begin(self) -> None:
        """From now on every change is accepted. For `meet`, while nothing can change."""
        with self._changed:
            self._pending.clear()
            self._written = self._accepted
            self._accepts = True

    def accept(self, statements: Sequence[Statement], *, flush: bool = False) -> int:
        """Take a change to be written after those before it: its number for `wait`. In the order of changes,
        so before another one can be made. Never waits. With `flush` it survives a power cut soon after."""
        with self._changed:
            if self._accepts:
                self._accepted += 1
                self._pending.append((statements, flush))
                if len(self._pending) > MOST_PENDING:
                    self._refuse(StoreError(f"{self._path}: too much waits for the disk"))
            self._changed.notify_all()
            return self._accepted

    def wait(self, number: int) -> None:
        """Return when the change is on disk, or the disk has failed, or after 100 ms, or at once while the
        disk owes an answer to somebody who has waited for so long."""
        self.look()
        with self._changed:
            if self._accepts and not self._is_slow:
                self._is_slow = not self._changed.wait_for(
                    lambda: self._written >= number or not self._accepts, WAIT_S
                )

    def look(self) -> None:
        """Say it when the disk has stopped answering; and try it again when it is time."""
        with self._changed:
            if self._file is None:  # else the writer would be woken every second for nothing
                self._changed.notify_all()
            is_silent = self._is_silent()
        if is_silent:
            self._log_lost(f"{self._path}: the disk does not answer")

    def settle(self, within_s: float) -> bool:
        """Wait until the disk has everything, or has failed and is not due to be tried: whether it is so."""
        with self._changed:
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._has_work() and not self._is_busy(), within_s)

    def _is_busy(self) -> bool:
        return self._busy_since_s is not None

    def _is_silent(self) -> bool:
        since_s = self._busy_since_s
        return since_s is not None and self._clock.monotonic_s() - since_s >= SILENT_S

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the one place of these threads: the daemon stops with it
            self._refuse(StoreError("its thread has ended"))
            self._failed(error)

    def _has_work(self) -> bool:
        if self._file is None:
            due = self._clock.monotonic_s() >= self._retry_at_s
            return not self._tried if self._closing else due
        return bool(self._pending) or self._error is not None or (self._closing and not self._tried)

    def _write_behind(self) -> None:
        while self._take_turn():
            pass
        if self._file is not None:
            self._file.__exit__()

    def _take_turn(self) -> bool:
        """Do what there is to do; False when nothing is and the end has come."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_work() or self._closing, LOOK_S)
            if not self._has_work() and (self._closing or self._file is None):
                return not self._closing
            self._busy_since_s = self._clock.monotonic_s()
        was_open = self._file is not None
        try:
            self._work()
        except StoreError as error:
            self._leave(error)
        with self._changed:
            self._busy_since_s = None
            self._is_slow = False
            self._tried = self._file is not None or not was_open
            keeps = self._accepts
            self._changed.notify_all()
        if keeps:
            self._log_kept()
        return True

    def _work(self) -> None:
        with self._changed:
            error, batch, last = self._error, list(self._pending), self._accepted
            self._pending.clear()
        if error is not None:
            raise error
        if self._file is None:
            self._open()
            return
        self._file.check_in_place()
        if not batch:
            return
        with self._file.transaction() as connection:
            for statements, _ in batch:
                repeat(connection, statements)
        if any(flush for _, flush in batch):
            self._unflushed.set()
        with self._changed:
            self._written = max(self._written, last)

    def _open(self) -> None:
        has_failed = self._retry_at_s > _NEVER_S
        file = Database(self._path, MIGRATIONS, self._clock)
        try:
            if has_failed and not self._closing:
                file.ask_for_room(ROOM_BYTES)
            file.__enter__()
            self._catch_up(file)
        except DamagedStore:
            # It opens and does not hold our tables; the next attempt begins a new one.
            log.warning("the store was damaged; it was set aside", kept_as=str(file.set_aside()))
            raise
        except StoreError:
            file.__exit__()
            raise
        self._file = file
        if has_failed:
            self._returned_at_s = self._clock.monotonic_s()

    def _catch_up(self, file: Database) -> None:
        found = None
        if not self._was_read:
            with file.reading() as connection:
                found = everything(connection)
        contents = self._meet(found)
        self._was_read = True
        if contents is not None:
            with file.transaction() as connection:
                replace(connection, contents)
            file.flush()

    def _leave(self, error: StoreError) -> None:
        self._refuse(error)
        file, self._file = self._file, None
        if file is not None:
            file.__exit__()
        now_s = self._clock.monotonic_s()
        if now_s - self._returned_at_s >= STABLE_S:
            self._backoff.reset()
        with self._changed:
            self._error = None
            self._retry_at_s = now_s + self._backoff.next_s()
        self._log_lost(str(error))

    def _refuse(self, error: StoreError) -> None:
        """Take no more changes: the file is to be left, and replaced whole when it can be."""
        with self._changed:
            self._accepts = False
            self._error = error
            self._pending.clear()
            self._written = self._accepted
            self._changed.notify_all()

    def _log_lost(self, why: str) -> None:
        with self._changed:
            is_logged, self._is_logged = self._is_logged, True
        if not is_logged:
            log.warning(
                "history is not being kept: events and alerts wait in memory and are still delivered; "
                "free space or repair the disk, and keeping goes on by itself",
                why=why,
            )

    def _log_kept(self) -> None:
        with self._changed:
            was_logged, self._is_logged = self._is_logged, False
        if was_logged:
            log.info("history is being kept again")

    def _keep_flushing(self) -> None:
        """The thread that waits for the disk's own memory, so that no other does: alerts share a flush."""
        while self._unflushed.wait() and not self._closing:
            self._unflushed.clear()
            file = self._file
            try:
                if file is not None:
                    file.flush()
            except StoreError as error:
                if file is self._file:
                    self._refuse(error)
